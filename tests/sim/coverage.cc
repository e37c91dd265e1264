// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/coverage.h"

#include <algorithm>

#include <fmt/format.h>

namespace showcaller::sim {
namespace {

using Times = std::map<Meeting, std::int64_t>;

Times::const_iterator rarest(const Times& times) {
  return std::min_element(times.begin(), times.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; });
}

}  // namespace

Coverage::Coverage() {
  for (int fault = 0; fault < kFaultKinds; ++fault) {
    for (const Phase phase : kPhasesMet) {
      for (int verb = 0; verb < kOperatorVerbs; ++verb)
        times_[{FaultKind(fault), phase, OperatorVerb(verb)}] = 0;
    }
  }
}

void Coverage::add(const std::vector<Meeting>& meetings) {
  for (const Meeting& meeting : meetings) {
    const auto at = times_.find(meeting);
    if (at != times_.end()) ++at->second;
  }
}

std::int64_t Coverage::least_times() const {
  return rarest(times_)->second;
}

Meeting Coverage::least(Random* random) const {
  std::vector<Meeting> candidates;
  const std::int64_t least = least_times();
  for (const auto& [meeting, times] : times_) {
    if (times == least) candidates.push_back(meeting);
  }
  return candidates[random->below(candidates.size())];
}

std::vector<std::string> Coverage::below(std::int64_t times) const {
  std::vector<std::string> out;
  for (const auto& [meeting, so_often] : times_) {
    if (so_often < times) out.push_back(fmt::format("{} {}", to_text(meeting), so_often));
  }
  return out;
}

std::vector<Meeting> Coverage::never_together() const {
  std::map<Meeting, std::int64_t> together;
  for (const auto& [meeting, times] : times_)
    together[{meeting.fault, meeting.phase, OperatorVerb::Hold}] += times;
  std::vector<Meeting> out;
  for (const auto& [both, times] : together) {
    if (times == 0) out.push_back(both);
  }
  return out;
}

std::string Coverage::summary() const {
  std::int64_t reached = 0, all = 0;
  for (const auto& [meeting, times] : times_) {
    reached += times > 0 ? 1 : 0;
    all += times;
  }
  const auto least = rarest(times_);
  return fmt::format(
      "{} of {} meetings of a fault, a phase and a command were reached ({} times), {} never; "
      "the rarest is {}, {} times",
      reached, times_.size(), all, std::int64_t(times_.size()) - reached, to_text(least->first),
      least->second);
}

}  // namespace showcaller::sim
