// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/layers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace showcaller {
namespace {

using Above = std::map<std::string,
                       std::set<std::string>>;  // event → all that lie below it, through others too

void collect_below(const std::string& name,
                   const std::map<std::string, const LiveEventSpec*>& specs,
                   std::set<std::string>* below) {
  const auto spec = specs.find(name);
  if (spec == specs.end()) return;
  for (const std::string& lower : spec->second->after) {
    if (below->insert(lower).second) collect_below(lower, specs, below);
  }
}

Above below_each(std::span<const Manifest* const> events) {
  std::map<std::string, const LiveEventSpec*> specs;
  for (const Manifest* event : events) specs[event->name] = &event->as<LiveEventSpec>();
  Above out;
  for (const auto& [name, spec] : specs) collect_below(name, specs, &out[name]);
  return out;
}

Instant latest(const ScheduledTime& time) {
  Instant out = time.at;
  for (const auto& [region, at] : time.by_region) out = std::max(out, at);
  return out;
}

// In force at most from … to …; absent: without bound.
std::optional<Instant> first_moment(const LiveEventSpec& spec) {
  if (!spec.schedule.start || spec.rollout_begin_before_start == Duration::zero())
    return std::nullopt;
  Duration before = spec.rollout_begin_before_start;
  for (const Change& change : spec.changes) {
    if (const auto* bundle = std::get_if<BundleChange>(&change.what))
      before = std::max(before, bundle->preload);
  }
  return spec.schedule.start->at - before;
}

std::optional<Instant> last_moment(const LiveEventSpec& spec) {
  if (!spec.schedule.end) return std::nullopt;
  return latest(*spec.schedule.end) + spec.schedule.claim_until + spec.schedule.retire;
}

bool ends_before(const LiveEventSpec& a, const LiveEventSpec& b) {
  const auto end = last_moment(a);
  const auto begin = first_moment(b);
  return end && begin && *end <= *begin;
}

bool is_layer(const Change& change) {
  return !std::holds_alternative<ActionChange>(change.what);
}

bool ordered(const Manifest& a, const Manifest& b, const Above& above) {
  if (a.as<LiveEventSpec>().priority != b.as<LiveEventSpec>().priority) return true;
  return above.at(a.name).contains(b.name) || above.at(b.name).contains(a.name);
}

}  // namespace

std::vector<LayerConflict> find_layer_conflicts(std::span<const Manifest* const> events,
                                                LayersMeet meet) {
  const Above above = below_each(events);
  std::map<std::string, std::vector<const Manifest*>> holders;
  std::vector<LayerConflict> out;
  for (const Manifest* event : events) {
    const auto& spec = event->as<LiveEventSpec>();
    for (std::size_t i = 0; i < spec.changes.size(); ++i) {
      if (!is_layer(spec.changes[i])) continue;
      const std::string path = spec.changes[i].path();
      std::vector<const Manifest*>& others = holders[path];
      for (const Manifest* other : others) {
        const auto& its = other->as<LiveEventSpec>();
        if (other->name == event->name || ordered(*event, *other, above)) continue;
        if (meet == LayersMeet::AsScheduled && (ends_before(spec, its) || ends_before(its, spec)))
          continue;
        out.push_back({event, other, i, path});
      }
      others.push_back(event);
    }
  }
  return out;
}

std::vector<OrderContradiction> find_order_contradictions(std::span<const Manifest* const> events) {
  std::map<std::string, const Manifest*> by_name;
  for (const Manifest* event : events) by_name[event->name] = event;
  std::vector<OrderContradiction> out;
  for (const Manifest* event : events) {
    const auto& spec = event->as<LiveEventSpec>();
    for (const std::string& name : spec.after) {
      const auto lower = by_name.find(name);
      if (lower != by_name.end() && lower->second->as<LiveEventSpec>().priority > spec.priority)
        out.push_back({event, lower->second});
    }
  }
  return out;
}

std::vector<std::string> find_after_cycles(std::span<const Manifest* const> events) {
  std::vector<std::string> out;
  for (const auto& [name, below] : below_each(events)) {
    if (below.contains(name)) out.push_back(name);
  }
  return out;
}

bool lies_above(const Manifest& upper, const Manifest& lower,
                std::span<const Manifest* const> events) {
  const int a = upper.as<LiveEventSpec>().priority;
  const int b = lower.as<LiveEventSpec>().priority;
  if (a != b) return a > b;
  const Above above = below_each(events);
  const auto below = above.find(upper.name);
  return below != above.end() && below->second.contains(lower.name);
}

}  // namespace showcaller
