// SPDX-License-Identifier: Apache-2.0
#include "engine/calendar.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "engine/moves.h"
#include "engine/view.h"
#include "model/manifest/layers.h"
#include "policy/freezes.h"
#include "policy/policies.h"

namespace showcaller {
namespace {

Duration bake_of(const StageSpec& stage) {
  return stage.bake_max.value_or(stage.bake_min);
}

Duration bakes_from(const LiveEventSpec& spec, std::size_t stage) {
  Duration out{};
  for (std::size_t i = stage; i < spec.stages.size(); ++i) out += bake_of(spec.stages[i]);
  return out;
}

// As planned, or as it has come about.
CalendarSpan rollout_of(const World& world, const EventState& event, Instant wall) {
  const LiveEventSpec& spec = event.spec();
  CalendarSpan out{wall, {}};
  if (event.phase == Phase::RollingOut) {
    out.from = world.wall(event.phase_since);
    out.to = std::max(wall, world.wall(event.stage_since) +
                                bakes_from(spec, std::size_t(std::max(event.stage, 0))));
  } else {
    if (spec.schedule.start && spec.rollout_begin_before_start != Duration{})
      out.from = std::max(wall, spec.schedule.start->at - spec.rollout_begin_before_start);
    out.to = out.from + bakes_from(spec, 0);
  }
  // Its doors open at the start, however soon it was proven.
  if (spec.schedule.start) out.to = std::max(*out.to, latest_of(*spec.schedule.start));
  return out;
}

template <class T>
void add_once(std::vector<T>* to, const T& value) {
  if (std::ranges::find(*to, value) == to->end()) to->push_back(value);
}

// Where it lets players in: all regions as soon as one stage names none.
std::vector<std::string> regions_of(const LiveEventSpec& spec) {
  std::vector<std::string> out;
  for (const StageSpec& stage : spec.stages) {
    if (stage.regions.empty()) return {};
    for (const std::string& region : stage.regions) add_once(&out, region);
  }
  return out;
}

bool share_any(const std::vector<std::string>& a, const std::vector<std::string>& b,
               bool empty_is_all) {
  if (empty_is_all && (a.empty() || b.empty())) return true;
  return std::ranges::any_of(
      a, [&](const std::string& x) { return std::ranges::find(b, x) != b.end(); });
}

std::vector<const Manifest*> manifests_under_way(const World& world) {
  std::vector<const Manifest*> out;
  world.events.each([&](const std::string&, const EventState& event) {
    if (!is_over(event.phase)) out.push_back(event.manifest.get());
  });
  return out;
}

CalendarConflict between(CalendarMeeting kind, const CalendarPlan& a, const CalendarPlan& b,
                         const CalendarSpan& x, const CalendarSpan& y, std::string what,
                         std::string says) {
  CalendarConflict out{.kind = kind, .event = a.name, .other = b.name, .what = std::move(what)};
  out.from = std::max(x.from, y.from);
  if (x.to || y.to) out.to = std::min(x.to.value_or(Instant::max()), y.to.value_or(Instant::max()));
  out.other_ends = y.to;
  out.says = std::move(says);
  return out;
}

// Says which of the two lies on top; empty: nothing does.
std::string order_of(const World& world, const CalendarPlan& a, const CalendarPlan& b) {
  const auto events = manifests_under_way(world);
  const EventState* x = world.event(a.name);
  const EventState* y = world.event(b.name);
  if (!x || !y) return {};
  if (lies_above(*x->manifest, *y->manifest, events))
    return fmt::format("{} lies over {}", a.name, b.name);
  if (lies_above(*y->manifest, *x->manifest, events))
    return fmt::format("{} lies over {}", b.name, a.name);
  return {};
}

void add_keys(const World& world, const CalendarPlan& a, const CalendarPlan& b,
              std::vector<CalendarConflict>* out) {
  if (!a.in_force.meets(b.in_force)) return;
  for (const std::string& key : a.keys) {
    if (std::ranges::find(b.keys, key) == b.keys.end()) continue;
    const std::string order = order_of(world, a, b);
    auto conflict = between(
        CalendarMeeting::Key, a, b, a.in_force, b.in_force, key,
        order.empty() ? fmt::format("both change {}, and nothing says which lies on top", key)
                      : fmt::format("both change {}; {}", key, order));
    conflict.ordered = !order.empty();
    out->push_back(std::move(conflict));
  }
}

void add_rollouts(const CalendarPlan& a, const CalendarPlan& b,
                  std::vector<CalendarConflict>* out) {
  if (!a.rolls_out || !b.rolls_out || !a.rollout.meets(b.rollout)) return;
  for (const std::string& fleet : a.fleets) {
    if (std::ranges::find(b.fleets, fleet) == b.fleets.end()) continue;
    out->push_back(
        between(CalendarMeeting::Capacity, a, b, a.rollout, b.rollout, fleet,
                fmt::format("both need capacity of fleet {} while they roll out", fleet)));
  }
  const bool kept_apart = !a.exclusion.empty() && a.exclusion == b.exclusion;
  if (!a.is_judged || !b.is_judged || kept_apart || !share_any(a.regions, b.regions, true)) return;
  out->push_back(between(CalendarMeeting::Audience, a, b, a.rollout, b.rollout, "",
                         "both are judged on the same players, so that one may be blamed for the "
                         "other; put them into one exclusion group, or apart in time"));
}

void add_freezes(const World& world, const CalendarPlan& plan, Instant wall,
                 std::vector<CalendarConflict>* out) {
  if (!plan.rolls_out) return;
  for (const PlannedFreeze& freeze : freezes_ahead(world, wall)) {
    const CalendarSpan span{freeze.spec->from, freeze.spec->to};
    if (freeze.audit_only || !concerns(*freeze.spec, plan.owner, plan.name) ||
        !span.meets(plan.rollout) ||
        exception_for(*freeze.by, freeze.spec->name, plan.name, std::max(wall, span.from)))
      continue;
    CalendarPlan as_other{.name = freeze.spec->name};
    out->push_back(
        between(CalendarMeeting::Freeze, plan, as_other, plan.rollout, span, freeze.policy,
                fmt::format("policy '{}' freezes it by '{}'{}{}", freeze.policy, freeze.spec->name,
                            freeze.spec->reason.empty() ? "" : ": ", freeze.spec->reason)));
  }
}

bool is_clean(const std::vector<CalendarConflict>& conflicts) {
  return std::ranges::all_of(conflicts, &CalendarConflict::ordered);
}

json::value instant_or_null(const std::optional<Instant>& at) {
  if (!at) return nullptr;
  return json::value(format_instant(*at));
}

json::object span_view(const CalendarSpan& span) {
  return {{"from", format_instant(span.from)}, {"to", instant_or_null(span.to)}};
}

json::array texts(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& text : list) out.emplace_back(text);
  return out;
}

json::object event_entry(const World& world, const std::string& name, const EventState& event,
                         const std::optional<CalendarPlan>& plan) {
  json::object out = event_line(name, event);
  out["since"] = format_instant(world.wall(event.phase_since));
  const LiveEventSpec& spec = event.spec();
  out["risk"] = std::array{"low", "normal", "high"}[std::size_t(spec.risk)];
  out["schedule"] = schedule_view(spec.schedule);
  out["zone"] = spec.schedule.zone;
  if (!plan) return out;
  out["in_force"] = span_view(plan->in_force);
  if (plan->rolls_out) out["rollout"] = span_view(plan->rollout);
  out["keys"] = texts(plan->keys);
  out["fleets"] = texts(plan->fleets);
  out["regions"] = texts(plan->regions);
  json::array& rolls = out["builds"].emplace_array();
  for (const Change& change : spec.changes) {
    if (const auto* build = std::get_if<BuildChange>(&change.what))
      rolls.push_back(json::object{{"fleet", build->fleet}, {"version", build->version}});
  }
  return out;
}

json::object conflict_view(const CalendarConflict& conflict) {
  return {{"kind", to_string(conflict.kind)},
          {"event", conflict.event},
          {"other", conflict.other},
          {"what", conflict.what},
          {"ordered", conflict.ordered},
          {"from", format_instant(conflict.from)},
          {"to", instant_or_null(conflict.to)},
          {"says", conflict.says}};
}

json::array freezes_view(const World& world, Instant wall) {
  json::array out;
  for (const PlannedFreeze& freeze : freezes_ahead(world, wall)) {
    out.push_back(json::object{{"name", freeze.spec->name},
                               {"policy", freeze.policy},
                               {"from", format_instant(freeze.spec->from)},
                               {"to", format_instant(freeze.spec->to)},
                               {"owners", texts(freeze.spec->owners)},
                               {"except", texts(freeze.spec->except_events)},
                               {"reason", freeze.spec->reason},
                               {"audit_only", freeze.audit_only}});
  }
  return out;
}

json::object zones_view(const World& world) {
  json::object out;
  world.manifests.each_from(
      std::string_view("Fleet/"), [&](const std::string& key, const StoredManifest& stored) {
        if (!key.starts_with("Fleet/")) return false;
        for (const RegionSpec& region : stored.manifest->as<FleetSpec>().regions)
          out[region.name] = region.zone;
        return true;
      });
  return out;
}

}  // namespace

