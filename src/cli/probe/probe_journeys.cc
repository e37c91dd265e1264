// SPDX-License-Identifier: Apache-2.0
#include "cli/probe/probe_journeys.h"

#include <algorithm>
#include <chrono>

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
    : ports_(ports), queue_(options.waiting_max, options.threads) {}

void ProbeJourneys::run(const ProbeCall& call, Outcome done) {
  const CallQueue::Put put = queue_.put([this, call, done](CallQueue::Turn turn) {
    done(turn == CallQueue::Turn::Now ? make(call) : not_made(kStopping));
  });
  if (put == CallQueue::Put::Ending) done(not_made(kStopping));
  if (put == CallQueue::Put::Full) done(not_made("too many journeys wait for their turn"));
}

ProbeResult ProbeJourneys::make(const ProbeCall& call) const {
  ProbeResult result = make_once(call);
  for (int retry = 1; retry <= call.spec.retries && !result.good(); ++retry) {
    result = make_once(call);
    result.journeys = retry + 1;
  }
  return result;
}

ProbeResult ProbeJourneys::make_once(const ProbeCall& call) const {
  ProbeJourney journey(call);
  while (const auto step = journey.next()) {
    const auto began = std::chrono::steady_clock::now();
    const ProbeAnswer answer =
        ports_[step->what.index()]->exchange(*step, journey.context(), journey.time_left());
    journey.answered(
        answer, std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began));
  }
  return journey.result();
}

}  // namespace showcaller
