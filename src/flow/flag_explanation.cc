// SPDX-License-Identifier: Apache-2.0
#include "flow/flag_explanation.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/suggest.h"
#include "flag/flag_set.h"
#include "flag/logic.h"
#include "flow/flag_snapshot.h"
#include "model/exposure.h"
#include "model/flag_schedule.h"

namespace showcaller {
namespace {

constexpr std::size_t kRuleTextMax = 160;

std::string share_text(std::int64_t ppm) {
  return fmt::format("{:g} %", double(ppm) / 10'000);
}

std::string rule_text(const json::value& rule) {
  std::string text = to_json_text(rule);
  if (text.size() > kRuleTextMax) {
    text.resize(kRuleTextMax);
    text += "…";
  }
  return text;
}

// Follows targeting to the part that gives the answer.
class TargetingTrace {
 public:
  TargetingTrace(std::string_view flag, const FlagDefinitions& flags,
                 const EvaluationContext& context, Instant at)
      : flag_(flag), evaluators_(flags.evaluators), context_(context), at_(at) {}

  // Where the answer stands and what it is; null: targeting says nothing.
  json::value follow(const json::value& rule, std::string place, std::string* says) const {
    const auto* object = rule.if_object();
    if (object && object->size() == 1) {
      const std::string_view name = object->begin()->key();
      const json::value& given = object->begin()->value();
      if ((name == "if" || name == "?:") && given.is_array())
        return follow_branches(given.get_array(), place + "/" + std::string(name), says);
      if (name == "$ref" && given.is_string()) {
        const json::value* named = evaluators_.if_contains(given.get_string());
        if (named)
          return follow(*named, fmt::format("$evaluators/{}", std::string_view(given.get_string())),
                        says);
      }
    }
    json::value result = apply(rule);
    *says += fmt::format("{} gives {}", place, result.is_null() ? "nothing" : to_json_text(result));
    if (!rule.is_string() && !rule.is_null()) *says += ": " + rule_text(rule);
    return result;
  }

 private:
  json::value follow_branches(const json::array& parts, const std::string& place,
                              std::string* says) const {
    std::size_t i = 0;
    for (; i + 1 < parts.size(); i += 2) {
      if (!holds(parts[i])) continue;
      *says += fmt::format("{}/{} holds ({}); ", place, i, rule_text(parts[i]));
      return follow(parts[i + 1], fmt::format("{}/{}", place, i + 1), says);
    }
    if (i < parts.size()) return follow(parts[i], fmt::format("{}/{}", place, i), says);
    *says += fmt::format("{}: no condition holds", place);
    return nullptr;
  }

  json::value apply(const json::value& rule) const {
    const auto logic = Logic::compile(rule, evaluators_);
    auto result = logic ? logic->apply(context_, at_, flag_) : fail(ErrorCode::Invalid, "");
    return result ? *std::move(result) : json::value(nullptr);
  }
  bool holds(const json::value& condition) const {
    const json::value test = json::object{{"!!", json::array{condition}}};
    const json::value result = apply(test);
    return result.is_bool() && result.get_bool();
  }

  std::string_view flag_;
  const json::object& evaluators_;
  const EvaluationContext& context_;
  Instant at_;
};

class Explaining {
 public:
  Explaining(const World& world, const FlagSaltOf& salt_of, const FlagSet& set,
             const json::object& context, FlagExplanation* out)
      : world_(world), salt_of_(salt_of), set_(set), context_(context), out_(*out) {}

  void explain() {
    if (is_killed() || is_withdrawn() || a_prerequisite_fails()) return;
    tell_the_schedule();
    if (is_disabled() || a_layer_gives_it()) return;
    as_the_manifest_says();
  }

 private:
  template <class... Args>
  void step(std::string rule, fmt::format_string<Args...> says, Args&&... args) {
    out_.steps.push_back({std::move(rule), fmt::format(says, std::forward<Args>(args)...)});
  }

  bool is_killed() {
    const FlagSwitch* by = world_.killed(out_.flag);
    if (!by) return false;
    step("kill_switch", "killed by '{}' at {}{}{}", by->actor, format_instant(by->since),
         by->reason.empty() ? "" : ": ", by->reason);
    return true;
  }

  bool is_withdrawn() {
    const FeatureWithdrawal by = withdrawal_of(world_, out_.flag);
    if (!by.feature) return false;
    step("withdrawal", "service '{}' does without '{}' since {}: {}", by.service,
         by.feature->feature, format_instant(by.feature->since), by.feature->reason);
    return true;
  }

  bool a_prerequisite_fails() {
    const FlagSpec* spec = flag_spec(world_, out_.flag);
    if (!spec) return false;
    for (const FlagPrerequisite& needed : spec->prerequisites) {
      const Evaluation given = set_.evaluate(needed.flag, context_, out_.at);
      const bool holds = given.value && given.variant == needed.variant;
      step("prerequisite", "needs '{}' to give '{}'; it gives {}", needed.flag, needed.variant,
           given.value ? fmt::format("'{}'", given.variant) : "none of its variants");
      if (!holds) return true;
    }
    return false;
  }

  void tell_the_schedule() {
    const FlagSpec* spec = flag_spec(world_, out_.flag);
    if (!spec) return;
    const FlagState* state = world_.flags.find(out_.flag);
    const FlagScheduledChange* last =
        change_in_force(*spec, state ? state->schedule_reached : Instant{});
    if (last)
      step("schedule", "as scheduled for {}: {}", format_instant(last->at), change_text(*last));
  }

  bool is_disabled() {
    const json::object& flags = set_.document().as_object().at("flags").as_object();
    if (get_string(flags.at(out_.flag).as_object(), "state") != "DISABLED") return false;
    step("disabled", "its state is DISABLED: the caller falls back on his own");
    return true;
  }

  bool a_layer_gives_it() {
    auto layers = layers_in_order(world_);
    std::ranges::reverse(layers);
    for (const EventState* event : layers) {
      for (const Change& change : event->spec().changes) {
        const auto target = flag_target(change);
        if (target && target->flag == out_.flag && admits(*event, change, target->variant))
          return true;
      }
    }
    return false;
  }

  bool admits(const EventState& event, const Change& change, const std::string& variant) {
    const std::string& name = event.manifest->name;
    ExposureRule rule = layer_rule(event, change, salt_of_(name));
    if (rule.stages.empty() || !may_admit(event.phase)) {
      step("layer", "LiveEvent '{}' would give '{}' and lets nobody in: it is {}, intake {}{}",
           name, variant, enum_name(event.phase), enum_name(event.intake),
           event.diverted ? ", diverted" : "");
      return false;
    }
    const std::string unit = rule.unit;
    if (const auto refused = out_of_bounds(event.bounds, unit)) {
      step(refused->by_holdout ? "holdout" : "exclusion", "LiveEvent '{}' does not touch them: {}",
           name, refused->says);
      return false;
    }
    const auto exposure = Exposure::compile(std::move(rule));
    if (!exposure) return false;
    const ExposureAnswer answer = exposure->decide(context_, out_.at);
    step("layer", "LiveEvent '{}' {} '{}'{}", name, answer.admitted ? "gives" : "does not give",
         variant, why(event, unit, *exposure, answer));
    return answer.admitted;
  }

  std::optional<BoundsRefusal> out_of_bounds(const std::optional<ExposureBounds>& bounds,
                                             const std::string& unit) const {
    if (!bounds) return std::nullopt;
    const Value value = context_.find(unit);
    if (!value.is(ValueKind::String)) return std::nullopt;
    return refused_by(*bounds, value.as_string());
  }

  static std::string why(const EventState& event, const std::string& unit, const Exposure& exposure,
                         const ExposureAnswer& answer) {
    if (!answer.has_unit) return fmt::format(": the context has no '{}' to draw by", unit);
    if (answer.stage < 0) return ": they are in the audience of no stage entered so far";
    const auto stage = std::size_t(answer.stage);
    return fmt::format(": stage {} lets in {} by '{}', and their bucket is at {}",
                       event.spec().stages[stage].name,
                       share_text(exposure.rule().stages[stage].exposure_ppm), unit,
                       share_text(answer.bucket_ppm));
  }

  // Of the flag's own targeting.
  bool is_out_of_its_group() {
    const FlagSpec* spec = flag_spec(world_, out_.flag);
    if (!spec || !spec->exclusion) return false;
    const FlagState* state = world_.flags.find(out_.flag);
    const auto group = world_.manifest(Kind::ExclusionGroup, spec->exclusion->group);
    const Unit unit = group ? group->as<ExclusionGroupSpec>().unit : Unit::Player;
    const auto refused =
        out_of_bounds(state ? state->bounds : std::nullopt, std::string(unit_attribute(unit)));
    if (refused) step("exclusion", "its own targeting does not touch them: {}", refused->says);
    return refused.has_value();
  }

  void as_the_manifest_says() {
    if (is_out_of_its_group()) return;
    const FlagDefinitions flags = base_flags(world_);
    const auto at = flags.flags.find(out_.flag);
    const json::value* targeting =
        at == flags.flags.end() ? nullptr : at->second.if_contains("targeting");
    if (targeting && targeting->is_object() && !targeting->get_object().empty()) {
      std::string says;
      const TargetingTrace trace(out_.flag, flags, context_, out_.at);
      const json::value result = trace.follow(*targeting, "targeting", &says);
      out_.steps.push_back({"targeting", std::move(says)});
      if (!result.is_null()) return;
    }
    const std::string variant =
        at == flags.flags.end() ? "" : get_string(at->second, "defaultVariant");
    if (variant.empty())
      step("default", "there is no default variant: the caller falls back on his own");
    else
      step("default", "the default variant is '{}'", variant);
  }

  const World& world_;
  const FlagSaltOf& salt_of_;
  const FlagSet& set_;
  EvaluationContext context_;
  FlagExplanation& out_;
};

}  // namespace

Result<FlagExplanation> explain_flag(const World& world, const FlagSaltOf& salt_of,
                                     std::string_view flag, const json::object& context,
                                     Instant at) {
  FlagSnapshot snapshot = flag_snapshot(world, salt_of);
  TRY(const FlagSet set, FlagSet::compile(std::move(snapshot.document)));
  if (!set.contains(flag)) {
    std::vector<std::string> known;
    for (std::size_t i = 0; i < set.size(); ++i) known.emplace_back(set.key(i));
    return fail(ErrorCode::NotFound,
                fmt::format("there is no flag '{}'{}", flag,
                            did_you_mean(flag, known, "`showcaller get flags` lists them")));
  }
  FlagExplanation out{.flag = std::string(flag), .at = at};
  const Evaluation given = set.evaluate(flag, EvaluationContext(context), at);
  if (given.value) out.value = *given.value;
  out.variant = given.variant;
  out.reason = to_string(given.reason);
  out.error = to_string(given.error);
  out.notes = std::move(snapshot.problems);
  Explaining(world, salt_of, set, context, &out).explain();
  return out;
}

json::object explanation_view(const FlagExplanation& explanation) {
  json::array steps, notes;
  for (const FlagStep& step : explanation.steps)
    steps.push_back(json::object{{"rule", step.rule}, {"says", step.says}});
  for (const std::string& note : explanation.notes) notes.emplace_back(note);
  json::object out{{"flag", explanation.flag},
                   {"at", format_instant(explanation.at)},
                   {"reason", explanation.reason}};
  if (!explanation.variant.empty()) {
    out["variant"] = explanation.variant;
    out["value"] = explanation.value;
  }
  if (!explanation.error.empty()) out["error"] = explanation.error;
  if (!explanation.steps.empty()) out["decided_by"] = explanation.steps.back().rule;
  out["steps"] = std::move(steps);
  if (!notes.empty()) out["notes"] = std::move(notes);
  return out;
}

World foreseen(World world, Instant at, std::vector<std::string>* notes) {
  const World now = world;
  each_flag(now, [&](const std::string& flag, const FlagSpec& spec) {
    if (spec.schedule.empty()) return;
    Instant& reached = world.flags[flag].schedule_reached;
    reached = std::max(reached, at);
  });
  now.events.each([&](const std::string& name, const EventState& event) {
    if (is_over(event.phase)) return;
    const ScheduleSpec& schedule = event.spec().schedule;
    if (schedule.end && schedule.end->at <= at) {
      world.events[name].phase = Phase::Settling;
      notes->push_back(
          fmt::format("LiveEvent '{}' ends at {}", name, format_instant(schedule.end->at)));
    } else if (schedule.start && schedule.start->at > now.wall(now.time) &&
               schedule.start->at <= at) {
      notes->push_back(
          fmt::format("LiveEvent '{}' opens at {}: whom it lets in then depends on "
                      "what is proven until then, and is told as it is now",
                      name, format_instant(schedule.start->at)));
    } else if (event.phase == Phase::RollingOut) {
      notes->push_back(
          fmt::format("LiveEvent '{}' is rolling out: its stage is told as it is now", name));
    }
  });
  return world;
}

}  // namespace showcaller
