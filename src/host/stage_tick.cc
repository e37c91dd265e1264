// SPDX-License-Identifier: Apache-2.0
#include "host/stage_tick.h"

#include <algorithm>

namespace showcaller {
namespace {

constexpr std::size_t kHistoryGroupsMax = 2'000;

void count_into(GroupCounts* counts, std::size_t at, const GateMetric& metric,
                const MetricCounts& delta) {
  if (metric.kind != MetricKind::Quantile) {
    counts->counts[at] = delta.n;
    counts->counts[at + 1] = delta.x;
    return;
  }
  if (!delta.histogram) return;
  const double divided_by = counts->arm == Arm::Canary ? metric.divided_by : 1;
  const auto columns = exceedances(*delta.histogram, metric.cuts, divided_by);
  std::copy(columns.begin(), columns.end(), counts->counts.begin() + std::ptrdiff_t(at));
  if (metric.scaled_by > 0) {
    counts->counts[at + columns.size()] =
        std::int64_t(delta.histogram->count_above(metric.cuts.back() * metric.scaled_by));
  }
}

// As the comparison of arms takes it.
Tick compared(const JudgedStage& stage, const StageTick& counted, const UnitCounts& units,
              std::int64_t t_s) {
  const TickShape shape = shape_of(stage.config);
  const std::size_t width = shape.width();
  std::map<GroupKey, GroupCounts> groups;
  auto next = groups.begin();  // Each of those below comes in the order of its keys.
  const auto group_of = [&](const GroupKey& key) -> GroupCounts& {
    if (next == groups.end() || next->first != key) next = groups.try_emplace(key).first;
    GroupCounts& counts = next++->second;
    if (counts.counts.empty())
      counts = {key.arm, key.id, key.stratum, std::vector<std::int64_t>(width, 0)};
    return counts;
  };
  for (std::size_t i = 0; i < stage.config.metrics.size(); ++i) {
    const auto metric = counted.metrics.find(stage.metric_name(stage.config.metrics[i].name));
    if (metric == counted.metrics.end()) continue;
    for (const auto& [key, delta] : metric->second)
      count_into(&group_of(key), shape.offset(i), stage.config.metrics[i], delta);
  }
  // Whoever runs is there, though there is nothing to tell of it yet.
  for (const GroupKey& key : counted.alive) (void)group_of(key);
  Tick tick;
  tick.t_s = t_s;
  if (stage.config.share > 0) tick.units.push_back(units);
  for (auto& [key, group] : groups) tick.groups.push_back(std::move(group));
  normalize(&tick);
  return tick;
}

json::object canary_counts(const std::map<GroupKey, MetricCounts>& groups) {
  std::int64_t n = 0, x = 0;
  std::optional<ExponentialHistogram> histogram;
  for (const auto& [group, delta] : groups) {
    if (group.arm != Arm::Canary) continue;
    n += delta.n;
    x += delta.x;
    if (!delta.histogram) continue;
    if (histogram)
      histogram->merge(*delta.histogram);
    else
      histogram = delta.histogram;
  }
  json::object out{{"n", n}, {"x", x}};
  if (histogram) out["histogram"] = to_json(*histogram);
  return out;
}

std::int64_t exposure_of(const GroupCounts& group, const TickShape& shape) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < shape.metrics.size(); ++i) sum += group.counts[shape.offset(i)];
  return sum;
}

bool shows_anything(const StageTick& counted) {
  return std::any_of(counted.metrics.begin(), counted.metrics.end(),
                     [](const auto& m) { return !m.second.empty(); });
}

}  // namespace

