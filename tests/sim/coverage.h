// SPDX-License-Identifier: Apache-2.0
// How often each command met each fault in each phase. Threads: none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/sim/random_run.h"

namespace showcaller::sim {

class Coverage {
 public:
  Coverage();

  void add(const std::vector<Meeting>& meetings);
  // The one of the fewest times; of several, by a random draw.
  Meeting least(Random* random) const;
  std::int64_t least_times() const;
  // Below so many times, as text.
  std::vector<std::string> below(std::int64_t times) const;
  // Faults, and phases in which no command at all met them.
  std::vector<Meeting> never_together() const;
  // "2,310 of 3,300 meetings of a fault, a phase and a command were reached, …"
  std::string summary() const;

 private:
  std::map<Meeting, std::int64_t> times_;
};

}  // namespace showcaller::sim
