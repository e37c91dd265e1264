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

SessionLevel::SessionLevel(Truth* truth, VirtualFleet* fleet, std::string event, std::uint64_t seed,
                           Seated seated)
    : truth_(truth),
      fleet_(fleet),
      event_(std::move(event)),
      random_(seed),
      on_seat_(std::move(seated)) {}

void SessionLevel::open(Host* host, const Assigner* assigner) {
  host_ = host;
  assigner_ = assigner;
}

bool SessionLevel::never_asks(const Visit& visit) {
  const Fault* split = truth_->acting(FaultKind::Split);
  if (!split) return false;
  const auto builds = assigner_->builds(request_of(truth_->population(), visit));
  return builds && builds->layer && random_.chance(split->size);
}

void SessionLevel::seat(const Arrivals& arrivals, std::span<Seat> seats) {
  for (std::size_t i = 0; i < arrivals.size(); ++i) seats[i] = seat_of(arrivals.visit(i));
}

Seat SessionLevel::seat_of(const Visit& visit) {
  if (never_asks(visit)) return {.state = SeatState::NotAskedFor};
  const AllocationRequest request = request_of(truth_->population(), visit);
  Ticket ticket{request.party, {}, assigner_->flags(request)};
  Seat seat;
  seat.canary = on_canary(ticket.flag_arms, event_);
  if (!request.fleet.empty()) {
    const auto allocation = host_->allocate(request);
    if (!allocation) return {};
    seat.instance = fleet_->find(allocation->instance);
    // A driver that lies lost it: nobody plays there, as the allocator will find out.
    if (!seat.instance || !fleet_->has_session(seat.instance->number, visit.session)) return {};
    ticket.instance = allocation->instance;
    seat.canary = seat.canary || on_canary(allocation->arms, event_);
    if (on_seat_) on_seat_(request, *allocation);
  }
  tickets_[visit.session] = std::move(ticket);
  seat.state = SeatState::Taken;
  return seat;
}

void SessionLevel::ended(std::span<const Playing> sessions) {
  for (const Playing& session : sessions) tell_of(session);
}

void SessionLevel::tell_of(const Playing& session) {
  auto found = tickets_.extract(session.id);
  CHECK(!found.empty());  // seat() gave it.
  const Ticket& ticket = found.mapped();
  if (session.instance != 0) (void)host_->release(session_name(session.id));
  VirtualInstance* instance = fleet_->find(session.instance);
  static const InstanceMood kCalm;
  if (instance) truth_->let_drift(&instance->mood);
  Fate fate;
  fate.trouble = truth_->trouble(instance ? instance->mood : kCalm,
                                 instance ? session.ends - instance->ready_since : hours(1));
  fate.canary = session.canary;
  fate.crashed = session.failed;
  fate.lasted = Duration(session.lasts_ms);
  for (const Measured& metric : truth_->metrics()) {
    const Outcome outcome = truth_->outcome(metric, fate, &random_);
    if (outcome.n > 0) say(session, ticket, metric, outcome);
  }
}

// The session's own server tells of it; of events that change no build, each unit's client tells.
void SessionLevel::say(const Playing& session, const Ticket& ticket, const Measured& metric,
                       const Outcome& outcome) {
  const Fault* skew = truth_->acting(FaultKind::Skew);
  if (skew && session.canary && outcome.bad && random_.chance(skew->size)) return;
  TelemetryDelta delta;
  delta.metric = metric.name;
  if (outcome.value) {
    delta.histogram.emplace().record(*outcome.value);
  } else {
    delta.n = outcome.n;
    delta.x = outcome.x;
  }
  for (const ArmAssignment& arm : ticket.flag_arms) {
    if (!arm.counted) continue;
    TelemetryDelta told = delta;
    told.event = arm.event;
    told.arm = arm.arm;
    told.unit = ticket.unit;
    said_.push_back(std::move(told));
  }
  // The server sees crashes itself.
  if (ticket.instance.empty() || metric.is_crash) return;
  delta.session = session_name(session.id);
  delta.instance = ticket.instance;
  const std::string& region = truth_->population().regions[session.region].name;
  (fleet_->is_cut_off(region) ? kept_back_ : said_).push_back(std::move(delta));
}

void SessionLevel::send(Duration now) {
  const Population& population = truth_->population();
  const bool twice = truth_->acting(FaultKind::Duplicates) != nullptr;
  for (std::size_t from = 0; from < said_.size(); from += kBatchMax) {
    const std::size_t to = std::min(said_.size(), from + kBatchMax);
    TelemetryBatch batch;
    batch.source = "sdk";
    batch.sequence = next_batch_++;
    batch.trust = Trust::Server;
    std::move(said_.begin() + std::ptrdiff_t(from), said_.begin() + std::ptrdiff_t(to),
              std::back_inserter(batch.deltas));
    const std::string text = encode_telemetry(batch);
    for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
      Duration way(std::int64_t(random_.exponential(double(population.report_delay.count()))));
      // A batch that is lost is sent again, for the SDK heard no answer.
      if (random_.chance(double(population.report_loss_ppm) / 1e6)) way += kSentAgainAfter;
      under_way_.emplace(now + way, text);
    }
  }
  said_.clear();
}

void SessionLevel::end_step(Duration now) {
  if (!truth_->acting(FaultKind::Partition)) {
    std::move(kept_back_.begin(), kept_back_.end(), std::back_inserter(said_));
    kept_back_.clear();
  }
  send(now);
  const bool blind = truth_->acting(FaultKind::Blind) != nullptr;
  while (!under_way_.empty() && under_way_.begin()->first <= now) {
    auto batch = decode_telemetry(under_way_.begin()->second);
    CHECK(batch);  // We wrote it ourselves.
    under_way_.erase(under_way_.begin());
    if (!blind && !host_->report(report_of(*std::move(batch)))) ++refused_;
  }
}

bool on_canary(const std::vector<ArmAssignment>& arms, const std::string& event) {
  return std::any_of(arms.begin(), arms.end(), [&](const ArmAssignment& arm) {
    return arm.event == event && arm.arm == Arm::Canary && !arm.spilled;
  });
}

}  // namespace showcaller::sim
