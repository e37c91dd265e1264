// SPDX-License-Identifier: Apache-2.0
#include "flow/telemetry_intake.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"

namespace showcaller {
namespace {

constexpr std::uint64_t kBuckets = 64;         // groups of an arm, for units
constexpr std::uint64_t kBucketSeed = 0x6a7e;  // not the seed of any exposure

std::string stage_key(const ArmAssignment& arm) {
  return fmt::format("{}/r{}/v{}", arm.event, arm.revision, arm.visit);
}

bool on_baseline(const std::vector<ArmAssignment>& arms) {
  return std::none_of(arms.begin(), arms.end(),
                      [](const ArmAssignment& a) { return a.arm == Arm::Canary; });
}

void merge_into(GroupDelta* to, const ReportedDelta& delta) {
  to->n += delta.n;
  to->x += delta.x;
  if (!delta.histogram) return;
  if (to->histogram)
    to->histogram->merge(*delta.histogram);
  else
    to->histogram = delta.histogram;
}

}  // namespace

void TelemetryIntake::watch(const std::set<std::string>& stages) {
  std::erase_if(stages_, [&](const auto& stage) {
    if (stages.contains(stage.first)) return false;
    for (const auto& [metric, groups] : stage.second.metrics) counters_ -= groups.size();
    return true;
  });
  for (const std::string& stage : stages) stages_.try_emplace(stage);
}

void TelemetryIntake::observe(const std::string& fleet,
                              std::span<const InstanceSessions> instances) {
  auto& known = instances_[fleet];
  std::set<std::string> seen;
  for (const InstanceSessions& instance : instances) {
    seen.insert(instance.id);
    auto& open = known[instance.id];
    const std::vector<std::string>& shown = instance.sessions;
    for (const std::string& id : shown) {
      if (std::any_of(open.begin(), open.end(), [&](const Session& s) { return s.id == id; }))
        continue;
      const auto ended = last_session_.find(instance.id);
      if (ended != last_session_.end() && ended->second.crashed == id) continue;
      open.push_back({id, arms_from_text(instance.arms)});
      start_session(instance.id, open.back());
      ++sessions_started_[fleet];
    }
    if (instance.died) {
      crash_sessions(instance.id, &open);
      continue;
    }
    std::erase_if(open, [&](const Session& s) {
      if (std::find(shown.begin(), shown.end(), s.id) != shown.end()) return false;
      end_session(instance.id, s, 0);
      return true;
    });
  }
  for (auto at = known.begin(); at != known.end();) {
    if (seen.contains(at->first)) {
      ++at;
      continue;
    }
    crash_sessions(at->first, &at->second);  // Lost with its sessions: nobody saw them end.
    last_session_.erase(at->first);
    at = known.erase(at);
  }
}

void TelemetryIntake::start_session(const std::string& instance, const Session& session) {
  sessions_[session.id] = {instance, session.arms};
  last_session_[instance] = {{}, session.arms};
}

// Exposure and event are counted in the same tick, the one that shows how the session ended: a
// tick's share of exposures is then that of its events, however few sessions a tick has. Both arms
// wait for their outcomes alike.
void TelemetryIntake::end_session(const std::string& instance, const Session& session,
                                  std::int64_t crashes) {
  ReportedDelta outcome;
  outcome.n = 1;
  outcome.x = crashes;
  add(session.arms, std::string(kSessionCrashed), instance, outcome, Trust::Server);
  sessions_.erase(session.id);
}

void TelemetryIntake::crash_sessions(const std::string& instance, std::vector<Session>* open) {
  for (const Session& session : *open) {
    end_session(instance, session, 1);
    last_session_[instance] = {session.id,
                               session.arms};  // An instance that died may go on showing it.
  }
  open->clear();
}

Status TelemetryIntake::report(const Report& batch) {
  if (batch.source.empty() || batch.sequence == 0) {
    return fail(ErrorCode::Invalid, "a telemetry batch has a source and a sequence from 1 on");
  }
  if (batch.deltas.size() > limits_.deltas_max) {
    return fail(ErrorCode::Limit,
                fmt::format("a telemetry batch has at most {} deltas, not {}; send several",
                            limits_.deltas_max, batch.deltas.size()));
  }
  if (counters_ >= limits_.counters_max) {
    return fail(ErrorCode::Limit,
                "the evidence of this tick is full; send the batch again after the next tick");
  }
  for (const ReportedDelta& delta : batch.deltas) {
    if (delta.n < 0 || delta.x < 0)
      return fail(ErrorCode::Invalid, fmt::format("metric {} counts below zero", delta.metric));
  }
  if (!first_time(batch.source, batch.sequence)) {
    ++batches_repeated_;
    return {};
  }
  for (const ReportedDelta& delta : batch.deltas) count(delta, batch.trust);
  return {};
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

void TelemetryIntake::count(const ReportedDelta& delta, Trust trust) {
  if (!delta.event.empty() && delta.arm) {
    const std::string group = std::to_string(hash64(delta.unit, kBucketSeed) % kBuckets);
    bool found = false;
    for (auto& [key, stage] : stages_) {
      if (!key.starts_with(delta.event + "/r")) continue;
      add_to(&stage, *delta.arm, delta.metric, group, delta, trust);
      found = true;
    }
    deltas_dropped_ += found ? 0 : 1;
    return;
  }
  const auto session = sessions_.find(delta.session);
  const auto place = last_session_.find(delta.instance);
  if (delta.metric == kSessionCrashed ||
      (session == sessions_.end() && place == last_session_.end())) {
    ++deltas_dropped_;
  } else if (session != sessions_.end()) {
    add(session->second.arms, delta.metric, session->second.instance, delta, trust);
  } else {
    add(place->second.arms, delta.metric, delta.instance, delta, trust);
  }
}

void TelemetryIntake::add(const std::vector<ArmAssignment>& arms, const std::string& metric,
                          const std::string& group, const ReportedDelta& delta, Trust trust) {
  if (trust == Trust::Server && on_baseline(arms)) learn_baseline(metric, delta);
  for (const ArmAssignment& arm : arms) {
    const auto stage = stages_.find(stage_key(arm));
    if (!arm.counted || stage == stages_.end()) continue;
    add_to(&stage->second, arm.arm, metric, group, delta, trust);
  }
}

void TelemetryIntake::add_to(Stage* stage, Arm arm, const std::string& metric,
                             const std::string& group, const ReportedDelta& delta, Trust trust) {
  const bool known = stage->metrics.contains(metric);
  if ((!known && stage->metrics.size() >= limits_.metrics_max) ||
      (trust == Trust::Client && !within_client_limit(stage, delta))) {
    ++deltas_dropped_;
    return;
  }
  if (trust != Trust::Client && stage->server_spoke.size() < limits_.metrics_max)
    stage->server_spoke.insert(metric);
  auto& groups = stage->metrics[metric];
  const auto [at, fresh] = groups.try_emplace({arm, group});
  if (fresh) ++counters_;
  merge_into(trust == Trust::Client ? &at->second.client : &at->second.server, delta);
}

bool TelemetryIntake::within_client_limit(Stage* stage, const ReportedDelta& delta) const {
  const std::string unit = delta.unit + "|" + delta.session;
  const auto said = stage->client_units.find(unit);
  if (said == stage->client_units.end() && stage->client_units.size() >= limits_.client_units_max)
    return false;
  const std::int64_t observed = delta.histogram ? std::int64_t(delta.histogram->count()) : delta.n;
  const std::int64_t weight = std::max(observed, delta.x);
  const std::int64_t before = said == stage->client_units.end() ? 0 : said->second;
  if (weight > limits_.client_n_max - before) return false;
  stage->client_units[unit] = before + weight;
  return true;
}

void TelemetryIntake::learn_baseline(const std::string& metric, const ReportedDelta& delta) {
  if (!baselines_.contains(metric) && baselines_.size() >= limits_.metrics_max) return;
  BaselineCounts& baseline = baselines_[metric];
  baseline.n += delta.n;
  baseline.x += delta.x;
  if (!delta.histogram) return;
  if (baseline.histogram)
    baseline.histogram->merge(*delta.histogram);
  else
    baseline.histogram = delta.histogram;
}

StageTick TelemetryIntake::take_tick(const std::string& key) {
  StageTick out;
  const auto found = stages_.find(key);
  if (found == stages_.end()) return out;
  Stage& stage = found->second;
  for (auto& [metric, groups] : stage.metrics) {
    const bool server = stage.server_spoke.contains(metric);
    out.client_only[metric] = !server;
    for (auto& [group, counter] : groups) {
      out.metrics[metric][group] = std::move(server ? counter.server : counter.client);
    }
    counters_ -= groups.size();
  }
  stage.metrics.clear();
  stage.client_units.clear();
  return out;
}

}  // namespace showcaller
