// SPDX-License-Identifier: Apache-2.0
#include "analysis/gate_stream.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/suggest.h"

namespace showcaller {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kLineBytesMax = 16u << 20;

const std::vector<std::string> kStageKeys{"planned_s",
                                          "tick_s",
                                          "share",
                                          "assignment",
                                          "warmup_s",
                                          "profile",
                                          "canary_events_min",
                                          "metrics",
                                          "name",
                                          "baseline_events_min",
                                          "canary_instances_min",
                                          "strictness"};
const std::vector<std::string> kMetricKeys{"name",      "kind",       "weight", "worse_by_at_most",
                                           "at",        "cuts",       "better", "must_detect",
                                           "scaled_by", "divided_by", "prior"};

// Reads the fields of one object; keeps the first error and notes keys nobody asked for.
class Fields {
 public:
  Fields(const json::object& object, std::string path) : object_(object), path_(std::move(path)) {}

  void number(std::string_view key, double* out) {
    const json::value* value = find(key);
    if (!value) return;
    if (value->is_double()) {
      *out = value->get_double();
    } else if (value->is_int64()) {
      *out = double(value->get_int64());
    } else {
      wrong(key, "is not a number");
    }
  }
  void whole(std::string_view key, std::int64_t* out) {
    double value = double(*out);
    number(key, &value);
    if (std::floor(value) != value || std::abs(value) > 1e15) {
      wrong(key, "is not a whole number");
    } else {
      *out = std::int64_t(value);
    }
  }
  void numbers(std::string_view key, std::vector<double>* out) {
    const json::value* value = find(key);
    if (!value) return;
    if (!value->is_array()) return wrong(key, "is not an array of numbers");
    for (const json::value& item : value->get_array()) {
      if (item.is_double()) {
        out->push_back(item.get_double());
      } else if (item.is_int64()) {
        out->push_back(double(item.get_int64()));
      } else {
        return wrong(key, "is not an array of numbers");
      }
    }
  }
  template <class Parse>
  auto word(std::string_view key, Parse parse, std::string_view choices) -> decltype(parse("")) {
    const json::value* value = find(key);
    if (!value) return std::nullopt;
    if (!value->is_string()) {
      wrong(key, "is not a string");
      return std::nullopt;
    }
    const std::string_view text = value->get_string();
    const auto parsed = parse(text);
    if (!parsed) wrong(key, fmt::format("is \"{}\"; {} was expected", text.substr(0, 40), choices));
    return parsed;
  }
  void text(std::string_view key, std::string* out) {
    const json::value* value = find(key);
    if (!value) return;
    if (!value->is_string()) return wrong(key, "is not a string");
    *out = std::string(value->get_string());
  }
  const json::value* find(std::string_view key) {
    const json::value* value = object_.if_contains(key);
    return value && !value->is_null() ? value : nullptr;
  }
  void require(std::string_view key) {
    if (!find(key)) wrong(key, "is missing");
  }
  void wrong(std::string_view key, std::string_view what) {
    if (error_.empty()) error_ = fmt::format("{}.{} {}", path_, key, what);
  }
  Status status() const { return error_.empty() ? Status{} : fail(ErrorCode::Invalid, error_); }
  void note_unknown(std::span<const std::string> known, std::string* warning) const {
    if (!warning) return;
    for (const auto& member : object_) {
      const std::string key(member.key());
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const auto near = nearest_word(key, known);
      *warning +=
          fmt::format("{}{}.{} is not known and has no effect{}", warning->empty() ? "" : "; ",
                      path_, key, near ? fmt::format(" (did you mean {}?)", *near) : "");
    }
  }

