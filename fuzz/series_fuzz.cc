// SPDX-License-Identifier: Apache-2.0
// Any bytes as a series: what is read has even steps, a forecast of finite values that its own
// capacity covers, and a score from 0 to 1 a row.
//
// Links: sc_analysis
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "analysis/anomaly_detector.h"
#include "analysis/demand_forecast.h"
#include "analysis/time_series.h"
#include "base/check.h"

namespace {

using namespace showcaller;

void score_all(const std::string& text) {
  std::istringstream in(text);
  SeriesReader reader(in, hours(1));
  AnomalyDetector detector;
  while (true) {
    const auto row = reader.next();
    if (!row) {
      CHECK(row.error().message.find("line ") == 0);
      return;
    }
    if (!*row) return;
    const double score = detector.score((*row)->time, (*row)->value);
    CHECK(score >= 0 && score <= 1);
  }
}

void forecast_all(const std::string& text) {
  std::istringstream in(text);
  const auto series = read_regular_series(in, {});
  if (!series) return;
  CHECK(!series->values.empty() && series->step > Duration{});
  // Long series are forecast by the tests; here they would only be slow.
  if (series->values.size() > 20'000) return;
  const DemandForecast forecast = forecast_demand(*series, 12);
  for (const double value : forecast.value) CHECK(std::isfinite(value));
  for (const double value : forecast.upper) CHECK(std::isfinite(value));
  (void)series->stamp(series->values.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  score_all(text);
  forecast_all(text);
  return 0;
}
