// SPDX-License-Identifier: Apache-2.0
// `forecast`: a series as CSV in, its next hours as CSV, JSON or YAML out. docs/forecast.md is the
// format.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "analysis/demand_forecast.h"
#include "base/result.h"
#include "cli/terminal.h"

namespace showcaller {

struct ForecastRequest {
  std::string file = "-";
  std::string horizon = "48h";
  std::string step;                  // empty: as the timestamps tell
  std::vector<std::string> uplifts;  // FACTOR@TIME/DURATION
};

struct ForecastOptions {
  Duration horizon = hours(48);
  std::optional<Duration> step;
  std::vector<PlannedUplift> uplifts;
};
Result<ForecastOptions> parse_forecast_options(const ForecastRequest& request);

struct ForecastText {
  std::string out;      // the forecast
  std::string summary;  // for a person
  std::string notes;    // what was assumed, a line each
};
enum class WithSummary { No, Yes };
Result<ForecastText> forecast_text(std::istream& in, const ForecastOptions& options,
                                   OutputForm form, WithSummary with_summary);

int forecast_verb(const ForecastRequest& request, OutputForm form);

}  // namespace showcaller
