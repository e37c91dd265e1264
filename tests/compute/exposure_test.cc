// SPDX-License-Identifier: Apache-2.0
// Laws of exposure over a LiveEvent's life: it only grows on the way forward, leaves
// last-in-first-out on the way back, is exact in share, and ends when intake does.
#include <set>

#include "base/random.h"
#include "tests/compute/fixture.h"

namespace showcaller {
namespace {

json::value staff_audience() {
  return json::object{
      {"in", json::array{json::object{{"var", "account.group"}}, json::array{"staff"}}}};
}

struct Player {
  std::string id;
  json::object context;
};

std::vector<Player> players(int count) {
  std::vector<Player> out;
  for (int i = 0; i < count; ++i) {
    json::object context{{"region", i % 3 == 0 ? "ap" : "eu"},
                         {"account", json::object{{"group", i % 50 == 0 ? "staff" : "player"}}}};
    out.push_back({"player-" + std::to_string(i), std::move(context)});
  }
  return out;
}

std::set<std::string> admitted(const EventState& event, const std::vector<Player>& all) {
  std::set<std::string> out;
  auto rule = exposure_rule(event, "salt");
  const auto exposure = Exposure::compile(std::move(rule));
  EXPECT_TRUE(exposure);
  for (const Player& player : all) {
    EvaluationContext context(player.context);
    context.set_targeting_key(player.id);
    if (exposure->admits(context, Instant{})) out.insert(player.id);
  }
  return out;
}

bool includes(const std::set<std::string>& big, const std::set<std::string>& small) {
  return std::includes(big.begin(), big.end(), small.begin(), small.end());
}

LiveEventSpec four_stages() {
  LiveEventSpec spec;
  spec.stages.resize(4);
  spec.stages[0].name = "staff";
  spec.stages[0].audience = staff_audience();
  spec.stages[0].gated = false;
  spec.stages[1].name = "canary";
  spec.stages[1].exposure_ppm = 10'000;
  spec.stages[1].regions = {"ap"};
  spec.stages[2].name = "early";
  spec.stages[2].exposure_ppm = 100'000;
  spec.stages[3].name = "world";
  return spec;
}

void enter(EventState* event, int stage) {
  event->stage = stage;
  event->exposure_ppm = event->spec().stages[std::size_t(stage)].exposure_ppm;
}

TEST(Exposure, GrowsStageByStageAndLeavesLastInFirstOut) {
  FleetFixture f;
  auto& event = f.put_event("winter", four_stages());
  const auto all = players(20'000);
  std::vector<std::set<std::string>> way;
  for (int stage = 0; stage < 4; ++stage) {
    enter(&event, stage);
    way.push_back(admitted(event, all));
    if (stage > 0) {
      EXPECT_TRUE(includes(way[std::size_t(stage)], way[std::size_t(stage) - 1]));
    }
  }
  EXPECT_EQ(way[0].size(), 400u) << "the staff";
  EXPECT_EQ(way[3].size(), all.size());
  for (int stage = 3; stage >= 0; --stage) {
    enter(&event, stage);
    EXPECT_EQ(admitted(event, all), way[std::size_t(stage)]) << "the way back is the way there";
  }
}

TEST(Exposure, HasTheDeclaredShare) {
  FleetFixture f;
  auto& event = f.put_event("winter", four_stages());
  const auto all = players(100'000);
  enter(&event, 2);
  std::size_t in = 0, eligible = 0;
  const auto chosen = admitted(event, all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % 50 == 0) continue;  // The staff are in anyhow.
    ++eligible;
    in += chosen.contains(all[i].id);
  }
  EXPECT_NEAR(double(in) / double(eligible), 0.10, 4 * std::sqrt(0.1 * 0.9 / double(eligible)));
}

TEST(Exposure, TheHoldbackIsNeverLetInAndLaterNeverThrownOut) {
  FleetFixture f;
  auto spec = four_stages();
  spec.watch.holdback_ppm = 20'000;
  auto& event = f.put_event("winter", spec);
  const auto all = players(20'000);
  enter(&event, 3);
  const auto at_the_end = admitted(event, all);
  event.phase = Phase::Live;
  EXPECT_EQ(admitted(event, all), at_the_end);
  EXPECT_NEAR(double(all.size() - at_the_end.size()) / double(all.size()), 0.02 * 0.98, 0.005);
  EXPECT_EQ(canary_share_ppm(event), 980'000);
}

TEST(Exposure, NobodyIsLetInWhileItIsClosedDivertedOrOver) {
  FleetFixture f;
  auto& event = f.put_event("winter", four_stages());
  enter(&event, 3);
  EXPECT_FALSE(exposure_rule(event, "s").stages.empty());
  event.intake = IntakeState::Closed;
  EXPECT_TRUE(exposure_rule(event, "s").stages.empty());
  EXPECT_EQ(canary_share_ppm(event), 0);
  event.intake = IntakeState::Proving;
  EXPECT_FALSE(exposure_rule(event, "s").stages.empty()) << "dark, but proven on real sessions";
  EXPECT_FALSE(doors_are_open(event, "eu"));
  event.diverted = true;
  EXPECT_TRUE(exposure_rule(event, "s").stages.empty());
  event.diverted = false;
  event.intake = IntakeState::Open;
  event.open_regions = {"ap"};
  EXPECT_TRUE(doors_are_open(event, "ap"));
  EXPECT_FALSE(doors_are_open(event, "eu"));
  for (int phase = 0; phase < kPhases; ++phase) {
    event.phase = Phase(phase);
    EXPECT_EQ(exposure_rule(event, "s").stages.empty(), !may_admit(Phase(phase)));
  }
}

// Any walk of advances, widenings and step-backs: who is in depends on where it is, not on how it
// came there, and an advance or a widening never throws anybody out.
TEST(Exposure, AWalkOfStagesIsMonotoneForward) {
  const auto all = players(3'000);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    FleetFixture f;
    auto& event = f.put_event("winter", four_stages());
    enter(&event, 0);
    auto before = admitted(event, all);
    for (int step = 0; step < 30; ++step) {
      const bool forward = random.chance(0.6);
      const int next = event.stage + (forward ? 1 : -1);
      if (next < 0 || next > 3) continue;
      if (forward && random.chance(0.3) && event.stage == 2)
        event.exposure_ppm = 200'000;
      else
        enter(&event, next);
      const auto after = admitted(event, all);
      EXPECT_TRUE(forward ? includes(after, before) : includes(before, after)) << "seed " << seed;
      before = after;
    }
  }
}

}  // namespace
}  // namespace showcaller
