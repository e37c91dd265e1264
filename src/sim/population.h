// SPDX-License-Identifier: Apache-2.0
// Who plays the virtual game, and what the game is really like: how many players, where and when,
// how long, in what company; and how often things go wrong without any fault. The truth that a
// rehearsal's gates have to find out.
//
// Written as YAML (docs/rehearse.md has the keys); a key that is absent has the default below, and
// what the manifests say of regions and fleets is taken from there.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/manifest/finding.h"
#include "model/spec/manifest.h"

namespace showcaller::sim {

struct RegionCrowd {
  std::string name;
  double share = 1;         // of all players, relative to the other regions'
  double utc_offset_h = 0;  // whose evening it is
};

// What is true of one metric, in both arms, before any fault.
struct MetricTruth {
  std::string name;
  double rate = 0;    // events a unit, of what is counted; 0: as the kind of metric has it
  double median = 0;  // of what is measured
  double p99 = 0;
};

struct CurvePoint {
  Duration since_start{};
  double players = 0;  // at once
};

struct Population {
  double players = 0;                     // at once, in the best hour of the week; 0: fitted()
  double registered = 0;                  // who could come; 0: ten times as many
  Duration session{};                     // the mean length; 0: fitted()
  double session_spread = 0.5;            // sd of the log of it
  int session_players = 0;                // who play one session together; 0: fitted()
  int party = 2;                          // of them, who came together: the first party decides
  std::int64_t day_swing_ppm = 350'000;   // of the mean, up and down
  std::int64_t week_swing_ppm = 100'000;  // the same over the week
  double launch_spike = 1;                // times as many when the doors open
  Duration spike_fades = hours(2);        // to a third
  std::int64_t churn_ppm = 200'000;       // of players whom a session failed: away for the day
  std::vector<RegionCrowd> regions;       // empty: those of the fleets, alike
  std::vector<CurvePoint> curve;          // recorded; replaces players and swings
  std::vector<MetricTruth> metrics;       // those that are not named are as their kind is

  std::int64_t crash_ppm = 1'000;  // of sessions
  double instance_spread = 0.1;    // sd of the log of an instance's rates, and again as much drift
  double shocks_per_hour = 0.5;    // trouble that meets both arms alike
  Duration cold_start = minutes(2);  // in which a new instance is up to twice as bad

  // ---- the people and the machinery around the game ----
  Duration approval = minutes(10);         // the mean time until somebody approves
  Duration answer = minutes(5);            // until whoever is called answers the page
  Duration readiness_report = minutes(2);  // until others report on their checks
  Duration instance_start = seconds(5);    // the mean; an image that is new to a host costs as much
  int host_instances_max = 1'000;          // that a host has room for
  Duration report_delay = seconds(2);      // the mean of a report's way
  std::int64_t report_loss_ppm = 1'000;

  double registered_players() const { return registered > 0 ? registered : 10 * players; }
  // Parties that could come to play in a region. No more than 32 bits can number.
  std::uint64_t parties(const RegionCrowd& region) const {
    return std::uint64_t(std::clamp(registered_players() * region.share / party, 1.0, 4e9));
  }
};

// Errors have the places. `findings` may hold warnings when it succeeds.
std::optional<Population> read_population(const SourceFile& file, std::vector<Finding>* findings);
// A recorded curve: header "timestamp,players", then RFC 3339 instants in order. At most 1,000,000
// rows.
Result<std::vector<CurvePoint>> read_curve(std::string_view csv);

// What the population leaves open, as the fleets suggest: their regions, alike; half of the players
// whom they have room for, at most 10,000; sessions as large as a fleet says (else of 4), and half
// as long as the longest.
Population fitted(Population population,
                  std::span<const std::shared_ptr<const Manifest>> manifests);

// Sessions that begin in a second in the region. `since_open`: since the doors opened, if they did.
double sessions_per_s(const Population& population, const RegionCrowd& region, Instant wall,
                      Duration since_start, std::optional<Duration> since_open);

}  // namespace showcaller::sim
