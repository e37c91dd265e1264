// SPDX-License-Identifier: Apache-2.0
#include "analysis/null_stage.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/bucket_draw.h"
#include "base/check.h"
#include "base/random.h"

namespace showcaller {
namespace {

constexpr double kNeverFails = 1000;             // the greatest strictness there is
constexpr std::uint64_t kThrownOneByOne = 4096;  // of more, each bucket draws its own
constexpr double kRateMax = 0.95;
constexpr double kRunsToTell = 3;  // beyond a share: the second or third largest is mere chance

class NullWorld {
 public:
  NullWorld(const NullStage& stage, std::uint64_t seed)
      : stage_(stage), shape_(shape_of(stage.config)), random_(seed) {
    const bool fleet = stage.config.assignment == Assignment::Instance;
    // In player assignment only the sum of the canary counts.
    canaries_ = fleet ? std::size_t(std::max(1, stage.canary_instances)) : 1;
    const std::size_t baseline =
        fleet ? std::size_t(std::max(1, stage.baseline_instances)) : kBuckets;
    for (std::size_t i = 0; i < canaries_ + baseline; ++i) {
      const Arm arm = i < canaries_ ? Arm::Canary : Arm::Baseline;
      tick_.groups.push_back({arm, fmt::format("{:05}", i), "", {}});
      tick_.groups.back().counts.assign(shape_.width(), 0);
      effects_.emplace_back();
      for (const GateMetric& m : stage.config.metrics)
        effects_.back().push_back(fleet ? std::exp(m.prior.tau * random_.normal()) : 1.0);
    }
    whole_.assign(shape_.width(), 0);
  }

  // All until then.
  const Tick& next(std::int64_t t_s) {
    const double arriving = stage_.units_per_s * double(t_s - tick_.t_s);
    tick_.t_s = t_s;
    const double canary = arriving * stage_.config.share;
    for (std::size_t i = 0; i < canaries_; ++i)
      draw(&tick_.groups[i].counts, canary / double(canaries_), effects_[i]);
    draw_baseline(arriving - canary);
    return tick_;
  }

 private:
  void draw(std::vector<std::int64_t>* counts, double units, const std::vector<double>& effects) {
    const std::uint64_t n = random_.poisson(units);
    for (std::size_t m = 0; m < shape_.metrics.size(); ++m) {
      const GateMetric& metric = stage_.config.metrics[m];
      const std::size_t at = shape_.offset(m);
      (*counts)[at] = std::int64_t(n);
      if (metric.kind == MetricKind::Quantile) {
        std::uint64_t left = n;
        double share = 1;
        for (std::size_t c = 0; c < metric.cuts.size(); ++c) {
          const double above = std::min(kRateMax, (1 - metric.at[c]) * effects[m]);
          left = random_.binomial(left, std::min(1.0, above / share));
          share = above;
          (*counts)[at + 1 + c] = std::int64_t(left);
        }
      } else if (metric.kind == MetricKind::Binary) {
        const double rate = std::min(1.0, stage_.rates[m] * effects[m]);
        (*counts)[at + 1] = std::int64_t(random_.binomial(n, rate));
      } else {
        (*counts)[at + 1] = std::int64_t(random_.poisson(double(n) * stage_.rates[m] * effects[m]));
      }
    }
  }

  void draw_baseline(double units) {
    const bool fleet = stage_.config.assignment == Assignment::Instance;
    const std::size_t groups = tick_.groups.size() - canaries_;
    if (fleet || units > double(kThrownOneByOne)) {
      for (std::size_t i = canaries_; i < tick_.groups.size(); ++i)
        draw(&tick_.groups[i].counts, units / double(groups), effects_[i]);
      return;
    }
    draw(&whole_, units, effects_[canaries_]);
    buckets_.throw_in(std::uint64_t(whole_[0]), &random_);
    for (std::size_t m = 0; m < shape_.metrics.size(); ++m) {
      const std::size_t at = shape_.offset(m);
      spread(at, 0);
      const std::uint64_t first = buckets_.anywhere(&random_);
      for (std::size_t c = 1; c < shape_.metrics[m].columns; ++c) spread(at + c, first);
    }
  }

