// SPDX-License-Identifier: Apache-2.0
#include "host/stage_tick.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "base/check.h"
#include "model/probe_metrics.h"

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

using Keys = std::vector<const GroupKey*>;

// The keys of both, each once; all are in order.
Keys with_all(Keys keys, const Keys& more) {
  const auto less = [](const GroupKey* a, const GroupKey* b) { return *a < *b; };
  if (std::includes(keys.begin(), keys.end(), more.begin(), more.end(), less)) return keys;
  Keys out;
  std::set_union(keys.begin(), keys.end(), more.begin(), more.end(), std::back_inserter(out), less);
  return out;
}

// Whoever runs is there, though there is nothing to tell of it yet.
Keys groups_of(std::span<const StageTick::Groups* const> metrics, const StageTick& counted) {
  Keys out;
  for (const GroupKey& key : counted.alive) out.push_back(&key);
  for (const StageTick::Groups* groups : metrics) {
    Keys keys;
    if (groups) {
      for (const auto& [key, delta] : *groups) keys.push_back(&key);
    }
    out = with_all(std::move(out), keys);
  }
  return out;
}

// As the comparison of arms takes it.
Tick compared(const JudgedStage& stage, const StageTick& counted, const UnitCounts& units,
              std::int64_t t_s) {
  const TickShape shape = shape_of(stage.config);
  const std::size_t width = shape.width();
  std::vector<const StageTick::Groups*> metrics;  // null: nothing was said
  for (const GateMetric& metric : stage.config.metrics) {
    const auto said = counted.metrics.find(stage.metric_name(metric.name));
    metrics.push_back(said == counted.metrics.end() ? nullptr : &said->second);
  }
  const Keys keys = groups_of(metrics, counted);
  Tick tick;
  tick.t_s = t_s;
  if (stage.config.share > 0) tick.units.push_back(units);
  tick.groups.reserve(keys.size());
  for (const GroupKey* key : keys)
    tick.groups.push_back({key->arm, key->id, key->stratum, std::vector<std::int64_t>(width, 0)});
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (!metrics[i]) continue;
    std::size_t at = 0;
    for (const auto& [key, delta] : *metrics[i]) {
      while (*keys[at] < key) ++at;
      count_into(&tick.groups[at], shape.offset(i), stage.config.metrics[i], delta);
    }
  }
  normalize(&tick);
  return tick;
}

AbsoluteTick canary_counts(const StageTick::Groups& groups) {
  AbsoluteTick out;
  for (const auto& [group, delta] : groups) {
    if (group.arm != Arm::Canary) continue;
    out.n += delta.n;
    out.x += delta.x;
    if (!delta.histogram) continue;
    if (out.histogram)
      out.histogram->merge(*delta.histogram);
    else
      out.histogram = delta.histogram;
  }
  return out;
}

json::object to_json(const AbsoluteTick& tick) {
  json::object out;
  if (tick.level) {
    out["level"] = *tick.level;
    if (!tick.basis.empty()) out["basis"] = tick.basis;
    return out;
  }
  out = {{"n", tick.n}, {"x", tick.x}};
  if (tick.histogram) out["histogram"] = showcaller::to_json(*tick.histogram);
  return out;
}

AbsoluteTick absolute_from_json(const json::object& object) {
  AbsoluteTick tick;
  tick.n = get_int(object, "n");
  tick.x = get_int(object, "x");
  if (const json::value* text = get_if(object, "histogram")) {
    if (auto histogram = histogram_from_json(*text)) tick.histogram = std::move(*histogram);
  }
  if (const json::value* level = get_if(object, "level"); level && level->is_number())
    tick.level = level->to_number<double>();
  tick.basis = get_string(object, "basis");
  return tick;
}

std::int64_t exposure_of(const GroupCounts& group, const TickShape& shape) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < shape.metrics.size(); ++i) sum += group.counts[shape.offset(i)];
  return sum;
}

// Probes go on whether players come or not: they say something of a stage that nothing else judges.
bool shows_anything(const JudgedStage& stage, const StageTick& counted) {
  const bool probes_alone = stage.config.metrics.empty() &&
                            std::ranges::all_of(stage.absolute, [](const AbsoluteGate& gate) {
                              return probe_of_metric(gate.metric).has_value();
                            });
  return std::ranges::any_of(counted.metrics, [&](const auto& m) {
    return !m.second.empty() && (probes_alone || !probe_of_metric(m.first));
  });
}

}  // namespace

