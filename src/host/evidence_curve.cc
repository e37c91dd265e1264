// SPDX-License-Identifier: Apache-2.0
#include "host/evidence_curve.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "engine/absolute_gate.h"
#include "host/stored_stage.h"

namespace showcaller {
namespace {

json::value log10_of(std::int64_t unats) {
  if (unats == kLogZero) return nullptr;
  return double(unats) / 1e6 / std::log(10.0);
}

json::value rate_of(std::int64_t x, std::int64_t n) {
  if (n <= 0) return nullptr;
  return double(x) / double(n);
}

std::string_view name_of(Better better) {
  return better == Better::Lower ? "lower" : "higher";
}

// The stage as the stream was written: what its gates are about, from the manifest; what is frozen
// comes from the stream itself.
JudgedStage stage_of(const World& world, const CurveQuestion& question, const EventState& event) {
  JudgedStage out;
  out.event = question.event;
  out.revision = question.revision;
  out.visit = question.visit;
  out.live = question.live;
  for (const GateSpec& gate : event.spec().gates) {
    out.metric_of[gate.name] = gate.metric;
    if (!gate.at_most && !gate.at_least) continue;
    const auto metric = metric_spec(world, gate.metric);
    out.absolute.push_back({gate.name, gate.metric, metric.value_or(MetricSpec{}).type,
                            gate.quantile, gate.at_most, gate.at_least});
  }
  return out;
}

// One gate's side of the comparison, point by point.
class GateCurve {
 public:
  GateCurve(const GateMetric& metric, std::string metric_name)
      : metric_(metric), metric_name_(std::move(metric_name)) {}

  void add(const MetricLook& look) {
    const std::int64_t canary_n = look.canary_n - last_.canary_n;
    const std::int64_t baseline_n = look.baseline_n - last_.baseline_n;
    push("canary", rate_of(look.canary_x - last_.canary_x, canary_n));
    push("baseline", rate_of(look.baseline_x - last_.baseline_x, baseline_n));
    push("canary_n", canary_n);
    push("baseline_n", baseline_n);
    const bool known = look.canary_n > 0 && look.baseline_n > 0;
    push("ratio", known ? json::value(look.ratio) : json::value());
    push("low", known ? json::value(look.ratio_low) : json::value());
    push("high", look.ratio_high > 0 ? json::value(look.ratio_high) : json::value());
    push("log10_e", log10_of(look.log_e_unats));
    push("verdict", json::value(to_string(look.verdict)));
    last_ = look;
  }

  json::object take() {
    json::object out{{"gate", metric_.name},
                     {"metric", metric_name_},
                     {"kind", to_string(metric_.kind)},
                     {"better", name_of(metric_.better)},
                     {"worse_by_at_most", metric_.worse_by_at_most},
                     {"must_detect", budget_ratio(metric_)}};
    if (metric_.kind == MetricKind::Quantile) out["at"] = last_.at;
    for (const std::string_view column : {"canary", "baseline", "canary_n", "baseline_n", "ratio",
                                          "low", "high", "log10_e", "verdict"})
      out[column] = std::move(columns_[column]);
    return out;
  }

 private:
  void push(std::string_view column, json::value value) {
    columns_[column].push_back(std::move(value));
  }

  const GateMetric& metric_;
  const std::string metric_name_;
  MetricLook last_;
  std::map<std::string_view, json::array> columns_;
};

// A gate against a number. What the canary had since the point before, as the manifest counts it.
class BudgetCurve {
 public:
  BudgetCurve(const AbsoluteGate& gate, const GateConfig& stage) : judge_(gate, stage) {}

  const std::string& metric() const { return judge_.gate().metric; }

  void feed(std::int64_t t_s, const AbsoluteTick& tick) {
    judge_.feed(t_s, tick);
    if (tick.level) level_ = tick.level;
    n_ += tick.n;
    x_ += tick.x;
    if (!tick.histogram) return;
    if (histogram_)
      histogram_->merge(*tick.histogram);
    else
      histogram_ = tick.histogram;
  }

  void add_point() {
    const AbsoluteReading reading = judge_.read();
    values_.push_back(value());
    verdicts_.emplace_back(to_string(reading.verdict));
    why_ = reading.why;
    level_.reset();
    histogram_.reset();
    n_ = x_ = 0;
  }

  json::object take() {
    const AbsoluteGate& gate = judge_.gate();
    json::object out{{"gate", gate.gate}, {"metric", gate.metric}};
    if (gate.at_most) out["at_most"] = *gate.at_most;
    if (gate.at_least) out["at_least"] = *gate.at_least;
    out["value"] = std::move(values_);
    out["verdict"] = std::move(verdicts_);
    out["why"] = why_;
    return out;
  }