std::string_view to_string(CalendarMeeting meeting) {
  constexpr std::array<std::string_view, 4> kNames{"key", "capacity", "audience", "freeze"};
  return kNames[std::size_t(meeting)];
}

std::optional<CalendarPlan> calendar_plan(const World& world, const std::string& name,
                                          Instant now) {
  const EventState* event = world.event(name);
  if (!event || is_over(event->phase)) return std::nullopt;
  const LiveEventSpec& spec = event->spec();
  const Instant wall = world.wall(now);
  CalendarPlan out{.name = name, .owner = event->manifest->owner};
  out.rolls_out = event->phase < Phase::Live;
  if (out.rolls_out) out.rollout = rollout_of(world, *event, wall);
  out.in_force.from = out.rolls_out ? out.rollout.from : world.wall(event->phase_since);
  if (const auto& end = spec.schedule.end)
    out.in_force.to = latest_of(*end) + spec.schedule.claim_until + spec.schedule.retire;
  out.is_judged = !spec.gates.empty();
  out.regions = regions_of(spec);
  if (spec.exclusion) out.exclusion = spec.exclusion->group;
  for (const Change& change : spec.changes) {
    const auto* build = std::get_if<BuildChange>(&change.what);
    if (build) add_once(&out.fleets, build->fleet);
    add_once(&out.keys, change.path());
  }
  if (!spec.readiness.capacity_fleet.empty()) add_once(&out.fleets, spec.readiness.capacity_fleet);
  return out;
}

