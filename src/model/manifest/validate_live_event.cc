// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include <fmt/format.h>

#include "model/json_schema.h"
#include "model/manifest/targeting_words.h"
#include "model/manifest/validate.h"
#include "model/probe_metrics.h"

namespace showcaller::manifest {
namespace {

void check_disturbed(Reader& reader, const Draft& draft, const References& references) {
  const auto& disturbs = draft.manifest.as<LiveEventSpec>().disturbs;
  for (std::size_t i = 0; i < disturbs.size(); ++i) {
    const std::size_t slash = disturbs[i].find('/');
    const std::string_view kind = std::string_view(disturbs[i]).substr(0, slash);
    for (const Kind known : {Kind::Service, Kind::Fleet, Kind::LiveEvent}) {
      if (kind != to_string(known)) continue;
      references.require(reader, draft.root, fmt::format("spec.disturbs[{}]", i), known,
                         disturbs[i].substr(slash + 1));
    }
  }
}

// One LiveEvent under examination: each function looks at one part of it.
class EventCheck {
 public:
  EventCheck(Reader& reader, const Draft& draft, const References& references)
      : reader_(reader),
        root_(draft.root),
        manifest_(draft.manifest),
        spec_(draft.manifest.as<LiveEventSpec>()),
        references_(references) {}

  void run() {
    changes();
    irreversible();
    schedule();
    readiness();
    intake();
    stages();
    exposures();
    gates();
    gates_a_stage();
    order();
  }

 private:
  void changes();
  void change(const BuildChange& build, const std::string& at);
  void change(const FlagChange& flag, const std::string& at);
  void change(const ConfigChange& config, const std::string& at);
  void check_config_schema(const ConfigChange& config, const std::string& path);
  void change(const BundleChange& bundle, const std::string& at);
  void change(const ActionChange& action, const std::string& at);
  void irreversible();
  bool scheduled(std::string_view key) const;
  void schedule();
  void after_in_each_region(const std::optional<ScheduledTime>& first,
                            const std::optional<ScheduledTime>& second, std::string_view name,
                            std::string_view first_name);
  void readiness();
  void intake();
  void probes();
  void stages();
  void regions(const std::vector<std::string>& names, const std::string& at);
  void exposures();
  void gates();
  void gate_metric(const GateSpec& gate, const std::string& at);
  void gates_a_stage();
  void warn_of_a_short_bake(std::size_t stage);
  void order();

  void error(std::string_view path, std::string message, std::string hint = {}) {
    reader_.error_at(root_, path, std::move(message), std::move(hint));
  }
  void warning(std::string_view path, std::string message, std::string hint = {}) {
    reader_.warning_at(root_, path, std::move(message), std::move(hint));
  }

