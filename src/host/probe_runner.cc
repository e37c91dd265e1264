// SPDX-License-Identifier: Apache-2.0
#include "host/probe_runner.h"

#include <algorithm>

#include "base/trace_context.h"
#include "engine/trace_fold.h"
#include "flow/saga.h"
#include "host/probe_trace.h"
#include "model/probe_metrics.h"

namespace showcaller {
namespace {

constexpr std::string_view kCheck = "probe:";

void each_probe(const World& world,
                const std::function<void(const std::string&, const ProbeSpec&)>& visit) {
  const std::string prefix = std::string(to_string(Kind::Probe)) + "/";
  world.manifests.each_from(prefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(prefix)) return false;
    visit(stored.manifest->name, stored.manifest->as<ProbeSpec>());
    return true;
  });
}

bool asks_for(const EventState& event, const std::string& probe) {
  const auto& probes = event.spec().readiness.probes;
  const bool as_check = std::ranges::find(probes, probe) != probes.end();
  return as_check || std::ranges::any_of(event.spec().gates, [&](const GateSpec& gate) {
           return probe_of_metric(gate.metric) == probe;
         });
}

bool may_become_ready(Phase phase) {
  return phase == Phase::Validated || phase == Phase::Approved || phase == Phase::Preparing ||
         phase == Phase::Ready;
}

}  // namespace

std::string traceparent_for_probe(const World& world, const std::string& probe) {
  std::string out;
  world.events.each([&](const std::string&, const EventState& event) {
    const bool moving = event.phase == Phase::Preparing || event.phase == Phase::RollingOut;
    if (!out.empty() || !moving || event.trace->empty() || !asks_for(event, probe)) return;
    const TracePlace place = place_of(event);
    out = format_traceparent(place.trace, place.span, true);
  });
  return out;
}

std::vector<ReportedDelta> deltas_of(const std::string& probe, const std::string& region,
                                     const ProbeResult& result) {
  std::vector<ReportedDelta> out(1);
  out[0].metric = probe_metric(probe);
  out[0].stratum = region;
  out[0].n = 1;
  out[0].x = result.good() ? 0 : 1;
  if (!result.good()) return out;
  ReportedDelta latency;
  latency.metric = probe_latency_metric(probe);
  latency.stratum = region;
  latency.histogram.emplace();
  latency.histogram->record(double(result.took.count()));
  out.push_back(std::move(latency));
  return out;
}

ProbeRunner::ProbeRunner(EngineHost* host, ProbePort* port, std::set<std::string> regions,
                         CountDelta count, OnChange on_change)
    : host_(host),
      port_(port),
      regions_(std::move(regions)),
      count_(std::move(count)),
      on_change_(std::move(on_change)) {
  line_->runner = this;
}

ProbeRunner::~ProbeRunner() {
  std::lock_guard lock(line_->mutex);
  line_->runner = nullptr;
}

void ProbeRunner::pass() {
  const auto world = host_->published();
  const Instant now = host_->now();
  for (const ProbeCall& call : due_calls(*world, now)) {
    port_->run(call, [line = line_, call](const ProbeResult& result) {
      std::lock_guard lock(line->mutex);
      if (line->runner) line->runner->finished(call, result);
    });
  }
  forget_removed(*world);
  tell_readiness(*world, now);
}

std::vector<ProbeCall> ProbeRunner::due_calls(const World& world, Instant now) {
  std::vector<ProbeCall> out;
  if (!port_) return out;
  std::lock_guard lock(mutex_);
  each_probe(world, [&](const std::string& name, const ProbeSpec& spec) {
    std::vector<std::string> here;
    for (const std::string& region : spec.regions)
      if (regions_.contains(region)) here.push_back(region);
    if (spec.regions.empty()) here.emplace_back();
    for (const std::string& region : here) {
      Due& due = due_[{name, region}];
      if (due.under_way || now < due.at) continue;
      due.under_way = true;
      ProbeCall call{name, region, {}, traceparent_for_probe(world, name), spec};
      if (auto url = action_url(world, spec.service); !spec.service.empty() && url)
        call.base_url = *std::move(url);
      out.push_back(std::move(call));
    }
  });
  return out;
}

