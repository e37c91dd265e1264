// SPDX-License-Identifier: Apache-2.0
#include "cli/probe/probe_journeys.h"

#include <algorithm>
#include <chrono>

#include "flow/probe_journey.h"

namespace showcaller {
namespace {

ProbeResult not_made(std::string why) {
  ProbeResult out;
  out.wrong = std::move(why);
  out.journeys = 0;
  return out;
}

}  // namespace

ProbeJourneys::ProbeJourneys(ProbeStepPorts ports, ProbeJourneysOptions options)
    : ports_(ports), options_(options) {
  for (int i = 0; i < std::max(1, options_.threads); ++i) threads_.emplace_back([this] { work(); });
}

void ProbeJourneys::stop() {
  std::deque<Waiting> dropped;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(waiting_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (Waiting& waiting : dropped) waiting.done(not_made("the prober is stopping"));
}

void ProbeJourneys::run(const ProbeCall& call, Outcome done) {
  {
    std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() < options_.waiting_max) {
      waiting_.push_back({call, std::move(done)});
      changed_.notify_one();
      return;
    }
  }
  done(not_made("too many journeys wait for their turn"));
}

void ProbeJourneys::work() {
  for (;;) {
    Waiting next;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next.done(make(next.call));
  }
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
