// SPDX-License-Identifier: Apache-2.0
#include "sim/session_level.h"

#include <algorithm>

#include "base/check.h"

namespace showcaller::sim {
namespace {

constexpr std::size_t kBatchMax = 2'000;  // deltas
constexpr Duration kSentAgainAfter = seconds(10);

// What the server's own backend makes of a batch that came over HTTP.
Report report_of(TelemetryBatch batch) {
  Report report{"game-servers", batch.source, std::uint64_t(batch.sequence), batch.trust, {}};
  for (TelemetryDelta& delta : batch.deltas) {
    report.deltas.push_back({std::move(delta.metric), std::move(delta.instance),
                             std::move(delta.session), std::move(delta.event), delta.arm,
                             std::move(delta.unit), std::move(delta.stratum), delta.n, delta.x,
                             std::move(delta.histogram)});
  }
  return report;
}

}  // namespace

SessionLevel::SessionLevel(Host* host, const Assigner* assigner, Truth* truth, VirtualFleet* fleet,
                           ReportPath* path, std::uint64_t seed)
    : host_(host), assigner_(assigner), truth_(truth), fleet_(fleet), path_(path), random_(seed) {}

bool SessionLevel::never_asks(const AllocationRequest& request, Random* random) {
  const Fault* split = truth_->acting(FaultKind::Split);
  if (!split) return false;
  const auto builds = assigner_->builds(request);
  return builds && builds->layer && random->chance(split->size);
}

std::optional<Seat> SessionLevel::seat(const AllocationRequest& request) {
  if (request.fleet.empty()) return Seat{};
  auto allocation = host_->allocate(request);
  if (!allocation) return std::nullopt;
  // A driver that lies lost it: nobody plays there, as the allocator will find out.
  if (!fleet_->has_session(allocation->instance, request.session)) return std::nullopt;
  return Seat{allocation->instance, allocation->build, std::move(allocation->arms)};
}

void SessionLevel::ended(const Playing& session, bool crashed) {
  if (!session.instance.empty()) (void)host_->release(session.id);
  VirtualInstance* instance = fleet_->find(session.instance);
  static const InstanceMood kCalm;
  if (instance) truth_->let_drift(&instance->mood);
  const double trouble =
      truth_->trouble(instance ? instance->mood : kCalm,
                      instance ? session.ends - instance->ready_since : hours(1));
  for (const Measured& metric : truth_->metrics()) {
    TelemetryDelta delta;
    delta.metric = metric.name;
    if (metric.is_crash) {
      delta.n = 1;
      delta.x = crashed ? 1 : 0;
      say(session, metric, std::move(delta), crashed);
      continue;
    }
    if (crashed) continue;  // It tells nothing any more.
    const double rate = truth_->rate(metric, trouble, session.canary);
    double value = 0;
    switch (metric.type) {
      case MetricType::Binary:
        delta.n = 1;
        delta.x = random_.chance(rate) ? 1 : 0;
        break;
      case MetricType::Count:
        delta.n = 1;
        delta.x = std::int64_t(random_.poisson(rate));
        break;
      case MetricType::Rate:
        delta.n = truth_->population().session_players *
                  std::max<std::int64_t>(1, (session.ends - session.begins).count() / 1000);
        delta.x = std::int64_t(random_.poisson(rate * double(delta.n)));
        break;
      case MetricType::Quantile:
        value = truth_->value(metric, trouble, session.canary, &random_);
        delta.histogram.emplace().record(value);
        break;
    }
    const bool much = metric.type == MetricType::Quantile ? value > metric.median : delta.x > 0;
    const bool bad = metric.lower_is_better == much;
    say(session, metric, std::move(delta), bad);
  }
}

// The session's own server tells of it; of events that change no build, each unit's client tells.
void SessionLevel::say(const Playing& session, const Measured& metric, TelemetryDelta delta,
                       bool is_bad) {
  const Fault* skew = truth_->acting(FaultKind::Skew);
  if (skew && session.canary && is_bad && random_.chance(skew->size)) return;
  for (const ArmAssignment& arm : session.flag_arms) {
    if (!arm.counted) continue;
    TelemetryDelta told = delta;
    told.event = arm.event;
    told.arm = arm.arm;
    told.unit = std::to_string(session.party);
    path_->said.push_back(std::move(told));
  }
  if (session.instance.empty() || metric.is_crash) return;  // The server sees crashes itself.
  delta.session = session.id;
  delta.instance = session.instance;
  path_->said.push_back(std::move(delta));
}

void SessionLevel::send(Duration now) {
  const Population& population = truth_->population();
  const bool twice = truth_->acting(FaultKind::Duplicates) != nullptr;
  for (std::size_t from = 0; from < path_->said.size(); from += kBatchMax) {
    const std::size_t to = std::min(path_->said.size(), from + kBatchMax);
    TelemetryBatch batch;
    batch.source = "sdk";
    batch.sequence = path_->next_batch++;
    batch.trust = Trust::Server;
    std::move(path_->said.begin() + std::ptrdiff_t(from), path_->said.begin() + std::ptrdiff_t(to),
              std::back_inserter(batch.deltas));
    const std::string text = encode_telemetry(batch);
    for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
      Duration way(std::int64_t(random_.exponential(double(population.report_delay.count()))));
      // A batch that is lost is sent again, for the SDK heard no answer.
      if (random_.chance(double(population.report_loss_ppm) / 1e6)) way += kSentAgainAfter;
      path_->under_way.emplace(now + way, text);
    }
  }
  path_->said.clear();
}

void SessionLevel::deliver(Duration now) {
  send(now);
  const bool blind = truth_->acting(FaultKind::Blind) != nullptr;
  while (!path_->under_way.empty() && path_->under_way.begin()->first <= now) {
    auto batch = decode_telemetry(path_->under_way.begin()->second);
    CHECK(batch);  // We wrote it ourselves.
    path_->under_way.erase(path_->under_way.begin());
    if (!blind && !host_->report(report_of(*std::move(batch)))) ++refused_;
  }
}

}  // namespace showcaller::sim
