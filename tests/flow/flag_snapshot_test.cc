// SPDX-License-Identifier: Apache-2.0
// The flags in force: what players get under layers, and that a layer taken away leaves no trace.
#include "flow/flag_snapshot.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "flag/flag_set.h"

namespace showcaller {
namespace {

std::string salt_of(const std::string& event) {
  return "salt of " + event;
}

void add_flag(World* world, const std::string& key, json::object definition,
              bool client_visible = false) {
  Manifest manifest;
  manifest.name = key;
  manifest.spec = FlagSpec{std::move(definition), client_visible};
  world->manifests["Flag/" + key] = {std::make_shared<const Manifest>(std::move(manifest)), 1};
}

json::object door(json::value targeting = nullptr) {
  json::object flag{{"state", "ENABLED"},
                    {"variants", {{"open", "open"}, {"ajar", "ajar"}, {"shut", "shut"}}},
                    {"defaultVariant", "shut"}};
  if (!targeting.is_null()) flag["targeting"] = std::move(targeting);
  return flag;
}

StageSpec stage(std::string name, std::int64_t ppm) {
  StageSpec spec;
  spec.name = std::move(name);
  spec.exposure_ppm = ppm;
  return spec;
}

struct Sketch {
  std::string name = "winter-raid";
  std::vector<Change> changes = {{FlagChange{"door", "open"}}};
  std::vector<StageSpec> stages = {stage("half", 500'000), stage("world", kPpmWhole)};
  int priority = 0;
  std::vector<std::string> after;
  int stage_index = 0;
  IntakeState intake = IntakeState::Open;
  Phase phase = Phase::RollingOut;
};

EventState& add_event(World* world, const Sketch& sketch) {
  Manifest manifest;
  manifest.name = sketch.name;
  LiveEventSpec spec;
  spec.changes = sketch.changes;
  spec.stages = sketch.stages;
  spec.priority = sketch.priority;
  spec.after = sketch.after;
  manifest.spec = std::move(spec);
  EventState& event = world->events[sketch.name];
  event = {};
  event.manifest = std::make_shared<const Manifest>(std::move(manifest));
  event.steps.change().resize(sketch.changes.size());
  event.phase = sketch.phase;
  event.intake = sketch.intake;
  event.stage = sketch.stage_index;
  event.exposure_ppm = sketch.stages[std::size_t(sketch.stage_index)].exposure_ppm;
  return event;
}

std::string text_of(const World& world) {
  return to_json_text(flag_snapshot(world, salt_of).document);
}

// What a player gets; "-" is the caller's own default.
std::string get(const World& world, const std::string& key, const std::string& player,
                const std::string& region = "eu") {
  const FlagSnapshot snapshot = flag_snapshot(world, salt_of);
  EXPECT_TRUE(snapshot.problems.empty()) << snapshot.problems[0];
  const FlagSet set = FlagSet::compile(snapshot.document).value();
  EXPECT_TRUE(set.broken().empty());
  EvaluationContext context;
  context.set_targeting_key(player).set("region", region);
  const Evaluation evaluation = set.evaluate(key, context, {});
  EXPECT_EQ(evaluation.error, FlagError::None) << evaluation.message;
  return evaluation.value ? std::string(evaluation.variant) : "-";
}

int count_open(const World& world, int players, std::string_view region = "eu") {
  const FlagSet set = FlagSet::compile(flag_snapshot(world, salt_of).document).value();
  int open = 0;
  for (int i = 0; i < players; ++i) {
    const std::string player = fmt::format("player-{}", i);
    EvaluationContext context;
    context.set_targeting_key(player).set("region", region);
    open += set.evaluate("door", context, {}).variant == "open" ? 1 : 0;
  }
  return open;
}

TEST(FlagSnapshot, WithoutEventsItIsTheManifests) {
  World world;
  add_flag(&world, "door", door());
  add_flag(&world, "bell", door());
  EXPECT_EQ(text_of(world), to_json_text({{"flags", {{"bell", door()}, {"door", door()}}}}));
}

TEST(FlagSnapshot, ALayerBitesForItsShareOfPlayers) {
  World world;
  add_flag(&world, "door", door());
  add_event(&world, {});
  const int open = count_open(world, 2'000);
  EXPECT_GT(open, 900);
  EXPECT_LT(open, 1'100);
  add_event(&world, {.stage_index = 1});
  EXPECT_EQ(count_open(world, 2'000), 2'000);
  add_event(&world, {.stages = {stage("none", 0), stage("world", kPpmWhole)}});
  EXPECT_EQ(count_open(world, 2'000), 0);
}

TEST(FlagSnapshot, FlagsWaitForOpenIntakeAndConfigDoesNot) {
  World world;
  add_flag(&world, "door", door());
  const json::value table = json::object{{"gold", 3}};
  const std::vector<Change> changes{{FlagChange{"door", "open"}},
                                    {ConfigChange{"drops", 17, table}}};
  struct Row {
    IntakeState intake;
    Phase phase;
    std::string door, config;
  };
  for (const Row& row : {Row{IntakeState::Closed, Phase::RollingOut, "shut", ""},
                         Row{IntakeState::Proving, Phase::RollingOut, "shut", "v17"},
                         Row{IntakeState::Open, Phase::RollingOut, "open", "v17"},
                         Row{IntakeState::Open, Phase::Live, "open", "v17"},
                         Row{IntakeState::Closed, Phase::RollingBack, "shut", ""},
                         Row{IntakeState::Open, Phase::Ready, "shut", ""},
                         Row{IntakeState::Closed, Phase::Settling, "shut", ""}}) {
    add_event(&world,
              {.changes = changes, .stage_index = 1, .intake = row.intake, .phase = row.phase});
    EXPECT_EQ(get(world, "door", "ann"), row.door) << int(row.intake);
    if (row.config.empty()) {
      EXPECT_FALSE(
          flag_snapshot(world, salt_of).document.at("flags").get_object().contains("config.drops"));
    } else {
      EXPECT_EQ(get(world, "config.drops", "ann"), row.config);
    }
  }
}

TEST(FlagSnapshot, WhomNoLayerReachesGetsTheCallersOwnConfig) {
  World world;
  add_event(&world, {.changes = {{ConfigChange{"drops", 17, json::value(5)}}},
                     .stages = {stage("none", 0)}});
  EXPECT_EQ(get(world, "config.drops", "ann"), "-");
  const auto document = flag_snapshot(world, salt_of).document;
  EXPECT_EQ(document.at("flags").at("config.drops").at("variants"),
            (json::object{{"v17", {{"value", 5}}}}))
      << "a variant of an object flag is an object";
}

TEST(FlagSnapshot, AConfigVersionIsFoundWhereItWasWritten) {
  World world;
  const json::value old_table = json::object{{"gold", 1}};
  add_event(&world, {.name = "autumn",
                     .changes = {{ConfigChange{"drops", 16, old_table}}},
                     .phase = Phase::Retired});
  add_event(&world, {.changes = {{ConfigChange{"drops", 16, {}}}}, .stage_index = 1});
  EXPECT_EQ(get(world, "config.drops", "ann"), "v16");
  add_event(&world, {.changes = {{ConfigChange{"drops", 18, {}}}}, .stage_index = 1});
  const FlagSnapshot snapshot = flag_snapshot(world, salt_of);
  ASSERT_EQ(snapshot.problems.size(), 1u);
  EXPECT_EQ(
      snapshot.problems[0],
      "the layer of winter-raid on flag 'config.drops' is left out: nobody has written version 18");
  EXPECT_FALSE(effective_flags(world, salt_of));
}

TEST(FlagSnapshot, WavesOpenRegionByRegion) {
  World world;
  add_flag(&world, "door", door());
  EventState& event = add_event(&world, {.stage_index = 1});
  event.open_regions = {"ap", "eu"};
  EXPECT_EQ(get(world, "door", "ann", "eu"), "open");
  EXPECT_EQ(get(world, "door", "ann", "us"), "shut");
}

TEST(FlagSnapshot, ADivertedEventLaysNothing) {
  World world;
  add_flag(&world, "door", door());
  const std::string before = text_of(world);
  add_event(&world, {.stage_index = 1}).diverted = true;
  EXPECT_EQ(text_of(world), before);
}

TEST(FlagSnapshot, TheHigherLayerWins) {
  World world;
  add_flag(&world, "door", door());
  add_event(
      &world,
      {.name = "a", .changes = {{FlagChange{"door", "ajar"}}}, .priority = 5, .stage_index = 1});
  add_event(&world, {.name = "b", .priority = 1, .after = {"a"}, .stage_index = 1});
  EXPECT_EQ(get(world, "door", "ann"), "ajar") << "a priority says more than `after`";
  add_event(&world, {.name = "b", .priority = 5, .after = {"a"}, .stage_index = 1});
  EXPECT_EQ(get(world, "door", "ann"), "open");
  add_event(&world, {.name = "b", .priority = 5, .after = {"a"}, .phase = Phase::RollingBack});
  EXPECT_EQ(get(world, "door", "ann"), "ajar") << "what lies below comes back";
}

TEST(FlagSnapshot, AfterReachesThroughOthers) {
  World world;
  add_event(&world, {.name = "a", .after = {"b"}});
  add_event(&world, {.name = "b", .priority = 7, .after = {"c"}});
  add_event(&world, {.name = "c"});
  std::string order;
  for (const EventState* event : layers_in_order(world)) order += event->manifest->name;
  EXPECT_EQ(order, "cab");
}

TEST(FlagSnapshot, ACircleOfAfterStillHasAnOrder) {
  World world;
  add_event(&world, {.name = "a", .after = {"b"}});
  add_event(&world, {.name = "b", .after = {"a"}});
  ASSERT_EQ(layers_in_order(world).size(), 2u);
  EXPECT_EQ(layers_in_order(world)[0]->manifest->name, "a");
}

TEST(FlagSnapshot, BaseTargetingStaysForEverybodyElse) {
  World world;
  const json::value staff = json::object{{"==", {json::object{{"var", "region"}}, "staff"}}};
  add_flag(&world, "door", door(json::object{{"if", {staff, "ajar", "shut"}}}));
  add_event(&world, {.stages = {stage("none", 0)}});
  EXPECT_EQ(get(world, "door", "ann", "staff"), "ajar");
  EXPECT_EQ(get(world, "door", "ann", "eu"), "shut");
  add_event(&world, {.stages = {stage("world", kPpmWhole)}});
  EXPECT_EQ(get(world, "door", "ann", "staff"), "open");
}

TEST(FlagSnapshot, AMissingVariantLeavesTheFlagBelow) {
  World world;
  add_flag(&world, "door", door());
  const std::string before = text_of(world);
  add_event(&world, {.changes = {{FlagChange{"door", "blue"}}}});
  EXPECT_EQ(text_of(world), before);
  EXPECT_EQ(flag_snapshot(world, salt_of).problems.size(), 1u);
}

TEST(FlagSnapshot, ClientsSeeWhatIsTheirs) {
  World world;
  add_flag(&world, "door", door(), true);
  add_flag(&world, "drop-rate", door());
  add_event(&world, {.changes = {{FlagChange{"door", "open"}},
                                 {FlagChange{"drop-rate", "open"}},
                                 {ConfigChange{"drops", 1, json::value(json::object{})}}}});
  const FlagSnapshot client = flag_snapshot(world, salt_of, FlagVisibility::Client);
  const auto& flags = client.document.at("flags").get_object();
  EXPECT_EQ(flags.size(), 1u);
  EXPECT_TRUE(flags.contains("door"));
  EXPECT_TRUE(client.problems.empty()) << "what a client may not see is no problem of its own";
  EXPECT_NE(client.etag, flag_snapshot(world, salt_of).etag);
}

// Two flags that name an evaluator alike do not get each other's.
TEST(FlagSnapshot, EvaluatorsBelongToTheirFlag) {
  World world;
  const auto flag_for = [](std::string_view group) {
    json::object flag = door(*parse_json(R"({"if":[{"$ref":"may"},"open",null]})"));
    flag["$evaluators"] = {
        {"may", {{"and", json::array{json::object{{"$ref", "in_group"}}, true}}}},
        {"in_group", {{"==", json::array{json::object{{"var", "targetingKey"}}, group}}}}};
    return flag;
  };
  add_flag(&world, "door", flag_for("ann"));
  add_flag(&world, "gate", flag_for("bob"));
  add_flag(&world, "wall", door());
  EXPECT_EQ(get(world, "door", "ann"), "open");
  EXPECT_EQ(get(world, "door", "bob"), "shut");
  EXPECT_EQ(get(world, "gate", "bob"), "open");
  const json::object before = flag_snapshot(world, salt_of).document;
  EXPECT_EQ(before.at("$evaluators").get_object().size(), 4u);
  // A layer keeps what lies below it.
  add_event(&world, {.changes = {{FlagChange{"door", "ajar"}}}});
  EXPECT_EQ(get(world, "door", "ann") == "ajar" || get(world, "door", "ann") == "open", true);
  add_flag(&world, "gate", flag_for("eve"));
  const auto drift = compare_flags(flag_snapshot(world, salt_of).document, before);
  EXPECT_TRUE(std::any_of(drift.begin(), drift.end(), [](const FlagDrift& d) {
    return d.flag == "$evaluators/gate/in_group";
  }));
}

TEST(FlagSnapshot, TheEtagFollowsTheContent) {
  World world;
  add_flag(&world, "door", door());
  const std::string before = flag_snapshot(world, salt_of).etag;
  EXPECT_EQ(before.size(), 34u);
  EXPECT_EQ(flag_snapshot(world, salt_of).etag, before);
  add_event(&world, {});
  const std::string during = flag_snapshot(world, salt_of).etag;
  EXPECT_NE(during, before);
  EXPECT_NE(flag_snapshot(world, [](const std::string&) { return "x"; }).etag, during);
  world.events.erase("winter-raid");
  EXPECT_EQ(flag_snapshot(world, salt_of).etag, before);
}

TEST(FlagSnapshot, DriftNamesWhatDiffers) {
  const json::object wanted{{"flags", {{"a", door()}, {"b", door()}, {"c", door()}}}};
  json::object other = door(json::object{{"if", {true, "open"}}});
  other["state"] = "DISABLED";
  const json::object seen{{"flags", {{"b", other}, {"c", door()}, {"d", door()}}}};
  EXPECT_EQ(
      compare_flags(wanted, seen),
      (std::vector<FlagDrift>{
          {"a", "is missing"}, {"b", "differs in state, targeting"}, {"d", "is not wanted"}}));
  EXPECT_TRUE(compare_flags(wanted, wanted).empty());
}

TEST(FlagSnapshot, RecordsThatConcernIt) {
  EXPECT_TRUE(concerns_flags(IntakeChanged{}));
  EXPECT_TRUE(concerns_flags(StageEntered{}));
  EXPECT_TRUE(concerns_flags(ManifestApplied{.kind = "Flag"}));
  EXPECT_FALSE(concerns_flags(ManifestApplied{.kind = "Fleet"}));
  EXPECT_FALSE(concerns_flags(VerdictChanged{}));
  EXPECT_FALSE(concerns_flags(InstanceMoved{}));
}

Sketch any_sketch(int number) {
  static const std::vector<std::string> kKeys{"door", "bell"}, kVariants{"open", "ajar", "shut"};
  Sketch sketch;
  sketch.name = fmt::format("event-{}", number);
  sketch.changes = {{FlagChange{*rc::gen::elementOf(kKeys), *rc::gen::elementOf(kVariants)}}};
  if (*rc::gen::arbitrary<bool>()) {
    sketch.changes.push_back(
        {ConfigChange{"drops", *rc::gen::inRange(1, 4), json::value(json::object{{"n", number}})}});
  }
  sketch.priority = *rc::gen::inRange(0, 3);
  sketch.stages = {stage("part", *rc::gen::inRange(0, 1'000'001)), stage("world", kPpmWhole)};
  sketch.stage_index = *rc::gen::inRange(0, 2);
  sketch.intake = IntakeState(*rc::gen::inRange(0, 3));
  return sketch;
}

TEST(FlagSnapshot, UndoAfterApplyIsIdentity) {
  EXPECT_TRUE(rc::check("a layer taken away, from above or below the others, leaves no trace", [] {
    World world;
    add_flag(&world, "door", door());
    add_flag(&world, "bell", door(json::object{{"if", {true, "ajar"}}}));
    const int others = *rc::gen::inRange(0, 4);
    for (int i = 0; i < others; ++i) add_event(&world, any_sketch(i));
    const std::string before = text_of(world);
    const Sketch sketch = any_sketch(*rc::gen::elementOf(std::vector<int>{-1, 99}));
    add_event(&world, sketch);
    flag_snapshot(world, salt_of);
    Sketch undone = sketch;
    undone.phase =
        *rc::gen::element(Phase::RollingBack, Phase::RolledBack, Phase::Cancelled, Phase::Retired);
    undone.intake = IntakeState::Closed;
    add_event(&world, undone);
    RC_ASSERT(text_of(world) == before);
  }));
}

TEST(FlagSnapshot, ExposureIsMonotoneForThePlayer) {
  EXPECT_TRUE(rc::check("whoever is in at one share is in at every larger one", [] {
    const int small = *rc::gen::inRange(0, 1'000'001);
    const int large = *rc::gen::inRange(small, 1'000'001);
    const std::string player = *rc::gen::arbitrary<std::string>();
    World world;
    add_flag(&world, "door", door());
    add_event(&world, {.stages = {stage("a", small)}});
    const bool in_before = get(world, "door", player) == "open";
    add_event(&world, {.stages = {stage("a", small), stage("b", large)}, .stage_index = 1});
    const bool in_after = get(world, "door", player) == "open";
    RC_ASSERT(!in_before || in_after);
  }));
}

TEST(FlagSnapshot, AKillWinsOverEveryLayer) {
  World world;
  add_flag(&world, "door", door({{"if", json::array{true, "ajar"}}}), true);
  add_event(&world, {.stage_index = 1});
  EXPECT_EQ(get(world, "door", "player-1"), "open");
  const std::string before = text_of(world);
  world.flags["door"].kill.off = true;
  EXPECT_EQ(get(world, "door", "player-1"), "shut");
  EXPECT_EQ(FlagSet::compile(flag_snapshot(world, salt_of, FlagVisibility::Client).document)
                ->evaluate("door", EvaluationContext(), {})
                .variant,
            "shut");
  world.flags["door"].kill = {.reopened = 1};
  EXPECT_EQ(text_of(world), before);
}

}  // namespace
}  // namespace showcaller
