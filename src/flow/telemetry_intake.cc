// SPDX-License-Identifier: Apache-2.0
#include "flow/telemetry_intake.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "model/probe_metrics.h"

namespace showcaller {
namespace {

constexpr std::uint64_t kBuckets = 64;         // groups of an arm, for units
constexpr std::uint64_t kBucketSeed = 0x6a7e;  // not the seed of any exposure
constexpr const char* kOtherStratum = "other";
constexpr std::array<std::string_view, kDeltaFates> kFates{
    "taken", "no_stage", "no_session", "counted_by_server", "too_many_metrics", "client_limit"};

std::string stage_key(const ArmAssignment& arm) {
  return fmt::format("{}/r{}/v{}", arm.event, arm.revision, arm.visit);
}

MetricCounts counts_of(const ReportedDelta& delta) {
  return {delta.n, delta.x, delta.histogram};
}

}  // namespace

std::string_view to_string(DeltaFate fate) {
  return kFates[std::size_t(fate)];
}

void TelemetryIntake::watch(const std::set<std::string>& stages) {
  std::erase_if(stages_, [&](const auto& stage) {
    if (stages.contains(stage.first)) return false;
    for (const auto& [metric, groups] : stage.second.metrics) counters_ -= groups.size();
    return true;
  });
  for (const std::string& stage : stages) stages_.try_emplace(stage);
}

void TelemetryIntake::observe(const std::string& fleet, std::span<const InstanceSessions> instances,
                              Instant now) {
  auto& known = instances_[fleet];
  ++pass_;
  auto next = known.begin();  // drivers show them in one order, mostly that of their ids
  for (const InstanceSessions& instance : instances) {
    if (next == known.end() || next->first != instance.id)
      next = known.try_emplace(instance.id).first;
    Instance& here = next->second;
    ++next;
    here.pass = pass_;
    if (here.build != instance.build) here.build = instance.build;
    if (!instance.sessions.empty() || !here.open.empty()) follow(fleet, instance, &here, now);
  }
  for (auto at = known.begin(); at != known.end();) {
    if (at->second.pass == pass_) {
      ++at;
      continue;
    }
    // Lost with its sessions: nobody saw them end.
    crash_sessions({fleet, at->second.build, at->first}, &at->second.open, now);
    last_session_.erase(at->first);
    at = known.erase(at);
  }
}

void TelemetryIntake::follow(const std::string& fleet, const InstanceSessions& instance,
                             Instance* here, Instant now) {
  const Place place{fleet, instance.build, instance.id};
  std::vector<Session>& open = here->open;
  const std::vector<std::string>& shown = instance.sessions;
  for (const std::string& id : shown) {
    if (std::any_of(open.begin(), open.end(), [&](const Session& s) { return s.id == id; }))
      continue;
    const auto ended = last_session_.find(instance.id);
    if (ended != last_session_.end() && ended->second.crashed == id) continue;
    open.push_back({id, arms_from_text(instance.arms)});
    start_session(place, open.back());
    ++sessions_started_[fleet];
  }
  if (instance.died) return crash_sessions(place, &open, now);
  std::erase_if(open, [&](const Session& s) {
    if (std::find(shown.begin(), shown.end(), s.id) != shown.end()) return false;
    end_session(place, s, 0, now);
    return true;
  });
}

void TelemetryIntake::start_session(const Place& place, const Session& session) {
  sessions_[session.id] = {place, session.arms};
  last_session_[place.instance] = {place, {}, session.arms};
}

// Exposure and event are counted in the same tick, the one that shows how the session ended: a
// tick's share of exposures is then that of its events, however few sessions a tick has. Both arms
// wait for their outcomes alike.
void TelemetryIntake::end_session(const Place& place, const Session& session, std::int64_t crashes,
                                  Instant now) {
  ReportedDelta outcome;
  outcome.metric = kSessionCrashed;
  outcome.n = 1;
  outcome.x = crashes;
  add(session.arms, place, outcome, {}, now);
  sessions_.erase(session.id);
}

void TelemetryIntake::crash_sessions(const Place& place, std::vector<Session>* open, Instant now) {
  for (const Session& session : *open) {
    end_session(place, session, 1, now);
    // An instance that died may go on showing it.
    last_session_[place.instance] = {place, session.id, session.arms};
  }
  open->clear();
}

Result<ReportReceipt> TelemetryIntake::report(const Report& batch, Instant now) {
  if (batch.source.empty() || batch.sequence == 0) {
    return fail(ErrorCode::Invalid, "a telemetry batch has a source and a sequence from 1 on");
  }
  if (batch.deltas.size() > limits_.deltas_max) {
    return fail(ErrorCode::Invalid,
                fmt::format("a telemetry batch has at most {} deltas, not {}; send several",
                            limits_.deltas_max, batch.deltas.size()));
  }
  TRY(check_room());
  for (const ReportedDelta& delta : batch.deltas) {
    if (delta.n < 0 || delta.x < 0)
      return fail(ErrorCode::Invalid, fmt::format("metric {} counts below zero", delta.metric));
  }
  ReportReceipt receipt;
  receipt.repeated = !first_time(batch.source, batch.sequence);
  if (receipt.repeated) return receipt;
  const Speaker speaker{batch.token, batch.trust};
  for (const ReportedDelta& delta : batch.deltas)
    ++receipt.deltas[std::size_t(count(delta, speaker, now))];
  return receipt;
}

DeltaFate TelemetryIntake::add(const ReportedDelta& delta, const std::string& token, Trust trust,
                               Instant now) {
  return count(delta, {token, trust}, now);
}

Status TelemetryIntake::check_room() const {
  if (counters_ < limits_.counters_max) return {};
  return fail(ErrorCode::Limit,
              "the evidence of this tick is full; send the batch again after the next tick");
}

bool TelemetryIntake::first_time(const std::string& name, std::uint64_t sequence) {
  const auto [at, fresh] = sources_.try_emplace(name);
  Source& source = at->second;
  if (!fresh) sources_by_heard_.erase(source.heard);
  source.heard = ++heard_;
  sources_by_heard_[source.heard] = name;
  while (sources_.size() > limits_.sources_max) {
    sources_.erase(sources_by_heard_.begin()->second);
    sources_by_heard_.erase(sources_by_heard_.begin());
  }
  if (sequence > source.last) {
    const std::uint64_t ahead = sequence - source.last;
    source.seen = (ahead < 64 ? source.seen << ahead : 0) | 1;
    source.last = sequence;
    return true;
  }
  const std::uint64_t behind = source.last - sequence;
  const std::uint64_t bit = std::uint64_t(1) << (behind % 64);
  if (behind >= 64 || (source.seen & bit) != 0) return false;
  source.seen |= bit;
  return true;
}

DeltaFate TelemetryIntake::count(const ReportedDelta& delta, const Speaker& speaker, Instant now) {
  if (!delta.event.empty() && delta.arm) return count_named(delta, speaker, now);
  const bool placed = !delta.session.empty() || !delta.instance.empty();
  if (!placed && probe_of_metric(delta.metric)) return count_probe(delta, speaker);
  if (delta.metric == kSessionCrashed) return DeltaFate::CountedByServer;
  const auto session = sessions_.find(delta.session);
  if (session != sessions_.end())
    return add(session->second.arms, session->second.place, delta, speaker, now);
  const auto last = last_session_.find(delta.instance);
  if (last != last_session_.end())
    return add(last->second.arms, last->second.place, delta, speaker, now);
  return DeltaFate::NoSession;
}

// Nobody's client is a probe.
DeltaFate TelemetryIntake::count_probe(const ReportedDelta& delta, const Speaker& speaker) {
  if (speaker.trust == Trust::Client) return DeltaFate::NoSession;
  const Speaker probe{speaker.token, Trust::Probe};
  felt_.learn({"", "", ""}, delta.metric, delta.stratum, counts_of(delta));
  DeltaFate fate = DeltaFate::Taken;  // Objectives are held against it, whether a stage is or not.
  for (auto& [key, stage] : stages_) {
    const DeltaFate here = add_to(&stage, Arm::Canary, delta.stratum, delta, probe);
    if (here != DeltaFate::Taken) fate = here;
  }
  return fate;
}

// The reporter knows event and arm itself.
DeltaFate TelemetryIntake::count_named(const ReportedDelta& delta, const Speaker& speaker,
                                       Instant now) {
  const std::string group = std::to_string(hash64(delta.unit, kBucketSeed) % kBuckets);
  DeltaFate fate = DeltaFate::NoStage;
  for (auto& [key, stage] : stages_) {
    if (key.starts_with(delta.event + "/r"))
      fate = add_to(&stage, *delta.arm, group, delta, speaker);
  }
  if (fate == DeltaFate::Taken && *delta.arm == Arm::Canary && speaker.trust == Trust::Server)
    felt_.learn({"", "", delta.event}, delta.metric, group, counts_of(delta));
  if (fate == DeltaFate::Taken && *delta.arm == Arm::Baseline && speaker.trust == Trust::Server) {
    history_.learn({"", "", delta.event}, delta.metric, {group, delta.stratum}, counts_of(delta),
                   now);
  }
  return fate;
}

DeltaFate TelemetryIntake::add(const std::vector<ArmAssignment>& arms, const Place& place,
                               const ReportedDelta& delta, const Speaker& speaker, Instant now) {
  DeltaFate fate = DeltaFate::NoStage;
  if (speaker.trust == Trust::Server) {
    history_.learn({place.fleet, place.build, ""}, delta.metric, {place.instance, delta.stratum},
                   counts_of(delta), now);
    felt_.learn({place.fleet, place.build, ""}, delta.metric, place.instance, counts_of(delta));
    fate = DeltaFate::Taken;
  }
  for (const ArmAssignment& arm : arms) {
    const auto stage = stages_.find(stage_key(arm));
    if (!arm.counted || stage == stages_.end()) continue;
    const DeltaFate here = add_to(&stage->second, arm.arm, place.instance, delta, speaker);
    if (fate != DeltaFate::Taken) fate = here;
  }
  return fate;
}

DeltaFate TelemetryIntake::add_to(Stage* stage, Arm arm, const std::string& group,
                                  const ReportedDelta& delta, const Speaker& speaker) {
  const bool known = stage->metrics.contains(delta.metric);
  if (!known && stage->metrics.size() >= limits_.metrics_max) return DeltaFate::TooManyMetrics;
  if (speaker.trust == Trust::Client && !within_client_limit(stage, delta, speaker))
    return DeltaFate::ClientLimit;
  const auto [spoke, first] = stage->spoke.try_emplace(delta.metric, speaker.trust);
  spoke->second = std::min(spoke->second, speaker.trust);
  std::string stratum = delta.stratum;
  if (!stage->strata.contains(stratum)) {
    if (stage->strata.size() < limits_.strata_max)
      stage->strata.insert(stratum);
    else
      stratum = kOtherStratum;
  }
  const auto [at, fresh] =
      stage->metrics[delta.metric].try_emplace({arm, group, std::move(stratum)});
  if (fresh) ++counters_;
  auto& counter = at->second[std::size_t(speaker.trust)];
  if (!counter) counter.emplace();
  counter->add(counts_of(delta));
  return DeltaFate::Taken;
}

bool TelemetryIntake::within_client_limit(Stage* stage, const ReportedDelta& delta,
                                          const Speaker& speaker) const {
  const std::string unit = delta.unit + "|" + delta.session;
  const auto said_by_unit = stage->client_units.find(unit);
  const bool known = said_by_unit != stage->client_units.end();
  if (!known && stage->client_units.size() >= limits_.client_units_max) return false;
  const std::int64_t observed = delta.histogram ? std::int64_t(delta.histogram->count()) : delta.n;
  const std::int64_t weight = std::max(observed, delta.x);
  std::int64_t& said_by_token = stage->client_tokens[speaker.token];
  if (weight > limits_.client_n_max - (known ? said_by_unit->second : 0) ||
      weight > limits_.client_token_n_max - said_by_token)
    return false;
  stage->client_units[unit] += weight;
  said_by_token += weight;
  return true;
}

StageTick TelemetryIntake::take_tick(const std::string& key) {
  StageTick out;
  const auto found = stages_.find(key);
  if (found == stages_.end()) return out;
  Stage& stage = found->second;
  for (auto& [metric, groups] : stage.metrics) {
    const Trust trust = stage.spoke.at(metric);
    for (auto& [group, counter] : groups) {
      auto& delta = counter[std::size_t(trust)];
      if (!delta) continue;  // Only the less trusted spoke of it.
      out.metrics[metric].emplace_back(group, *std::move(delta));
      out.trust[metric] = trust;
    }
    counters_ -= groups.size();
  }
  stage.metrics.clear();
  stage.client_units.clear();
  stage.client_tokens.clear();
  out.alive = living(key);
  return out;
}

std::vector<GroupKey> TelemetryIntake::living(const std::string& key) const {
  std::set<GroupKey> out;
  for (const auto& [fleet, instances] : instances_) {
    for (const auto& [id, instance] : instances) {
      for (const Session& session : instance.open) {
        for (const ArmAssignment& arm : session.arms) {
          if (arm.counted && stage_key(arm) == key) out.insert({arm.arm, id, {}});
        }
      }
    }
  }
  return {out.begin(), out.end()};
}

}  // namespace showcaller
