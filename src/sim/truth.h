// SPDX-License-Identifier: Apache-2.0
// What the virtual game is like at a moment: rates of an arm on an instance, with what instances
// differ by, what meets all of them alike, and the faults that act. Both levels of a rehearsal draw
// from here, so that they tell of the same game. Threads: none.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/spec/others.h"
#include "sim/fault.h"
#include "sim/population.h"

namespace showcaller::sim {

// A metric that gates ask for, and what is true of it.
struct Measured {
  std::string name;
  MetricType type = MetricType::Binary;
  bool lower_is_better = true;
  bool is_crash = false;  // the server counts it itself
  double rate = 0.01;
  double median = 40, p99 = 250;
  double sigma = 0;  // sd of the log of what is measured: Truth works it out
};

// How a session fared.
struct Fate {
  double trouble = 1;  // as Truth says
  bool canary = false, crashed = false;
  Duration lasted{};
};

// What one session says of one metric.
struct Outcome {
  std::int64_t n = 0, x = 0;    // exposures and events; n = 0: it says nothing
  std::optional<double> value;  // instead, of what is measured
  bool bad = false;             // worse than it should be, as the players see it
};

struct InstanceMood {
  double fixed = 0, drift = 0;  // of the log of its rates
  double level = 1;             // of its rates, as both have it
  Duration drifted{};           // until when the drift is known
};

class Truth {
 public:
  Truth(const Population& population, std::vector<Measured> metrics, std::vector<Fault> faults,
        std::uint64_t seed);

  // Time goes on. Since the manifest was applied, and since the first players were let in, if so.
  void advance(Duration now, std::optional<Duration> since_applied,
               std::optional<Duration> since_admitted);
  std::optional<Duration> since_applied() const { return since_applied_; }
  std::optional<Duration> since_admitted() const { return since_admitted_; }
  InstanceMood new_mood();
  // Brings an instance's mood to now.
  void let_drift(InstanceMood* mood);

  // How much worse than in the mean a session fares, as a factor on rates: mood, age, shocks.
  double trouble(const InstanceMood& mood, Duration age) const;
  double crash_rate(double trouble, bool canary) const;
  // The rate of a counted metric: of events, whichever way is better.
  double rate(const Measured& metric, double trouble, bool canary) const;
  // P(a value is above a cut).
  double above(const Measured& metric, double cut, double trouble, bool canary) const;
  double value(const Measured& metric, double trouble, bool canary, Random* random) const;
  // What a session shows of the metric at its end; crashes are known by then.
  Outcome outcome(const Measured& metric, const Fate& fate, Random* random) const;

  const std::vector<Measured>& metrics() const { return metrics_; }
  const Population& population() const { return population_; }
  // The fault of that kind that acts now, of several the one that began last; null: none.
  const Fault* acting(FaultKind kind) const { return acting_[std::size_t(kind)]; }
  // All that act, or have begun if they strike once.
  std::vector<const Fault*> begun(FaultKind kind) const;
  // Whether some fault that players suffer from acts now.
  bool is_harmful() const;
  const std::vector<Fault>& faults() const { return faults_; }
  // Since the moment a fault counts from.
  std::optional<Duration> since_of(FaultKind kind) const;

 private:
  const Fault* found_acting(FaultKind kind) const;
  double level_of(const InstanceMood& mood) const;
  double size_of(FaultKind kind, double otherwise) const;
  struct Shape {
    double median, lower_sigma, upper_sigma;
  };
  Shape shape_of(const Measured& metric, double trouble, bool canary) const;

  const Population population_;
  std::vector<Measured> metrics_;
  std::vector<Fault> faults_;
  std::array<const Fault*, kFaultKinds> acting_{};  // now; null: none of the kind
  Random random_;
  Duration now_{};
  std::optional<Duration> since_applied_, since_admitted_;
  double crash_rate_ = 0;
  Duration shock_ends_{};
  double shock_ = 1;
  Duration drift_passed_{};  // for so long of drift
  double drift_kept_ = 1, drift_added_ = 0;
};

}  // namespace showcaller::sim
