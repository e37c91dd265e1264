// SPDX-License-Identifier: Apache-2.0
// When a probe's journeys are made, and what their outcomes come to. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "model/spec/probe.h"

namespace showcaller {

// The pause before the nth journey (from 1) of a probe from a region: `every`, shorter or longer by
// its jitter. The same names and numbers give the same pause. Before the first there is none.
Duration pause_before(const ProbeSpec& spec, const std::string& probe, const std::string& region,
                      std::uint64_t journey);

// How a probe stands, from all the places it is made from.
class ProbeStanding {
 public:
  struct Place {
    bool was_good = false;  // at least once
    int failures = 0;       // in a row, up to now
    Instant heard{};        // the last outcome
    std::string wrong;      // of it; empty: it was good
    Duration took{};        // of the last good one
    std::int64_t journeys = 0, failed = 0;
  };
  struct Verdict {
    bool ready = false;
    std::string says;  // "eu, us", or what is wrong where
  };

  void note(const std::string& region, const std::string& wrong, Duration took, Instant at);
  // Ready: from every place that the probe names (from one at least, if it names none) it was good,
  // has not failed `failures` times in a row since, and was heard of lately.
  Verdict verdict(const ProbeSpec& spec, Instant now) const;
  const std::map<std::string, Place>& places() const { return places_; }

 private:
  std::string wrong_at(const ProbeSpec& spec, const std::string& region, Instant now) const;
  std::map<std::string, Place> places_;  // by region
};

}  // namespace showcaller