  Reader& reader_;
  const Node& root_;
  const Manifest& manifest_;
  const LiveEventSpec& spec_;
  const References& references_;
};

void EventCheck::changes() {
  if (spec_.changes.empty())
    error("spec.changes", "the event changes nothing", "list at least one change");
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < spec_.changes.size(); ++i) {
    const std::string at = fmt::format("spec.changes[{}]", i);
    const std::string path = spec_.changes[i].path();
    const auto [first, is_new] = seen.emplace(path, i);
    if (!is_new)
      error(at, fmt::format("{} is changed twice", path),
            fmt::format("spec.changes[{}] changes it already", first->second));
    std::visit([&](const auto& what) { change(what, at); }, spec_.changes[i].what);
  }
}

void EventCheck::change(const BuildChange& build, const std::string& at) {
  const std::string path = at + ".build";
  if (!references_.require(reader_, root_, path + ".fleet", Kind::Fleet, build.fleet)) return;
  const auto& fleet = references_.find(Kind::Fleet, build.fleet)->as<FleetSpec>();
  const BuildSpec* found = fleet.build(build.version);
  if (found == nullptr) {
    if (!references_.is_sound(Kind::Fleet, build.fleet)) return;
    std::vector<std::string> versions;
    for (const BuildSpec& b : fleet.builds) versions.push_back(b.version);
    error(path + ".version",
          fmt::format("the Fleet '{}' has no build '{}'", build.fleet, build.version),
          suggestion(build.version, versions));
    return;
  }
  if (build.version == fleet.base) {
    warning(path + ".version",
            fmt::format("'{}' is the base build of '{}' already: the change does nothing",
                        build.version, build.fleet));
  }
  const bool known = !found->protocols.empty() && references_.is_sound(Kind::Fleet, build.fleet);
  for (std::size_t i = 0; known && i < build.protocols.size(); ++i) {
    if (std::ranges::find(found->protocols, build.protocols[i]) != found->protocols.end()) continue;
    error(fmt::format("{}.protocols[{}]", path, i),
          fmt::format("the build {} of '{}' does not speak the protocol {}", build.version,
                      build.fleet, build.protocols[i]),
          fmt::format("the fleet says {}", fmt::join(found->protocols, ", ")));
  }
}

void EventCheck::change(const FlagChange& flag, const std::string& at) {
  if (!references_.require(reader_, root_, at + ".flag.key", Kind::Flag, flag.key)) return;
  const auto& definition = references_.find(Kind::Flag, flag.key)->as<FlagSpec>().definition;
  const json::value* variants = definition.if_contains("variants");
  if (variants == nullptr || !variants->is_object() || variants->get_object().contains(flag.to))
    return;
  if (!references_.is_sound(Kind::Flag, flag.key)) return;
  std::vector<std::string> names;
  for (const auto& [name, value] : variants->get_object()) names.emplace_back(name);
  error(at + ".flag.to", fmt::format("the Flag '{}' has no variant '{}'", flag.key, flag.to),
        suggestion(flag.to, names));
}

// "/drops/0/weight" → ".drops[0].weight".
std::string path_of_pointer(std::string_view pointer) {
  std::string out;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::string_view step = pointer.substr(0, pointer.find('/'));
    const bool index = !step.empty() && step.find_first_not_of("0123456789") == step.npos;
    out += index ? fmt::format("[{}]", step) : fmt::format(".{}", step);
    pointer.remove_prefix(step.size());
  }
  return out;
}

bool gives_otherwise(const Manifest& other, const ConfigChange& config) {
  return std::ranges::any_of(other.as<LiveEventSpec>().changes, [&](const Change& change) {
    const auto* its = std::get_if<ConfigChange>(&change.what);
    return its != nullptr && its->document == config.document && its->version == config.version &&
           its->value && *its->value != *config.value;
  });
}

// What a Config says of the document's shape holds for what events give of it.
void EventCheck::check_config_schema(const ConfigChange& config, const std::string& path) {
  const Manifest* known = references_.find(Kind::Config, config.document);
  if (known == nullptr || known->as<ConfigSpec>().schema.is_null()) return;
  const auto schema = JsonSchema::compile(known->as<ConfigSpec>().schema);
  if (!schema) return;  // Told where it stands.
  for (const SchemaFinding& finding : schema->check(*config.value)) {
    error(path + ".value" + path_of_pointer(finding.pointer),
          fmt::format("Config '{}' has another shape: {}", config.document, finding.rule), "");
  }
}

void EventCheck::change(const ConfigChange& config, const std::string& at) {
  const std::string path = at + ".config";
  if (!config.value) {
    references_.report_missing(
        reader_, root_, path + ".version",
        fmt::format("no event has given version {} of the document '{}'", config.version,
                    config.document),
        "write its content as `value:`; later events may give the version alone");
    return;
  }
  check_config_schema(config, path);
  if (!references_.known().active_events) return;
  for (const Manifest* other : references_.known().active_events()) {
    if (other->name == manifest_.name || !gives_otherwise(*other, config)) continue;
    error(path + ".value",
          fmt::format("the LiveEvent '{}' gives version {} of '{}' another content", other->name,
                      config.version, config.document),
          "raise the version: one version has one content");
    return;
  }
}

void EventCheck::change(const BundleChange& bundle, const std::string& at) {
  if (bundle.preload > Duration::zero() && !scheduled("start")) {
    error(at + ".bundle.preload",
          "preload is a time before the start, and the schedule has no start",
          "add `spec.schedule.start`");
  }
}

