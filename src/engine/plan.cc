// SPDX-License-Identifier: Apache-2.0
#include "engine/plan.h"

#include <cmath>

#include <fmt/format.h>

#include "analysis/bake_planner.h"
#include "engine/decide.h"
#include "model/manifest/diff.h"
#include "model/manifest/manifest.h"
#include "policy/approvals.h"
#include "policy/freezes.h"

namespace showcaller {
namespace {

constexpr double kAssumedRate = 0.01;

json::array changes_between(const json::object& before, const json::object& after) {
  json::array out;
  for (const PathChange& change : diff_documents(json::value(before), json::value(after))) {
    json::object line{{"path", change.path}};
    if (change.before) line["before"] = *change.before;
    if (change.after) line["after"] = *change.after;
    out.push_back(std::move(line));
  }
  return out;
}

json::array defaults_of(const Manifest& manifest) {
  json::array out;
  for (const DefaultTaken& taken : defaults_taken(manifest))
    out.push_back({{"path", taken.path}, {"value", taken.value}});
  return out;
}

std::string percent(double share) {
  return fmt::format("{:.4g}%", 100 * share);
}

// What one relative gate can see in one stage.
json::object detection_of(const LiveEventSpec& spec, const StageSpec& stage, const GateSpec& gate,
                          const PlanFacts& facts, double sessions_per_s, bool changes_build) {
  const auto baseline = facts.baselines.find(gate.metric);
  const bool measured = baseline != facts.baselines.end() && baseline->second.rate > 0;
  BakeQuestion question;
  question.rate = measured        ? baseline->second.rate
                  : gate.quantile ? 1 - *gate.quantile
                                  : kAssumedRate;
  question.ratio = gate.must_detect.value_or(2);
  question.margin = gate.worse_by_at_most_ratio.value_or(0);
  if (gate.worse_by_at_most_points)
    question.margin = ratio_of_points(*gate.worse_by_at_most_points, question.rate);
  question.ratio = std::max(question.ratio, 1 + question.margin + 0.01);
  question.share = double(stage.exposure_ppm) / double(kPpmWhole);
  question.profile = parse_gate_profile(spec.analysis.profile).value_or(GateProfile::Guaranteed);
  question.assignment = spec.analysis.noise_unit == "player" || !changes_build
                            ? Assignment::Player
                            : Assignment::Instance;
  question.canary_instances = std::max(spec.analysis.instances_min, 1);
  question.baseline_instances = 4 * question.canary_instances;
  json::object out{{"gate", gate.name},
                   {"detects", fmt::format("{:.4g}x", question.ratio)},
                   {"baseline_rate", question.rate},
                   {"baseline_rate_is", measured ? "measured" : "assumed"}};
  if (question.share >= 1) {
    out["note"] = "no concurrent baseline at 100 %: absolute budgets alone judge here";
    return out;
  }
  const double units = units_to_detect(question);
  if (!std::isfinite(units)) {
    out["note"] = fmt::format("no bake suffices with {} canary instances; it takes {}",
                              int(question.canary_instances), canary_instances_needed(question));
    return out;
  }
  out["canary_units_needed"] = std::llround(std::ceil(units));
  if (sessions_per_s <= 0) return out;
  const std::int64_t planned_s = stage.bake_max.value_or(stage.bake_min).count() / 1000;
  const BakePlan plan =
      plan_bake(question, {sessions_per_s, planned_s, spec.analysis.warmup.count() / 1000});
  out["bake_needed"] = std::isfinite(plan.seconds)
                           ? format_duration(seconds(std::llround(std::ceil(plan.seconds))))
                           : "never";
  out["enough"] = plan.enough;
  if (std::isfinite(plan.detectable_ratio))
    out["detectable"] = fmt::format("{:.3g}x", plan.detectable_ratio);
  if (!plan.enough) {
    out["advice"] =
        plan.share_needed > 0
            ? fmt::format("bake {} or expose {}", std::string(out["bake_needed"].as_string()),
                          percent(plan.share_needed))
            : fmt::format("bake {}", std::string(out["bake_needed"].as_string()));
  }
  return out;
}

json::array stages_of(const World& world, const LiveEventSpec& spec, const PlanFacts& facts) {
  std::string fleet;
  for (const Change& change : spec.changes) {
    if (const auto* build = std::get_if<BuildChange>(&change.what)) fleet = build->fleet;
  }
  const FleetSpec* of_fleet = world.fleet(fleet);
  const int players_each = of_fleet ? of_fleet->capacity.players_per_session : 0;
  const auto rate = facts.sessions_per_s.find(fleet);
  const double sessions_per_s = rate == facts.sessions_per_s.end() ? 0 : rate->second;
  json::array out;
  for (const StageSpec& stage : spec.stages) {
    json::array detections;
    for (const GateSpec& gate : spec.gates) {
      const bool relative = gate.worse_by_at_most_ratio || gate.worse_by_at_most_points;
      const bool here = gate.stages.empty() || std::find(gate.stages.begin(), gate.stages.end(),
                                                         stage.name) != gate.stages.end();
      if (relative && here && stage.gated)
        detections.push_back(
            detection_of(spec, stage, gate, facts, sessions_per_s, !fleet.empty()));
    }
    json::object line{{"name", stage.name},
                      {"exposure_percent", double(stage.exposure_ppm) / 10'000},
                      {"bake", format_duration(stage.bake_min)},
                      {"gates", std::move(detections)}};
    if (stage.bake_max) line["bake_max"] = format_duration(*stage.bake_max);
    // At worst: all that the stage lets in until its planned end, and as long as a match lasts.
    if (sessions_per_s > 0) {
      const double bake_s = double(stage.bake_max.value_or(stage.bake_min).count()) / 1000;
      const std::int64_t sessions =
          std::llround(sessions_per_s * double(stage.exposure_ppm) / double(kPpmWhole) * bake_s);
      line["sessions_at_risk_max"] = sessions;
      if (players_each > 0) line["players_at_risk_max"] = sessions * players_each;
    }
    out.push_back(std::move(line));
  }
  return out;
}

// The longest a rollback can take: sessions that may still begin in flight, their longest match or
// the drain, stopping.
json::object rollback_of(const World& world, const LiveEventSpec& spec, json::array* problems) {
  Duration worst{};
  std::string bound = "layers alone: at once";
  Duration actions{};
  for (const Change& change : spec.changes) {
    if (const auto* action = std::get_if<ActionChange>(&change.what)) actions += action->timeout;
    const auto* build = std::get_if<BuildChange>(&change.what);
    const FleetSpec* fleet = build ? world.fleet(build->fleet) : nullptr;
    if (!fleet) continue;
    const Duration drain = spec.rollback.then == DrainThen::End
                               ? std::min(fleet->session_length_max, spec.rollback.drain)
                               : fleet->session_length_max;
    const Duration whole = drain + fleet->stop_grace;
    if (whole > worst) {
      worst = whole;
      bound = fmt::format("the longest match of fleet {} ({}) and {} to stop", build->fleet,
                          format_duration(fleet->session_length_max),
                          format_duration(fleet->stop_grace));
    }
  }
  worst += actions;
  if (worst > spec.rollback.within) {
    problems->push_back(json::value(
        fmt::format("a rollback may take {} ({}), longer than rollback.within {}",
                    format_duration(worst), bound, format_duration(spec.rollback.within))));
  }
  return {{"worst", format_duration(worst)},
          {"bound_by", bound},
          {"within", format_duration(spec.rollback.within)}};
}

// Clients that are told too late cannot have loaded it by the start.
void check_preloads(const LiveEventSpec& spec, Instant now, json::array* problems) {
  if (!spec.schedule.start || spec.schedule.start->at <= now) return;
  const Duration left = spec.schedule.start->at - now;
  for (const Change& change : spec.changes) {
    const auto* bundle = std::get_if<BundleChange>(&change.what);
    if (!bundle || bundle->preload <= left) continue;
    problems->push_back(json::value(
        fmt::format("bundle {} is to be loaded for {} before the start, which comes in {}",
                    bundle->id, format_duration(bundle->preload), format_duration(left))));
  }
}

json::object event_plan(const World& world, const std::shared_ptr<const Manifest>& manifest,
                        const EventState* present, const PlanFacts& facts, Instant now,
                        json::array* problems) {
  const LiveEventSpec& spec = manifest->as<LiveEventSpec>();
  for (const std::string& problem : problems_against(world, *manifest))
    problems->push_back(json::value(problem));
  check_preloads(spec, now, problems);
  EventState draft;
  draft.manifest = manifest;
  draft.revision = present ? present->revision + 1 : 1;
  const ApprovalNeed need = approvals_needed(world, draft, now);
  json::array approvals, disturbs;
  for (const std::string& missing : need.missing) approvals.emplace_back(missing);
  if (present && may_admit(present->phase)) {
    const Outcome outcome = outcome_of(present->phase, PhaseInput::Revise);
    disturbs.emplace_back(outcome.allowed
                              ? fmt::format("players are in it (stage {}): they stay; later "
                                            "stages, gates and schedule change under it",
                                            present->stage + 1)
                              : std::string(outcome.refusal));
  } else if (present && !is_over(present->phase) && present->phase != Phase::Draft) {
    disturbs.emplace_back(fmt::format("it is {}: it is validated, approved and made ready anew",
                                      enum_name(present->phase)));
  }
  json::array layers;
  for (const Change& change : spec.changes) {
    json::object layer{{"path", change.path()}};
    if (change.irreversible) layer["irreversible"] = true;
    json::array shared;
    world.events.each([&](const std::string& name, const EventState& other) {
      if (name == manifest->name || is_over(other.phase)) return;
      for (const Change& theirs : other.spec().changes) {
        if (theirs.path() == change.path()) shared.emplace_back(name);
      }
    });
    if (!shared.empty()) layer["shared_with"] = std::move(shared);
    layers.push_back(std::move(layer));
  }
  json::object out{{"revision", draft.revision},
                   {"layers", std::move(layers)},
                   {"disturbs", std::move(disturbs)},
                   {"approvals", std::move(approvals)},
                   {"stages", stages_of(world, spec, facts)},
                   {"rollback", rollback_of(world, spec, problems)}};
  json::array notes;
  for (std::string& note : policy_notes(world, draft, now)) notes.emplace_back(std::move(note));
  if (!notes.empty()) out["notes"] = std::move(notes);
  if (const auto frozen_now = exposure_blocked(world, draft, now))
    out["waits_for"] = json::array{json::value(*frozen_now)};
  return out;
}

}  // namespace

json::object plan_of(const World& world, std::span<const std::shared_ptr<const Manifest>> manifests,
                     const PlanFacts& facts, Instant now) {
  // Events are planned against the world as it will be with the other manifests applied.
  World next = world;
  for (const auto& manifest : manifests) {
    if (manifest->kind() == Kind::LiveEvent) continue;
    next.manifests[manifest->key()] = {manifest, 0};
  }
  json::array lines, problems;
  for (const auto& manifest : manifests) {
    const bool is_event = manifest->kind() == Kind::LiveEvent;
    const EventState* event = is_event ? world.event(manifest->name) : nullptr;
    const std::shared_ptr<const Manifest> before =
        is_event ? (event && !is_over(event->phase) ? event->manifest : nullptr)
                 : world.manifest(manifest->kind(), manifest->name);
    json::object line{
        {"kind", std::string(to_string(manifest->kind()))},
        {"name", manifest->name},
        {"action", !before                          ? "create"
                   : before->hash == manifest->hash ? "unchanged"
                                                    : "change"},
        {"hash", manifest->hash},
        {"changes", before ? changes_between(before->document, manifest->document) : json::array{}},
        {"defaults", defaults_of(*manifest)}};
    if (is_event) line["event"] = event_plan(next, manifest, event, facts, now, &problems);
    lines.push_back(std::move(line));
  }
  return {{"manifests", std::move(lines)}, {"problems", std::move(problems)}};
}

}  // namespace showcaller
