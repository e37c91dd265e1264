// SPDX-License-Identifier: Apache-2.0
// Inside GateState: what it keeps, and the questions it can answer about one series of events.
//
// A series is one stream of yes-or-no evidence: a binary, count or rate metric has one, a quantile
// metric one for each cut. Where more is better, the arms change roles, so that "worse" is always
// "more events in the suspect arm".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/gate.h"
#include "analysis/group_noise.h"
#include "analysis/likelihood_grid.h"

namespace showcaller {

// Sums in roles: suspect is the canary, or the baseline where more is better.
struct SeriesSums {
  double suspect = 0;      // events
  double reference = 0;    // events
  double expected = 0;     // suspect events, were the arms alike
  double counterpart = 0;  // reference events, were the arms alike
  double information = 0;  // about the log ratio, at no effect, phi = 1
  double matched = 0;      // suspect events, each weighed by the share of the other arm

  // Canary over baseline; 1 without any event.
  double ratio(bool swapped) const;
};

struct SeriesWindow {
  GridRow l;
  SeriesSums sums;
};

// What is fixed for the stage.
struct SeriesPlan {
  std::size_t metric = 0;
  std::size_t canary_column = 0, baseline_column = 0;  // of the counts of a group
  double at = 0;                                       // quantile metrics: which quantile
  double weight = 0;  // of the e-value; 0: the series serves the certificate alone
  double score_weight = 0;
  double score_critical = 0;  // z
  double baseline_events_min = 10;
  GridMargins margins;
  GridMixture worse;          // alternatives beyond the margin
  bool catastrophe = false;   // watches for disasters from second 0
  GridMixture disaster;       // alternatives beyond the catastrophe margin
  GridMixture disaster_null;  // instance assignment
  bool certifies = false;
  GridMixture safe;
  double margin() const { return margins.beta[0]; }
  double safe_margin() const { return margins.beta[2]; }
};

struct MetricPlan {
  std::size_t n_column = 0;
  std::size_t first = 0, last = 0;  // its series
  std::size_t top = 0;              // the one that speaks of the budget
  std::size_t certifier = 0;        // the same, or the scaled one
  double weight = 0;                // of its series together
  double catastrophe_weight = 0;
  bool swapped = false;
};

struct GatePlan {
  GateConfig config;
  TickShape shape;
  std::size_t width = 0;
  std::vector<MetricPlan> metrics;
  std::vector<SeriesPlan> series;
};

std::shared_ptr<const GatePlan> make_gate_plan(GateConfig config);

// Totals of groups since history began, flat: one row of counts a group.
struct GroupTable {
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> index;  // stratum, id
  std::vector<std::uint32_t>
      order;  // groups as the last tick listed them: the next lists them alike
  std::vector<std::string> ids;
  std::vector<std::uint32_t> stratum;
  std::vector<double> counts;
  std::vector<double> history;  // what of the counts was there before second 0; rows may lack
};

// A copy of every series at a restart.
struct Restart {
  std::int64_t t_s = 0;
  std::vector<SeriesWindow> series;
  std::vector<double> canary_totals, baseline_totals;
  std::vector<float> baseline_counts;  // 24 bits are plenty for a measure of noise
  std::vector<float> canary_counts;
};

// Noise of one window, ready for use.
struct WindowNoise {
  double phi = 1;
  double v0 = 0;
  double nu = 6;
  double tau2 = 0;
  double floor = 1;
  double canary_groups = 0, baseline_groups = 0;  // effective numbers
};

// What a look asks of one series again and again.
struct SeriesEvidence {
  WindowNoise noise;                // of the whole stage
  std::vector<double> log_e_share;  // of each window, with its share; what has no weight has none
  double log_e = -1e300;            // of all of them
  double log_e_catastrophe = -1e300;
  bool score_fires = false;
};
using StageEvidence = std::vector<SeriesEvidence>;  // by series

// The most that all windows of a series say together, taken once and carried on: each window's
// likelihood grows by what the whole stage's grows by.
struct WindowsBound {
  std::size_t windows = 0;  // that it was taken of; 0: not yet
  GridRow l;                // the whole stage's likelihood then
  double phi = 1;           // no smaller one may be asked for
  double e = 0;             // the sum of their e-values with their shares
};

struct ArmPresence {
  std::int64_t absent_ticks = 0;  // no group of the arm in the tick
  std::int64_t quiet_ticks = 0;   // nor any exposure
  double quiet_expected = 0;      // exposures that should have come meanwhile
  double exposures = 0;           // so far: what the arm itself has shown it brings
};

// A stretch of telemetry not yet judged, because one arm had no exposure in it.
struct PendingStratum {
  std::vector<double> canary, baseline;
};

// How events clump inside one tick, asked of the baseline's instances tick by tick: how far each is
// off what the others lead to expect, squared, over all events, is the size of the clump an event
// comes in. An instance is not held against itself: one that dies ends all its sessions at once,
// and so brings the exposures that would excuse its events.
struct ClumpSums {
  double events = 0;
  double squares = 0;        // sum over ticks and instances of (events - expected)^2
  double weighted_mean = 0;  // sum over ticks of events * events per instance
};

struct UnitTotals {
  std::int64_t canary = 0, all = 0;
  std::int64_t silent_canary = 0, silent_all = 0;  // while an arm's telemetry was absent
};

struct GateState::Core {
  std::shared_ptr<const GatePlan> plan;
  std::int64_t t_s = 0;
  std::int64_t ticks = 0;
  bool failed = false;
  bool skewed = false;
  Verdict verdict = Verdict::Thin;
  std::int64_t restarts_due = 1;  // number of the next restart

