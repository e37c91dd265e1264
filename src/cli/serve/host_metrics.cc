// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/host_metrics.h"

#include <cstdint>
#include <fstream>
#include <map>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include "engine/alert_view.h"
#include "engine/decide.h"
#include "model/lifecycle.h"

namespace showcaller {
namespace {

std::uint64_t milliseconds(const timeval& time) {
  return std::uint64_t(time.tv_sec) * 1'000 + std::uint64_t(time.tv_usec) / 1'000;
}

void refresh_process(MetricsRegistry& metrics) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  metrics.counter("showcaller_process_cpu_seconds")
      .set_total(milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime));
  std::uint64_t pages = 0, resident = 0;  // proc(5): the second number is what is resident
  std::ifstream("/proc/self/statm") >> pages >> resident;
  metrics.gauge("showcaller_process_resident_bytes")
      .set(double(resident) * double(sysconf(_SC_PAGESIZE)));
}

void refresh_alerts(MetricsRegistry& metrics, const Host& host, const World& world) {
  std::map<std::pair<std::string_view, std::string_view>, int> open;
  for (const char* severity : {"page", "ticket"}) {
    for (const char* state : {"firing", "acknowledged"}) open[{severity, state}] = 0;
  }
  world.alerts.each([&](const std::string&, const Alert& alert) {
    ++open[{enum_name(alert.severity), alert_state(alert)}];
  });
  for (const auto& [labels, count] : open)
    metrics.gauge("showcaller_alerts", {labels.first, labels.second}).set(count);
  metrics.gauge("showcaller_silences").set(double(world.silences.size()));
  const AlertTotals totals = host.alerts() ? host.alerts()->totals() : AlertTotals{};
  metrics.counter("showcaller_alert_messages", {"delivered"}).set_total(totals.delivered);
  metrics.counter("showcaller_alert_messages", {"failed"}).set_total(totals.failed);
  metrics.counter("showcaller_alert_messages", {"dead"}).set_total(totals.dead);
}

// A service that nothing was ever wrong with has no state.
void refresh_services(MetricsRegistry& metrics, const World& world) {
  metrics.clear("showcaller_features_withdrawn");
  metrics.clear("showcaller_breaker_open");
  for (const std::string& name : names_of(world, Kind::Service)) {
    const ServiceState* known = world.services.find(name);
    const ServiceState service = known ? *known : ServiceState{};
    metrics.gauge("showcaller_features_withdrawn", {name}).set(double(service.withdrawn.size()));
    const double open = service.breaker == BreakerState::Open       ? 1
                        : service.breaker == BreakerState::HalfOpen ? 0.5
                                                                    : 0;
    metrics.gauge("showcaller_breaker_open", {name}).set(open);
  }
}

}  // namespace

void refresh_host_metrics(MetricsRegistry* registry, const Host& host) {
  MetricsRegistry& metrics = *registry;
  refresh_process(metrics);
  const auto world = host.world();
  metrics.gauge("showcaller_journal_seq").set(double(world->seq));
  metrics.counter("showcaller_journal_commits").set_total(host.engine().commits());
  metrics.gauge("showcaller_journal_epoch").set(double(world->epoch));
  metrics.gauge("showcaller_mailbox_letters").set(double(host.engine().waiting()));
  metrics.gauge("showcaller_quarantines").set(double(world->quarantines.size()));
  metrics.gauge("showcaller_lines_stopped").set(double(world->lines.size()));
  refresh_alerts(metrics, host, *world);
  std::map<std::string, int> phases;
  int held = 0;
  for (const char* name : {"showcaller_events", "showcaller_event_exposure_ratio",
                           "showcaller_event_sessions", "showcaller_instances"}) {
    metrics.clear(name);
  }
  world->events.each([&](const std::string& name, const EventState& event) {
    ++phases[std::string(enum_name(event.phase))];
    held += event.hold ? 1 : 0;
    if (!may_admit(event.phase)) return;
    metrics.gauge("showcaller_event_exposure_ratio", {name})
        .set(double(event.exposure_ppm) / double(kPpmWhole));
    metrics.gauge("showcaller_event_sessions", {name, "canary"}).set(double(event.sessions_canary));
    metrics.gauge("showcaller_event_sessions", {name, "baseline"})
        .set(double(event.sessions_baseline));
  });
  for (const auto& [phase, count] : phases) metrics.gauge("showcaller_events", {phase}).set(count);
  metrics.gauge("showcaller_events_held").set(held);
  refresh_services(metrics, *world);
  std::map<std::pair<std::string, std::string>, int> instances;
  world->instances.each([&](const std::string&, const Instance& instance) {
    ++instances[{instance.fleet, std::string(enum_name(instance.phase))}];
  });
  for (const auto& [key, count] : instances)
    metrics.gauge("showcaller_instances", {key.first, key.second}).set(count);
}

void refresh_span_metrics(MetricsRegistry* registry, const OtlpStats& stats) {
  registry->counter("showcaller_spans", {"sent"}).set_total(stats.sent);
  registry->counter("showcaller_spans", {"dropped"}).set_total(stats.dropped);
  registry->counter("showcaller_spans", {"refused"}).set_total(stats.refused);
  registry->counter("showcaller_span_retries").set_total(stats.retries);
  registry->gauge("showcaller_spans_waiting").set(double(stats.waiting));
}

}  // namespace showcaller
