// SPDX-License-Identifier: Apache-2.0
// Makes probes' journeys on a few threads of its own, step by step through the port of each kind,
// and tells their spans.
//
// Threads: run() never blocks; outcomes come on the adapter's threads. Limits: journeys waiting;
// one more is answered as not made.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <variant>

#include "flow/port/probe.h"
#include "flow/port/probe_step.h"
#include "host/port/span_sink.h"
#include "net/call_queue.h"

namespace showcaller {

// One a kind of step, in the order of ProbeStep::what. They outlive the journeys.
using ProbeStepPorts = std::array<ProbeStepPort*, std::variant_size_v<decltype(ProbeStep::what)>>;

struct ProbeJourneysOptions {
  int threads = 4;
  std::size_t waiting_max = 1'024;
  SpanSink* spans = nullptr;  // outlives the journeys; null: they have no spans
  std::function<Instant()> wall;
};

class ProbeJourneys final : public ProbePort {
 public:
  explicit ProbeJourneys(ProbeStepPorts ports, ProbeJourneysOptions options = {});
  ProbeJourneys(const ProbeJourneys&) = delete;
  ProbeJourneys& operator=(const ProbeJourneys&) = delete;

  void run(const ProbeCall& call, Outcome done) override;
  // Journeys under way are made to their end; those that wait, and all from now on, are answered as
  // not made. When it returns, every outcome is told: whoever is told may go.
  void stop() { queue_.end(); }
  // Here and now, retries and all.
  ProbeResult make(const ProbeCall& call) const;

 private:
  ProbeResult make_once(const ProbeCall& call, int number) const;

  const ProbeJourneysOptions options_;
  const ProbeStepPorts ports_;
  CallQueue queue_;  // ends before the rest goes
};

}  // namespace showcaller
