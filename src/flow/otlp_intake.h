// SPDX-License-Identifier: Apache-2.0
// Turns data points of OpenTelemetry into deltas of telemetry, and hands them to the intake that
// counts those (telemetry_intake.h). Pure: time comes in as a value. docs/telemetry.md tells what
// becomes of which kind of point.
//
// A series' points are counted once, by their time; totals become what came since (series_table.h).
// Deltas of one metric and place are added up before they are counted, so that the number of points
// costs little. Whoever sends is believed as far as the metric and his token allow.
//
// Limits: SeriesLimits, and those of the intake; while that is full nothing is taken (Limit), and
// the same export may come again. Threads: none.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "evidence/data_points.h"
#include "flow/otlp_catalog.h"
#include "flow/series_table.h"
#include "flow/telemetry_intake.h"

namespace showcaller {

// What became of a data point.
enum class PointFate : std::uint8_t {
  Taken,
  Unmapped,  // no Metric names its instrument, or its attributes are not those that are meant
  First,     // of a total that had begun before: what comes after it counts
  Repeated,  // its series was told of that time before
  NoValue,   // it says itself that there is none
  Refused,   // of a kind that the metric cannot be made of, or broken
  Full,      // too many series
};
inline constexpr std::size_t kPointFates = 7;
std::string_view to_string(PointFate fate);  // "taken", "unmapped", …

struct OtlpReceipt {
  std::array<std::int64_t, kPointFates> points{};
  std::string why;       // the first that was refused, or had no room
  ReportReceipt deltas;  // what the intake made of them
  std::int64_t rejected() const {
    return points[std::size_t(PointFate::Refused)] + points[std::size_t(PointFate::Full)];
  }
};

struct OtlpSender {
  std::string token;            // whose word it is
  Trust trust = Trust::Client;  // at most
  std::string below{};          // who sent it to a relay, whose word it is then; empty: nobody else
};

class OtlpIntake {
 public:
  explicit OtlpIntake(Instant began, SeriesLimits limits = {}) : series_(began, limits) {}

  Result<OtlpReceipt> take(const DataPoints& points, const OtlpCatalog& catalog,
                           const OtlpSender& sender, Instant now, TelemetryIntake* intake);
  std::size_t series() const { return series_.size(); }

 private:
  SeriesTable series_;
};

}  // namespace showcaller
