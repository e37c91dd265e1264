// SPDX-License-Identifier: Apache-2.0
#include "host/gate_runner.h"

#include <algorithm>

#include <fmt/format.h>

#include "analysis/gate_stream.h"
#include "engine/absolute_gate.h"

namespace showcaller {
namespace {

constexpr std::int64_t kBaselineUnitsMin =
    200;  // before a quantile of the baseline is worth freezing

Arm arm_of(const std::pair<Arm, std::string>& group) {
  return group.first;
}

// One tick of the stage as the gate takes it.
Tick tick_of(const JudgedStage& stage, const StageTick& counted, const UnitCounts& units,
             std::int64_t t_s) {
  const TickShape shape = shape_of(stage.config);
  std::map<std::pair<Arm, std::string>, GroupCounts> groups;
  for (std::size_t i = 0; i < stage.config.metrics.size(); ++i) {
    const auto metric = counted.metrics.find(stage.metric_name(stage.config.metrics[i].name));
    if (metric == counted.metrics.end()) continue;
    const std::size_t at = shape.offset(i);
    for (const auto& [group, delta] : metric->second) {
      GroupCounts& counts = groups[group];
      if (counts.counts.empty()) {
        counts.arm = arm_of(group);
        counts.id = group.second;
        counts.counts.assign(shape.width(), 0);
      }
      if (stage.config.metrics[i].kind == MetricKind::Quantile) {
        if (!delta.histogram) continue;
        const auto columns = exceedances(*delta.histogram, stage.config.metrics[i].cuts);
        std::copy(columns.begin(), columns.end(), counts.counts.begin() + std::ptrdiff_t(at));
      } else {
        counts.counts[at] = delta.n;
        counts.counts[at + 1] = delta.x;
      }
    }
  }
  Tick tick;
  tick.t_s = t_s;
  if (stage.config.share > 0) tick.units.push_back(units);
  for (auto& [key, group] : groups) tick.groups.push_back(std::move(group));
  normalize(&tick);
  return tick;
}

bool shows_anything(const StageTick& counted) {
  return std::any_of(counted.metrics.begin(), counted.metrics.end(),
                     [](const auto& m) { return !m.second.empty(); });
}

json::object statistics_of(const MetricLook& look) {
  json::object out{{"ratio", look.ratio},
                   {"canary_n", look.canary_n},
                   {"canary_x", look.canary_x},
                   {"baseline_n", look.baseline_n},
                   {"baseline_x", look.baseline_x},
                   {"score", look.score},
                   {"phi", look.phi}};
  if (look.log_e_unats != kLogZero) out["log_e_unats"] = look.log_e_unats;
  if (look.ratio_high > 0) {
    out["ratio_low"] = look.ratio_low;
    out["ratio_high"] = look.ratio_high;
  }
  return out;
}

std::string what_rests(const JudgedStage& stage) {
  std::string out;
  for (const RestingGate& gate : stage.resting) out += (out.empty() ? "" : "; ") + gate.why;
  return out.empty() ? "no gate compares arms here" : out;
}

std::string why_of(const MetricLook& look) {
  const auto percent = [](std::int64_t x, std::int64_t n) {
    return n > 0 ? 100.0 * double(x) / double(n) : 0.0;
  };
  std::string e = look.log_e_unats == kLogZero
                      ? "0"
                      : fmt::format("{:.3g}", std::exp(double(look.log_e_unats) / 1e6));
  return fmt::format("{:.2f}% of {} vs {:.2f}% of {} (ratio {:.2f}, e={})",
                     percent(look.canary_x, look.canary_n), look.canary_n,
                     percent(look.baseline_x, look.baseline_n), look.baseline_n, look.ratio, e);
}

}  // namespace

std::map<std::string, BaselineOf> freeze_baselines(const TelemetryIntake& intake) {
  std::map<std::string, BaselineOf> out;
  for (const auto& [metric, counts] : intake.baselines()) {
    BaselineOf& baseline = out[metric];
    if (counts.n >= kBaselineUnitsMin) {
      baseline.units = counts.n;
      baseline.rate = double(counts.x) / double(counts.n);
    }
    if (!counts.histogram || std::int64_t(counts.histogram->count()) < kBaselineUnitsMin) continue;
    for (const double q : kQuantilesAt)
      baseline.quantile_cuts.push_back(counts.histogram->quantile(q));
  }
  return out;
}

std::vector<Error> GateRunner::pass(SharedIntake shared) {
  std::vector<Error> errors;
  const auto world = host_->published();
  const Instant now = host_->now();
  std::set<std::string> keys, streams;
  const auto baselines = [&] {
    std::lock_guard lock(shared.mutex);
    return freeze_baselines(shared.intake);
  }();
  world->events.each([&](const std::string& name, const EventState& event) {
    if (!may_admit(event.phase)) return;
    auto stage = judged_stage(*world, name, baselines, now);
    if (!stage) return;
    keys.insert(stage->key());
    const std::string stream = stage->stream();
    streams.insert(stream);
    const auto open = watches_.find(stream);
    if (open == watches_.end()) {
      if (auto watch = open_watch(std::move(*stage), &errors))
        watches_.emplace(stream, std::move(*watch));
    } else if (open->second.stage.waits_for(*stage)) {
      let_join(&open->second, std::move(*stage), &errors);
    }
  });
  std::erase_if(watches_, [&](const auto& watch) { return !streams.contains(watch.first); });
  {
    std::lock_guard lock(shared.mutex);
    shared.intake.watch(keys);
  }
  for (auto& [key, watch] : watches_) {
    if (now >= watch.next_tick) close_tick(&watch, shared, &errors);
  }
  return errors;
}

// The stream's first line is the stage as it was frozen; the rest are its ticks, and the stage once
// more wherever a gate has joined: the last one judges every tick. A new stream begins with a new
// one.
std::optional<GateRunner::Watch> GateRunner::open_watch(JudgedStage stage,
                                                        std::vector<Error>* errors) {
  Watch watch;
  watch.stage = std::move(stage);
  const std::string stream = watch.stage.stream();
  bool is_new = true;
  std::vector<json::object> lines;
  const Status read = store_->read(stream, [&](std::string_view text, const EvidenceMark& mark) {
    auto line = parse_json(text);
    if (!line || !line->is_object()) return false;
    watch.mark = mark;
    is_new = false;
    if (line->get_object().contains("stage")) {
      if (auto frozen = gate_config_from_json(*line)) watch.stage.freeze(std::move(*frozen));
    } else {
      lines.push_back(std::move(line->get_object()));
    }
    return true;
  });
  if (!read) {
    errors->push_back(read.error());
    return std::nullopt;
  }
  if (!watch.stage.config.metrics.empty()) watch.gate.emplace(watch.stage.config);
  if (is_new) {
    auto mark = store_->append(stream, to_json_text(to_json(watch.stage.config)));
    if (!mark) {
      errors->push_back(mark.error());
      return std::nullopt;
    }
    watch.mark = *mark;
  }
  for (const json::object& line : lines) take_line(&watch, line);
  watch.next_tick = host_->now() + seconds(watch.stage.config.tick_s);
  return watch;
}

// What had waited for its baseline is judged from here on, beside what was judged already.
void GateRunner::let_join(Watch* watch, JudgedStage stage, std::vector<Error>* errors) {
  GateConfig joined = watch->stage.config;
  for (const GateMetric& metric : stage.config.metrics) {
    const bool known = std::any_of(joined.metrics.begin(), joined.metrics.end(),
                                   [&](const GateMetric& m) { return m.name == metric.name; });
    if (!known) joined.metrics.push_back(metric);
  }
  if (joined.share <= 0) joined.share = stage.config.share;  // It began with nobody admitted.
  if (check(joined)) stage.config = std::move(joined);
  const auto mark = store_->append(stage.stream(), to_json_text(to_json(stage.config)));
  if (!mark) return errors->push_back(mark.error());
  auto opened = open_watch(std::move(stage), errors);
  if (!opened) return;
  opened->next_tick = watch->next_tick;
  opened->unstored = std::move(watch->unstored);
  opened->client_only = std::move(watch->client_only);
  *watch = std::move(*opened);
}

// What a stored tick says, into the gate and the totals: the same for one that was just counted and
// one read again.
void GateRunner::take_line(Watch* watch, const json::object& line) {
  watch->t_s = get_int(line, "t");
  if (get_bool(line, "seen")) watch->evidence_s += watch->stage.config.tick_s;
  if (watch->gate) {
    if (auto tick = tick_from_json(json::value(line), shape_of(watch->stage.config)))
      watch->gate->feed(*tick);
  }
  const json::value* absolute = get_if(line, "absolute");
  if (!absolute || !absolute->is_object()) return;
  for (const auto& member : absolute->get_object()) {
    if (!member.value().is_object()) continue;
    const json::object& said = member.value().get_object();
    Counted& counted = watch->canary[std::string(member.key())];
    counted.n += get_int(said, "n");
    counted.x += get_int(said, "x");
    if (const json::value* text = get_if(said, "histogram")) {
      if (auto histogram = histogram_from_json(*text)) {
        if (counted.histogram)
          counted.histogram->merge(*histogram);
        else
          counted.histogram = std::move(*histogram);
      }
    }
  }
}

json::object GateRunner::take_tick(Watch* watch, SharedIntake shared) {
  const JudgedStage& stage = watch->stage;
  const std::string key = stage.key();
  const StageTick counted = [&] {
    std::lock_guard lock(shared.mutex);
    return shared.intake.take_tick(key);
  }();
  const std::int64_t t_s = watch->t_s + stage.config.tick_s;
  json::object line =
      to_json(tick_of(stage, counted, units_of_(key), t_s), shape_of(stage.config)).as_object();
  // A tick that shows nothing does not count toward the bake.
  line["seen"] = shows_anything(counted);
  json::object absolute;
  for (const AbsoluteGate& gate : stage.absolute) {
    const auto metric = counted.metrics.find(gate.metric);
    if (metric == counted.metrics.end() || absolute.contains(gate.metric)) continue;
    Counted canary;
    for (const auto& [group, delta] : metric->second) {
      if (arm_of(group) != Arm::Canary) continue;
      canary.n += delta.n;
      canary.x += delta.x;
      if (!delta.histogram) continue;
      if (canary.histogram)
        canary.histogram->merge(*delta.histogram);
      else
        canary.histogram = delta.histogram;
    }
    json::object said{{"n", canary.n}, {"x", canary.x}};
    if (canary.histogram) said["histogram"] = to_json(*canary.histogram);
    absolute[gate.metric] = std::move(said);
  }
  if (!absolute.empty()) line["absolute"] = std::move(absolute);
  for (const auto& [metric, client] : counted.client_only) watch->client_only[metric] = client;
  return line;
}

// A verdict rests on stored evidence alone: a tick that the store refuses is kept, and stored by a
// later pass.
void GateRunner::close_tick(Watch* watch, SharedIntake shared, std::vector<Error>* errors) {
  if (!watch->unstored) watch->unstored = take_tick(watch, shared);
  const Status stored = [&]() -> Status {
    TRY(watch->mark, store_->append(watch->stage.stream(), to_json_text(*watch->unstored)));
    return store_->flush();
  }();
  if (!stored) {
    errors->push_back(stored.error());
    return;
  }
  take_line(watch, *std::exchange(watch->unstored, std::nullopt));
  watch->next_tick = std::max(watch->next_tick + seconds(watch->stage.config.tick_s), host_->now());
  tell(*watch);
}

void GateRunner::tell(const Watch& watch) {
  const JudgedStage& stage = watch.stage;
  GateLooked looked{stage.event,      stage.revision,    stage.visit,
                    watch.evidence_s, watch.mark.offset, to_hex(watch.mark.hash)};
  Verdict whole = Verdict::Pass;
  std::string why;
  if (watch.gate) {
    const GateLook look = watch.gate->look();
    whole = look.verdict;
    why = look.why;
    for (std::size_t i = 0; i < look.metrics.size(); ++i) {
      const auto client = watch.client_only.find(stage.metric_name(look.metrics[i].name));
      // A metric's own verdict is one of pass, fail and thin; a stage that is blind or skewed is so
      // for all of them.
      const bool stands = look.verdict == Verdict::Blind || look.verdict == Verdict::Skewed;
      looked.readings.push_back({look.metrics[i].name,
                                 stands ? look.verdict : look.metrics[i].verdict,
                                 client != watch.client_only.end() && client->second,
                                 statistics_of(look.metrics[i]), why_of(look.metrics[i])});
    }
  } else {
    why = what_rests(stage);
  }
  for (const RestingGate& gate : stage.resting) {
    if (!gate.waits) continue;
    looked.readings.push_back({gate.gate, Verdict::Thin, false, {}, gate.why});
    if (std::exchange(whole, whole == Verdict::Pass ? Verdict::Thin : whole) == Verdict::Pass)
      why = gate.why;
  }
  for (const AbsoluteGate& gate : stage.absolute) {
    AbsoluteCounts counts;
    if (const auto at = watch.canary.find(gate.metric); at != watch.canary.end()) {
      counts = {at->second.n, at->second.x, at->second.histogram, {}};
    }
    if (gate.metric == "capacity.headroom")
      counts.level = headroom_of_(stage.fleet, stage.canary_build);
    AbsoluteReading reading = judge_absolute(gate, counts);
    if (reading.verdict == Verdict::Fail) {
      whole = Verdict::Fail;
      why = fmt::format("gate {}: {}", gate.gate, reading.why);
    } else if (reading.verdict != Verdict::Pass && whole == Verdict::Pass) {
      whole = reading.verdict;
      why = fmt::format("gate {}: {}", gate.gate, reading.why);
    }
    looked.readings.push_back(
        {gate.gate, reading.verdict, false, std::move(reading.statistics), std::move(reading.why)});
  }
  looked.readings.push_back({"", whole, false, {}, std::move(why)});
  (void)host_->submit(std::move(looked));  // A full mailbox: the next tick says it again.
}

}  // namespace showcaller
