// SPDX-License-Identifier: Apache-2.0
// Takes ticks in: sums per group for the noise, likelihoods per series, restarts, presence of the
// arms, units.
#include <algorithm>
#include <cmath>

#include "analysis/gate_core.h"
#include "analysis/sample_ratio.h"
#include "base/check.h"

namespace showcaller {
namespace {

constexpr std::size_t kGroupsMax = 65'536;
constexpr std::size_t kStrataMax = 256;
// So many expected and none seen is no accident (e^-7 < 0.1 %).
constexpr double kSurelySome = 7;
constexpr double kLikelySome = 5;  // where not even the arm's groups are there
constexpr std::int64_t kBlindTicks = 3;
constexpr std::size_t kRestartsMax = 400;  // over two weeks

// Restart k begins every ten minutes up to two hours, hourly after.
std::int64_t restart_second(std::int64_t k) {
  return k <= 12 ? 600 * k : 7200 + 3600 * (k - 12);
}

std::vector<float> as_float(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

GateState::Core::Core(std::shared_ptr<const GatePlan> the_plan) : plan(std::move(the_plan)) {
  warm.resize(plan->series.size());
  main.resize(plan->series.size());
  bounds.resize(plan->series.size());
  clumps.resize(plan->series.size());
  certified.assign(plan->metrics.size(), 0);
  canary_totals.assign(plan->width, 0);
  baseline_totals.assign(plan->width, 0);
}

void GateState::Core::feed(const Tick& tick) {
  if (failed) return;
  const GateConfig& config = plan->config;
  if (tick.t_s <= 0) {
    take_history(tick);
    return;
  }
  if (tick.t_s <= t_s) return;  // Seen already, or late: evidence of one second counts once.
  const std::int64_t missing = (tick.t_s - t_s) / config.tick_s - 1;
  t_s = tick.t_s;
  ++ticks;
  const std::int64_t start_s = tick.t_s - config.tick_s;
  const bool warming = start_s < config.warmup_s;
  begin_restarts(start_s);
  note_presence(tick, std::max<std::int64_t>(0, missing));
  add_groups(tick, /*history=*/false);
  note_clumps(tick);
  judge_pending(warming);
  count_units(tick);
  certify();
  verdict = decide();
}

// How events clump shows inside a tick: over a longer stretch instances differ for other reasons.
void GateState::Core::take_history(const Tick& tick) {
  add_groups(tick, /*history=*/true);
  const bool as_short = history_s && tick.t_s - *history_s <= plan->config.tick_s;
  if (as_short) note_clumps(tick);
  history_s = tick.t_s;
}

void GateState::Core::begin_restarts(std::int64_t start_s) {
  if (restart_second(restarts_due) > start_s || restarts.size() >= kRestartsMax) return;
  // After a gap one restart stands for all that fell due in it.
  restarts_due = start_s < 7800 ? start_s / 600 + 1 : 12 + (start_s - 7200) / 3600 + 1;
  Restart restart;
  restart.t_s = start_s;
  restart.series = main;
  restart.canary_totals = canary_totals;
  restart.baseline_totals = baseline_totals;
  restart.baseline_counts = as_float(baseline_groups.counts);
  restart.canary_counts = as_float(canary_groups.counts);
  restarts.push_back(std::move(restart));
}

std::uint32_t GateState::Core::stratum_of(const std::string& name) {
  for (std::size_t i = 0; i < strata.size(); ++i) {
    if (strata[i] == name) return std::uint32_t(i);
  }
  // Past the limit the rest are one stratum.
  if (strata.size() >= kStrataMax) return std::uint32_t(kStrataMax - 1);
  strata.push_back(name);
  pending.push_back({std::vector<double>(plan->width, 0), std::vector<double>(plan->width, 0)});
  return std::uint32_t(strata.size() - 1);
}

std::uint32_t GateState::Core::group_of(GroupTable* groups, const GroupCounts& group,
                                        std::size_t position) {
  const std::uint32_t of_stratum = stratum_of(group.stratum);
  if (position < groups->order.size() && groups->ids[groups->order[position]] == group.id &&
      groups->stratum[groups->order[position]] == of_stratum) {
    return groups->order[position];
  }
  auto [it, is_new] =
      groups->index.try_emplace({of_stratum, group.id}, std::uint32_t(groups->stratum.size()));
  if (is_new) {
    if (groups->stratum.size() >= kGroupsMax) {
      groups->index.erase(it);
      return std::uint32_t(kGroupsMax - 1);
    }
    groups->stratum.push_back(of_stratum);
    groups->ids.push_back(group.id);
    groups->counts.resize(groups->counts.size() + plan->width, 0);
  }
  groups->order.resize(position);
  groups->order.push_back(it->second);
  return it->second;
}

void GateState::Core::add_groups(const Tick& tick, bool history) {
  const std::size_t width = plan->width;
  const bool by_instance = plan->config.assignment == Assignment::Instance;
  std::size_t baseline_position = 0, canary_position = 0;
  for (const GroupCounts& group : tick.groups) {
    CHECK(group.counts.size() == width);
    const bool is_canary = group.arm == Arm::Canary;
    if (history && is_canary) continue;
    const std::uint32_t of_stratum = stratum_of(group.stratum);
    if (!history) {
      std::vector<double>& sums =
          is_canary ? pending[of_stratum].canary : pending[of_stratum].baseline;
      for (std::size_t c = 0; c < width; ++c) sums[c] += double(group.counts[c]);
    }
    // Which bucket a canary event fell into teaches nothing; which instance does.
    if (is_canary && !by_instance) continue;
    GroupTable& groups = is_canary ? canary_groups : baseline_groups;
    std::size_t& position = is_canary ? canary_position : baseline_position;
    const std::uint32_t g = group_of(&groups, group, position++);
    for (std::size_t c = 0; c < width; ++c) groups.counts[g * width + c] += double(group.counts[c]);
    if (!history) continue;
    groups.history.resize(groups.counts.size(), 0);
    for (std::size_t c = 0; c < width; ++c)
      groups.history[g * width + c] += double(group.counts[c]);
  }
}

void GateState::Core::note_clumps(const Tick& tick) {
  if (plan->config.assignment != Assignment::Instance) return;
  for (std::size_t s = 0; s < plan->series.size(); ++s) {
    const SeriesPlan& series = plan->series[s];
    if (series.weight <= 0) continue;
    const std::size_t n_column = plan->metrics[series.metric].n_column;
    for (const std::string& stratum : strata) {
      double n = 0, x = 0, groups = 0;
      for (const GroupCounts& g : tick.groups) {
        if (g.arm != Arm::Baseline || g.counts[n_column] <= 0 || g.stratum != stratum) continue;
        n += double(g.counts[n_column]);
        x += double(g.counts[series.baseline_column]);
        groups += 1;
      }
      if (groups < 2 || x <= 0) continue;
      double squares = 0;
      for (const GroupCounts& g : tick.groups) {
        if (g.arm != Arm::Baseline || g.counts[n_column] <= 0 || g.stratum != stratum) continue;
        const double own_n = double(g.counts[n_column]);
        const double own_x = double(g.counts[series.baseline_column]);
        const double off = own_x - (x - own_x) * own_n / (n - own_n);
        squares += off * off / (1 + own_n / (n - own_n));
      }
      clumps[s].events += x;
      clumps[s].squares += squares;
      clumps[s].weighted_mean += x * x / groups;
    }
  }
}

// Events are judged with the exposure of their own ticks. Where one arm had none, the stretch waits
// for the next tick, so that events of long sessions in thin traffic are not lost; a stretch in
// which an arm must have been silent by fault is dropped, for its baseline has no counterpart.
void GateState::Core::judge_pending(bool warming) {
  const double share = plan->config.share > 0 ? plan->config.share : 0.05;
  for (PendingStratum& p : pending) {
    for (std::size_t m = 0; m < plan->metrics.size(); ++m) {
      const MetricPlan& metric = plan->metrics[m];
      double& canary_n = p.canary[metric.n_column];
      double& baseline_n = p.baseline[metric.n_column];
      const bool judge = canary_n > 0 && baseline_n > 0;
      const bool drop = (canary_n <= 0 && baseline_n * share / (1 - share) > kSurelySome) ||
                        (baseline_n <= 0 && canary_n * (1 - share) / share > kSurelySome);
      if (!judge && !drop) continue;
      if (judge) {
        table.fill(metric.swapped ? baseline_n / (canary_n + baseline_n)
                                  : canary_n / (canary_n + baseline_n));
        for (std::size_t s = metric.first; s < metric.last; ++s) judge_series(s, p, warming);
      }
      const std::size_t columns = plan->shape.metrics[m].columns;
      for (std::size_t c = metric.n_column; c < metric.n_column + columns; ++c) {
        if (judge && !warming) {
          canary_totals[c] += p.canary[c];
          baseline_totals[c] += p.baseline[c];
        }
        p.canary[c] = p.baseline[c] = 0;
      }
    }
  }
}

void GateState::Core::judge_series(std::size_t s, const PendingStratum& counts, bool warming) {
  const SeriesPlan& series = plan->series[s];
  double suspect = counts.canary[series.canary_column];
  double reference = counts.baseline[series.baseline_column];
  if (plan->metrics[series.metric].swapped) std::swap(suspect, reference);
  if (suspect + reference <= 0) return;
  SeriesWindow& w = warming ? warm[s] : main[s];
  const double share = table.share;
  add_events(&w.l, suspect, suspect + reference, table, series.margins);
  w.sums.suspect += suspect;
  w.sums.reference += reference;
  w.sums.expected += reference * share / (1 - share);
  w.sums.counterpart += suspect * (1 - share) / share;
  w.sums.information += reference * share;
  w.sums.matched += suspect * (1 - share);
}

void GateState::Core::note_presence(const Tick& tick, std::int64_t missing_ticks) {
  bool present[2] = {false, false};
  double exposure[2] = {0, 0};
  for (const GroupCounts& group : tick.groups) {
    const auto arm = std::size_t(group.arm);
    present[arm] = true;
    double most = 0;
    for (const MetricPlan& metric : plan->metrics)
      most = std::max(most, double(group.counts[metric.n_column]));
    exposure[arm] += most;
  }
  // Units, where they are told, come one by one; sessions may come by the match.
  if (!tick.units.empty()) {
    double units_of[2] = {0, 0};
    for (const UnitCounts& u : tick.units) {
      units_of[0] += double(u.canary);
      units_of[1] += double(u.baseline);
    }
    for (const std::size_t arm : {0, 1}) {
      if (exposure[arm] > 0) exposure[arm] = std::max(1.0, std::min(exposure[arm], units_of[arm]));
    }
  }
  const double share = plan->config.share > 0 ? plan->config.share : 0.05;
  const double odds[2] = {share / (1 - share), (1 - share) / share};
  for (const std::size_t arm : {0, 1}) {
    ArmPresence& a = arm == 0 ? canary : baseline;
    a.absent_ticks = present[arm] ? 0 : a.absent_ticks + missing_ticks + 1;
    if (exposure[arm] > 0) {
      a.quiet_ticks = 0;
      a.quiet_expected = 0;
      a.exposures += exposure[arm];
      continue;
    }
    // By what the other arm brings; while that is silent too, by what this one used to bring.
    const double before = double(t_s / plan->config.tick_s - a.quiet_ticks - missing_ticks - 1);
    const double own = a.exposures / std::max(1.0, before);
    a.quiet_expected += own * double(missing_ticks);
    a.quiet_expected += exposure[1 - arm] > 0 ? exposure[1 - arm] * odds[arm] : own;
    a.quiet_ticks += missing_ticks + 1;
  }
  // What waited through a blackout has lost its counterpart.
  if (blind()) {
    for (auto& p : pending)
      p = {std::vector<double>(plan->width, 0), std::vector<double>(plan->width, 0)};
  }
}

// Silence is blindness where something was to be heard. In thin traffic a canary may have nothing
// to tell for minutes; but who has never been heard of, while nobody else was, is not thin.
const ArmPresence* GateState::Core::blind_arm() const {
  const bool nobody_yet = canary.exposures <= 0 && baseline.exposures <= 0;
  for (const ArmPresence* a : {&canary, &baseline}) {
    if (a->absent_ticks >= kBlindTicks && (nobody_yet || a->quiet_expected >= kLikelySome))
      return a;
    if (a->quiet_ticks >= kBlindTicks && a->quiet_expected >= kSurelySome) return a;
  }
  return nullptr;
}

// Ticks in which an arm's telemetry was absent do not count, or a lost stream would look like a
// wrong split; but in thin traffic a tick without a canary is chance, and leaving it out would bias
// the share.
void GateState::Core::count_units(const Tick& tick) {
  const double share = plan->config.share;
  if (share <= 0 || tick.units.empty()) return;
  bool present[2] = {false, false};
  for (const GroupCounts& group : tick.groups) present[std::size_t(group.arm)] = true;
  for (const UnitCounts& u : tick.units) {
    UnitTotals& totals = units[u.stratum];
    if (!present[0] || !present[1]) {
      totals.silent_canary += u.canary;
      totals.silent_all += u.canary + u.baseline;
      continue;
    }
    if (double(totals.silent_all) * std::min(share, 1 - share) < kSurelySome) {
      totals.canary += totals.silent_canary;
      totals.all += totals.silent_all;
    }
    totals.silent_canary = totals.silent_all = 0;
    totals.canary += u.canary;
    totals.all += u.canary + u.baseline;
  }
  if (log_sample_ratio_worst() >= kSampleRatioAlarm) skewed = true;
}

double GateState::Core::log_sample_ratio_worst() const {
  const double share = plan->config.share;
  if (share <= 0 || units.empty()) return 0;
  std::int64_t canary_units = 0, all = 0;
  double worst = -1e300;
  for (const auto& [name, totals] : units) {
    canary_units += totals.canary;
    all += totals.all;
    worst = std::max(
        worst, log_sample_ratio(totals.canary, totals.all, share) - std::log(double(units.size())));
  }
  return std::max(worst, log_sample_ratio(canary_units, all, share));
}

}  // namespace showcaller
