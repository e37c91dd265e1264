// SPDX-License-Identifier: Apache-2.0
#include "cli/probe/probe_journeys.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "cli/probe/journey_trace.h"
#include "flow/probe_journey.h"

namespace showcaller {
namespace {

constexpr const char* kStopping = "the prober is stopping";

ProbeResult not_made(std::string why) {
  ProbeResult out;
  out.wrong = std::move(why);
  out.journeys = 0;
  return out;
}

}  // namespace

ProbeJourneys::ProbeJourneys(ProbeStepPorts ports, ProbeJourneysOptions options)
    : options_(std::move(options)), ports_(ports), queue_(options_.waiting_max, options_.threads) {}

void ProbeJourneys::run(const ProbeCall& call, Outcome done) {
  const CallQueue::Put put = queue_.put([this, call, done](CallQueue::Turn turn) {
    done(turn == CallQueue::Turn::Now ? make(call) : not_made(kStopping));
  });
  if (put == CallQueue::Put::Ending) done(not_made(kStopping));
  if (put == CallQueue::Put::Full) done(not_made("too many journeys wait for their turn"));
}

ProbeResult ProbeJourneys::make(const ProbeCall& call) const {
  ProbeResult result = make_once(call, 1);
  for (int retry = 1; retry <= call.spec.retries && !result.good(); ++retry) {
    result = make_once(call, retry + 1);
    result.journeys = retry + 1;
  }
  return result;
}

ProbeResult ProbeJourneys::make_once(const ProbeCall& call, int number) const {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [start] {
    return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start);
  };
  ProbeJourney journey(call);
  std::optional<JourneyTrace> trace;
  if (options_.spans) trace.emplace(call, number, options_.wall());
  while (const auto step = journey.next()) {
    const Duration began = elapsed();
    ProbeContext context = journey.context();
    if (trace) context.traceparent = trace->begin(*step, began);
    const ProbeAnswer answer =
        ports_[step->what.index()]->exchange(*step, context, journey.time_left());
    journey.answered(answer, elapsed() - began);
    if (trace) trace->end(journey.result().steps.back(), elapsed());
  }
  if (trace) options_.spans->take(trace->finish(journey.result(), elapsed()));
  return journey.result();
}

}  // namespace showcaller
