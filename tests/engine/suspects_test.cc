// SPDX-License-Identifier: Apache-2.0
// What changed before something went wrong: the score is what docs/incidents.md says.
#include "engine/suspects.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

constexpr Instant kSign = instant_ms(1'000'000'000);

TroubleSeen trouble() {
  return {{"build/raid@2", "event/gala", "fleet/raid", "flag/door"}, kSign, kSign + minutes(2)};
}

ChangeSeen change(std::uint64_t seq, Duration before, Subjects touches) {
  return {seq, kSign - before, "ann", "changed", std::move(touches)};
}

TEST(Suspects, AreRankedByNearnessOverlapAndWhetherTheEvidenceMovedAfter) {
  const std::vector<ChangeSeen> changes{
      change(1, minutes(60), {"event/gala", "fleet/raid", "build/raid@2", "flag/door"}),
      change(2, minutes(30), {"fleet/raid", "build/raid@2"}),
      change(3, minutes(0), {"flag/door", "flag/bell"}),
      change(4, minutes(-1), {"event/gala", "fleet/raid", "build/raid@2", "flag/door"}),
      change(5, minutes(1), {"fleet/arena"}),                // touches nothing of it
      change(6, hours(7), {"fleet/raid"}),                   // too long ago
      change(7, minutes(-3), {"event/gala", "fleet/raid"}),  // after it was told
  };
  const auto found = suspects_of(trouble(), changes, 10);
  ASSERT_EQ(found.size(), 4u);
  std::map<std::uint64_t, double> scores;
  for (const Suspect& suspect : found) scores[suspect.seq] = suspect.score();
  EXPECT_NEAR(scores.at(1), 0.25 * 1, 1e-9);           // two half-lives, all of it
  EXPECT_NEAR(scores.at(2), 0.5 * 0.5, 1e-9);          // one half-life, half of it
  EXPECT_NEAR(scores.at(3), 1 * 0.25, 1e-9);           // at the sign, a quarter of it
  EXPECT_NEAR(scores.at(4), 0.9772 * 1 * 0.25, 1e-3);  // what was wrong already
  // Of equals the later one comes first.
  EXPECT_EQ(found[0].seq, 3u);
  EXPECT_EQ(found[1].seq, 2u);
  EXPECT_EQ(found[2].seq, 1u);
  EXPECT_EQ(found[3].seq, 4u);
  EXPECT_EQ(found[1].common, (Subjects{"build/raid@2", "fleet/raid"}));
  EXPECT_EQ(suspects_of(trouble(), changes, 2).size(), 2u);
}

TEST(Suspects, RecordsNameWhatTheyAreAbout) {
  QuarantineSet quarantine{QuarantineScope::Build, "raid", "2", {}, "fails"};
  EXPECT_EQ(subjects_of(quarantine), (Subjects{"build/raid@2", "fleet/raid"}));
  EXPECT_EQ(subjects_of(ManifestApplied{.kind = "Config", .name = "drops"}),
            (Subjects{"config/drops", "flag/config.drops"}));
  EXPECT_EQ(subjects_of(PageRaised{.subject = "LiveEvent/gala", .team = "ops"}),
            (Subjects{"event/gala", "team/ops"}));
  EXPECT_EQ(subjects_of(AlertOpened{.subject = "Service/join", .team = "ops"}),
            (Subjects{"service/join", "team/ops"}));
  EXPECT_EQ(subjects_of(AlertChanged{.id = "a-7"}), (Subjects{"alert/a-7"}));
  EXPECT_EQ(subjects_of(LineStopped{.scope = "fleet/raid"}),
            (Subjects{"fleet/raid", "line/fleet/raid"}));
  const auto document = parse_json(R"({"spec":{"changes":[{"build":{"fleet":"raid","version":2}},
      {"flag":{"key":"door","to":"open"}},{"config":{"document":"drops","version":3}}],
      "rollout":{"stages":[{"regions":["eu"]}]}}})");
  EXPECT_EQ(subjects_of_event_document(document->as_object()),
            (Subjects{"build/raid@2", "config/drops", "flag/config.drops", "flag/door",
                      "fleet/raid", "region/eu"}));
}

}  // namespace
}  // namespace showcaller
