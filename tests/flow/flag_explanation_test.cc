// SPDX-License-Identifier: Apache-2.0
// What decided: the steps say the same as what servers evaluate.
#include "flow/flag_explanation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "flag/flag_set.h"
#include "flag/validate.h"
#include "flow/flag_snapshot.h"

namespace showcaller {
namespace {

std::string door_salt(const std::string& event) {
  return "salt of " + event;
}

FlagSpec door_spec(std::string_view targeting = "{}") {
  FlagSpec spec;
  spec.definition = {{"state", "ENABLED"},
                     {"variants", {{"open", 1}, {"ajar", 2}, {"shut", 3}, {"walled", 4}}},
                     {"defaultVariant", "shut"},
                     {"targeting", parse_json(targeting).value()}};
  spec.off_variant = "walled";
  return spec;
}

void put_flag(World* world, const std::string& key, FlagSpec spec) {
  Manifest manifest;
  manifest.name = key;
  manifest.owner = "raids";
  manifest.spec = std::move(spec);
  world->manifests["Flag/" + key] = {std::make_shared<const Manifest>(std::move(manifest)), 1};
}

EventState& put_event(World* world, const std::string& name, std::int64_t ppm, int priority = 0,
                      const std::string& to = "open") {
  Manifest manifest;
  manifest.name = name;
  LiveEventSpec spec;
  spec.changes = {{FlagChange{"door", to}}};
  StageSpec stage;
  stage.name = "canary";
  stage.exposure_ppm = ppm;
  spec.stages = {stage};
  spec.priority = priority;
  spec.unit = Unit::Player;
  manifest.spec = std::move(spec);
  EventState& event = world->events[name];
  event.manifest = std::make_shared<const Manifest>(std::move(manifest));
  event.phase = Phase::RollingOut;
  event.intake = IntakeState::Open;
  event.stage = 0;
  event.exposure_ppm = ppm;
  return event;
}

FlagExplanation ask(const World& world, const json::object& who, Instant at = {}) {
  return explain_flag(world, door_salt, "door", who, at).value();
}

std::string told(const FlagExplanation& explanation) {
  std::string out = explanation.variant + " (" + explanation.reason + ")\n";
  for (const FlagStep& step : explanation.steps) out += step.rule + ": " + step.says + "\n";
  return out;
}

const json::object kPlayer{{"targetingKey", "p-1"}, {"group", "staff"}};

TEST(FlagExplanation, NamesTheBranchOfTargeting) {
  World world;
  put_flag(&world, "door", door_spec(R"({"if": [{"==": [{"var": "group"}, "qa"]}, "open",
                                {"==": [{"var": "group"}, "staff"]}, "ajar", null]})"));
  EXPECT_EQ(told(ask(world, kPlayer)),
            "ajar (TARGETING_MATCH)\n"
            "targeting: targeting/if/2 holds ({\"==\":[{\"var\":\"group\"},\"staff\"]}); "
            "targeting/if/3 gives \"ajar\"\n");
  EXPECT_EQ(told(ask(world, {})),
            "shut (DEFAULT)\n"
            "targeting: targeting/if/4 gives nothing\n"
            "default: the default variant is 'shut'\n");
}

TEST(FlagExplanation, GoesThroughLayersFromTheTop) {
  World world;
  put_flag(&world, "door", door_spec());
  put_event(&world, "gala", 500'000, 1);
  put_event(&world, "parade", kPpmWhole, 0, "ajar");
  const std::string told_p1 = told(ask(world, kPlayer));
  EXPECT_NE(told_p1.find("layer: LiveEvent 'gala'"), std::string::npos) << told_p1;
  world.events["gala"].diverted = true;
  EXPECT_EQ(
      told(ask(world, kPlayer)),
      "ajar (TARGETING_MATCH)\n"
      "layer: LiveEvent 'gala' would give 'open' and lets nobody in: it is RollingOut, intake "
      "open, diverted\n"
      "layer: LiveEvent 'parade' gives 'ajar': stage canary lets in 100 % by 'targetingKey', "
      "and their bucket is at " +
          fmt::format("{:g} %", double(bucket_ppm("salt of parade", "p-1")) / 10'000) + "\n");
  EXPECT_NE(told(ask(world, {})).find("the context has no 'targetingKey' to draw by"),
            std::string::npos);
}

TEST(FlagExplanation, KillAndPrerequisitesComeFirst) {
  World world;
  FlagSpec spec = door_spec();
  spec.prerequisites = {{"bell", "loud"}};
  put_flag(&world, "door", spec);
  FlagSpec bell;
  bell.definition = {
      {"state", "ENABLED"},
      {"variants", {{"loud", 1}, {"soft", 0}}},
      {"defaultVariant", "soft"},
      {"targeting",
       parse_json(R"({"if": [{"==": [{"var": "group"}, "staff"]}, "loud"]})").value()}};
  put_flag(&world, "bell", bell);
  put_event(&world, "gala", kPpmWhole);
  EXPECT_EQ(ask(world, kPlayer).variant, "open");
  EXPECT_EQ(told(ask(world, {{"targetingKey", "p-1"}})),
            "walled (TARGETING_MATCH)\n"
            "prerequisite: needs 'bell' to give 'loud'; it gives 'soft'\n");
  world.flags["bell"].kill.off = true;
  EXPECT_EQ(ask(world, kPlayer).variant, "walled");
  world.flags["door"].kill = {.off = true, .actor = "ann", .reason = "lag"};
  EXPECT_EQ(told(ask(world, kPlayer)),
            "walled (STATIC)\nkill_switch: killed by 'ann' at 1970-01-01T00:00:00Z: lag\n");
}

TEST(FlagExplanation, ForeseesSchedulesAndEnds) {
  World world;
  FlagSpec spec = door_spec();
  const Instant noon = parse_instant("2026-12-24T12:00:00Z").value();
  spec.schedule = {{noon, {{"defaultVariant", "ajar"}}},
                   {noon + hours(1), {{"state", "DISABLED"}}}};
  put_flag(&world, "door", spec);
  std::vector<std::string> notes;
  EXPECT_EQ(ask(world, kPlayer, noon).variant, "shut");
  EXPECT_EQ(told(ask(foreseen(world, noon, &notes), kPlayer, noon)),
            "ajar (STATIC)\n"
            "schedule: as scheduled for 2026-12-24T12:00:00Z: defaultVariant is ajar\n"
            "default: the default variant is 'ajar'\n");
  EXPECT_EQ(ask(foreseen(world, noon + hours(2), &notes), kPlayer, noon).reason, "DISABLED");
}

// What is served is flagd's language by flagd's own schemas, whatever was laid over one another.
TEST(FlagExplanation, WhatIsServedKeepsToFlagdsSchemas) {
  World world;
  FlagSpec needed = door_spec(R"({"fractional": [["open", 1], ["ajar", 2]]})");
  put_flag(&world, "bell", needed);
  FlagSpec spec = door_spec(R"({"if": [{"==": [{"var": "group"}, "staff"]}, "ajar", null]})");
  spec.prerequisites = {{"bell", "open"}, {"bell", "ajar"}};
  spec.exclusion = {"doors", 250'000};
  put_flag(&world, "door", spec);
  world.flags["door"].bounds = ExposureBounds{.group = "doors", .buckets = {{0, 250'000}}};
  put_event(&world, "gala", 500'000).bounds =
      ExposureBounds{.group = "doors", .buckets = {{250'000, 600'000}}, .holdouts = {{"q4", 1}}};
  put_flag(&world, "shut", door_spec());
  world.flags["shut"].kill.off = true;
  const json::value document = flag_snapshot(world, door_salt).document;
  for (const FlagFinding& finding : validate_flags(document))
    ADD_FAILURE() << finding.pointer << ": " << finding.message;
}

// Whatever lies over one another, the last step is what the served document does.
TEST(FlagExplanation, AgreesWithWhatIsServed) {
  EXPECT_TRUE(rc::check("the steps lead to the answer that servers give", [] {
    World world;
    FlagSpec spec = door_spec(*rc::gen::element<std::string>(
        "{}", R"({"if": [{"==": [{"var": "group"}, "staff"]}, "ajar", null]})",
        R"({"fractional": [["open", 1], ["ajar", 2]]})"));
    if (*rc::gen::arbitrary<bool>()) spec.prerequisites = {{"bell", "loud"}};
    put_flag(&world, "door", spec);
    FlagSpec bell;
    bell.definition = {
        {"state", "ENABLED"},
        {"variants", {{"loud", 1}, {"soft", 0}}},
        {"defaultVariant", *rc::gen::element<std::string>("loud", "soft")},
        {"targeting", parse_json(R"({"fractional": [["loud", 1], ["soft", 1]]})").value()}};
    put_flag(&world, "bell", bell);
    for (const char* name : {"gala", "parade"}) {
      if (!*rc::gen::arbitrary<bool>()) continue;
      EventState& event =
          put_event(&world, name, *rc::gen::inRange(0, 1'000'000), *rc::gen::inRange(0, 3),
                    *rc::gen::element<std::string>("open", "ajar"));
      event.diverted = *rc::gen::inRange(0, 5) == 0;
    }
    if (*rc::gen::inRange(0, 6) == 0) world.flags["door"].kill.off = true;
    if (*rc::gen::inRange(0, 6) == 0) world.flags["bell"].kill.off = true;
    json::object who{{"targetingKey", fmt::format("p-{}", *rc::gen::inRange(0, 1000))}};
    if (*rc::gen::arbitrary<bool>()) who["group"] = "staff";
    const FlagExplanation told = ask(world, who);
    const FlagSet set = FlagSet::compile(flag_snapshot(world, door_salt).document).value();
    RC_ASSERT(set.evaluate("door", EvaluationContext(who), {}).variant == told.variant);
    const FlagStep& last = told.steps.back();
    const bool off = last.rule == "kill_switch" || last.rule == "prerequisite";
    RC_ASSERT(off == (told.variant == "walled"));
    if (last.rule == "layer" || last.rule == "default" || last.rule == "targeting") {
      const bool quoted = last.says.find("'" + told.variant + "'") != std::string::npos;
      RC_ASSERT(quoted || last.says.find("\"" + told.variant + "\"") != std::string::npos);
    }
  }));
}

}  // namespace
}  // namespace showcaller
