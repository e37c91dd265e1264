// SPDX-License-Identifier: Apache-2.0
// The automatic gate: compares a canary with its baseline tick by tick and says pass, fail, thin,
// blind or skewed.
//
// One mechanism for every metric: a conditional likelihood on a grid of log-ratios, tempered by the
// noise measured between baseline groups, read as an anytime-valid e-value and as a
// group-sequential score. docs/gates.md has the formulas. Pure: same config and same ticks give the
// same looks, bit for bit, on every machine.
//
// Threads: none. A state is a value: copy it freely; rebuild it by feeding the stored ticks again
// (some 10 us a tick).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evidence/tick.h"

namespace showcaller {

enum class MetricKind : std::uint8_t { Binary, Count, Rate, Quantile };
enum class Better : std::uint8_t { Lower, Higher };
// How units come to the arms, hence what the noise between groups is: hash buckets of players on
// shared instances, or whole instances.
enum class Assignment : std::uint8_t { Player, Instance };
enum class GateProfile : std::uint8_t {
  Guaranteed,  // "G1": false rollback at most 1 % a stage
  Calibrated,  // "C": faster, false rollback 1 to 4 %, measured by simulation
};
enum class Verdict : std::uint8_t { Pass, Fail, Thin, Blind, Skewed };

std::string_view to_string(MetricKind kind);        // "binary" ...
std::string_view to_string(Assignment assignment);  // "player", "instance"
std::string_view to_string(GateProfile profile);    // "G1", "C"
std::string_view to_string(Verdict verdict);        // "pass" ...
std::optional<MetricKind> parse_metric_kind(std::string_view text);
std::optional<Assignment> parse_assignment(std::string_view text);
std::optional<GateProfile> parse_gate_profile(std::string_view text);
std::optional<Verdict> parse_verdict(std::string_view text);

// What is known of the spread between instances before the stage: sd of the log rate, and how many
// degrees of freedom that is worth. Store what `GateState::learned()` says and hand it to the next
// stage of the same service.
struct NoisePrior {
  double tau = 0.15;
  double nu = 6;
  friend bool operator==(const NoisePrior&, const NoisePrior&) = default;
};

struct GateMetric {
  std::string name;
  MetricKind kind = MetricKind::Binary;
  Better better = Better::Lower;
  double weight = 0;            // relative importance; 0 for all: equal
  double worse_by_at_most = 0;  // acceptable growth, as a ratio: 0.10 is 10 %
  double must_detect =
      0;  // the growth the stage must be able to see, as a factor: 2 is twofold. 0: the default
          // (1.5; 2 where the name says crash; 1.9 on the top cut of a quantile)
  std::vector<double> at;    // quantile metrics: {0.5, 0.9, 0.95, 0.99}
  std::vector<double> cuts;  //   and the frozen values of the baseline there, ascending
  // Quantile metrics: the canary's values were divided by this before they were counted (counted
  // above cut x this), so that so much of what is acceptable lies in the counts. 1: they were not.
  double divided_by = 1;
  double scaled_by =
      0;  // quantile metrics: > 1 when each group's counts end with the number above top cut x this
  NoisePrior prior;
};

struct GateConfig {
  std::vector<GateMetric> metrics;
  GateProfile profile = GateProfile::Guaranteed;
  // How much rarer a false rollback is to be than the profile's thresholds make it: e-values count
  // for 1/strictness, the score has alpha/strictness.
  double strictness = 1;
  Assignment assignment = Assignment::Player;
  std::int64_t planned_s = 3600;
  std::int64_t tick_s = 10;
  std::int64_t warmup_s = 150;
  double share = 0;  // of units that go to the canary, in (0, 1); 0: unknown, no sample-ratio check
  std::int64_t canary_instances_min = 4;  // instance assignment: with fewer, small effects rest
  std::int64_t canary_events_min = 3;     // in a window, before it is judged
  std::int64_t baseline_events_min = 10;
};

Status check(const GateConfig& config);
TickShape shape_of(const GateConfig& config);
// An absolute margin (0.001 = 0.1 pp) as a ratio on a frozen baseline rate.
double ratio_of_points(double points, double baseline_rate);
// The factor a metric must be able to show (must_detect, or its default), on the event ratio.
double budget_ratio(const GateMetric& metric);
// The same of a quantile's values.
double latency_growth_seen(const GateMetric& metric);

struct MetricLook {
  std::string name;
  Verdict verdict = Verdict::Thin;  // fail: blamed; pass: certified, or enough power and not worse
  std::int64_t log_e_unats = 0;     // log E in millionths of a nat; kLogZero when E is 0
  double ratio = 1;       // canary over baseline; for quantiles the ratio of exceedances at `at`
  double ratio_low = 0;   // confidence sequence at 95 %, valid at every look
  double ratio_high = 0;  // 0: unbounded so far
  double at = 0;          // quantile metrics: which quantile the ratio speaks of
  double divided_by = 1;  //   and what the canary's values were divided by
  std::int64_t canary_n = 0, canary_x = 0, baseline_n = 0, baseline_x = 0;  // after warm-up
  double phi = 1;                                                           // dispersion
  double tau = 0;                   // sd between instances (instance assignment)
  double score = 0;                 // z of the score test
  std::int64_t log_safe_unats = 0;  // log of the promotion certificate
  double canary_n_needed = 0;       // to have 80 % power at the budget; 0: no bake length suffices
  bool blamed = false;              // by e-BH or by the score that fired
  bool powered = false;             // had 80 % power at its budget
};

inline constexpr std::int64_t kLogZero = INT64_MIN;

struct GateLook {
  Verdict verdict = Verdict::Thin;
  std::int64_t t_s = 0;
  std::int64_t log_e_unats = kLogZero;      // of the weighted mean of all e-values
  std::int64_t log_threshold_unats = 0;     // fails at or above
  std::int64_t log_sample_ratio_unats = 0;  // log Bayes factor of the sample-ratio check
  std::vector<MetricLook> metrics;          // in the order of the config
  std::string why;  // one sentence for a person, with what would settle a thin verdict
};

class GateState {
 public:
  // CHECKs that check(config) passes.
  explicit GateState(GateConfig config);
  GateState(const GateState& other);
  GateState& operator=(const GateState& other);
  GateState(GateState&& other) noexcept;
  GateState& operator=(GateState&& other) noexcept;
  ~GateState();

  // Ticks in the order of t_s. A tick at or before second 0 is baseline history: it teaches noise
  // and nothing else, and may come at any time. Missing ticks count as ticks without telemetry.
  // After a fail, further ticks change nothing.
  Verdict feed(const Tick& tick);
  Verdict verdict() const;
  // What look() says of each metric, in the order of the config, and cheap; not to be asked once
  // the verdict is fail: who is to blame is for look() to say.
  std::vector<Verdict> metric_verdicts() const;
  std::int64_t t_s() const;
  // Everything a person or a record wants to know. Costs some 50 us a metric.
  GateLook look() const;
  // What the baseline's instances have taught, one a metric: the prior for the next stage (nu grows
  // to 40).
  std::vector<NoisePrior> learned() const;
  // The greatest strictness with which the profile would still fail at the present tick; at_least,
  // if it is no more than that, which is cheap to know. For simulations of what a stage would do.
  double strictness_reached(double at_least) const;
  const GateConfig& config() const;
  std::size_t state_bytes() const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace showcaller