  void spread(std::size_t column, std::uint64_t first) {
    BucketCounts counts{};
    const auto events = std::uint64_t(whole_[column]);
    if (events <= buckets_.units()) {
      counts = buckets_.count(first, events);
    } else {  // Counts may come several to a unit.
      for (std::uint64_t i = 0; i < events; ++i) ++counts[random_.below(kBuckets)];
    }
    for (std::size_t b = 0; b < kBuckets; ++b)
      tick_.groups[canaries_ + b].counts[column] = counts[b];
  }

  const NullStage& stage_;
  TickShape shape_;
  Random random_;
  BucketDraw buckets_;
  Tick tick_;
  std::size_t canaries_ = 1;
  std::vector<std::vector<double>> effects_;  // by group and metric
  std::vector<std::int64_t> whole_;
};

// What is decided is whether the profile fails: the certificate's extra counts are not drawn, and
// what is acceptable is asked of the share above the cuts.
NullStage as_simulated(NullStage stage) {
  for (GateMetric& m : stage.config.metrics) {
    m.scaled_by = 0;
    m.divided_by = 1;
  }
  stage.config.strictness = kNeverFails;
  return stage;
}

// The ends of a run's ticks; one of them is the end of the warm-up.
std::vector<std::int64_t> looks_of(const GateConfig& config, double growth) {
  std::vector<std::int64_t> out;
  for (std::int64_t t = 0; t < config.planned_s;) {
    const auto longer = std::int64_t(double(t) * growth) / config.tick_s * config.tick_s;
    const std::int64_t then = t + std::max(config.tick_s, longer);
    t = t < config.warmup_s && then > config.warmup_s ? config.warmup_s : then;
    out.push_back(t);
  }
  return out;
}

double strictness_of_run(const NullStage& stage, const std::vector<std::int64_t>& looks,
                         std::uint64_t seed) {
  NullWorld world(stage, seed);
  GateState gate(stage.config);
  double most = 1;
  for (const std::int64_t t_s : looks) {
    if (gate.feed(world.next(t_s)) == Verdict::Fail) return kNeverFails;
    most = gate.strictness_reached(most);
  }
  return most;
}

void tell_share(NullRate* out) {
  constexpr double kZ = 1.96;  // Wilson's interval
  const double n = double(out->runs), p = double(out->rolled_back) / n;
  const double middle = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
  out->share = p;
  out->low = std::max(0.0, middle - half);
  out->high = std::min(1.0, middle + half);
}

}  // namespace

double NullRate::strictness_for(double share_asked) const {
  const double beyond = share_asked * double(runs);
  if (beyond < kRunsToTell) return 0;
  return strictness[std::size_t(beyond)];
}

NullRate simulate_null(const NullStage& asked, const NullBudget& budget) {
  CHECK(asked.rates.size() == asked.config.metrics.size());
  CHECK(asked.config.share > 0 && asked.units_per_s > 0);
  const double own = asked.config.strictness;
  const NullStage stage = as_simulated(asked);
  std::int64_t series = 0;
  for (const GateMetric& m : stage.config.metrics)
    series += m.kind == MetricKind::Quantile ? std::int64_t(m.cuts.size()) : 1;
  const std::vector<std::int64_t> looks = looks_of(stage.config, budget.growth);
  NullRate out;
  out.looks = std::int64_t(looks.size());
  out.runs =
      std::clamp<std::int64_t>(budget.series_looks_max / (series * out.looks), 1, budget.runs_max);
  Random seeds(budget.seed);
  for (std::int64_t run = 0; run < out.runs; ++run)
    out.strictness.push_back(strictness_of_run(stage, looks, seeds.next()));
  std::sort(out.strictness.begin(), out.strictness.end(), std::greater<>());
  // Reached means failed; a run that never came to the profile's own thresholds stands at 1.
  for (const double reached : out.strictness) out.rolled_back += reached > 1 && reached >= own;
  tell_share(&out);
  return out;
}

}  // namespace showcaller