 private:
  json::value value() const {
    if (level_) return *level_;
    if (judge_.gate().type != MetricType::Quantile) return rate_of(x_, n_);
    if (!histogram_ || histogram_->count() == 0) return nullptr;
    return histogram_->quantile(judge_.gate().quantile.value_or(0.99));
  }

  AbsoluteJudge judge_;
  std::optional<double> level_;
  std::optional<ExponentialHistogram> histogram_;
  std::int64_t n_ = 0, x_ = 0;
  json::array values_, verdicts_;
  std::string why_;
};

class StageCurve {
 public:
  explicit StageCurve(const StoredStage& stored) : stage_(stored.stage) {
    if (!stage_.config.metrics.empty()) gate_.emplace(stage_.config);
    for (const GateMetric& metric : stage_.config.metrics)
      gates_.emplace_back(metric, stage_.metric_name(metric.name));
    std::set<std::string> told;
    for (const StageLine& line : stored.lines) {
      for (const auto& [metric, tick] : line.absolute) told.insert(metric);
    }
    for (const AbsoluteGate& gate : stage_.absolute) {
      if (told.contains(gate.metric)) budgets_.emplace_back(gate, stage_.config);
    }
  }

  void feed(const StageLine& line) {
    if (gate_ && line.tick) gate_->feed(*line.tick);
    if (line.is_history()) return;
    for (BudgetCurve& budget : budgets_) budget.feed(line.t_s, line.absolute_of(budget.metric()));
  }

  void add_point(std::int64_t t_s) {
    t_.push_back(t_s);
    for (BudgetCurve& budget : budgets_) budget.add_point();
    if (!gate_) return;
    const GateLook look = gate_->look();
    for (std::size_t i = 0; i < gates_.size(); ++i) gates_[i].add(look.metrics[i]);
    log10_e_.push_back(log10_of(look.log_e_unats));
    verdicts_.emplace_back(to_string(look.verdict));
    log10_threshold_ = log10_of(look.log_threshold_unats);
    why_ = look.why;
  }

  json::object take() {
    const GateConfig& config = stage_.config;
    json::object out{{"event", stage_.event},
                     {"revision", stage_.revision},
                     {"visit", stage_.visit},
                     {"live", stage_.live},
                     {"stream", stage_.stream()},
                     {"tick_s", config.tick_s},
                     {"warmup_s", config.warmup_s},
                     {"planned_s", config.planned_s},
                     {"share", config.share},
                     {"profile", to_string(config.profile)},
                     {"t", std::move(t_)},
                     {"log10_e", std::move(log10_e_)},
                     {"verdict", std::move(verdicts_)},
                     {"why", why_}};
    out["log10_threshold"] = log10_threshold_;
    json::array& gates = out["gates"].emplace_array();
    for (GateCurve& gate : gates_) gates.push_back(gate.take());
    json::array& budgets = out["budgets"].emplace_array();
    for (BudgetCurve& budget : budgets_) budgets.push_back(budget.take());
    return out;
  }

 private:
  const JudgedStage& stage_;
  std::optional<GateState> gate_;
  std::vector<GateCurve> gates_;
  std::vector<BudgetCurve> budgets_;
  json::array t_, log10_e_, verdicts_;
  json::value log10_threshold_;
  std::string why_;
};

}  // namespace

Result<json::object> evidence_curve(const World& world, EvidenceStore* store,
                                    const CurveQuestion& question, std::size_t points_max) {
  const EventState* event = world.event(question.event);
  if (!event)
    return fail(ErrorCode::NotFound, fmt::format("there is no LiveEvent '{}'", question.event));
  JudgedStage stage = stage_of(world, question, *event);
  const std::string stream = stage.stream();
  TRY(const StoredStage stored, read_stored_stage(store, stream, std::move(stage)));
  if (stored.is_new) {
    return fail(ErrorCode::NotFound,
                fmt::format("there is no evidence of {}; stages without gates have none, and old "
                            "evidence is removed in time",
                            stream));
  }
  const auto ticks = std::size_t(std::ranges::count_if(
      stored.lines, [](const StageLine& line) { return !line.is_history(); }));
  const std::size_t every = std::max<std::size_t>(1, (ticks + points_max - 1) / points_max);
  StageCurve curve(stored);
  std::size_t fed = 0;
  for (const StageLine& line : stored.lines) {
    curve.feed(line);
    if (line.is_history()) continue;
    ++fed;
    if (fed % every == 0 || fed == ticks) curve.add_point(line.t_s);
  }
  return curve.take();
}

}  // namespace showcaller