void ProbeRunner::forget_removed(const World& world) {
  std::lock_guard lock(mutex_);
  const auto is_gone = [&](const std::string& probe) {
    return world.manifest(Kind::Probe, probe) == nullptr;
  };
  std::erase_if(standings_, [&](const auto& one) { return is_gone(one.first); });
  std::erase_if(due_,
                [&](const auto& one) { return !one.second.under_way && is_gone(one.first.first); });
}

void ProbeRunner::finished(const ProbeCall& call, const ProbeResult& result) {
  {
    std::lock_guard lock(mutex_);
    Due& due = due_[{call.probe, call.region}];
    due.under_way = false;
    due.at = host_->now() + pause_before(call.spec, call.probe, call.region, ++due.journey);
  }
  if (result.journeys == 0) return;  // None was made: nothing is known.
  heard(call.probe, call.region, result.wrong, result.took);
  count_(deltas_of(call.probe, call.region, result));
}

void ProbeRunner::heard(const std::string& probe, const std::string& region,
                        const std::string& wrong, Duration took) {
  bool changed = false;
  {
    std::lock_guard lock(mutex_);
    ProbeStanding& standing = standings_[probe];
    const auto before = standing.places().find(region);
    const bool was_wrong = before != standing.places().end() && !before->second.wrong.empty();
    changed = was_wrong != !wrong.empty();
    standing.note(region, wrong, took, host_->now());
  }
  if (changed) on_change_(probe, region, wrong);
}

void ProbeRunner::note(std::span<const ReportedDelta> deltas) {
  for (const ReportedDelta& delta : deltas) {
    const auto probe = probe_of_metric(delta.metric);
    if (!probe || is_probe_latency(delta.metric) || delta.n <= 0) continue;
    if (!host_->published()->manifest(Kind::Probe, *probe)) continue;
    heard(std::string(*probe), delta.stratum, delta.x > 0 ? "it failed" : "", {});
  }
}

// Here and now: what was heard last may be old because nobody was there to make the next one.
bool ProbeRunner::is_being_made(const std::string& probe) const {
  return std::ranges::any_of(
      due_, [&](const auto& one) { return one.first.first == probe && one.second.under_way; });
}

// A check that stands as the world knows it is no news.
void ProbeRunner::tell_readiness(const World& world, Instant now) {
  std::vector<ReadinessObserved> news;
  world.events.each([&](const std::string& name, const EventState& event) {
    if (!may_become_ready(event.phase)) return;
    for (const std::string& probe : event.spec().readiness.probes) {
      const auto manifest = world.manifest(Kind::Probe, probe);
      if (!manifest) continue;
      std::lock_guard lock(mutex_);
      const auto standing = standings_.find(probe);
      if (standing == standings_.end() || is_being_made(probe)) continue;
      const auto verdict = standing->second.verdict(manifest->as<ProbeSpec>(), now);
      const std::string check = std::string(kCheck) + probe;
      const auto known = event.readiness.find(check);
      if (known != event.readiness.end() && known->second.ready == verdict.ready) continue;
      news.push_back({name, check, verdict.ready, verdict.says});
    }
  });
  for (ReadinessObserved& one : news) (void)host_->submit(std::move(one));
}

std::vector<ProbeView> ProbeRunner::list() const {
  const auto world = host_->published();
  std::vector<ProbeView> out;
  std::lock_guard lock(mutex_);
  each_probe(*world, [&](const std::string& name, const ProbeSpec& spec) {
    static const ProbeStanding kUnheard;
    const auto found = standings_.find(name);
    const ProbeStanding& standing = found == standings_.end() ? kUnheard : found->second;
    out.push_back({name, standing.verdict(spec, host_->now()), standing.places()});
  });
  return out;
}

}  // namespace showcaller