StageLine tick_line(const JudgedStage& stage, const StageTick& counted, const UnitCounts& units,
                    std::int64_t t_s, const std::optional<Headroom>& headroom) {
  StageLine line;
  line.tick = compared(stage, counted, units, t_s);
  line.t_s = t_s;
  line.alive = std::any_of(counted.alive.begin(), counted.alive.end(),
                           [](const GroupKey& key) { return key.arm == Arm::Canary; });
  line.seen = line.alive || shows_anything(stage, counted);  // Sessions that run are shown.
  line.trust = counted.trust;
  for (const AbsoluteGate& gate : stage.absolute) {
    if (gate.metric == kHeadroomMetric) {
      if (!headroom) continue;
      AbsoluteTick& level = line.absolute[gate.metric] = {};
      level.level = headroom->level;
      level.basis = headroom->basis;
    } else if (const auto m = counted.metrics.find(gate.metric); m != counted.metrics.end()) {
      line.absolute[gate.metric] = canary_counts(m->second);
    }
  }
  return line;
}

// Of very many groups those with the most to tell: which they are says nothing of how they fared.
std::optional<StageLine> history_line(const JudgedStage& stage, const GateHistory& by_gate) {
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
  StageLine line;
  line.tick = std::move(tick);
  return line;
}

std::string to_json_text(const StageLine& line, const JudgedStage& stage) {
  std::string out = to_json_text(line.tick.value(), shape_of(stage.config));
  if (line.is_history()) return out;
  out.pop_back();  // The tick's end.
  out += line.seen ? ",\"seen\":true" : ",\"seen\":false";
  if (line.alive) out += ",\"alive\":true";
  json::object trust, absolute;
  for (const auto& [metric, who] : line.trust) trust[metric] = to_string(who);
  out += ",\"trust\":" + to_json_text(trust);
  for (const AbsoluteGate& gate : stage.absolute) {
    const auto said = line.absolute.find(gate.metric);
    if (said != line.absolute.end()) absolute[gate.metric] = to_json(said->second);
  }
  if (!absolute.empty()) out += ",\"absolute\":" + to_json_text(absolute);
  return out += '}';
}

StageLine line_from_json(const json::object& object, const JudgedStage& stage) {
  StageLine line;
  if (auto tick = tick_from_json(object, shape_of(stage.config))) line.tick = *std::move(tick);
  line.t_s = get_int(object, "t");
  line.seen = get_bool(object, "seen");
  line.alive = get_bool(object, "alive");
  if (const json::value* trust = get_if(object, "trust"); trust && trust->is_object()) {
    for (const auto& [metric, who] : trust->get_object()) {
      const auto known = who.is_string() ? parse_trust(who.get_string()) : std::nullopt;
      if (known) line.trust[std::string(metric)] = *known;
    }
  }
  if (const json::value* all = get_if(object, "absolute"); all && all->is_object()) {
    for (const auto& [metric, said] : all->get_object()) {
      if (said.is_object())
        line.absolute[std::string(metric)] = absolute_from_json(said.get_object());
    }
  }
  return line;
}

StageLine reshaped(const StageLine& line, const JudgedStage& from, const JudgedStage& to) {
  const auto written = parse_json(to_json_text(line, from));
  CHECK(written);  // We wrote it.
  return line_from_json(written->get_object(), to);
}

void leave_out(const std::set<std::string>& metrics, const JudgedStage& stage, StageLine* line) {
  for (const std::string& metric : metrics) {
    line->trust.erase(metric);
    line->absolute.erase(metric);
  }
  if (metrics.empty() || !line->tick) return;
  const TickShape shape = shape_of(stage.config);
  for (std::size_t i = 0; i < shape.metrics.size(); ++i) {
    if (!metrics.contains(stage.metric_name(shape.metrics[i].name))) continue;
    const auto first = std::ptrdiff_t(shape.offset(i));
    const auto columns = std::ptrdiff_t(shape.metrics[i].columns);
    for (GroupCounts& group : line->tick->groups)
      std::fill_n(group.counts.begin() + first, columns, 0);
  }
}

AbsoluteTick StageLine::absolute_of(const std::string& metric) const {
  const auto said = absolute.find(metric);
  AbsoluteTick out = said == absolute.end() ? AbsoluteTick{} : said->second;
  out.alive = alive;
  return out;
}

}  // namespace showcaller
