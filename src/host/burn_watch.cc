// SPDX-License-Identifier: Apache-2.0
#include "host/burn_watch.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "engine/alert_subjects.h"
#include "engine/burn_severity.h"
#include "engine/decide.h"
#include "engine/gate_plan.h"
#include "model/probe_metrics.h"

namespace showcaller {
namespace {

constexpr Duration kBurnTick = seconds(10), kBurnStoredEvery = minutes(5),
                   kBurnWeek = hours(24 * 7);
constexpr int kBurnWeeksKept = 5;

// Where probes count, which are of no fleet, build or event.
const BaselineSource kGameAsItIs{"", "", ""};

// Weeks begin with the epoch's day of the week: nobody reads these names.
std::string week_stream(const std::string& service, const std::string& slo, Instant at) {
  const Instant week = Instant(at.time_since_epoch() / kBurnWeek * kBurnWeek);
  return fmt::format("slo/{}/{}/{}", service, slo, format_instant(week).substr(0, 10));
}

std::string series_key(const std::string& service, const std::string& slo,
                       const std::string& event) {
  return fmt::format("{}/{}/{}", service, slo, event);
}

std::int64_t bad_of(const MetricCounts& counts, const MetricSpec& metric, const SloSpec& slo,
                    std::int64_t* n) {
  if (counts.histogram) {
    *n = std::int64_t(counts.histogram->count());
    return slo.at_most ? std::int64_t(counts.histogram->count_above(*slo.at_most)) : 0;
  }
  *n = counts.n;
  const std::int64_t x = std::clamp<std::int64_t>(counts.x, 0, counts.n);
  return metric.lower_is_better ? x : counts.n - x;
}

BadCounts sum_of(const FeltCounts& felt, const MetricSpec& metric, const SloSpec& slo) {
  BadCounts out;
  for (const MetricCounts& group : felt.groups) {
    std::int64_t n = 0;
    const std::int64_t bad = bad_of(group, metric, slo, &n);
    out.add({n, bad, bad * bad});
  }
  return out;
}

bool is_on(const EventState& event) {
  return event.manifest && (may_admit(event.phase) || event.phase == Phase::Settling);
}

}  // namespace

std::vector<BurnWatch::Objective> BurnWatch::objectives(const World& world) const {
  std::vector<Objective> out;
  for (const std::string& name : names_of(world, Kind::Service)) {
    const auto manifest = world.manifest(Kind::Service, name);
    const auto& service = manifest->as<ServiceSpec>();
    for (const SloSpec& slo : service.slos) {
      const auto metric = metric_spec(world, slo.metric);
      if (!metric) continue;
      Objective& objective =
          out.emplace_back(Objective{name, slo, *metric, fleets_of_service(world, service), {}});
      if (probe_of_metric(slo.metric)) {
        objective.scopes[""] = {kGameAsItIs};
        continue;
      }
      for (const std::string& fleet : objective.fleets)
        objective.scopes[""].push_back({fleet, "", ""});
      world.events.each([&](const std::string& event, const EventState& state) {
        if (!is_on(state)) return;
        for (const Change& change : state.spec().changes) {
          const auto* build = std::get_if<BuildChange>(&change.what);
          if (build && std::ranges::find(objective.fleets, build->fleet) != objective.fleets.end())
            objective.scopes[event].push_back({build->fleet, build->version, ""});
        }
        if (!state.spec().changes_build() && service.fleets.empty())
          objective.scopes[event].push_back({"", "", event});
      });
    }
  }
  return out;
}

BurnWatch::Series* BurnWatch::series_of(const Objective& objective, const std::string& event,
                                        Instant now, std::vector<Error>* errors) {
  const std::string key = series_key(objective.service, objective.slo.name, event);
  if (const auto known = series_.find(key); known != series_.end()) {
    known->second.live = true;
    return &known->second;
  }
  if (series_.size() >= kBurnSeriesMax) {
    if (!std::exchange(told_full_, true))
      errors->push_back(
          {ErrorCode::Limit, fmt::format("{} objectives of services and events are watched, and no "
                                         "more are; take some out",
                                         kBurnSeriesMax)});
    return nullptr;
  }
  Series& series = series_[key];
  series.stored = now;
  read_again(objective, event, &series, now, errors);
  series.detector.miss();
  return &series;
}

void BurnWatch::take(const SloSpec& slo, Series* series, Instant at, const BadCounts& counts) {
  series->rolling.add(at, counts);
  if (const double bound = page_bound(slo); bound > 0)
    series->detector.add(at, counts, {bound, series->needed});
}

void BurnWatch::read_again(const Objective& objective, const std::string& event, Series* series,
                           Instant now, std::vector<Error>* errors) {
  for (int week = kBurnWeeksKept; week >= 0; --week) {
    const Status read = store_->read(
        week_stream(objective.service, objective.slo.name, now - week * kBurnWeek),
        [&](std::string_view text, const EvidenceMark&) {
          const auto line = parse_json(text);
          if (!line || !line->is_object()) return true;
          const json::object& object = line->get_object();
          const auto at = parse_instant(get_string(object, "at"));
          if (!at || *at > now || get_string(object, "event") != event) return true;
          take(objective.slo, series, *at,
               {get_int(object, "n"), get_int(object, "bad"), get_int(object, "squares")});
          return true;
        });
    if (!read) errors->push_back(read.error());
  }
}

// What the house accepts of pages without cause, by what is at stake now.
void BurnWatch::share_out(const World& world, const std::vector<Objective>& all, Instant now,
                          std::vector<Error>* errors) {
  std::vector<std::pair<Series*, double>> stakes;
  double total = 0;
  for (const Objective& objective : all) {
    for (const auto& [event, sources] : objective.scopes) {
      Series* series = series_of(objective, event, now, errors);
      if (!series) continue;
      series->players = players_at_risk(objective, event);
      stakes.emplace_back(series, stake_of(world, objective.service, event, series->players));
      total += stakes.back().second;
    }
  }
  for (const auto& [series, stake] : stakes) series->needed = evidence_needed(stake / total);
}

bool BurnWatch::append(const Objective& objective, const std::string& event, Series* series,
                       Instant now, std::vector<Error>* errors) {
  if (now - series->stored < kBurnStoredEvery) return false;
  series->stored = now;
  const BadCounts counts = std::exchange(series->unstored, {});
  if (counts.n == 0) return false;
  json::object line{{"at", format_instant(now)}};
  if (!event.empty()) line["event"] = event;
  line["n"] = counts.n;
  line["bad"] = counts.bad;
  line["squares"] = counts.squares;
  const std::string stream = week_stream(objective.service, objective.slo.name, now);
  const auto stored = store_->append(stream, to_json_text(line));
  if (!stored) errors->push_back(stored.error());
  return stored.has_value();
}

void BurnWatch::flush(const std::vector<Objective>& all, Instant now, std::vector<Error>* errors) {
  if (const Status flushed = store_->flush(); !flushed) errors->push_back(flushed.error());
  for (const Objective& objective : all)
    store_->close(week_stream(objective.service, objective.slo.name, now));
}

std::int64_t BurnWatch::players_at_risk(const Objective& objective,
                                        const std::string& event) const {
  std::int64_t out = 0;
  for (const BaselineSource& source : objective.scopes.at(event)) {
    if (!source.fleet.empty()) out += players_on_(source.fleet, source.build);
    if (source != kGameAsItIs) continue;
    for (const std::string& fleet : objective.fleets) out += players_on_(fleet, "");
  }
  return out;
}

// What the tick shows of those whom the sources name.
BadCounts BurnWatch::felt_by(const Objective& objective, const std::string& event,
                             const std::vector<FeltCounts>& felt) {
  BadCounts out;
  for (const FeltCounts& each : felt) {
    if (each.metric != objective.slo.metric) continue;
    const bool counted =
        std::ranges::any_of(objective.scopes.at(event), [&](const BaselineSource& source) {
          return source.fleet == each.source.fleet && source.event == each.source.event &&
                 (source.build.empty() || source.build == each.source.build);
        });
    if (counted) out.add(sum_of(each, objective.metric, objective.slo));
  }
  return out;
}

ObjectiveStanding BurnWatch::look(const Objective& objective, const std::string& event,
                                  const Series& series, Instant now) const {
  BurnReading reading = burn_reading(objective.slo, series.rolling, now);
  reading.service = objective.service;
  reading.slo = objective.slo.name;
  reading.event = event;
  reading.players_at_risk = series.players;
  reading.proof = series.detector.proof();
  if (page_bound(objective.slo) > 0) reading.needed = series.needed;
  const Duration window = std::min(objective.slo.window, RollingCounts::kSpanMax);
  return {objective.service, event, objective.slo, std::move(reading),
          series.rolling.over(window, now)};
}

std::vector<Error> BurnWatch::pass() {
  std::vector<Error> errors;
  const Instant now = host_->now();
  if (now < next_tick_) return errors;
  next_tick_ = now + kBurnTick;
  const auto world = host_->published();
  const std::vector<Objective> all = objectives(*world);
  std::set<std::string> metrics;
  for (const Objective& objective : all) metrics.insert(objective.slo.metric);
  counts_->watch_felt(metrics);
  if (all.empty() && series_.empty()) return errors;
  const std::vector<FeltCounts> felt = counts_->take_felt();
  for (auto& [key, series] : series_) series.live = false;
  share_out(*world, all, now, &errors);
  std::vector<ObjectiveStanding> standings;
  bool stored = false;
  for (const Objective& objective : all) {
    for (const auto& [event, sources] : objective.scopes) {
      const auto at = series_.find(series_key(objective.service, objective.slo.name, event));
      if (at == series_.end()) continue;
      Series* series = &at->second;
      const BadCounts counts = felt_by(objective, event, felt);
      if (counts.n > 0) take(objective.slo, series, now, counts);
      series->unstored.add(counts);
      stored |= append(objective, event, series, now, &errors);
      standings.push_back(look(objective, event, *series, now));
    }
  }
  std::erase_if(series_, [](const auto& series) { return !series.second.live; });
  if (stored) flush(all, now, &errors);
  tell(*world, std::move(standings), now);
  return errors;
}

void BurnWatch::tell(const World& world, std::vector<ObjectiveStanding> standings, Instant now) {
  for (const ObjectiveStanding& standing : standings) {
    if (!decide_burn(world, standing.reading, now).empty())
      (void)host_->submit(
          BurnObserved{standing.reading});  // A full mailbox: the next tick says it.
  }
  std::lock_guard lock(mutex_);
  standings_ = std::move(standings);
}

std::vector<ObjectiveStanding> BurnWatch::standings() const {
  std::lock_guard lock(mutex_);
  return standings_;
}

}  // namespace showcaller