void EventCheck::change(const ActionChange& action, const std::string& at) {
  const std::pair<const char*, const std::string&> calls[] = {
      {".action.do", action.act}, {".action.undo", action.undo}, {".action.verify", action.verify}};
  std::set<std::string> told;
  for (const auto& [key, path] : calls) {
    if (path.empty() || path.find("://") != std::string::npos) continue;
    const std::string name = path.substr(0, path.find('/'));
    if (!told.insert(name).second) continue;
    if (!references_.require(reader_, root_, at + key, Kind::Service, name)) continue;
    if (!references_.find(Kind::Service, name)->as<ServiceSpec>().url.empty()) continue;
    if (!references_.is_sound(Kind::Service, name)) continue;
    error(at + key, fmt::format("the Service '{}' has no url, so '{}' leads nowhere", name, path),
          "add `spec.url` to the Service, or write the whole URL here");
  }
}

bool applies(const ApprovalRule& rule, const LiveEventSpec& spec) {
  constexpr std::string_view kRisks[] = {"low", "normal", "high"};
  const std::string_view risk = kRisks[std::size_t(spec.risk)];
  return rule.count > 0 &&
         (rule.risks.empty() || std::ranges::find(rule.risks, risk) != rule.risks.end());
}

void EventCheck::irreversible() {
  for (std::size_t i = 0; i < spec_.changes.size(); ++i) {
    if (!spec_.changes[i].irreversible) continue;
    bool approved = false;
    for (const Manifest* policy : references_.all(Kind::Policy)) {
      for (const ApprovalRule& rule : policy->as<PolicySpec>().approvals)
        approved = approved || applies(rule, spec_);
    }
    if (approved) return;
    references_.report_missing(
        reader_, root_, fmt::format("spec.changes[{}].irreversible", i),
        "the change is irreversible, and there is no approval rule for this event",
        "add a Policy with `approvals: [ { name: irreversible, when: { irreversible: true } } ]`");
    return;
  }
}

void EventCheck::after_in_each_region(const std::optional<ScheduledTime>& first,
                                      const std::optional<ScheduledTime>& second,
                                      std::string_view name, std::string_view first_name) {
  if (!first || !second) return;
  const std::string path = fmt::format("spec.schedule.{}", name);
  const std::string message = fmt::format("{} is not after {}", name, first_name);
  if (first->by_region.empty() || second->by_region.empty()) {
    Instant latest = first->at;
    for (const auto& [region, at] : first->by_region) latest = std::max(latest, at);
    if (second->at <= latest) error(path, message);
    return;
  }
  const std::map<std::string, Instant> begins(first->by_region.begin(), first->by_region.end());
  for (const auto& [region, at] : second->by_region) {
    const auto begin = begins.find(region);
    if (begin != begins.end() && at <= begin->second) {
      error(path, fmt::format("{} in {}", message, region));
      return;
    }
  }
}

// A time that could not be resolved, or was misspelt, for which a finding tells why, counts as
// there.
bool EventCheck::scheduled(std::string_view key) const {
  const ScheduleSpec& schedule = spec_.schedule;
  const bool is_there = key == "start" ? schedule.start.has_value() : schedule.end.has_value();
  return is_there || reader_.is_wrong(fmt::format("spec.schedule.{}", key));
}

void EventCheck::schedule() {
  const ScheduleSpec& schedule = spec_.schedule;
  after_in_each_region(schedule.announce, schedule.start, "start", "announce");
  after_in_each_region(schedule.start, schedule.end, "end", "start");
  if (spec_.rollout_begin_before_start > Duration::zero() && !scheduled("start")) {
    error("spec.rollout.begin", "begin is a time before the start, and the schedule has no start",
          "add `spec.schedule.start`");
  }
  if (spec_.watch.until_end && !scheduled("end")) {
    error("spec.watch.for", "the watch lasts until the end, and the schedule has no end",
          "add `spec.schedule.end`, or a duration here");
  }
  if (schedule.claim_until > Duration::zero() && !scheduled("end")) {
    error("spec.schedule.claim_until", "claims go on after the end, and the schedule has no end",
          "add `end:`");
  }
  if (spec_.rehearsal_required) {
    error("spec.rehearsal", "this version has no rehearsal, so the event could never pass one",
          "leave it out");
  }
  const bool local = schedule.zone == "local" || reader_.is_wrong("spec.schedule.zone");
  if (spec_.intake.waves == "by_zone" && !local) {
    error("spec.intake.waves", "waves by zone need a schedule in local time",
          "say `zone: local` in spec.schedule");
  }
}