 private:
  const json::object& object_;
  std::string path_;
  std::string error_;
};

std::optional<Better> parse_better(std::string_view text) {
  if (text == "lower") return Better::Lower;
  if (text == "higher") return Better::Higher;
  return std::nullopt;
}

Result<GateMetric> metric_from_json(const json::value& value, const std::string& path,
                                    std::string* warning) {
  if (!value.is_object()) return fail(ErrorCode::Invalid, path + " is not an object");
  Fields fields(value.get_object(), path);
  GateMetric metric;
  fields.require("name");
  fields.require("kind");
  fields.text("name", &metric.name);
  if (auto kind = fields.word("kind", parse_metric_kind, "binary, count, rate or quantile"))
    metric.kind = *kind;
  if (auto better = fields.word("better", parse_better, "lower or higher")) metric.better = *better;
  fields.number("weight", &metric.weight);
  fields.number("worse_by_at_most", &metric.worse_by_at_most);
  fields.number("must_detect", &metric.must_detect);
  fields.number("divided_by", &metric.divided_by);
  fields.number("scaled_by", &metric.scaled_by);
  fields.numbers("at", &metric.at);
  fields.numbers("cuts", &metric.cuts);
  if (const json::value* prior = fields.find("prior")) {
    if (prior->is_object()) {
      metric.prior.tau = get_double(prior->get_object(), "tau", metric.prior.tau);
      metric.prior.nu = get_double(prior->get_object(), "nu", metric.prior.nu);
    } else {
      fields.wrong("prior", "is not an object with tau and nu");
    }
  }
  TRY(fields.status());
  fields.note_unknown(kMetricKeys, warning);
  return metric;
}

double shown_e(std::int64_t log_e_unats) {
  if (log_e_unats == kLogZero) return 0;
  // Beyond this a number says no more, and some readers of JSON fail.
  const double e = std::exp(std::min(double(log_e_unats) * 1e-6, std::log(1e300)));
  return std::stod(fmt::format("{:.6g}", e));
}

double rounded(double value) {
  return std::isfinite(value) ? std::stod(fmt::format("{:.6g}", value)) : 0;
}

void write_verdict(std::ostream& out, std::string_view key, const GateLook& look) {
  json::object line;
  line[key] = to_string(look.verdict);
  line["t"] = look.t_s;
  line["metrics"] = metrics_to_json(look);
  line["e"] = shown_e(look.log_e_unats);
  line["why"] = look.why;
  out << to_json_text(line) << '\n';
}

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // some editors begin a file with it

// std::getline with a bound: a line that passes it is cut, and so told.
bool read_line(std::istream& in, std::string* line) {
  line->clear();
  std::streambuf* buffer = in.rdbuf();
  constexpr auto kEnd = std::char_traits<char>::eof();
  for (int c = buffer->sbumpc(); c != kEnd; c = buffer->sbumpc()) {
    if (c == '\n') return true;
    *line += char(c);
    if (line->size() > kLineBytesMax) return true;
  }
  return !line->empty();
}

// One judging: the stream's lines in, verdict lines out.
class Judge {
 public:
  Judge(std::ostream& out, std::ostream& err) : out_(out), err_(err) {}

  Status take_line(const std::string& line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return {};
    JsonLimits limits;
    limits.bytes_max = kLineBytesMax;
    limits.depth_max = 16;
    TRY(const json::value value, parse_json(line, limits));
    if (state_.empty()) return take_header(value);
    if (value.is_object() && value.get_object().contains("stage")) {
      return fail(ErrorCode::Invalid,
                  "the stage is described again: a gate joined it here; put this line in place of "
                  "the first one and judge again");
    }
    return take_tick(value);
  }

  bool done() const { return !state_.empty() && state_[0].verdict() == Verdict::Fail; }

  Result<Verdict> finish() {
    if (state_.empty())
      return fail(ErrorCode::Invalid, "the input has no stage; the first line describes it");
    if (!any_tick_) return fail(ErrorCode::Invalid, "the input has a stage but no tick");
    write_verdict(out_, "final", state_[0].look());
    return state_[0].verdict();
  }

 private:
  Status take_header(const json::value& value) {
    std::string warning;
    TRY(auto config, gate_config_from_json(value, &warning));
    if (!warning.empty()) err_ << "gate judge: note: " << warning << '\n';
    shape_ = shape_of(config);
    tick_s_ = config.tick_s;
    state_.emplace_back(std::move(config));
    return {};
  }