  std::vector<SeriesWindow> warm;  // until the warm-up ends
  std::vector<SeriesWindow> main;  // after it
  std::vector<Restart> restarts;
  mutable std::vector<WindowsBound> bounds;            // by series, where units are players
  std::vector<double> canary_totals, baseline_totals;  // after warm-up, as counts of a group
  GroupTable baseline_groups, canary_groups;
  std::vector<ClumpSums> clumps;          // instance assignment
  std::optional<std::int64_t> history_s;  // of the history tick before
  std::vector<char> certified;            // by metric
  std::vector<std::string> strata;
  std::vector<PendingStratum> pending;
  ArmPresence canary, baseline;
  std::map<std::string, UnitTotals> units;
  ShareTable table;

  explicit Core(std::shared_ptr<const GatePlan> the_plan);

  // gate_feed.cc
  void feed(const Tick& tick);
  void begin_restarts(std::int64_t start_s);
  void add_groups(const Tick& tick, bool history);
  void take_history(const Tick& tick);
  void note_clumps(const Tick& tick);
  void judge_pending(bool warming);
  void judge_series(std::size_t s, const PendingStratum& counts, bool warming);
  void note_presence(const Tick& tick, std::int64_t missing_ticks);
  void count_units(const Tick& tick);
  std::uint32_t stratum_of(const std::string& name);
  std::uint32_t group_of(GroupTable* table_of_arm, const GroupCounts& group, std::size_t position);

  // gate_evidence.cc: k = 0 is the whole stage after warm-up, k >= 1 since restart k.
  SeriesWindow window(std::size_t s, std::size_t k) const;
  // Whether it has enough events, and more of them than the arms' being alike explains: else it
  // says nothing, whatever its likelihood.
  bool window_speaks(std::size_t s, std::size_t k) const;
  WindowNoise noise(std::size_t s) const;  // of the whole stage
  WindowNoise noise_since(std::size_t s, std::size_t k, const WindowNoise& whole) const;
  WindowNoise noise(std::size_t s, std::size_t k) const;
  std::vector<GroupTotal> totals(const GroupTable& groups, std::size_t n_column,
                                 std::size_t x_column, const std::vector<float>* before) const;
  double effective_canary(std::size_t s, const std::vector<float>* before) const;
  double stage_groups_effective(std::size_t n_column) const;
  bool enough_events(const SeriesSums& sums, std::size_t s, double clump = 1) const;
  bool too_few_instances(const SeriesSums& sums, const WindowNoise& n) const;
  double log_e_window(std::size_t s, const SeriesWindow& w, const WindowNoise& n) const;
  double log_e_bound(std::size_t s, const SeriesWindow& w, const WindowNoise& n) const;
  StageEvidence evidence() const;
  // Of window k, with its share of the series' evidence.
  double log_e_share(std::size_t s, std::size_t k, const WindowNoise& whole) const;
  // Of a metric, the series that speaks loudest, and the window that tells most of it.
  std::size_t loudest_series(std::size_t m, const StageEvidence& evidence) const;
  static std::size_t telling_window(const SeriesEvidence& evidence);
  double log_e_metric(std::size_t m, const StageEvidence& evidence) const;
  double log_e_total(const StageEvidence& evidence) const;
  // `whole`: the noise of the whole stage, where it is known already.
  double log_e_catastrophe(std::size_t s, const WindowNoise* whole = nullptr) const;
  bool evidence_may_reach(double log_bar) const;
  WindowsBound windows_bound(std::size_t s, double phi) const;
  // Never below the e-values of all windows of all series, and of catastrophes.
  double evidence_bound(bool anew) const;
  double least_phi(std::size_t s) const;
  double score(std::size_t s, const WindowNoise& n) const;
  // As it stands beside the boundary, which is one number for the whole bake; 0: not to be judged.
  double score_reached(std::size_t s, const WindowNoise* whole = nullptr) const;
  bool score_fires(std::size_t s, const WindowNoise* whole = nullptr) const;
  double clump_size(std::size_t s) const;
  double log_safe(std::size_t m, const WindowNoise& n) const;  // that of its certifier
  bool may_be_safe(std::size_t m, double log_bar) const;
  void certify();
  std::pair<double, double> ratio_interval(std::size_t s, const WindowNoise& n) const;
  double canary_units_needed(std::size_t m, double share, const WindowNoise& n) const;  // its top
  bool powered(std::size_t m, const WindowNoise& n) const;
  double log_sample_ratio_worst() const;

  // gate_decide.cc and gate_look.cc
  Verdict decide();
  bool fails() const;
  double strictness_reached(double at_least) const;
  bool passes() const;
  bool is_settled(std::size_t m) const;
  Verdict verdict_of(std::size_t m) const;  // of a metric that is not to blame
  bool looks_worse(std::size_t m) const;
  const ArmPresence* blind_arm() const;  // none: null
  bool blind() const { return blind_arm() != nullptr; }
  GateLook look() const;
  MetricLook look_at(std::size_t m, const StageEvidence& evidence) const;
  std::string why(const GateLook& look, const StageEvidence& evidence) const;
  std::string why_thin(const GateLook& look, const StageEvidence& evidence) const;
};

// log sum of exp, one at a time.
class LogSum {
 public:
  void add(double log_value);
  double value() const { return total_; }

 private:
  double total_ = -1e300;
};
inline constexpr double kLogNothing = -1e300;
std::int64_t to_unats(double log_value);

}  // namespace showcaller
