// SPDX-License-Identifier: Apache-2.0
// Events in an exclusion group and under a holdout, as servers evaluate them: apart, exact in their
// shares, monotone, and whole for a party.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "flag/flag_set.h"
#include "flow/flag_snapshot.h"
#include "model/exposure.h"

namespace showcaller {
namespace {

std::string bounds_salt(const std::string& event) {
  return "salt of " + event;
}

void add_boolean_flag(World* world, const std::string& key) {
  Manifest manifest;
  manifest.name = key;
  FlagSpec spec;
  spec.definition = {{"state", "ENABLED"},
                     {"variants", {{"on", true}, {"off", false}}},
                     {"defaultVariant", "off"}};
  manifest.spec = std::move(spec);
  world->manifests["Flag/" + key] = {std::make_shared<const Manifest>(std::move(manifest)), 1};
}

// Opens the flag of its own name, by parties.
EventState& add_bounded_event(World* world, const std::string& name, ExposureBounds bounds) {
  add_boolean_flag(world, name);
  Manifest manifest;
  manifest.name = name;
  LiveEventSpec spec;
  spec.changes = {{FlagChange{name, "on"}}};
  spec.unit = Unit::Party;
  for (const std::int64_t ppm : {100'000, 400'000, 1'000'000}) {
    StageSpec stage;
    stage.name = fmt::format("s{}", ppm);
    stage.exposure_ppm = ppm;
    spec.stages.push_back(stage);
  }
  manifest.spec = std::move(spec);
  EventState& event = world->events[name];
  event.manifest = std::make_shared<const Manifest>(std::move(manifest));
  event.phase = Phase::RollingOut;
  event.intake = IntakeState::Open;
  event.bounds = std::move(bounds);
  return event;
}

void enter(World* world, const std::string& name, int stage) {
  EventState& event = world->events[name];
  event.stage = stage;
  event.exposure_ppm = event.spec().stages[std::size_t(stage)].exposure_ppm;
}

bool is_on(const FlagSet& set, const std::string& flag, const std::string& party,
           const std::string& player) {
  EvaluationContext who;
  who.set_targeting_key(player).set("party", party);
  return set.evaluate(flag, who, {}).variant == "on";
}

TEST(FlagBounds, EventsOfOneGroupAreApartExactMonotoneAndPartyWhole) {
  EXPECT_TRUE(rc::check("whatever their shares, stages and holdouts", [] {
    World world;
    const std::int64_t first = 1 + *rc::gen::inRange(0, 600'000);
    const std::int64_t second = 1 + *rc::gen::inRange(0, int(1'000'000 - first));
    const auto holdouts = *rc::gen::arbitrary<bool>()
                              ? std::map<std::string, std::int64_t>{{"q4", 200'000}}
                              : std::map<std::string, std::int64_t>();
    const auto part = take_buckets(first, {}, {}, 1'000'000).value();
    const auto other = take_buckets(second, {}, {part}, 1'000'000).value();
    add_bounded_event(&world, "gala", {"doors", part, holdouts});
    add_bounded_event(&world, "feast", {"doors", other, holdouts});
    enter(&world, "gala", *rc::gen::inRange(0, 3));
    enter(&world, "feast", *rc::gen::inRange(0, 3));
    const FlagSet now = FlagSet::compile(flag_snapshot(world, bounds_salt).document).value();
    RC_ASSERT(now.broken().empty());
    const std::int64_t exposure = world.events["gala"].exposure_ppm;
    enter(&world, "gala", 2);
    const FlagSet later = FlagSet::compile(flag_snapshot(world, bounds_salt).document).value();
    for (int i = 0; i < 200; ++i) {
      const std::string party = fmt::format("party-{}", i);
      const bool in_gala = is_on(now, "gala", party, "p-1");
      RC_ASSERT(!(in_gala && is_on(now, "feast", party, "p-1")));
      RC_ASSERT(!in_gala || is_on(later, "gala", party, "p-1"));
      RC_ASSERT(is_on(now, "gala", party, "p-2") == in_gala);
      const std::int64_t bucket = group_bucket_ppm("doors", party);
      const bool within = std::ranges::any_of(
          part, [&](const auto& range) { return range.first <= bucket && bucket < range.second; });
      const bool held_out = !holdouts.empty() && holdout_bucket_ppm("q4", party) < 200'000;
      RC_ASSERT(in_gala == (within && !held_out &&
                            bucket_ppm("salt of gala", party) < std::uint32_t(exposure)));
    }
  }));
}

// Allocation and ledger ask the same rule without a flag.
TEST(FlagBounds, TheRuleWithoutAFlagIsTheSame) {
  World world;
  const auto& event =
      add_bounded_event(&world, "gala", {"doors", {{0, 300'000}}, {{"q4", 100'000}}});
  enter(&world, "gala", 1);
  const auto exposure = Exposure::compile(exposure_rule(event, "salt of gala")).value();
  const FlagSet set = FlagSet::compile(flag_snapshot(world, bounds_salt).document).value();
  int in = 0;
  for (int i = 0; i < 3'000; ++i) {
    const std::string party = fmt::format("party-{}", i);
    EvaluationContext who;
    who.set_targeting_key("p-1").set("party", party);
    EXPECT_EQ(exposure.admits(who, {}), is_on(set, "gala", party, "p-1"));
    in += exposure.admits(who, {}) ? 1 : 0;
  }
  EXPECT_NEAR(in, 3'000 * 0.3 * 0.9 * 0.4, 60);
  EXPECT_NEAR(double(planned_share_ppm(event, 1, "eu")), 108'000, 1);
}

TEST(FlagBounds, AFlagInAGroupGivesItsOffVariantToAllOthers) {
  World world;
  add_boolean_flag(&world, "door");
  Manifest manifest = *world.manifests["Flag/door"].manifest;
  FlagSpec spec = manifest.as<FlagSpec>();
  spec.definition["defaultVariant"] = "on";
  spec.off_variant = "off";
  spec.exclusion = {"doors", 250'000};
  manifest.spec = spec;
  world.manifests["Flag/door"] = {std::make_shared<const Manifest>(manifest), 1};
  const auto count = [&] {
    const FlagSet set = FlagSet::compile(flag_snapshot(world, bounds_salt).document).value();
    int on = 0;
    for (int i = 0; i < 2'000; ++i) on += is_on(set, "door", "", fmt::format("p-{}", i)) ? 1 : 0;
    return on;
  };
  EXPECT_EQ(count(), 0) << "before it has buckets of its own";
  world.flags["door"].bounds = ExposureBounds{.group = "doors", .buckets = {{0, 250'000}}};
  EXPECT_NEAR(count(), 500, 60);
}

}  // namespace
}  // namespace showcaller
