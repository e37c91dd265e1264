// SPDX-License-Identifier: Apache-2.0
// Flags that may be taken out: each reason, and that what is not known is not guessed.
#include "engine/stale_flags.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

const Instant kNow = parse_instant("2026-12-31T00:00:00Z").value();

void add_flag(World* world, const std::string& key, const std::string& owner,
              std::string_view targeting = "{}") {
  Manifest manifest;
  manifest.name = key;
  manifest.owner = owner;
  FlagSpec spec;
  spec.definition = {{"variants", {{"on", 1}, {"off", 0}}},
                     {"defaultVariant", "off"},
                     {"targeting", parse_json(targeting).value()}};
  manifest.spec = std::move(spec);
  world->manifests["Flag/" + key] = {std::make_shared<const Manifest>(std::move(manifest)), 1};
}

std::string told(const World& world, const FlagUsage& usage,
                 const std::map<std::string, FlagPast>& past = {}) {
  std::string out;
  const json::object report = stale_flags({world, usage, past, hours(24 * 30), kNow});
  for (const json::value& row : report.at("flags").as_array()) {
    out += std::string(row.at("flag").as_string()) + " " +
           std::string(row.at("evaluations").as_string());
    for (const json::value& why : row.at("why").as_array())
      out += " " + std::string(why.at("rule").as_string());
    out += "\n";
  }
  return out;
}

constexpr std::string_view kRule = R"({"if": [{"==": [{"var": "g"}, 1]}, "on", null]})";

TEST(StaleFlags, WithoutAnybodyWhoTellsNothingIsGuessed) {
  World world;
  add_flag(&world, "door", "raids", kRule);
  const FlagUsage usage(kNow - hours(24 * 60));
  EXPECT_EQ(told(world, usage), "");
  EXPECT_EQ(stale_flags({world, usage, {}, hours(1), kNow}).at("evaluations"), "not known");
}

TEST(StaleFlags, NobodyAskedOnceSomebodyHasCountedForLong) {
  World world;
  add_flag(&world, "door", "raids", kRule);
  add_flag(&world, "bell", "raids", kRule);
  FlagUsage usage(kNow - hours(24 * 60));
  usage.note("bell", "on", 3, kNow);
  usage.note("bell", "off", 3, kNow);
  EXPECT_EQ(told(world, usage), "door 0 never_evaluated\n");
  FlagUsage young(kNow - hours(24 * 3));
  young.note("bell", "on", 3, kNow);
  EXPECT_EQ(told(world, young), "");
}

TEST(StaleFlags, OneAnswerForEverybody) {
  World world;
  add_flag(&world, "door", "raids", kRule);
  add_flag(&world, "bell", "raids");
  FlagUsage usage(kNow - hours(24 * 60));
  usage.note("door", "on", 3, kNow - hours(24 * 40));
  usage.note("door", "off", 9, kNow);
  EXPECT_EQ(told(world, usage, {{"bell", {kNow - hours(24 * 31)}}}),
            "bell 0 never_evaluated one_answer\ndoor 12 one_answer\n"
            "")
      << "who got `on` did so more than 30 days ago";
  EXPECT_EQ(told(world, FlagUsage(kNow), {{"bell", {kNow - hours(24 * 2)}}}), "");
}

TEST(StaleFlags, OwnersWhoAreGoneAndEventsThatAreOver) {
  World world;
  add_flag(&world, "door", "shop", kRule);
  Manifest team;
  team.name = "raids";
  team.spec = TeamSpec{};
  world.manifests["Team/raids"] = {std::make_shared<const Manifest>(std::move(team)), 1};
  EXPECT_EQ(told(world, {}, {{"door", {kNow, "gala", kNow}}}),
            "door not known owner_gone event_over\n");
}

TEST(FlagUsage, IsBoundedAndSaysSo) {
  FlagUsage usage({}, {.flags_max = 2, .variants_max = 2});
  for (const char* flag : {"a", "b", "c"}) usage.note(flag, "on", 1, kNow);
  for (const char* variant : {"x", "y", "z"}) usage.note("a", variant, 1, kNow);
  EXPECT_EQ(usage.of("c"), nullptr);
  EXPECT_TRUE(usage.is_full());
  EXPECT_EQ(usage.of("a")->times, 4);
  EXPECT_EQ(usage.of("a")->variants.size(), 2u);
  EXPECT_FALSE(usage.of("a")->all_known);
}

}  // namespace
}  // namespace showcaller