CalendarPlan moved(CalendarPlan plan, Duration later) {
  for (CalendarSpan* span : {&plan.rollout, &plan.in_force}) {
    span->from += later;
    if (span->to) *span->to += later;
  }
  return plan;
}

std::vector<CalendarConflict> conflicts_of(const World& world, const CalendarPlan& plan,
                                           Instant now) {
  std::vector<CalendarConflict> out;
  world.events.each([&](const std::string& name, const EventState&) {
    if (name == plan.name) return;
    const auto other = calendar_plan(world, name, now);
    if (!other) return;
    add_keys(world, plan, *other, &out);
    add_rollouts(plan, *other, &out);
  });
  add_freezes(world, plan, world.wall(now), &out);
  return out;
}

// What it meets is met until that ends; where the rollout begins then, the next may be met. Each
// step goes past an end, so there are no more steps than others.
std::optional<Duration> next_clean_delay(const World& world, const CalendarPlan& plan,
                                         Instant now) {
  constexpr int kStepsMax = 1'000;
  Duration later{};
  for (int step = 0; step < kStepsMax; ++step) {
    const CalendarPlan there = moved(plan, later);
    const auto conflicts = conflicts_of(world, there, now);
    if (is_clean(conflicts)) return later;
    Duration further{1};
    for (const CalendarConflict& conflict : conflicts) {
      if (conflict.ordered) continue;
      if (!conflict.other_ends) return std::nullopt;
      const bool by_force = conflict.kind == CalendarMeeting::Key;
      const Instant begin = by_force ? there.in_force.from : there.rollout.from;
      further = std::max(further, *conflict.other_ends - begin);
    }
    later += further;
  }
  return std::nullopt;
}

json::object calendar_view(const World& world, Instant now) {
  const Instant wall = world.wall(now);
  json::array events, conflicts;
  json::object slots;
  std::set<std::pair<std::string, std::string>> told;
  world.events.each([&](const std::string& name, const EventState& event) {
    const auto plan = calendar_plan(world, name, now);
    events.push_back(event_entry(world, name, event, plan));
    if (!plan) return;
    const auto meets = conflicts_of(world, *plan, now);
    for (const CalendarConflict& conflict : meets) {
      // Two events meet each other: that is told once.
      if (!told.contains({conflict.other, conflict.event}))
        conflicts.push_back(conflict_view(conflict));
    }
    for (const CalendarConflict& conflict : meets) told.insert({conflict.event, conflict.other});
    if (is_clean(meets) || event.phase >= Phase::RollingOut) return;
    const auto later = next_clean_delay(world, *plan, now);
    const Instant start =
        event.spec().schedule.start ? event.spec().schedule.start->at : plan->rollout.from;
    slots[name] = later ? json::value(format_instant(start + *later)) : json::value();
  });
  return {{"now", format_instant(wall)},
          {"events", std::move(events)},
          {"freezes", freezes_view(world, wall)},
          {"conflicts", std::move(conflicts)},
          {"slots", std::move(slots)},
          {"zones", zones_view(world)}};
}

}  // namespace showcaller
