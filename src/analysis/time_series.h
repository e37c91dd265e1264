// SPDX-License-Identifier: Apache-2.0
// A time series as rows of text, and as values at even steps.
//
// Text: CSV in UTF-8, one row a line, in any order of time.
//   file      = [header] *row         ; a byte order mark, CRLF and blank lines are passed over
//   header    = names; the columns called timestamp and value are read, else the first two
//   row       = timestamp "," value *("," anything)
//   timestamp = RFC 3339, or without a zone (read as UTC), seconds or time of day
//             / number of 100,000,000 or more: seconds since 1970, or ms, us, ns by its size
//             / number below: a count of steps
//   value     = decimal number; empty, NaN, NA, N/A or null: not known
//
// Limits: a line of 4,096 bytes; regular_series(): 2,000,000 rows, 2,000,000 steps.
// Threads: none. Pure but for the stream handed in.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace showcaller {

struct SeriesRow {
  std::string time_text, value_text;  // as they stood, without quotes and blanks
  Instant time;
  double value = 0;  // NaN: not known
};

class SeriesReader {
 public:
  // `count_step`: what timestamps that are counts count.
  SeriesReader(std::istream& in, Duration count_step) : in_(in), count_step_(count_step) {}

  // The next row; none at the end. Errors say line and column, and what was expected.
  Result<std::optional<SeriesRow>> next();
  bool has_counts() const { return kind_ == StampKind::Count; }

 private:
  enum class StampKind { Unknown, Clock, Count };
  struct Field {
    std::string_view text;
    std::size_t column;  // from 1
  };

  std::vector<Field> fields_of(std::string_view line) const;
  bool take_header(const std::vector<Field>& fields);
  Result<Instant> time_of(const Field& field);
  Result<double> value_of(const Field& field) const;
  std::unexpected<Error> wrong(std::size_t column, const std::string& what) const;

  std::istream& in_;
  Duration count_step_;
  std::size_t line_ = 0;
  std::size_t time_at_ = 0, value_at_ = 1;
  bool begun_ = false;
  StampKind kind_ = StampKind::Unknown;
};

struct SeriesPoint {
  Instant time;
  double value = 0;
};

// Values at start, start + step, ...; NaN where there is none.
struct RegularSeries {
  Instant start;
  Duration step{};
  std::vector<double> values;
  std::optional<Duration> count_step;  // where timestamps were counts: of what

  std::string stamp(std::size_t i) const;  // of a step, also beyond the end, as timestamps were
};

// The step is the usual gap between points, moved to one that divides a day, and at least
// `step_min`; points that share a step are averaged.
Result<RegularSeries> regular_series(std::vector<SeriesPoint> points,
                                     std::optional<Duration> step_min = {});
// The whole of it. `step`: what counts count (absent: an hour), and the shortest step wanted.
Result<RegularSeries> read_regular_series(std::istream& in, std::optional<Duration> step);

// Steps in a day and in a week; 0 where the step is too long for such a cycle.
struct Cycles {
  std::size_t day = 0, week = 0;
};
Cycles cycles_of(Duration step);

}  // namespace showcaller
