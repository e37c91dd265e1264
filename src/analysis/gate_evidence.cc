// SPDX-License-Identifier: Apache-2.0
// What the evidence of a series says: its noise, its e-values, its score, its certificate, its
// interval, its power.
#include <algorithm>
#include <cmath>

#include "analysis/bake_planner.h"
#include "analysis/gate_core.h"
#include "analysis/special.h"

namespace showcaller {
namespace {

// Below this sd of the instance effect the null is a point.
constexpr double kPointNullSd = 0.004;
constexpr double kWarmupPhiMin = 1.0;
constexpr double kMainWeight = 0.75;  // of the e-value that began with the stage
constexpr double kRestartWeight =
    0.25;  // of all restarts together: restart k has 1 / (k (k+1)) of it
constexpr double kLogSmallEffect = 0.405465108108164;  // log 1.5
constexpr double kCertificate = 60;
constexpr double kCertificateKept = 6;
constexpr double kPowerAsked = 0.8;
constexpr double kTelling = 10;
constexpr double kClumpEventsMin = 5;
constexpr double kClumpSizeMin = 1.25;

}  // namespace

namespace {

// The row at or outside `beta`, away from the middle. The likelihood is concave in beta: between
// two nodes it is nowhere below the lower of them.
double l_outside(const GridRow& l, double beta, bool above) {
  const GridAxis& axis = grid_axis();
  std::size_t j = 0;
  for (std::size_t step = 128; step > 0; step /= 2) {
    if (j + step < kGridNodes && axis.beta[j + step] <= beta) j += step;
  }
  return above && axis.beta[j] < beta && j + 1 < kGridNodes ? l[j + 1] : l[j];
}

// How much of the instance effect's t lies so many sd around its middle; for nu >= 3 it is a fifth
// more.
struct Mass {
  double sds, mass;
};
constexpr Mass kMassAround[] = {{0.25, 0.15}, {0.5, 0.29}, {1, 0.5}, {2, 0.7}};

// Never above the log of the null's part of an e-value, whose likelihood peaks at `peak`: its mass
// between margin and peak, where the likelihood is not below that of the margin; or its mass around
// the margin with the least likelihood there.
double log_null_bound(const GridRow& l, const WindowNoise& n, double margin, double l_margin,
                      double peak) {
  constexpr double kNothing = -1e9;
  const double sd = std::sqrt(n.v0);
  if (sd < kPointNullSd) return l_margin / n.phi;
  // Where few nodes lie within reach the sum does not follow the integral.
  constexpr double kReachMin = 0.05;
  if (n.nu < 3) return kNothing;
  double most = kNothing;
  const double reach = std::abs(peak - margin);
  if (reach >= kReachMin) most = l_margin / n.phi + std::log(0.25 * std::min(reach / sd, 1.0));
  for (const Mass& around : kMassAround) {
    const double half = around.sds * sd;
    if (half < kReachMin / 2) continue;
    const double least =
        std::min(l_outside(l, margin - half, false), l_outside(l, margin + half, true));
    most = std::max(most, least / n.phi + std::log(around.mass));
  }
  return most;
}

// Never below the log of an e-value against a null that is a t: up to a node beyond which what is
// left of the likelihood is less than the null's whole part, the alternatives' weight is nowhere
// more than so many times that of the null, which is least there.
double log_weights_bound(const GridRow& l, const WindowNoise& n, double margin, double log_null) {
  constexpr double kWorseDensityMax = 4.5;     // 3.875 at the margin, and what the grid makes of it
  constexpr double kStudentDensityMin = 0.36;  // in its middle, for nu >= 3
  const GridAxis& axis = grid_axis();
  std::size_t edge = kGridNodes - 1;
  while (edge > 0 && axis.beta[edge - 1] > margin && l[edge - 1] / n.phi <= log_null) --edge;
  const double z2 = (axis.beta[edge] - margin) * (axis.beta[edge] - margin) / n.v0;
  const double log_student = std::log(kStudentDensityMin) - (n.nu + 1) / 2 * std::log1p(z2 / n.nu);
  const double log_ratio = std::log(kWorseDensityMax) + std::log(n.v0) / 2 - log_student;
  return std::log(2) + std::max(0.0, log_ratio);
}

SeriesSums difference(const SeriesSums& now, const SeriesSums& then) {
  return {now.suspect - then.suspect,         now.reference - then.reference,
          now.expected - then.expected,       now.counterpart - then.counterpart,
          now.information - then.information, now.matched - then.matched};
}

double window_share(std::size_t k) {
  return k == 0 ? kMainWeight : kRestartWeight / (double(k) * double(k + 1));
}

// Beyond what any bar is, and far from where doubles end.
double capped_exp(double x) {
  return std::exp(std::min(x, 300.0));
}

double variance_between_arms(double tau2, double canary_count, double baseline_count) {
  return tau2 * (1 / std::max(1.0, canary_count) + 1 / std::max(1.0, baseline_count));
}

}  // namespace

std::int64_t to_unats(double log_value) {
  if (!(log_value > -1e12)) return kLogZero;
  return std::llround(std::min(log_value, 1e12) * 1e6);
}

void LogSum::add(double log_value) {
  if (log_value <= kLogNothing) return;
  const double high = std::max(total_, log_value);
  const double low = std::min(total_, log_value);
  total_ = low - high < -700 ? high : high + exact_log(1 + exact_exp(low - high));
}

SeriesWindow GateState::Core::window(std::size_t s, std::size_t k) const {
  const SeriesWindow& now = main[s];
  if (k == 0) return now;
  const SeriesWindow& then = restarts[k - 1].series[s];
  return {difference(now.l, then.l), difference(now.sums, then.sums)};
}

bool GateState::Core::window_speaks(std::size_t s, std::size_t k) const {
  const SeriesSums& now = main[s].sums;
  const SeriesSums sums = k == 0 ? now : difference(now, restarts[k - 1].series[s].sums);
  return sums.suspect > sums.expected && enough_events(sums, s);
}

// What instances differ in has its part of the statistic too: tau^2 for each event an instance has
// in a tick.
double GateState::Core::clump_size(std::size_t s) const {
  const ClumpSums& c = clumps[s];
  if (c.events < kClumpEventsMin) return 1;
  const double tau = plan->config.metrics[plan->series[s].metric].prior.tau;
  const double size = (c.squares - 2 * tau * tau * c.weighted_mean) / c.events;
  return size > kClumpSizeMin ? size * (1 + std::sqrt(size / c.events)) : 1;
}

std::vector<GroupTotal> GateState::Core::totals(const GroupTable& groups, std::size_t n_column,
                                                std::size_t x_column,
                                                const std::vector<float>* before) const {
  std::vector<GroupTotal> out(groups.stratum.size());
  for (std::size_t g = 0; g < out.size(); ++g) {
    const std::size_t row = g * plan->width;
    out[g] = {groups.counts[row + n_column], groups.counts[row + x_column], groups.stratum[g]};
    if (before && row < before->size()) {
      out[g].n -= double((*before)[row + n_column]);
      out[g].x -= double((*before)[row + x_column]);
      if (out[g].n < 0.5) out[g] = {0, 0, out[g].stratum};
      out[g].x = std::max(0.0, out[g].x);
    }
  }
  return out;
}

double GateState::Core::effective_canary(std::size_t s, const std::vector<float>* before) const {
  const SeriesPlan& series = plan->series[s];
  const std::size_t n_column = plan->metrics[series.metric].n_column;
  std::vector<double> n;
  for (const GroupTotal& group : totals(canary_groups, n_column, series.canary_column, before))
    n.push_back(group.n);
  return effective_groups(n);
}

WindowNoise GateState::Core::noise(std::size_t s) const {
  const SeriesPlan& series = plan->series[s];
  const MetricPlan& metric = plan->metrics[series.metric];
  const GateMetric& config = plan->config.metrics[series.metric];
  const Assignment assignment = plan->config.assignment;
  const GroupNoise all =
      measure_noise(totals(baseline_groups, metric.n_column, series.baseline_column, nullptr),
                    config.kind, assignment, config.prior, clump_size(s));
  WindowNoise out{.phi = all.phi, .nu = all.nu, .tau2 = all.tau2, .floor = all.floor};
  if (assignment == Assignment::Player) return out;
  out.canary_groups = effective_canary(s, nullptr);
  out.baseline_groups =
      baseline_groups.history.empty() ? all.effective : stage_groups_effective(metric.n_column);
  out.v0 = variance_between_arms(all.tau2, out.canary_groups, out.baseline_groups);
  return out;
}

// The larger of the whole stage's and its own.
WindowNoise GateState::Core::noise_since(std::size_t s, std::size_t k,
                                         const WindowNoise& whole) const {
  const SeriesPlan& series = plan->series[s];
  const GateMetric& config = plan->config.metrics[series.metric];
  const Assignment assignment = plan->config.assignment;
  const Restart& restart = restarts[k - 1];
  const GroupNoise recent =
      measure_noise(totals(baseline_groups, plan->metrics[series.metric].n_column,
                           series.baseline_column, &restart.baseline_counts),
                    config.kind, assignment, config.prior, clump_size(s));
  WindowNoise out = whole;
  if (assignment == Assignment::Player) {
    if (recent.expected > 2 * double(recent.groups)) out.phi = std::max(out.phi, recent.phi);
    return out;
  }
  const double v0 = variance_between_arms(recent.tau2, effective_canary(s, &restart.canary_counts),
                                          recent.effective);
  if (v0 > out.v0) {
    out.v0 = v0;
    out.nu = recent.nu;
  }
  return out;
}

WindowNoise GateState::Core::noise(std::size_t s, std::size_t k) const {
  const WindowNoise whole = noise(s);
  return k == 0 ? whole : noise_since(s, k, whole);
}

// The baseline that the canary is compared with: whoever is gone since is noise's teacher alone.
double GateState::Core::stage_groups_effective(std::size_t n_column) const {
  const GroupTable& groups = baseline_groups;
  std::vector<double> n;
  for (std::size_t row = n_column; row < groups.counts.size(); row += plan->width)
    n.push_back(groups.counts[row] - (row < groups.history.size() ? groups.history[row] : 0));
  return effective_groups(n);
}

// Clumped events count for fewer than they are.
bool GateState::Core::enough_events(const SeriesSums& sums, std::size_t s, double clump) const {
  const GateConfig& config = plan->config;
  const bool swapped = plan->metrics[plan->series[s].metric].swapped;
  // Where more is better the canary is the reference: what counts is how many events it should have
  // had.
  const double canary_events = swapped ? sums.counterpart : sums.suspect;
  const double baseline_events = swapped ? sums.suspect : sums.reference;
  return canary_events >= double(config.canary_events_min) * clump &&
         baseline_events >= plan->series[s].baseline_events_min * clump;
}

// With too few canary instances a small effect can't be told from the instance itself.
bool GateState::Core::too_few_instances(const SeriesSums& sums, const WindowNoise& n) const {
  return plan->config.assignment == Assignment::Instance &&
         n.canary_groups < double(plan->config.canary_instances_min) - 0.75 &&
         sums.suspect < sums.expected * std::exp(kLogSmallEffect);
}

double GateState::Core::log_e_window(std::size_t s, const SeriesWindow& w,
                                     const WindowNoise& n) const {
  const SeriesPlan& series = plan->series[s];
  if (!enough_events(w.sums, s, n.phi / n.floor) || w.sums.suspect <= w.sums.expected ||
      too_few_instances(w.sums, n)) {
    return kLogNothing;
  }
  const double numerator = log_mixture(w.l, n.phi, series.worse);
  const double sd = std::sqrt(n.v0);
  if (sd < kPointNullSd) return numerator - w.l[kSlotMargin] / n.phi;
  return numerator - log_mixture(w.l, n.phi, mixture_student(series.margin(), sd, n.nu));
}

// Never below log_e_window, and much cheaper: the numerator is at most the peak.
double GateState::Core::log_e_bound(std::size_t s, const SeriesWindow& w,
                                    const WindowNoise& n) const {
  const SeriesPlan& series = plan->series[s];
  if (!enough_events(w.sums, s) || w.sums.suspect <= w.sums.expected) return kLogNothing;
  const double l_margin = w.l[kSlotMargin];
  const GridPeak peak = peak_above(w.l, series.margin(), l_margin);
  const double log_null = log_null_bound(w.l, n, series.margin(), l_margin, peak.beta);
  const double bound = peak.l / n.phi - log_null;
  if (n.nu < 3 || n.v0 < kPointNullSd * kPointNullSd) return bound;
  return std::min(bound, log_weights_bound(w.l, n, series.margin(), log_null));
}

double GateState::Core::log_e_share(std::size_t s, std::size_t k, const WindowNoise& whole) const {
  if (!window_speaks(s, k)) return kLogNothing;
  return exact_log(window_share(k)) +
         log_e_window(s, window(s, k), k == 0 ? whole : noise_since(s, k, whole));
}

StageEvidence GateState::Core::evidence() const {
  StageEvidence out(plan->series.size());
  for (std::size_t s = 0; s < out.size(); ++s) {
    SeriesEvidence& series = out[s];
    series.noise = noise(s);
    series.log_e_catastrophe = log_e_catastrophe(s, &series.noise);
    if (plan->series[s].weight <= 0) continue;
    LogSum sum;
    for (std::size_t k = 0; k <= restarts.size(); ++k) {
      series.log_e_share.push_back(log_e_share(s, k, series.noise));
      sum.add(series.log_e_share.back());
    }
    series.log_e = sum.value();
    series.score_fires = score_fires(s, &series.noise);
  }
  return out;
}

std::size_t GateState::Core::telling_window(const SeriesEvidence& evidence) {
  // Less than this is chance, and the whole stage is what to look at.
  double most = std::log(kTelling);
  std::size_t window = 0;
  for (std::size_t k = 0; k < evidence.log_e_share.size(); ++k) {
    if (evidence.log_e_share[k] <= most) continue;
    most = evidence.log_e_share[k];
    window = k;
  }
  return window;
}

double GateState::Core::log_e_catastrophe(std::size_t s, const WindowNoise* whole) const {
  const SeriesPlan& series = plan->series[s];
  if (!series.catastrophe) return kLogNothing;
  SeriesWindow w = main[s];
  const SeriesWindow& before = warm[s];
  w.sums.suspect += before.sums.suspect;
  w.sums.reference += before.sums.reference;
  w.sums.expected += before.sums.expected;
  w.sums.counterpart += before.sums.counterpart;
  w.sums.matched += before.sums.matched;
  if (!enough_events(w.sums, s) || w.sums.suspect <= 1.5 * w.sums.expected) return kLogNothing;
  for (std::size_t j = 0; j < kGridSlots; ++j) w.l[j] += before.l[j];
  const bool warming = t_s - plan->config.tick_s < plan->config.warmup_s;
  const double phi = std::max(warming ? kWarmupPhiMin : 1.0, whole ? whole->phi : noise(s).phi);
  const double numerator = log_mixture(w.l, phi, series.disaster);
  if (plan->config.assignment == Assignment::Player) return numerator - w.l[kSlotCatastrophe] / phi;
  return numerator - log_mixture(w.l, phi, series.disaster_null);
}

double GateState::Core::log_e_metric(std::size_t m, const StageEvidence& evidence) const {
  const MetricPlan& metric = plan->metrics[m];
  LogSum sum;
  for (std::size_t s = metric.first; s < metric.last; ++s) {
    const SeriesPlan& series = plan->series[s];
    if (series.weight > 0) sum.add(exact_log(series.weight) + evidence[s].log_e);
    if (metric.catastrophe_weight > 0)
      sum.add(exact_log(metric.catastrophe_weight) + evidence[s].log_e_catastrophe);
  }
  if (sum.value() <= kLogNothing) return kLogNothing;
  return sum.value() - exact_log(metric.weight + metric.catastrophe_weight);
}

double GateState::Core::log_e_total(const StageEvidence& evidence) const {
  LogSum sum;
  for (std::size_t m = 0; m < plan->metrics.size(); ++m) {
    const double log_e = log_e_metric(m, evidence);
    if (log_e <= kLogNothing) continue;
    sum.add(exact_log(plan->metrics[m].weight + plan->metrics[m].catastrophe_weight) + log_e);
  }
  return sum.value();
}

// phi is at least what chance gives.
double GateState::Core::least_phi(std::size_t s) const {
  const SeriesPlan& series = plan->series[s];
  const MetricKind kind = plan->config.metrics[series.metric].kind;
  if (kind == MetricKind::Count || kind == MetricKind::Rate) return 1;
  const double n = baseline_totals[plan->metrics[series.metric].n_column];
  const double x = baseline_totals[series.baseline_column];
  return n > 0 ? std::clamp(0.9 * (1 - x / n), 0.02, 1.0) : 0.02;
}

WindowsBound GateState::Core::windows_bound(std::size_t s, double phi) const {
  constexpr double kPhiSlack = 0.98;  // phi wavers as the baseline's rate does
  const double margin = plan->series[s].margin();
  WindowsBound out{restarts.size() + 1, main[s].l, phi * kPhiSlack, 0};
  for (std::size_t k = 0; k < out.windows; ++k) {
    const GridRow l = k == 0 ? out.l : difference(out.l, restarts[k - 1].series[s].l);
    const double l_margin = l[kSlotMargin];
    const double above = peak_above(l, margin, l_margin).l - l_margin;
    out.e += window_share(k) * capped_exp(above / out.phi);
  }
  return out;
}

double GateState::Core::evidence_bound(bool anew) const {
  double sum = 0;
  for (std::size_t s = 0; s < plan->series.size(); ++s) {
    const SeriesPlan& series = plan->series[s];
    if (series.weight <= 0) continue;
    WindowsBound& bound = bounds[s];
    const double phi = least_phi(s);
    if (anew || bound.windows != restarts.size() + 1 || phi < bound.phi)
      bound = windows_bound(s, phi);
    const GridRow since = difference(main[s].l, bound.l);
    const double l_margin = since[kSlotMargin];
    const double above = peak_above(since, series.margin(), l_margin).l - l_margin;
    sum += series.weight * bound.e * capped_exp(above / bound.phi);
    const double weight = plan->metrics[series.metric].catastrophe_weight;
    if (series.catastrophe && weight > 0) sum += weight * capped_exp(log_e_catastrophe(s));
  }
  return sum;
}

// A cheap "no" for the ordinary tick: bounds first, and the largest of them made exact until they
// are below the bar together or none is left.
bool GateState::Core::evidence_may_reach(double log_bar) const {
  struct Part {
    double log_share, log_e, e;  // e with its share
    std::size_t s, k;
    bool exact;
  };
  const double bar = std::exp(log_bar - 1e-6);
  if (plan->config.assignment == Assignment::Player &&
      (evidence_bound(false) < bar || evidence_bound(true) < bar)) {
    return false;
  }
  const auto e_of = [](double log_share, double log_e) {
    return log_e <= kLogNothing ? 0 : capped_exp(log_share + log_e);
  };
  std::vector<Part> parts;
  for (std::size_t s = 0; s < plan->series.size(); ++s) {
    const SeriesPlan& series = plan->series[s];
    if (series.weight <= 0) continue;
    std::optional<WindowNoise> whole;
    for (std::size_t k = 0; k <= restarts.size(); ++k) {
      if (!window_speaks(s, k)) continue;
      const SeriesWindow w = window(s, k);
      WindowNoise n;
      n.phi = least_phi(s);
      if (plan->config.assignment == Assignment::Instance) {
        if (!whole) whole = noise(s);
        n = k == 0 ? *whole : noise_since(s, k, *whole);
      }
      const double log_share = std::log(window_share(k) * series.weight);
      const double log_e = log_e_bound(s, w, n);
      parts.push_back({log_share, log_e, e_of(log_share, log_e), s, k, false});
    }
    const double weight = plan->metrics[series.metric].catastrophe_weight;
    if (!series.catastrophe || weight <= 0) continue;
    const double log_e = log_e_catastrophe(s, whole ? &*whole : nullptr);
    parts.push_back({std::log(weight), log_e, e_of(std::log(weight), log_e), s, 0, true});
  }
  while (true) {
    double sum = 0;
    Part* loudest = nullptr;
    for (Part& p : parts) {
      sum += p.e;
      if (!p.exact && (!loudest || p.e > loudest->e)) loudest = &p;
    }
    if (sum < bar) return false;
    if (!loudest) return true;
    const double log_e =
        log_e_window(loudest->s, window(loudest->s, loudest->k), noise(loudest->s, loudest->k));
    loudest->log_e = std::min(loudest->log_e, log_e);
    loudest->e = e_of(loudest->log_share, loudest->log_e);
    loudest->exact = true;
  }
}

// z of the signed-root likelihood ratio, instance effects taken into its standard error.
double GateState::Core::score(std::size_t s, const WindowNoise& n) const {
  const SeriesPlan& series = plan->series[s];
  const SeriesWindow& w = main[s];
  const double l_margin = w.l[kSlotMargin];
  const double root =
      std::sqrt(2 * (peak_above(w.l, series.margin(), l_margin).l - l_margin) / n.phi);
  if (root <= 0) return 0;
  if (n.v0 <= 0) return root;
  const double effect =
      std::log(w.sums.suspect / std::max(w.sums.expected, 1e-3)) - series.margin();
  if (effect <= 0) return 0;
  const double se = effect / root;
  const double z = effect / std::sqrt(se * se + n.v0);
  const double tail = student_tail(z, n.nu);
  return tail >= 0.5 ? 0 : normal_tail_inverse(std::max(tail, 1e-290));
}

double GateState::Core::score_reached(std::size_t s, const WindowNoise* whole) const {
  const GateConfig& config = plan->config;
  const SeriesPlan& series = plan->series[s];
  const SeriesSums& sums = main[s].sums;
  // The boundary was spent over the planned bake; past it only the e-values watch.
  if (t_s > config.planned_s || t_s <= config.warmup_s || series.weight <= 0) return 0;
  if (!enough_events(sums, s) || sums.suspect <= sums.expected) return 0;
  const WindowNoise n = whole ? *whole : noise(s);
  if (!enough_events(sums, s, n.phi / n.floor) || too_few_instances(sums, n)) return 0;
  const double information = sums.information / n.phi;
  const double elapsed = double(t_s - config.warmup_s) / double(config.planned_s - config.warmup_s);
  const double now = 1 / (1 / information + n.v0);
  const double at_end = 1 / (elapsed / information + n.v0);
  return score(s, n) * std::sqrt(now / at_end);
}

bool GateState::Core::score_fires(std::size_t s, const WindowNoise* whole) const {
  const double reached = score_reached(s, whole);
  return reached > 0 && reached >= plan->series[s].score_critical;
}

// log E against "the canary is worse by the budget or more".
double GateState::Core::log_safe(std::size_t m, const WindowNoise& n) const {
  const std::size_t s = plan->metrics[m].certifier;
  const SeriesPlan& series = plan->series[s];
  const SeriesWindow& w = main[s];
  const double baseline_events = plan->metrics[m].swapped ? w.sums.suspect : w.sums.reference;
  if (baseline_events < double(plan->config.baseline_events_min)) return kLogNothing;
  const double numerator = log_mixture(w.l, n.phi, series.safe);
  const double sd = std::sqrt(n.v0);
  if (sd < kPointNullSd) return numerator - w.l[kSlotSafe] / n.phi;
  return numerator - log_mixture(w.l, n.phi, mixture_student(series.safe_margin(), sd, n.nu));
}

// A cheap "no" for log_safe(m) >= log_bar.
bool GateState::Core::may_be_safe(std::size_t m, double log_bar) const {
  const std::size_t s = plan->metrics[m].certifier;
  const SeriesPlan& series = plan->series[s];
  const double l_margin = main[s].l[kSlotSafe];
  const GridPeak peak = peak_below(main[s].l, series.safe_margin(), l_margin);
  if (peak.l - l_margin < log_bar * least_phi(s) && plan->config.assignment == Assignment::Player)
    return false;
  const WindowNoise n = noise(s);
  return peak.l / n.phi - log_null_bound(main[s].l, n, series.safe_margin(), l_margin, peak.beta) >=
         log_bar;
}

// A certificate once reached holds, whenever one looks; it lapses only when later evidence has
// taken nearly all of it back.
void GateState::Core::certify() {
  for (std::size_t m = 0; m < plan->metrics.size(); ++m) {
    const double bar = std::log(certified[m] ? kCertificateKept : kCertificate);
    certified[m] = may_be_safe(m, bar) && log_safe(m, noise(plan->metrics[m].certifier)) >= bar;
  }
}

// {r : the data do not refute r}, at 2.5 % a side, whenever one looks. High 0: no bound yet.
std::pair<double, double> GateState::Core::ratio_interval(std::size_t s,
                                                          const WindowNoise& n) const {
  const SeriesWindow& w = main[s];
  if (!enough_events(w.sums, s)) return {0, 0};
  const double sd = std::sqrt(n.v0);
  const double refuted = std::log(40.0);
  const GridAxis& axis = grid_axis();
  const auto log_e_at = [&](std::size_t j, bool above) {
    const double margin = axis.beta[j];
    const GridMixture alternatives =
        above ? mixture_above(margin, {{0.1, 0.25}, {0.4, 0.45}, {1.2, 0.30}})
              : mixture_below(margin, {{0.1, 0.25}, {0.4, 0.45}, {1.2, 0.30}});
    const double numerator = log_mixture(w.l, n.phi, alternatives);
    if (sd < kPointNullSd) return numerator - w.l[j] / n.phi;
    return numerator - log_mixture(w.l, n.phi, mixture_student(margin, sd, n.nu));
  };
  // Refuted from above means the truth is higher: monotone in j either way.
  std::size_t low = 0, high = kGridNodes - 1;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (log_e_at(middle, true) >= refuted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const double lower = low == 0 ? 0 : exact_exp(axis.beta[low]);
  std::size_t least = 0, most = kGridNodes - 1;
  while (least < most) {
    const std::size_t middle = (least + most + 1) / 2;
    if (log_e_at(middle, false) >= refuted) {
      most = middle - 1;
    } else {
      least = middle;
    }
  }
  const double upper = least == kGridNodes - 1 ? 0 : exact_exp(axis.beta[least]);
  return {lower, upper};
}

// Canary exposures, at this share, for 80 % power at the metric's budget; infinity if none suffice.
double GateState::Core::canary_units_needed(std::size_t m, double share,
                                            const WindowNoise& n) const {
  const MetricPlan& metric = plan->metrics[m];
  const GateMetric& config = plan->config.metrics[m];
  // A scaled certificate has no rate of its own: the top cut speaks for it.
  const std::size_t s = metric.top;
  const SeriesPlan& series = plan->series[s];
  // The baseline's rate from all there is of it, history included: the steadier, the less the
  // answer wavers.
  double exposure = 0, events = 0;
  for (std::size_t g = 0; g < baseline_groups.stratum.size(); ++g) {
    exposure += baseline_groups.counts[g * plan->width + metric.n_column];
    events += baseline_groups.counts[g * plan->width + series.baseline_column];
  }
  if (exposure <= 0 || events <= 0) return INFINITY;
  BakeQuestion q;
  q.rate = events / exposure;
  q.ratio = budget_ratio(config);
  q.margin = exact_exp(series.margin()) - 1;
  q.share = share;
  q.weight = series.weight;
  q.score_weight = series.score_weight;
  q.phi = n.phi;
  q.power = kPowerAsked;
  q.profile = plan->config.profile;
  q.strictness = plan->config.strictness;
  q.assignment = plan->config.assignment;
  q.variance_between = n.v0;
  q.nu = n.nu;
  if (!metric.swapped) return units_to_detect(q);
  // Where more is better the baseline is the suspect arm, and its units are counted.
  q.rate /= q.ratio;
  q.share = 1 - share;
  return units_to_detect(q) * share / (1 - share);
}

bool GateState::Core::powered(std::size_t m, const WindowNoise& n) const {
  const std::size_t column = plan->metrics[m].n_column;
  const double canary_n = canary_totals[column];
  const double all = canary_n + baseline_totals[column];
  if (canary_n <= 0 || canary_n >= all) return false;
  return canary_units_needed(m, canary_n / all, n) <= canary_n;
}

}  // namespace showcaller