  Status take_tick(const json::value& value) {
    TRY(auto tick, tick_from_json(value, shape_));
    // A stream that labels ticks by their beginning starts at 0.
    if (!last_t_ && tick.t_s == 0) {
      const bool canary = std::any_of(tick.groups.begin(), tick.groups.end(),
                                      [](const auto& g) { return g.arm == Arm::Canary; });
      if (canary) shift_s_ = tick_s_;
    }
    tick.t_s += shift_s_;
    if (tick.t_s <= 0) {  // History may come at any time: a gate that joined brings its own.
      feed(tick);
      return {};
    }
    if (last_t_ && tick.t_s <= *last_t_) {
      return fail(ErrorCode::Invalid,
                  fmt::format("t is {} after {}; ticks come in the order of time",
                              tick.t_s - shift_s_, *last_t_ - shift_s_));
    }
    fill_gap(tick.t_s);
    last_t_ = tick.t_s;
    feed(tick);
    return {};
  }

  // Lost lines are ticks without telemetry. Three of them show what any number would.
  void fill_gap(std::int64_t next_t) {
    const std::int64_t from = last_t_.value_or(0);
    if (!last_t_ || next_t - from <= 3 * tick_s_) return;
    for (int i = 1; i <= 3; ++i) {
      Tick empty;
      empty.t_s = from + i * tick_s_;
      if (empty.t_s < next_t) feed(empty);
    }
  }

  void feed(const Tick& tick) {
    any_tick_ = true;
    const Verdict verdict = state_[0].feed(tick);
    if (verdict == shown_ || tick.t_s <= 0) return;
    shown_ = verdict;
    write_verdict(out_, "verdict", state_[0].look());
  }

  std::ostream& out_;
  std::ostream& err_;
  std::vector<GateState> state_;  // empty until the first line
  TickShape shape_;
  std::int64_t tick_s_ = 10;
  std::int64_t shift_s_ = 0;
  std::optional<std::int64_t> last_t_;
  Verdict shown_ = Verdict::Thin;
  bool any_tick_ = false;
};

}  // namespace

int judge_exit_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Pass:
      return kJudgePass;
    case Verdict::Fail:
      return kJudgeFail;
    case Verdict::Thin:
      return kJudgeThin;
    case Verdict::Blind:
      return kJudgeBlind;
    case Verdict::Skewed:
      return kJudgeSkewed;
  }
  return kJudgeMalformed;
}

Result<GateConfig> gate_config_from_json(const json::value& header, std::string* warning) {
  if (!header.is_object())
    return fail(ErrorCode::Invalid, "the first line is not an object with `stage`");
  const json::object& object = header.get_object();
  const std::int64_t version = get_int(object, "version", kFormat);
  if (version != kFormat) {
    return fail(ErrorCode::Unsupported,
                fmt::format("version {} of the format is not known; this program reads version {}",
                            version, kFormat));
  }
  const json::value* stage = object.if_contains("stage");
  if (!stage || !stage->is_object()) {
    return fail(ErrorCode::Invalid,
                "the first line has no `stage` object; it describes the stage and its metrics");
  }
  Fields fields(stage->get_object(), "stage");
  GateConfig config;
  fields.require("planned_s");
  fields.require("metrics");
  fields.whole("planned_s", &config.planned_s);
  fields.whole("tick_s", &config.tick_s);
  fields.whole("warmup_s", &config.warmup_s);
  fields.whole("canary_events_min", &config.canary_events_min);
  fields.whole("baseline_events_min", &config.baseline_events_min);
  fields.whole("canary_instances_min", &config.canary_instances_min);
  fields.number("share", &config.share);
  fields.number("strictness", &config.strictness);
  if (auto word = fields.word("assignment", parse_assignment, "player or instance"))
    config.assignment = *word;
  if (auto word = fields.word("profile", parse_gate_profile, "G1 or C")) config.profile = *word;
  TRY(fields.status());
  fields.note_unknown(kStageKeys, warning);
  const json::value& metrics = *fields.find("metrics");
  if (!metrics.is_array()) return fail(ErrorCode::Invalid, "stage.metrics is not an array");
  for (std::size_t i = 0; i < metrics.get_array().size(); ++i) {
    TRY(auto metric,
        metric_from_json(metrics.get_array()[i], fmt::format("stage.metrics[{}]", i), warning));
    config.metrics.push_back(std::move(metric));
  }
  if (auto status = check(config); !status)
    return fail(status.error().code, "stage: " + status.error().message);
  return config;
}