void EventCheck::readiness() {
  const ReadinessSpec& readiness = spec_.readiness;
  if (!readiness.capacity_fleet.empty()) {
    references_.require(reader_, root_, "spec.readiness.capacity.fleet", Kind::Fleet,
                        readiness.capacity_fleet);
  } else if (readiness.capacity_headroom_ppm) {
    if (!spec_.changes_build() && !reader_.is_wrong("spec.changes"))
      error("spec.readiness.capacity", "no fleet is named, and no build changes", "add `fleet:`");
  }
  if (!readiness.client_protocol.empty()) {
    std::string_view rest = readiness.client_protocol;
    for (const std::string_view op : {">=", "<=", "==", ">", "<"}) {
      if (!rest.starts_with(op)) continue;
      rest.remove_prefix(op.size());
      break;
    }
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    if (rest.empty() || rest.size() > 9 ||
        rest.find_first_not_of("0123456789") != std::string_view::npos) {
      error("spec.readiness.client.protocol",
            fmt::format("'{}' is not a condition on a protocol",
                        readiness.client_protocol.substr(0, 64)),
            "write it like \">=48\"");
    }
  }
  const bool bundles = std::ranges::any_of(
      spec_.changes, [](const Change& c) { return std::holds_alternative<BundleChange>(c.what); });
  if (readiness.bundle_ready_at_ppm > 0 && !bundles && !reader_.is_wrong("spec.changes")) {
    error("spec.readiness.bundle", "the event has no bundle to wait for",
          "add a `bundle` change or leave this out");
  }
  probes();
}

// Nobody could say which fleet they come to.
void EventCheck::intake() {
  if (spec_.intake.expected_players == 0 || !spec_.readiness.capacity_fleet.empty()) return;
  if (spec_.changes_build() || reader_.is_wrong("spec.changes")) return;
  error("spec.intake.expected", "no fleet is named that its players come to, and no build changes",
        "add `spec.readiness.capacity.fleet`");
}

void EventCheck::probes() {
  std::vector<std::string> known;
  for (const Manifest* service : references_.all(Kind::Service)) {
    for (const std::string& probe : service->as<ServiceSpec>().probes) known.push_back(probe);
  }
  for (std::string& probe : references_.names(Kind::Probe)) known.push_back(std::move(probe));
  for (std::size_t i = 0; i < spec_.readiness.probes.size(); ++i) {
    const std::string& probe = spec_.readiness.probes[i];
    if (std::ranges::find(known, probe) != known.end()) continue;
    std::string hint = suggestion(probe, known);
    if (hint.empty()) hint = "apply a Probe of that name, or list it under `probes` of a Service";
    references_.report_missing(reader_, root_, fmt::format("spec.readiness.probes[{}]", i),
                               fmt::format("there is no Probe '{}'", probe), std::move(hint));
  }
}

void EventCheck::regions(const std::vector<std::string>& names, const std::string& at) {
  std::vector<std::string> known;
  for (const FleetSpec* fleet : fleets_of(*root_.find("spec"), references_)) {
    for (const RegionSpec& region : fleet->regions) known.push_back(region.name);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::ranges::find(known, names[i]) != known.end()) continue;
    const std::string path = fmt::format("{}.regions[{}]", at, i);
    if (!spec_.changes_build()) {  // Players may be in regions where no fleet of ours is.
      warning(path, fmt::format("no fleet has the region '{}'", names[i]),
              suggestion(names[i], known));
      continue;
    }
    references_.report_missing(reader_, root_, path,
                               fmt::format("no fleet of this event has the region '{}'", names[i]),
                               suggestion(names[i], known));
  }
}

void EventCheck::stages() {
  if (spec_.stages.empty())
    error("spec.rollout.stages", "the rollout has no stages",
          "leave `stages` out for canary 1%, early 10%, world 100%");
  if (spec_.unit == Unit::Player && spec_.changes_build())
    warning("spec.rollout.unit",
            "a session of several players is in no arm when each player is assigned alone",
            "leave `unit` out for party, unless every session has one player");
  std::set<std::string> names;
  for (std::size_t i = 0; i < spec_.stages.size(); ++i) {
    const StageSpec& stage = spec_.stages[i];
    const std::string at = fmt::format("spec.rollout.stages[{}]", i);
    if (!names.insert(stage.name).second)
      error(at + ".name", fmt::format("the stage name '{}' is used twice", stage.name));
    if (stage.exposure_ppm == 0)
      error(at + ".exposure", "the stage admits nobody", "expose more than 0%");
    regions(stage.regions, at);
    if (!stage.audience) continue;
    const Folded folded = fold_condition(*stage.audience);
    if (folded.reach == Reach::Nobody) {
      error(at + ".audience", "the audience can match nobody: " + folded.why,
            "mend the condition, or leave the stage out");
    }
  }
}

