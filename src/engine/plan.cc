// SPDX-License-Identifier: Apache-2.0
#include "engine/plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "compute/fleet_capacity.h"
#include "engine/decide_parts.h"
#include "engine/engine.h"
#include "engine/exposure_share.h"
#include "engine/plan_stages.h"
#include "engine/rollback_time.h"
#include "engine/view.h"
#include "model/flag_schedule.h"
#include "model/manifest/diff.h"
#include "model/manifest/layers.h"
#include "model/manifest/manifest.h"
#include "policy/admission.h"
#include "policy/approvals.h"
#include "policy/freezes.h"
#include "policy/quotas.h"

namespace showcaller {
namespace {

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

json::object rollback_of(const World& world, const LiveEventSpec& spec, json::array* problems) {
  const RollbackTime time = rollback_at_worst(world, spec);
  const Duration within = rollback_within(world, spec);
  if (time.worst > within) {
    problems->push_back(json::value(
        fmt::format("a rollback may take {} ({}), longer than rollback.within {}",
                    format_duration(time.worst), time.bound_by, format_duration(within))));
  }
  return {{"worst", format_duration(time.worst)},
          {"bound_by", time.bound_by},
          {"within", format_duration(within)}};
}

// A new build needs its least instances beside those of the base. An event that is under way has
// them already.
void check_capacity(const World& world, const LiveEventSpec& spec, const EventState* present,
                    json::array* problems) {
  if (present && layer_is_active(present->phase)) return;
  std::int64_t more = 0;
  for (const Change& change : spec.changes) {
    const auto* build = std::get_if<BuildChange>(&change.what);
    const FleetSpec* fleet = build ? world.fleet(build->fleet) : nullptr;
    if (!fleet) continue;
    const CapacitySpec& capacity = fleet->capacity;
    more += std::int64_t(fleet->regions.size()) * capacity.canary_instances_min;
    if (capacity.instances_min + capacity.canary_instances_min <= capacity.instances_max) continue;
    problems->push_back(json::value(fmt::format(
        "Fleet '{}' runs at most {} instances a region, and {} of the base with {} of build {} are "
        "more; raise `capacity.max`",
        build->fleet, capacity.instances_max, capacity.instances_min, capacity.canary_instances_min,
        build->version)));
  }
  if (more == 0) return;
  if (const Status quota = check_instance_quota(world, more); !quota)
    problems->push_back(json::value(quota.error().message));
}

// What is refused is told as a problem.
json::array disturbs_of(const World& world, const EventState* present,
                        const std::shared_ptr<const Manifest>& next) {
  if (!present || is_over(present->phase) || present->phase == Phase::Draft) return {};
  if (present->manifest->hash == next->hash) return {};
  const auto waits = waits_beside_the_present(world, world, *present, next);
  if (!waits) return {};
  if (!*waits) {
    return {json::value(fmt::format("it is {}: it is validated, approved and made ready anew",
                                    enum_name(present->phase)))};
  }
  const std::string stays = fmt::format(
      "r{} stays in force, and nothing grows, until this is approved", present->revision);
  if (!may_admit(present->phase))
    return {
        json::value(fmt::format("it is {} and stays so: {}", enum_name(present->phase), stays))};
  return {
      json::value(fmt::format("players are in it (stage {}): they stay; later stages, gates "
                              "and schedule change under it; {}",
                              present->stage + 1, stays))};
}

bool changes_path(const LiveEventSpec& spec, const std::string& path) {
  return std::ranges::any_of(spec.changes, [&](const Change& c) { return c.path() == path; });
}

// The paths that it changes, who changes them too, and who of them lies on top.
json::array layers_of(const World& world, const std::shared_ptr<const Manifest>& manifest) {
  std::vector<const Manifest*> events{manifest.get()};
  world.events.each([&](const std::string& name, const EventState& other) {
    if (name != manifest->name && !is_over(other.phase)) events.push_back(other.manifest.get());
  });
  json::array out;
  for (const Change& change : manifest->as<LiveEventSpec>().changes) {
    json::object layer{{"path", change.path()}};
    if (change.irreversible) layer["irreversible"] = true;
    json::array shared, on_top;
    for (const Manifest* other : std::span(events).subspan(1)) {
      if (!changes_path(other->as<LiveEventSpec>(), change.path())) continue;
      shared.emplace_back(other->name);
      if (lies_above(*other, *manifest, events)) on_top.emplace_back(other->name);
    }
    if (!shared.empty()) layer["shared_with"] = std::move(shared);
    if (!on_top.empty()) layer["below"] = std::move(on_top);
    out.push_back(std::move(layer));
  }
  return out;
}

json::array texts(std::vector<std::string> lines) {
  json::array out;
  for (std::string& line : lines) out.emplace_back(std::move(line));
  return out;
}

// What applying leads to: the engine's own decision, and what follows from it at once.
struct Rehearsal {
  World world;
  std::vector<std::string> problems, notes;
};

Rehearsal apply_to_a_copy(const World& world, const PlanRequest& request, Instant now) {
  Command command{ApplyCommand{{request.manifests.begin(), request.manifests.end()}},
                  request.actor,
                  {},
                  {},
                  {}};
  Engine engine(world, world.epoch);
  std::vector<Record> records;
  auto receipt = engine.take(Input(command), now, &records);
  Rehearsal out;
  if (!receipt && receipt.error().code == ErrorCode::Forbidden) {
    // Who may only read may plan for others.
    out.notes.push_back(receipt.error().message);
    command.actor.roles = {"admin"};
    receipt = engine.take(Input(command), now, &records);
  }
  out.world = engine.world();
  for (std::string& note :
       admission_notes(world, std::get<ApplyCommand>(command.body), request.actor, now))
    out.notes.push_back(std::move(note));
  if (receipt) return out;
  out.problems.push_back(receipt.error().message);
  for (const auto& manifest : request.manifests) {
    if (manifest->kind() != Kind::LiveEvent) out.world.manifests[manifest->key()] = {manifest, 0};
  }
  return out;
}

// What the demand of its fleets is forecast to become, the players that it expects included.
json::array capacity_of(const World& next, const LiveEventSpec& spec, const PlanFacts& facts,
                        Instant now) {
  json::array out;
  for (const std::string& fleet : fleets_needed(spec)) {
    const auto outlook = facts.outlooks.find(fleet);
    const auto seen = facts.instances.find(fleet);
    if (outlook == facts.outlooks.end() || seen == facts.instances.end()) continue;
    out.push_back(
        forecast_view(next, fleet_view(next, fleet, seen->second, now, outlook->second), now));
  }
  return out;
}

json::array flag_schedule_of(const FlagSpec& flag, Instant wall) {
  json::array out;
  for (const FlagScheduledChange& change : flag.schedule) {
    out.push_back(json::object{{"at", format_instant(change.at)},
                               {"says", change_text(change)},
                               {"has_come", change.at <= wall}});
  }
  return out;
}

json::object event_plan(const World& next, const std::shared_ptr<const Manifest>& manifest,
                        const EventState* present, const PlanRequest& request, Instant now,
                        json::array* problems) {
  const LiveEventSpec& spec = manifest->as<LiveEventSpec>();
  for (const std::string& problem : problems_against(next, *manifest))
    problems->push_back(json::value(problem));
  check_preloads(spec, next.wall(now), problems);
  check_capacity(next, spec, present, problems);
  EventState draft;
  draft.manifest = manifest;
  draft.revision = present ? present->last_revision + 1 : 1;
  draft.author = request.actor.name;
  if (present) draft.proofs = present->proofs;
  json::array stages = planned_stages(next, spec, request.facts);
  add_false_rollbacks(next, spec, request.facts, &stages);
  json::object out{{"revision", draft.revision},
                   {"schedule", schedule_view(spec.schedule)},
                   {"layers", layers_of(next, manifest)},
                   {"disturbs", disturbs_of(next, present, manifest)},
                   {"approvals", texts(approvals_needed(next, draft, now).missing)},
                   {"stages", std::move(stages)},
                   {"rollback", rollback_of(next, spec, problems)}};
  if (json::array capacity = capacity_of(next, spec, request.facts, now); !capacity.empty())
    out["capacity"] = std::move(capacity);
  std::vector<std::string> told = policy_notes(next, draft, now);
  const EventState* planned = next.event(manifest->name);
  if (planned && planned->bounds) {
    for (std::string& note : bounds_notes(*planned->bounds)) told.push_back(std::move(note));
  }
  if (json::array notes = texts(std::move(told)); !notes.empty()) out["notes"] = std::move(notes);
  if (const auto frozen_now = exposure_blocked(next, draft, now))
    out["waits_for"] = json::array{json::value(*frozen_now)};
  return out;
}

}  // namespace

json::object plan_of(const World& world, const PlanRequest& request, Instant now) {
  // Events are planned against the world as it will be with all the manifests applied.
  Rehearsal next = apply_to_a_copy(world, request, now);
  json::array lines, problems = texts(std::move(next.problems));
  for (const auto& manifest : request.manifests) {
    const bool is_event = manifest->kind() == Kind::LiveEvent;
    const EventState* event = is_event ? world.event(manifest->name) : nullptr;
    const std::shared_ptr<const Manifest> before =
        is_event ? (event ? event->manifest : nullptr)
                 : world.manifest(manifest->kind(), manifest->name);
    const bool again = event && is_over(event->phase);
    json::object line{
        {"kind", std::string(to_string(manifest->kind()))},
        {"name", manifest->name},
        {"owner", manifest->owner},
        {"action", !before || again                 ? "create"
                   : before->hash == manifest->hash ? "unchanged"
                                                    : "change"},
        {"hash", manifest->hash},
        {"changes", before ? changes_between(before->document, manifest->document) : json::array{}},
        {"defaults", defaults_of(*manifest)}};
    if (before) line["server_hash"] = before->hash;
    if (const auto* flag = std::get_if<FlagSpec>(&manifest->spec); flag && !flag->schedule.empty())
      line["schedule"] = flag_schedule_of(*flag, next.world.wall(now));
    if (is_event) line["event"] = event_plan(next.world, manifest, event, request, now, &problems);
    lines.push_back(std::move(line));
  }
  json::object out{{"manifests", std::move(lines)}, {"problems", std::move(problems)}};
  if (!next.notes.empty()) out["notes"] = texts(std::move(next.notes));
  return out;
}

}  // namespace showcaller