json::value to_json(const GateConfig& config) {
  json::array metrics;
  for (const GateMetric& m : config.metrics) {
    json::object metric{{"name", m.name}, {"kind", to_string(m.kind)}};
    if (m.better == Better::Higher) metric["better"] = "higher";
    if (m.weight > 0) metric["weight"] = m.weight;
    metric["worse_by_at_most"] = m.worse_by_at_most;
    if (m.must_detect > 0) metric["must_detect"] = m.must_detect;
    if (!m.cuts.empty()) {
      metric["at"] = json::value_from(m.at);
      metric["cuts"] = json::value_from(m.cuts);
    }
    if (m.divided_by != 1) metric["divided_by"] = m.divided_by;
    if (m.scaled_by > 0) metric["scaled_by"] = m.scaled_by;
    if (m.prior != NoisePrior{}) metric["prior"] = {{"tau", m.prior.tau}, {"nu", m.prior.nu}};
    metrics.push_back(std::move(metric));
  }
  json::object stage{{"planned_s", config.planned_s},
                     {"tick_s", config.tick_s},
                     {"warmup_s", config.warmup_s},
                     {"assignment", to_string(config.assignment)},
                     {"profile", to_string(config.profile)},
                     {"canary_events_min", config.canary_events_min},
                     {"baseline_events_min", config.baseline_events_min}};
  if (config.canary_instances_min != GateConfig{}.canary_instances_min)
    stage["canary_instances_min"] = config.canary_instances_min;
  if (config.share > 0) stage["share"] = config.share;
  if (config.strictness != 1) stage["strictness"] = config.strictness;
  stage["metrics"] = std::move(metrics);
  return {{"version", kFormat}, {"stage", std::move(stage)}};
}

json::object metrics_to_json(const GateLook& look) {
  json::object out;
  for (const MetricLook& m : look.metrics) {
    json::object metric{
        {"e", shown_e(m.log_e_unats)},
        {"ratio", rounded(m.ratio)},
        {"verdict", to_string(m.verdict)},
        {"log_e_unats", m.log_e_unats == kLogZero ? json::value() : json::value(m.log_e_unats)},
        {"z", rounded(m.score)},
        {"canary", {m.canary_n, m.canary_x}},
        {"baseline", {m.baseline_n, m.baseline_x}}};
    metric["ratio_low"] = rounded(m.ratio_low);
    metric["ratio_high"] = m.ratio_high > 0 ? json::value(rounded(m.ratio_high)) : json::value();
    if (m.at > 0) metric["at"] = m.at;
    if (m.divided_by != 1) metric["divided_by"] = m.divided_by;
    out[m.name] = std::move(metric);
  }
  return out;
}

int judge_stream(std::istream& in, std::ostream& out, std::ostream& err) {
  Judge judge(out, err);
  std::string line;
  std::int64_t number = 0;
  while (!judge.done() && read_line(in, &line)) {
    if (++number == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
    if (line.size() > kLineBytesMax) {
      err << "gate judge: line " << number << ": longer than " << kLineBytesMax << " bytes\n";
      return kJudgeMalformed;
    }
    if (auto status = judge.take_line(line); !status) {
      err << "gate judge: line " << number << ": " << status.error().message << '\n';
      return kJudgeMalformed;
    }
  }
  const auto verdict = judge.finish();
  if (!verdict) {
    err << "gate judge: " << verdict.error().message << '\n';
    return kJudgeMalformed;
  }
  out.flush();
  return judge_exit_of(*verdict);
}

}  // namespace showcaller
