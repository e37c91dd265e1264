// SPDX-License-Identifier: Apache-2.0
#include "cli/forecast_verb.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/series_input.h"
#include "cli/text_input.h"

namespace showcaller {
namespace {

constexpr std::int64_t kHorizonStepsMax = 100'000;

struct Plan {
  std::size_t horizon = 0;  // in steps
  RegularSeries series;
  std::vector<PlannedUplift> uplifts;
};

struct Told {
  DemandForecast forecast;
  std::optional<ForecastRecord> record;
};

std::size_t peak_at(const std::vector<double>& values) {
  return std::size_t(std::max_element(values.begin(), values.end()) - values.begin());
}

Result<PlannedUplift> parse_uplift(const std::string& text) {
  const auto at = text.find('@'), slash = text.find('/');
  const std::string wanted = fmt::format(
      "--uplift is '{}'; write FACTOR@TIME/DURATION, as in "
      "1.3@2026-12-18T18:00Z/48h",
      text);
  if (at == text.npos || slash == text.npos || slash < at) return fail(ErrorCode::Invalid, wanted);
  PlannedUplift uplift;
  const auto [end, error] = std::from_chars(text.data(), text.data() + at, uplift.factor);
  if (error != std::errc{} || end != text.data() + at || !(uplift.factor >= 0) ||
      uplift.factor > 1000)
    return fail(ErrorCode::Invalid, wanted + "; the factor is a number from 0 to 1000");
  const auto from = parse_instant(text.substr(at + 1, slash - at - 1));
  if (!from) return fail(ErrorCode::Invalid, wanted + "; " + from.error().message);
  const auto length = parse_duration(text.substr(slash + 1));
  if (!length) return fail(ErrorCode::Invalid, wanted + "; " + length.error().message);
  uplift.from = *from;
  uplift.until = *from + *length;
  return uplift;
}

Result<Plan> plan_of(std::istream& in, const ForecastOptions& options) {
  Plan plan;
  TRY(plan.series, read_regular_series(in, options.step));
  if (std::all_of(plan.series.values.begin(), plan.series.values.end(),
                  [](double v) { return std::isnan(v); }))
    return fail(ErrorCode::Invalid, "no row has a value; there is nothing to forecast from");
  const Duration step = plan.series.step;
  const auto steps = (options.horizon + step - Duration(1)) / step;
  if (steps > kHorizonStepsMax) {
    return fail(ErrorCode::Limit,
                fmt::format("a horizon of {} is {} steps of {}, more than {}; give "
                            "a shorter --horizon or a longer --step",
                            format_duration(options.horizon), steps, format_duration(step),
                            kHorizonStepsMax));
  }
  plan.horizon = std::size_t(steps);
  plan.uplifts = options.uplifts;
  return plan;
}

std::string notes_of(const Plan& plan) {
  const RegularSeries& series = plan.series;
  std::string notes;
  if (series.count_step)
    notes +=
        fmt::format("forecast: note: timestamps are counts, of {} each; --step says otherwise\n",
                    format_duration(*series.count_step));
  const Instant from = series.start + series.step * std::int64_t(series.values.size());
  const Instant until = from + series.step * std::int64_t(plan.horizon);
  for (const PlannedUplift& uplift : plan.uplifts) {
    if (uplift.from >= until || uplift.until <= from)
      notes +=
          fmt::format("the uplift at {} is outside the forecast, {} to {}\n",
                      format_instant(uplift.from), format_instant(from), format_instant(until));
  }
  return notes;
}

json::object peak_json(const RegularSeries& series, const std::vector<double>& values) {
  const std::size_t at = peak_at(values);
  return {{"timestamp", series.stamp(series.values.size() + at)}, {"value", values[at]}};
}

json::value json_of(const Plan& plan, const Told& told) {
  const RegularSeries& series = plan.series;
  json::array steps;
  for (std::size_t h = 0; h < plan.horizon; ++h)
    steps.push_back(json::object{{"timestamp", series.stamp(series.values.size() + h)},
                                 {"value", told.forecast.value[h]},
                                 {"upper", told.forecast.upper[h]}});
  json::object out{{"step", format_duration(series.step)},
                   {"peak_value", peak_json(series, told.forecast.value)},
                   {"peak_upper", peak_json(series, told.forecast.upper)},
                   {"factor", told.forecast.factor},
                   {"factor_origins", told.forecast.origins}};
  if (told.record && told.record->windows > 0) {
    const ForecastRecord& record = *told.record;
    out["record"] = {{"windows", record.windows},
                     {"covered", record.covered},
                     {"over_provision_median", record.over_provision_median},
                     {"smape_percent", record.smape_percent},
                     {"mase", record.mase}};
  } else {
    out["record"] = nullptr;
  }
  out["steps"] = std::move(steps);
  return out;
}

std::string csv_of(const Plan& plan, const DemandForecast& forecast) {
  const RegularSeries& series = plan.series;
  std::string out = "timestamp,value,upper\n";
  for (std::size_t h = 0; h < plan.horizon; ++h)
    out += fmt::format("{},{:.10g},{:.10g}\n", series.stamp(series.values.size() + h),
                       forecast.value[h], forecast.upper[h]);
  return out;
}

std::string summary_of(const Plan& plan, const Told& told) {
  const RegularSeries& series = plan.series;
  const auto line = [&](const char* name, const std::vector<double>& values) {
    const std::size_t at = peak_at(values);
    return fmt::format("{:<10} {:.6g} at {}\n", name, values[at],
                       series.stamp(series.values.size() + at));
  };
  std::string out = fmt::format("{} steps of {} from {} steps of the past\n", plan.horizon,
                                format_duration(series.step), series.values.size());
  out += line("peak", told.forecast.value) + line("capacity", told.forecast.upper);
  out += told.forecast.origins > 0
             ? fmt::format("{:<10} {:.3f}, learnt from {} forecasts of the past\n", "factor",
                           told.forecast.factor, told.forecast.origins)
             : fmt::format("{:<10} {:.3f}, assumed: the past is too short to learn it\n", "factor",
                           told.forecast.factor);
  if (told.record && told.record->windows > 0) {
    const ForecastRecord& record = *told.record;
    out += fmt::format(
        "{:<10} peak covered in {} of the last {} windows ({:.1f} %), median over-provision "
        "{:.1f} %\n{:<10} sMAPE {:.2f} %, MASE {:.2f}\n",
        "record", record.covered, record.windows,
        100.0 * double(record.covered) / double(record.windows), 100 * record.over_provision_median,
        "", record.smape_percent, record.mase);
  }
  return out;
}

}  // namespace

Result<ForecastOptions> parse_forecast_options(const ForecastRequest& request) {
  ForecastOptions options;
  TRY(options.step, parse_step(request.step));
  TRY(options.horizon, parse_duration(request.horizon));
  if (options.horizon <= Duration{})
    return fail(ErrorCode::Invalid, "--horizon is nothing; give how far to look, as in 48h");
  for (const std::string& text : request.uplifts) {
    TRY(const PlannedUplift uplift, parse_uplift(text));
    options.uplifts.push_back(uplift);
  }
  return options;
}

Result<ForecastText> forecast_text(std::istream& in, const ForecastOptions& options,
                                   OutputForm form, WithSummary with_summary) {
  TRY(const Plan plan, plan_of(in, options));
  Told told{forecast_demand(plan.series, plan.horizon, plan.uplifts), {}};
  if (form != OutputForm::Table || with_summary == WithSummary::Yes)
    told.record = record_of_forecasts(plan.series, plan.horizon);
  ForecastText text;
  text.notes = notes_of(plan);
  text.out = form == OutputForm::Json   ? to_pretty_json_text(json_of(plan, told)) + "\n"
             : form == OutputForm::Yaml ? yaml_text(json_of(plan, told))
                                        : csv_of(plan, told.forecast);
  if (with_summary == WithSummary::Yes) text.summary = summary_of(plan, told);
  return text;
}

int forecast_verb(const ForecastRequest& request, OutputForm form) {
  const auto options = parse_forecast_options(request);
  if (!options) return failed(options.error());
  const WithSummary with_summary = on_terminal(2) ? WithSummary::Yes : WithSummary::No;
  const auto text = with_text_input(request.file, [&](std::istream& in) {
    return forecast_text(in, *options, form, with_summary);
  });
  if (!text) return failed(text.error());
  for (const std::string* part : {&text->notes, &text->summary})
    std::fwrite(part->data(), 1, part->size(), stderr);
  std::fwrite(text->out.data(), 1, text->out.size(), stdout);
  return kExitOk;
}

}  // namespace showcaller
