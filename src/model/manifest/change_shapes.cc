// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/change_shapes.h"

namespace showcaller::manifest {
namespace {

const Shape<BuildChange>& build_change_shape() {
  static const Shape<BuildChange> shape(
      "BuildChange", "A new build on a fleet.",
      {field("fleet", &BuildChange::fleet, dns_label(), "The fleet that gets the build.").needed(),
       field("version", &BuildChange::version, version(),
             "The build's version, as the fleet lists it.")
           .needed(),
       field("protocols", &BuildChange::protocols, list(integer(0, 1'000'000'000), 256),
             "Client protocols the build speaks; allocation never crosses them.")
           .derived_as("as the fleet says")});
  return shape;
}

const Shape<FlagChange>& flag_change_shape() {
  static const Shape<FlagChange> shape(
      "FlagChange", "A flag served with another variant to those who are admitted.",
      {field("key", &FlagChange::key, dotted_name(), "The flag's name.").needed(),
       field("to", &FlagChange::to, text(), "The variant that the admitted get.").needed()});
  return shape;
}

const Shape<ConfigChange>& config_change_shape() {
  static const Shape<ConfigChange> shape(
      "ConfigChange", "A version of a configuration document.",
      {field("document", &ConfigChange::document, dotted_name(), "The document's name.").needed(),
       field("version", &ConfigChange::version, big_integer(0), "The version to use.").needed(),
       field("value", &ConfigChange::value, any_json(),
             "The version's content; without it the version is stored already.")});
  return shape;
}

const Shape<BundleChange>& bundle_change_shape() {
  static const Shape<BundleChange> shape(
      "BundleChange", "Content that clients load before the start.",
      {field("id", &BundleChange::id, dotted_name(), "The bundle's name.").needed(),
       field("preload", &BundleChange::preload, duration(),
             "How long before the start clients may load it.")
           .assumed("0s")});
  return shape;
}

const Shape<ActionChange>& action_change_shape() {
  static const Shape<ActionChange> shape(
      "ActionChange", "A call to a service; every call carries a key that makes it happen once.",
      {field("do", &ActionChange::act, text(),
             "What to call: a path below the service's url, or a URL.")
           .needed(),
       field("undo", &ActionChange::undo, text(),
             "What undoes it; without it the change must be irreversible."),
       field("compensate", &ActionChange::compensate, text(),
             "What repairs one player after a rollback."),
       field("verify", &ActionChange::verify, text(), "What proves that it is done or undone."),
       field("timeout", &ActionChange::timeout, positive_duration(), "How long one call may take.")
           .assumed("30s")});
  return shape;
}

struct Bake {
  Duration min{};
  std::optional<Duration> max;
};

const Shape<Bake>& bake_shape() {
  static const Shape<Bake> shape(
      "Bake", "How long a stage gathers evidence.",
      {field("min", &Bake::min, duration(), "No verdict lets the stage go earlier.").needed(),
       field("max", &Bake::max, positive_duration(),
             "A stage still thin by then does what on_thin says.")},
      [](Reader& reader, const Node& node, Bake* bake) {
        if (bake->max && *bake->max < bake->min) {
          reader.error_below(node, "max", "max is shorter than min", "let max be at least min");
        }
      });
  return shape;
}

Value<Bake> bake() {
  return {"a duration such as 30m, or { min: 30m, max: 12h }",
          [](Reader& reader, Node& node, Bake* out) {
            if (node.is_mapping()) return bake_shape().read(reader, node, out);
            return duration().read(reader, node, &out->min);
          },
          [](SchemaSet& set) {
            return json::object{{"anyOf", json::array{duration().schema(set),
                                                      reference_schema(bake_shape(), set)}}};
          }};
}

constexpr std::int64_t kGatedBakeMs = 30 * 60'000;

void finish_stage(Reader&, const Node& node, StageSpec* stage) {
  const bool whole_audience = node.find("audience") != nullptr && node.find("exposure") == nullptr;
  if (node.find("gated") == nullptr) stage->gated = !whole_audience;
  if (node.find("bake") == nullptr) {
    stage->bake_min =
        stage->exposure_ppm == kPpmWhole && !whole_audience ? Duration(0) : Duration(kGatedBakeMs);
  }
}

void finish_gate(Reader& reader, const Node& node, GateSpec* gate) {
  if (gate->name.empty()) {
    gate->name = gate->metric;
    if (gate->quantile) gate->name += fmt::format(".p{:g}", *gate->quantile * 100);
  }
  const bool relative = gate->worse_by_at_most_ratio || gate->worse_by_at_most_points;
  if (!relative && !gate->at_most && !gate->at_least) {
    reader.error_below(node, "", "the gate has no condition",
                       "add `worse_by_at_most: 10%`, `at_most:` or `at_least:`");
  }
  if (gate->at_most && gate->at_least && *gate->at_most < *gate->at_least) {
    reader.error_below(node, "at_most", "at_most is below at_least: nothing can pass");
  }
  if (gate->must_detect && !relative && !reader.is_wrong_below("worse_by_at_most")) {
    reader.error_below(node, "must_detect",
                       "must_detect is about a comparison, and the gate makes none",
                       "add `worse_by_at_most:` or leave it out");
  }
}

}  // namespace

const Shape<Change>& change_shape() {
  static const Shape<Change> shape(
      "Change", "One change; exactly one of build, flag, config, bundle, action.",
      {alternative<Change, BuildChange>(
           "build", build_change_shape(), [](Change* c, BuildChange b) { c->what = std::move(b); },
           "A new build on a fleet."),
       alternative<Change, FlagChange>(
           "flag", flag_change_shape(), [](Change* c, FlagChange f) { c->what = std::move(f); },
           "Another variant of a flag."),
       alternative<Change, ConfigChange>(
           "config", config_change_shape(),
           [](Change* c, ConfigChange v) { c->what = std::move(v); },
           "A version of a configuration document."),
       alternative<Change, BundleChange>(
           "bundle", bundle_change_shape(),
           [](Change* c, BundleChange v) { c->what = std::move(v); }, "Content that clients load."),
       alternative<Change, ActionChange>(
           "action", action_change_shape(),
           [](Change* c, ActionChange v) { c->what = std::move(v); }, "A call to a service."),
       field("irreversible", &Change::irreversible, boolean(),
             "It cannot be undone: more approvals are needed.")
           .assumed("false")},
      [](Reader& reader, const Node& node, Change* change) {
        int kinds = 0;
        for (const std::string_view key : {"build", "flag", "config", "bundle", "action"}) {
          if (node.find(key) != nullptr) ++kinds;
        }
        if (kinds != 1 && reader.is_wrong_below("")) {
          reader.leave_open();  // A misspelt one, and told so.
        } else if (kinds != 1) {
          reader.error(
              node.position,
              fmt::format(
                  "a change has exactly one of build, flag, config, bundle, action; this has {}",
                  kinds),
              kinds == 0 ? "say what changes" : "write one list item a change");
        }
        const auto* action = std::get_if<ActionChange>(&change->what);
        if (action != nullptr && action->undo.empty() && !change->irreversible) {
          reader.error_below(node, "action", "the action has no undo",
                             "add `undo:`, or `irreversible: true` beside `action` (it then needs "
                             "more approvals)");
        }
      });
  return shape;
}

const Shape<StageSpec>& stage_shape() {
  static const Shape<StageSpec> shape(
      "Stage", "One step of a rollout.",
      {field("name", &StageSpec::name, dns_label(), "Unique in the rollout.").needed(),
       field("audience", &StageSpec::audience, json_logic(),
             "Who is eligible, as JSONLogic over the unit's context.")
           .derived_as("everyone"),
       field("exposure", &StageSpec::exposure_ppm, percent(),
             "The share of the eligible that is admitted.")
           .assumed("100%"),
       field("regions", &StageSpec::regions, list(dns_label(), 1'000), "Where.")
           .derived_as("all regions"),
       field_with<StageSpec, Bake>(
           "bake", bake(),
           [](StageSpec* stage, Bake b) {
             stage->bake_min = b.min;
             stage->bake_max = b.max;
           },
           "How long the stage gathers evidence.")
           .derived_as("30m; 0s for a stage that exposes everyone"),
       field("gated", &StageSpec::gated, boolean(),
             "Whether the gates judge it; false: it advances when it has baked.")
           .derived_as("true; false for a stage with an audience and no exposure")},
      finish_stage);
  return shape;
}

const Shape<GateSpec>& gate_shape() {
  static const Shape<GateSpec> shape(
      "Gate",
      "A condition on one metric: against the baseline arm (worse_by_at_most), absolute (at_most, "
      "at_least), or both.",
      {field("name", &GateSpec::name, dotted_name(), "Unique in the event.")
           .derived_as("the metric, with its quantile"),
       field("metric", &GateSpec::metric, dotted_name(), "The metric judged.").needed(),
       field("quantile", &GateSpec::quantile, number(0.0001, 0.9999),
             "Which quantile, for metrics of type quantile."),
       field_with<GateSpec, std::variant<Ratio, Points>>(
           "worse_by_at_most", margin(),
           [](GateSpec* gate, std::variant<Ratio, Points> m) {
             if (const auto* ratio = std::get_if<Ratio>(&m))
               gate->worse_by_at_most_ratio = ratio->value;
             if (const auto* points = std::get_if<Points>(&m))
               gate->worse_by_at_most_points = points->value;
           },
           "How much worse than the baseline may be tolerated: 10% of it, 0.1pp, or 0."),
       field("at_most", &GateSpec::at_most, bound(),
             "Upper bound in the metric's unit; times are milliseconds, shares are ratios."),
       field("at_least", &GateSpec::at_least, bound(), "Lower bound in the metric's unit."),
       field("must_detect", &GateSpec::must_detect, multiple(),
             "The ratio that this gate has to be able to see; plan says whether the traffic allows "
             "it."),
       field("importance", &GateSpec::importance, number(0.001, 1000),
             "Weight against the other gates; normalised.")
           .assumed("1"),
       field("stages", &GateSpec::stages, list(dns_label(), 1'000), "The stages it judges.")
           .derived_as("all gated stages"),
       field("on_fail", &GateSpec::on_fail,
             choice<GateAction>({{"rollback", GateAction::Rollback},
                                 {"step_back", GateAction::StepBack},
                                 {"hold", GateAction::Hold},
                                 {"pace", GateAction::Pace},
                                 {"divert", GateAction::Divert},
                                 {"warn", GateAction::Warn}}),
             "What a failure does.")
           .assumed("rollback")},
      finish_gate);
  return shape;
}

}  // namespace showcaller::manifest
