// SPDX-License-Identifier: Apache-2.0
#include "host/gate_runner.h"

#include <algorithm>

#include <fmt/format.h>

#include "analysis/gate_stream.h"
#include "base/deliberate_bug.h"
#include "engine/baseline_sources.h"
#include "engine/decide.h"
#include "engine/gate_readings.h"
#include "flow/port/evidence_rules.h"
#include "host/stored_stage.h"

namespace showcaller {
namespace {

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

// Groups of the kind that the stage's own ticks have: instances, or hash buckets of units. Sessions
// on shared instances name no unit that history could be told by.
GateHistory history_of(const JudgedStage& stage, const StageCounts& known,
                       std::span<const BaselineSource> sources, Instant now) {
  std::vector<BaselineSource> alike;
  const bool by_instance = stage.config.assignment == Assignment::Instance;
  std::copy_if(sources.begin(), sources.end(), std::back_inserter(alike),
               [&](const BaselineSource& source) { return source.event.empty() == by_instance; });
  GateHistory out;
  for (const GateMetric& metric : stage.config.metrics)
    out[metric.name] = known.groups(alike, stage.metric_name(metric.name), now);
  return out;
}

std::string what_rests(const JudgedStage& stage) {
  std::string out;
  for (const RestingGate& gate : stage.resting) out += (out.empty() ? "" : "; ") + gate.why;
  return out.empty() ? "no gate compares arms here" : out;
}

// Whether it compares arms or keeps to a number of its own.
std::string metric_judged_by(const JudgedStage& stage, const std::string& gate) {
  std::string compared = stage.metric_name(gate);
  if (!compared.empty()) return compared;
  const auto absolute = std::ranges::find(stage.absolute, gate, &AbsoluteGate::gate);
  return absolute == stage.absolute.end() ? std::string() : absolute->metric;
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

std::map<std::string, BaselineOf> baselines_of(const std::map<std::string, MetricCounts>& totals) {
  std::map<std::string, BaselineOf> out;
  for (const auto& [metric, counts] : totals) out[metric] = baseline_of(counts);
  return out;
}

std::vector<Error> GateRunner::pass() {
  std::vector<Error> errors;
  const auto world = host_->published();
  const Instant now = host_->now();
  std::set<std::string> keys, streams;
  world->events.each([&](const std::string& name, const EventState& event) {
    if (!may_admit(event.phase)) return;
    const auto visit = judged_visit(*world, name, now);
    if (!visit) return;
    keys.insert(visit->key());
    const std::string stream = visit->stream();
    follow(*world, name, stream, &errors);
    streams.insert(stream);
  });
  close_watches(streams, &errors);
  counts_->watch(keys);
  for (auto& [key, watch] : watches_) {
    if (now >= watch.next_tick) close_tick(&watch, &errors);
  }
  for (Error& note : store_->take_notes()) errors.push_back(std::move(note));
  return errors;
}

// What the baseline was like is asked only where a stage begins, or one of its gates still waits.
void GateRunner::follow(const World& world, const std::string& event, const std::string& stream,
                        std::vector<Error>* errors) {
  const auto open = watches_.find(stream);
  const bool is_open = open != watches_.end();
  if (is_open && !open->second.stage.waits()) return;
  const Instant now = host_->now();
  const auto stage = judged_stage(world, event, {}, now);
  if (!stage) return;
  const std::vector<BaselineSource> sources = baseline_sources(world, event);
  auto baselines = baselines_of(counts_->totals(sources, now));
  for (const auto& [metric, prior] : noise_.priors_of(*stage, errors))
    baselines[metric].prior = prior;
  auto known = judged_stage(world, event, baselines, now);
  if (!known || (is_open && !open->second.stage.waits_for(*known))) return;
  const GateHistory history = history_of(*known, *counts_, sources, now);
  if (is_open) return let_join(&open->second, std::move(*known), history, errors);
  if (auto watch = open_watch(std::move(*known), history, errors))
    watches_.emplace(stream, std::move(*watch));
}

void GateRunner::close_watches(const std::set<std::string>& streams, std::vector<Error>* errors) {
  std::erase_if(watches_, [&](const auto& watch) {
    if (streams.contains(watch.first)) return false;
    store_->close(watch.first);
    if (watch.second.gate) noise_.learn(watch.second.stage, *watch.second.gate, errors);
    return true;
  });
}

Result<EvidenceMark> GateRunner::store_stage(const JudgedStage& stage,
                                             const std::optional<StageLine>& history) {
  TRY(auto mark, store_->append(stage.stream(), to_json_text(to_json(stage.config))));
  if (!history) return mark;
  return store_->append(stage.stream(), to_json_text(*history, stage));
}

// A new stream begins with the stage as it is frozen now.
std::optional<GateRunner::Watch> GateRunner::open_watch(JudgedStage stage,
                                                        const GateHistory& history,
                                                        std::vector<Error>* errors) {
  const std::string stream = stage.stream();
  auto stored = read_stored_stage(store_, stream, std::move(stage));
  if (!stored) {
    errors->push_back(stored.error());
    return std::nullopt;
  }
  Watch watch;
  watch.stage = std::move(stored->stage);
  watch.mark = stored->mark;
  std::vector<StageLine> lines = std::move(stored->lines);
  if (!watch.stage.config.metrics.empty()) watch.gate.emplace(watch.stage.config);
  if (stored->is_new) {
    auto before = history_line(watch.stage, history);
    const auto mark = store_stage(watch.stage, before);
    if (!mark) {
      errors->push_back(mark.error());
      return std::nullopt;
    }
    watch.mark = *mark;
    if (before) lines.push_back(std::move(*before));
  }
  for (const AbsoluteGate& gate : watch.stage.absolute)
    watch.absolute.emplace_back(gate, watch.stage.config);
  for (const StageLine& line : lines) take_line(&watch, line);
  watch.next_tick = host_->now() + seconds(watch.stage.config.tick_s);
  return watch;
}

// What had waited for its baseline is judged from here on, beside what was judged already.
void GateRunner::let_join(Watch* watch, JudgedStage stage, const GateHistory& history,
                          std::vector<Error>* errors) {
  GateConfig joined = watch->stage.config;
  GateHistory of_joined = history;
  for (const GateMetric& metric : stage.config.metrics) {
    const bool known = std::any_of(joined.metrics.begin(), joined.metrics.end(),
                                   [&](const GateMetric& m) { return m.name == metric.name; });
    if (known)
      of_joined.erase(metric.name);
    else
      joined.metrics.push_back(metric);
  }
  if (joined.share <= 0) joined.share = stage.config.share;  // It began with nobody admitted.
  if (check(joined)) stage.config = std::move(joined);
  const auto mark = store_stage(stage, history_line(stage, of_joined));
  if (!mark) return errors->push_back(mark.error());
  auto opened = open_watch(std::move(stage), {}, errors);
  if (!opened) return;
  opened->next_tick = watch->next_tick;
  if (watch->unstored) opened->unstored = reshaped(*watch->unstored, watch->stage, opened->stage);
  *watch = std::move(*opened);
}

// Nobody is heard on what somebody more trusted has spoken of before. Where the more trusted begins
// to speak only now, all is read again, and what others said before is left out.
void GateRunner::take_new_line(Watch* watch, StageLine line, std::vector<Error>* errors) {
  bool better = false;
  std::set<std::string> outranked;
  for (const auto& [metric, trust] : line.trust) {
    const auto known = watch->trust.find(metric);
    if (known == watch->trust.end()) continue;
    better = better || trust < known->second;
    if (trust > known->second) outranked.insert(metric);
  }
  auto again = better ? open_watch(watch->stage, {}, errors) : std::nullopt;
  if (again) {
    again->next_tick = watch->next_tick;
    *watch = std::move(*again);
    return;
  }
  leave_out(outranked, watch->stage, &line);
  take_line(watch, line);
}

// Into the gate and the totals: the same for one that was just counted and one read again.
void GateRunner::take_line(Watch* watch, const StageLine& line) {
  for (const auto& [metric, trust] : line.trust) watch->trust.try_emplace(metric, trust);
  if (watch->gate && line.tick) watch->gate->feed(*line.tick);
  if (line.is_history()) return;
  watch->t_s = line.t_s;
  if (line.seen) watch->evidence_s += watch->stage.config.tick_s;
  for (AbsoluteJudge& judge : watch->absolute)
    judge.feed(watch->t_s, line.absolute_of(judge.gate().metric));
}

StageLine GateRunner::take_tick(Watch* watch) {
  const JudgedStage& stage = watch->stage;
  const std::string key = stage.key();
  const bool judges_headroom =
      std::any_of(stage.absolute.begin(), stage.absolute.end(),
                  [](const AbsoluteGate& gate) { return gate.metric == kHeadroomMetric; });
  return tick_line(stage, counts_->take_tick(key), counts_->take_units(key),
                   watch->t_s + stage.config.tick_s,
                   judges_headroom ? headroom_of_(stage) : std::nullopt);
}

// Once, however often it is tried: a tick that was appended may be there although the flush failed.
Status GateRunner::store_tick(Watch* watch) {
  const std::string stream = watch->stage.stream();
  if (watch->appended) {
    const Status there = check_mark(*store_, stream, *watch->appended);
    if (!there && there.error().code != ErrorCode::Corrupt) return there;
    if (!there) watch->appended.reset();
  }
  if (!watch->appended) {
    TRY(watch->mark, store_->append(stream, to_json_text(*watch->unstored, watch->stage)));
    watch->appended = watch->mark;
  }
  TRY(store_->flush());
  watch->appended.reset();
  return {};
}

// A verdict rests on stored evidence alone: a tick that the store refuses is kept, and stored by a
// later pass.
void GateRunner::close_tick(Watch* watch, std::vector<Error>* errors) {
  if (!watch->unstored) watch->unstored = take_tick(watch);
  if (const Status stored = store_tick(watch); !stored) {
    errors->push_back(stored.error());
    return;
  }
  take_new_line(watch, *std::exchange(watch->unstored, std::nullopt), errors);
  watch->next_tick = std::max(watch->next_tick + seconds(watch->stage.config.tick_s), host_->now());
  tell(*watch);
}

// What the gate says of each metric and of the stage. A stage that is blind or skewed is so for all
// of its metrics.
GateRunner::Compared GateRunner::compared(const Watch& watch, Words words) {
  const JudgedStage& stage = watch.stage;
  Compared out{{}, {"", Verdict::Pass, false, {}, what_rests(stage)}};
  if (!watch.gate) return out;
  const auto reading = [&](const std::string& gate, Verdict verdict) -> GateReading& {
    const bool by_clients = is_by_clients(watch, stage.metric_name(gate));
    return out.gates.emplace_back(gate, verdict, by_clients, json::object(), std::string());
  };
  out.stage.verdict = watch.gate->verdict();
  if (words == Words::None && out.stage.verdict != Verdict::Fail) {
    const std::vector<Verdict> verdicts = watch.gate->metric_verdicts();
    for (std::size_t m = 0; m < verdicts.size(); ++m)
      reading(stage.config.metrics[m].name, verdicts[m]);
    return out;
  }
  const GateLook look = watch.gate->look();
  out.stage.why = look.why;
  const bool stands = look.verdict == Verdict::Blind || look.verdict == Verdict::Skewed;
  for (const MetricLook& metric : look.metrics) {
    GateReading& of_metric = reading(metric.name, stands ? look.verdict : metric.verdict);
    of_metric.statistics = statistics_of(metric);
    of_metric.why = why_of(metric);
  }
  return out;
}

bool GateRunner::is_by_clients(const Watch& watch, const std::string& metric) {
  const auto trust = watch.trust.find(metric);
  return trust != watch.trust.end() && trust->second == Trust::Client;
}

// What was known before may have failed already; that stands.
void GateRunner::blind_where_nothing_is_known(const JudgedStage& stage,
                                              std::vector<GateReading>* readings) const {
  if (!trouble_of_) return;
  for (GateReading& reading : *readings) {
    const std::string trouble = trouble_of_(stage, metric_judged_by(stage, reading.gate));
    if (trouble.empty() || reading.verdict == Verdict::Fail) continue;
    reading.verdict = Verdict::Blind;
    reading.why = trouble;
  }
}

GateLooked GateRunner::look(const Watch& watch, Words words) const {
  const JudgedStage& stage = watch.stage;
  GateLooked looked{stage.event,      stage.revision,    stage.visit,
                    watch.evidence_s, watch.mark.offset, to_hex(watch.mark.hash)};
  Compared compared = GateRunner::compared(watch, words);
  std::vector<GateReading> readings = std::move(compared.gates);
  for (const RestingGate& gate : stage.resting) {
    if (gate.waits) readings.push_back({gate.gate, Verdict::Thin, false, {}, gate.why});
  }
  for (const AbsoluteJudge& judge : watch.absolute) {
    AbsoluteReading reading = judge.read();
    readings.push_back({judge.gate().gate, reading.verdict,
                        is_by_clients(watch, judge.gate().metric), std::move(reading.statistics),
                        std::move(reading.why)});
  }
  blind_where_nothing_is_known(stage, &readings);
  looked.readings = readings_of_stage(std::move(readings), std::move(compared.stage));
  if (broken(DeliberateBug::GateAlwaysPasses)) {
    for (GateReading& reading : looked.readings) reading.verdict = Verdict::Pass;
  }
  return looked;
}

// Most looks change nothing: then nobody needs its statistics, which are most of its cost.
void GateRunner::tell(const Watch& watch) {
  if (!look_may_matter(*host_->published(), look(watch, Words::None), host_->now())) return;
  (void)host_->submit(look(watch, Words::All));  // A full mailbox: the next tick says it again.
}

}  // namespace showcaller