std::string percent_text(std::int64_t ppm) {
  return fmt::format("{:g}%", static_cast<double>(ppm) / 10'000);
}

void EventCheck::exposures() {
  // Stages of one audience widen: whoever was let in stays in.
  std::map<std::string, std::size_t> last_of_audience;
  for (std::size_t i = 0; i < spec_.stages.size(); ++i) {
    const StageSpec& stage = spec_.stages[i];
    if (reader_.is_wrong(fmt::format("spec.rollout.stages[{}]", i))) continue;
    const std::string audience = stage.audience ? to_canonical_json_text(*stage.audience) : "";
    const auto last = last_of_audience.find(audience);
    if (last != last_of_audience.end() &&
        spec_.stages[last->second].exposure_ppm > stage.exposure_ppm) {
      error(fmt::format("spec.rollout.stages[{}].exposure", i),
            fmt::format("exposure goes back from {} (stage '{}') to {}",
                        percent_text(spec_.stages[last->second].exposure_ppm),
                        spec_.stages[last->second].name, percent_text(stage.exposure_ppm)),
            "a stage exposes at least as many as the one before it");
    }
    last_of_audience[audience] = i;
  }
  if (spec_.stages.empty()) return;
  const StageSpec& end = spec_.stages.back();
  if (end.audience || end.exposure_ppm < kPpmWhole || !end.regions.empty()) {
    warning(
        fmt::format("spec.rollout.stages[{}]", spec_.stages.size() - 1),
        fmt::format("the last stage '{}' does not admit everyone: the event goes live for a part",
                    end.name),
        "add a stage with exposure: 100% if that is not meant");
  }
}

void EventCheck::gates() {
  std::map<std::string, std::size_t> names;
  for (std::size_t i = 0; i < spec_.gates.size(); ++i) {
    const GateSpec& gate = spec_.gates[i];
    const std::string at = fmt::format("spec.gates[{}]", i);
    const auto [first, is_new] = names.emplace(gate.name, i);
    if (!is_new) {
      error(at, fmt::format("the gate name '{}' is used twice", gate.name),
            fmt::format("spec.gates[{}] has it; add a `name:`", first->second));
    }
    for (std::size_t k = 0; k < gate.stages.size(); ++k) {
      const auto stage = std::ranges::find(spec_.stages, gate.stages[k], &StageSpec::name);
      const std::string path = fmt::format("{}.stages[{}]", at, k);
      if (stage == spec_.stages.end()) {
        std::vector<std::string> known;
        for (const StageSpec& s : spec_.stages) known.push_back(s.name);
        error(path, fmt::format("there is no stage '{}'", gate.stages[k]),
              suggestion(gate.stages[k], known));
      } else if (!stage->gated && !reader_.is_wrong("spec.rollout.stages")) {
        error(path, fmt::format("the stage '{}' is not gated", gate.stages[k]),
              "say `gated: true` there, or leave it out here");
      }
    }
    gate_metric(gate, at);
  }
}

void EventCheck::gate_metric(const GateSpec& gate, const std::string& at) {
  const MetricSpec* metric = built_in_metric(gate.metric);
  const Manifest* own = references_.find(Kind::Metric, gate.metric);
  if (own != nullptr) metric = &own->as<MetricSpec>();
  if (metric == nullptr) {
    std::vector<std::string> known = references_.names(Kind::Metric);
    for (std::string& name : built_in_metric_names()) known.push_back(std::move(name));
    for (const std::string& probe : references_.names(Kind::Probe)) {
      known.push_back(probe_metric(probe));
      known.push_back(probe_latency_metric(probe));
    }
    references_.report_missing(reader_, root_, at + ".metric",
                               fmt::format("there is no Metric '{}'", gate.metric),
                               suggestion(gate.metric, known));
    return;
  }
  check_probe_of_metric(reader_, references_, root_, at + ".metric", gate.metric);
  const bool relative = gate.worse_by_at_most_ratio || gate.worse_by_at_most_points;
  if (gate.quantile && metric->type != MetricType::Quantile) {
    error(at + ".quantile", fmt::format("the metric '{}' is not of type quantile", gate.metric),
          "leave the quantile out");
  }
  if (!gate.quantile && metric->type == MetricType::Quantile) {
    error(at,
          fmt::format("the metric '{}' is a distribution, and the gate does not say which quantile",
                      gate.metric),
          "add `quantile: 0.99`");
  }
  if (gate.worse_by_at_most_points && metric->type != MetricType::Binary) {
    error(at + ".worse_by_at_most",
          fmt::format("percentage points fit shares, and '{}' is not of type binary", gate.metric),
          "write a percentage such as 10%");
  }
  if (metric->trust == Trust::Client && gate.on_fail != GateAction::Hold &&
      gate.on_fail != GateAction::Warn) {
    error(at + ".on_fail",
          fmt::format("'{}' is reported by clients, whose word alone may only hold", gate.metric),
          "say `on_fail: hold`");
  }
  if (relative && gate.metric == "capacity.headroom") {
    error(at + ".worse_by_at_most", "headroom has no baseline arm to compare with",
          "use `at_least: 15%`");
  }
  if (relative && probe_of_metric(gate.metric)) {
    error(at + ".worse_by_at_most", "a probe belongs to no arm, so there is no baseline beside it",
          "use `at_most:`");
  }
}

void EventCheck::gates_a_stage() {
  for (std::size_t i = 0; i < spec_.stages.size(); ++i) {
    const StageSpec& stage = spec_.stages[i];
    if (!stage.gated) continue;
    const auto judges = [&](const GateSpec& gate) {
      return gate.stages.empty() || std::ranges::find(gate.stages, stage.name) != gate.stages.end();
    };
    const auto count = static_cast<std::size_t>(std::ranges::count_if(spec_.gates, judges));
    if (count > kGatesPerStageMax) {
      error(fmt::format("spec.rollout.stages[{}]", i),
            fmt::format("{} gates judge the stage '{}'; at most {} may", count, stage.name,
                        kGatesPerStageMax),
            "say `stages:` at the gates");
      return;
    }
    if (count == 0 && stage.exposure_ppm < kPpmWhole) {
      error(fmt::format("spec.rollout.stages[{}]", i),
            fmt::format("no gate judges the gated stage '{}'", stage.name),
            "add a gate, or say `gated: false` if it needs no evidence");
    }
    warn_of_a_short_bake(i);
  }
}

// The engine then takes half of the bake for the warm-up.
void EventCheck::warn_of_a_short_bake(std::size_t stage) {
  const StageSpec& its = spec_.stages[stage];
  const Duration planned = its.bake_max.value_or(its.bake_min);
  const bool compares = std::ranges::any_of(spec_.gates, [&](const GateSpec& gate) {
    const bool relative = gate.worse_by_at_most_ratio || gate.worse_by_at_most_points;
    return relative &&
           (gate.stages.empty() || std::ranges::find(gate.stages, its.name) != gate.stages.end());
  });
  if (!compares || its.exposure_ppm >= kPpmWhole || planned > spec_.analysis.warmup) return;
  warning(fmt::format("spec.rollout.stages[{}].bake", stage),
          fmt::format("stage '{}' bakes for {}, and its warm-up alone takes {}", its.name,
                      format_duration(planned), format_duration(spec_.analysis.warmup)),
          "bake longer, or say `analysis: { warmup: … }`; as it is, half of the bake is warm-up");
}

void EventCheck::order() {
  for (std::size_t i = 0; i < spec_.after.size(); ++i) {
    const std::string at = fmt::format("spec.after[{}]", i);
    if (spec_.after[i] == manifest_.name) {
      error(at, "the event is after itself", "take it out");
    } else {
      references_.require(reader_, root_, at, Kind::LiveEvent, spec_.after[i]);
    }
  }
}

}  // namespace

void validate_live_event(Reader& reader, const Draft& draft, const References& references) {
  EventCheck(reader, draft, references).run();
  check_disturbed(reader, draft, references);
}

}  // namespace showcaller::manifest