json::object tick_line(const JudgedStage& stage, const StageTick& counted, const UnitCounts& units,
                       std::int64_t t_s, const std::optional<Headroom>& headroom) {
  // A line is made, written and read once: in one piece of memory.
  json::value made = to_json(compared(stage, counted, units, t_s), shape_of(stage.config),
                             json::make_shared_resource<json::monotonic_resource>());
  json::object line = std::move(made.get_object());
  const bool alive = std::any_of(counted.alive.begin(), counted.alive.end(),
                                 [](const GroupKey& key) { return key.arm == Arm::Canary; });
  // A tick that shows nothing does not count toward the bake; sessions that run are shown.
  line["seen"] = alive || shows_anything(counted);
  if (alive) line["alive"] = true;
  json::object trust;
  for (const auto& [metric, who] : counted.trust) trust[metric] = to_string(who);
  line["trust"] = std::move(trust);
  json::object absolute;
  for (const AbsoluteGate& gate : stage.absolute) {
    if (gate.metric == kHeadroomMetric) {
      if (!headroom) continue;
      json::object level{{"level", headroom->level}};
      if (!headroom->basis.empty()) level["basis"] = headroom->basis;
      absolute[gate.metric] = std::move(level);
    } else if (const auto m = counted.metrics.find(gate.metric); m != counted.metrics.end()) {
      absolute[gate.metric] = canary_counts(m->second);
    }
  }
  if (!absolute.empty()) line["absolute"] = std::move(absolute);
  return line;
}

// Of very many groups those with the most to tell: which they are says nothing of how they fared.
std::optional<json::object> history_line(const JudgedStage& stage, const GateHistory& by_gate) {
  const TickShape shape = shape_of(stage.config);
  std::map<BaselineGroup, GroupCounts> groups;
  for (std::size_t i = 0; i < stage.config.metrics.size(); ++i) {
    const auto known = by_gate.find(stage.config.metrics[i].name);
    if (known == by_gate.end()) continue;
    for (const auto& [id, counts] : known->second) {
      GroupCounts& group = groups[id];
      if (group.counts.empty())
        group = {Arm::Baseline, id.id, id.stratum, std::vector<std::int64_t>(shape.width(), 0)};
      count_into(&group, shape.offset(i), stage.config.metrics[i], counts);
    }
  }
  if (groups.empty()) return std::nullopt;
  Tick tick;
  for (auto& [id, group] : groups) tick.groups.push_back(std::move(group));
  std::stable_sort(tick.groups.begin(), tick.groups.end(),
                   [&](const GroupCounts& a, const GroupCounts& b) {
                     return exposure_of(a, shape) > exposure_of(b, shape);
                   });
  if (tick.groups.size() > kHistoryGroupsMax) tick.groups.resize(kHistoryGroupsMax);
  normalize(&tick);
  return to_json(tick, shape).as_object();
}

bool is_history(const json::object& line) {
  return get_int(line, "t") <= 0;
}

std::map<std::string, Trust> trust_of(const json::object& line) {
  std::map<std::string, Trust> out;
  const json::value* trust = get_if(line, "trust");
  if (!trust || !trust->is_object()) return out;
  for (const auto& [metric, who] : trust->get_object()) {
    const auto known = who.is_string() ? parse_trust(who.get_string()) : std::nullopt;
    if (known) out[std::string(metric)] = *known;
  }
  return out;
}

void leave_out(const std::set<std::string>& metrics, const JudgedStage& stage, json::object* line) {
  if (metrics.empty()) return;
  for (const std::string_view by_metric : {"trust", "absolute"}) {
    json::value* all = line->if_contains(by_metric);
    if (!all || !all->is_object()) continue;
    for (const std::string& metric : metrics) all->get_object().erase(metric);
  }
  json::value* groups = line->if_contains("groups");
  if (!groups || !groups->is_array()) return;
  for (json::value& group : groups->get_array()) {
    json::value* counts = group.is_object() ? group.get_object().if_contains("m") : nullptr;
    if (!counts || !counts->is_object()) continue;
    for (const auto& [gate, metric] : stage.metric_of) {
      if (metrics.contains(metric)) counts->get_object().erase(gate);
    }
  }
}

AbsoluteTick absolute_tick(const json::object& line, const std::string& metric) {
  AbsoluteTick tick;
  tick.alive = get_bool(line, "alive");
  const json::value* all = get_if(line, "absolute");
  const json::value* said =
      all && all->is_object() ? all->get_object().if_contains(metric) : nullptr;
  if (!said || !said->is_object()) return tick;
  const json::object& counts = said->get_object();
  tick.n = get_int(counts, "n");
  tick.x = get_int(counts, "x");
  if (const json::value* text = get_if(counts, "histogram")) {
    if (auto histogram = histogram_from_json(*text)) tick.histogram = std::move(*histogram);
  }
  if (const json::value* level = get_if(counts, "level"); level && level->is_number())
    tick.level = level->to_number<double>();
  tick.basis = get_string(counts, "basis");
  return tick;
}

}  // namespace showcaller
