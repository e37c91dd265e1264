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
  return std::none_of(arms.begin(), arms.end(), [](const ArmAssignment& a) { return a.arm == Arm::Canary; });
}

void merge_into(GroupDelta* to, const ReportedDelta& delta) {
  to->n += delta.n;
  to->x += delta.x;
  if (!delta.histogram) return;
  if (to->histogram) to->histogram->merge(*delta.histogram);
  else to->histogram = delta.histogram;
}

// Sessions that an observation shows on an instance, the one in `session` last.
std::vector<std::string> sessions_of(const ObservedInstance& instance) {
  std::vector<std::string> out;
  const auto several = instance.annotations.find(std::string(kSessionsAnnotation));
  if (several != instance.annotations.end()) {
    std::string_view rest = several->second;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (comma > 0) out.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  if (instance.session && std::find(out.begin(), out.end(), *instance.session) == out.end()) {
    out.push_back(*instance.session);
  }
  return out;
}

bool died(const ObservedInstance& instance) {
  if (instance.state == InstanceState::Unhealthy) return true;
  return instance.state == InstanceState::Exited && !(instance.exit && instance.exit->wanted);
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

void TelemetryIntake::observe(const std::string& fleet, std::span<const ObservedInstance> instances) {
  auto& known = instances_[fleet];
  std::set<std::string> seen;
  for (const ObservedInstance& instance : instances) {
    seen.insert(instance.id);
    auto& open = known[instance.id];
    const std::vector<std::string> shown = sessions_of(instance);
    const auto annotation = instance.annotations.find(std::string(kArmsAnnotation));
    for (const std::string& id : shown) {
      if (std::any_of(open.begin(), open.end(), [&](const Session& s) { return s.id == id; })) continue;
      const auto ended = last_session_.find(instance.id);
      if (ended != last_session_.end() && ended->second.crashed == id) continue;
      open.push_back({id, annotation == instance.annotations.end() ? std::vector<ArmAssignment>{}
                                                                   : arms_from_text(annotation->second)});
      start_session(instance.id, open.back());
    }
    if (died(instance)) {
      crash_sessions(instance.id, &open);
      continue;
    }
    std::erase_if(open, [&](const Session& s) {
      if (std::find(shown.begin(), shown.end(), s.id) != shown.end()) return false;
      sessions_.erase(s.id);
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
  ReportedDelta started;
  started.n = 1;
  add(session.arms, std::string(kSessionCrashed), instance, started, Trust::Server);
  for (const ArmAssignment& arm : session.arms) {
    const auto stage = stages_.find(stage_key(arm));
    if (!arm.counted || stage == stages_.end()) continue;
    ++(arm.arm == Arm::Canary ? stage->second.units_canary : stage->second.units_baseline);
  }
}

void TelemetryIntake::crash_sessions(const std::string& instance, std::vector<Session>* open) {
  for (const Session& session : *open) {
    ReportedDelta crashed;
    crashed.x = 1;
    add(session.arms, std::string(kSessionCrashed), instance, crashed, Trust::Server);
    sessions_.erase(session.id);
    last_session_[instance] = {session.id, session.arms};  // An instance that died may go on showing it.
  }
  open->clear();
}

Status TelemetryIntake::report(const Report& batch) {
  if (batch.source.empty() || batch.sequence == 0) {
    return fail(ErrorCode::Invalid, "a telemetry batch has a source and a sequence from 1 on");
  }
  if (batch.deltas.size() > limits_.deltas_max) {
    return fail(ErrorCode::Limit, fmt::format("a telemetry batch has at most {} deltas, not {}; send several",
                                              limits_.deltas_max, batch.deltas.size()));
  }
  const auto last = sequences_.find(batch.source);
  if (last != sequences_.end() && batch.sequence <= last->second) {
    ++batches_repeated_;
    return {};
  }
  if (last == sequences_.end() && sequences_.size() >= limits_.sources_max) {
    return fail(ErrorCode::Limit, fmt::format("{} sources report already; report less often and merge", sequences_.size()));
  }
  if (counters_ >= limits_.counters_max) {
    return fail(ErrorCode::Limit, "the evidence of this tick is full; send the batch again after the next tick");
  }
  for (const ReportedDelta& delta : batch.deltas) {
    if (delta.n < 0 || delta.x < 0) return fail(ErrorCode::Invalid, fmt::format("metric {} counts below zero", delta.metric));
  }
  sequences_[batch.source] = batch.sequence;
  for (const ReportedDelta& delta : batch.deltas) {
    if (!delta.event.empty() && delta.arm) {
      const std::string group = std::to_string(hash64(delta.unit, kBucketSeed) % kBuckets);
      bool found = false;
      for (auto& [key, stage] : stages_) {
        if (!key.starts_with(delta.event + "/r")) continue;
        add_to(&stage, *delta.arm, delta.metric, group, delta, batch.trust);
        found = true;
      }
      deltas_dropped_ += found ? 0 : 1;
      continue;
    }
    const auto session = sessions_.find(delta.session);
    const auto place = last_session_.find(delta.instance);
    if (session != sessions_.end()) {
      add(session->second.arms, delta.metric, session->second.instance, delta, batch.trust);
    } else if (place != last_session_.end()) {
      add(place->second.arms, delta.metric, delta.instance, delta, batch.trust);
    } else {
      ++deltas_dropped_;
    }
  }
  return {};
}

void TelemetryIntake::add(const std::vector<ArmAssignment>& arms, const std::string& metric, const std::string& group,
                          const ReportedDelta& delta, Trust trust) {
  if (trust == Trust::Server && on_baseline(arms)) learn_baseline(metric, delta);
  for (const ArmAssignment& arm : arms) {
    const auto stage = stages_.find(stage_key(arm));
    if (!arm.counted || stage == stages_.end()) continue;
    add_to(&stage->second, arm.arm, metric, group, delta, trust);
  }
}

void TelemetryIntake::add_to(Stage* stage, Arm arm, const std::string& metric, const std::string& group,
                             const ReportedDelta& delta, Trust trust) {
  ReportedDelta allowed = delta;
  if (trust == Trust::Client) {
    std::int64_t& said = stage->client_units[delta.unit + "|" + delta.session];
    const std::int64_t count = delta.histogram ? std::int64_t(delta.histogram->count()) : delta.n;
    if (said + std::max(count, delta.x) > limits_.client_n_max) {
      ++deltas_dropped_;
      return;
    }
    said += std::max(count, delta.x);
  } else {
    stage->server_spoke.insert(metric);
  }
  auto& groups = stage->metrics[metric];
  const auto [at, fresh] = groups.try_emplace({arm, group});
  if (fresh) ++counters_;
  merge_into(trust == Trust::Client ? &at->second.client : &at->second.server, allowed);
}

void TelemetryIntake::learn_baseline(const std::string& metric, const ReportedDelta& delta) {
  BaselineCounts& baseline = baselines_[metric];
  baseline.n += delta.n;
  baseline.x += delta.x;
  if (!delta.histogram) return;
  if (baseline.histogram) baseline.histogram->merge(*delta.histogram);
  else baseline.histogram = delta.histogram;
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
  out.units_canary = std::exchange(stage.units_canary, 0);
  out.units_baseline = std::exchange(stage.units_baseline, 0);
  return out;
}

}  // namespace showcaller
