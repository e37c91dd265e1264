// SPDX-License-Identifier: Apache-2.0
// Sessions one by one: the production's allocator gives them their places, and game servers report
// what happened to them in batches of the SDK's own form, over a path that delays, loses and
// repeats. For paths; evidence_level.h is for rates and statistics.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "codec/telemetry.h"
#include "sim/level.h"

namespace showcaller::sim {

class SessionLevel final : public Level {
 public:
  // Told of each session that got a place.
  using Seated = std::function<void(const AllocationRequest&, const Allocation&)>;
  SessionLevel(Truth* truth, VirtualFleet* fleet, std::string event, std::uint64_t seed,
               Seated seated);

  void open(Host* host, const Assigner* assigner) override;
  void begin_step(Duration) override {}
  // Sends what was said in the step, and delivers what has arrived by now.
  void end_step(Duration now) override;
  void seat(const Arrivals& arrivals, std::span<Seat> seats) override;
  void ended(std::span<const Playing> sessions) override;
  std::int64_t refused_reports() const { return refused_; }

 private:
  // What is told of a session at its end.
  struct Ticket {
    std::string unit, instance;
    std::vector<ArmAssignment> flag_arms;  // of events that change no build
  };
  bool never_asks(const Visit& visit);
  Seat seat_of(const Visit& visit);
  void tell_of(const Playing& session);
  void say(const Playing& session, const Ticket& ticket, const Measured& metric,
           const Outcome& outcome);
  void send(Duration now);

  Host* host_ = nullptr;
  const Assigner* assigner_ = nullptr;
  Truth* truth_;
  VirtualFleet* fleet_;
  std::string event_;  // whose canary is told of
  Random random_;
  Seated on_seat_;
  std::map<std::uint64_t, Ticket> tickets_;  // by session
  std::vector<TelemetryDelta> said_;
  std::vector<TelemetryDelta> kept_back_;  // by servers that are cut off
  std::int64_t next_batch_ = 1;
  std::multimap<Duration, std::string> under_way_;  // batches as they travel, by their arrival
  std::int64_t refused_ = 0;
};

// Whether the arms put a session on the event's canary.
bool on_canary(const std::vector<ArmAssignment>& arms, const std::string& event);

}  // namespace showcaller::sim
