// SPDX-License-Identifier: Apache-2.0
// Series as strangers write them, and every way a row can be wrong.
#include "analysis/time_series.h"

#include <cmath>
#include <sstream>

#include <gtest/gtest.h>

namespace showcaller {
namespace {

Result<RegularSeries> read(const std::string& text, std::optional<Duration> step = {}) {
  std::istringstream in(text);
  return read_regular_series(in, step);
}

// Values with "-" for what is missing.
std::string shown(const std::vector<double>& values) {
  std::string out;
  for (const double v : values) {
    if (!out.empty()) out += ' ';
    std::ostringstream text;
    text << v;
    out += std::isnan(v) ? "-" : text.str();
  }
  return out;
}

TEST(TimeSeries, TimestampsOfAllKindsTellTheSameSeries) {
  const std::pair<const char*, const char*> cases[] = {
      {"timestamp,value\n2014-04-01 00:00:00,1\n2014-04-01 01:00:00,2\n", "plain"},
      {"\xef\xbb\xbftimestamp,value\r\n\r\n2014-04-01T00:00:00Z,1\r\n2014-04-01T01:00Z,2\r\n\n",
       "byte order mark, CRLF and blank lines"},
      {"2014-04-01 00:00:00.000000,1\n2014-04-01T03:00:00+02:00,2", "no header, an offset"},
      {"1396310400,1\n1396314000,2\n", "seconds"},
      {"1396310400000,1\n1396314000000,2\n", "milliseconds"},
      {"1396310400000000,1\n1396314000000000,2\n", "microseconds"},
      {"1396310400000000000,1\n1396314000000000000,2\n", "nanoseconds"},
      {"value,host,Timestamp\n2,a,2014-04-01 01:00\n1,a,\"2014-04-01\"\n", "columns by name"},
  };
  for (const auto& [text, what] : cases) {
    const auto series = read(text);
    ASSERT_TRUE(series) << what << ": " << series.error().message;
    EXPECT_EQ(format_instant(series->start), "2014-04-01T00:00:00Z") << what;
    EXPECT_EQ(series->step, hours(1)) << what;
    EXPECT_EQ(shown(series->values), "1 2") << what;
  }
}

TEST(TimeSeries, CountsCountHoursUnlessToldOtherwise) {
  EXPECT_EQ(read("1,5\n2,6\n")->step, hours(1));
  EXPECT_EQ(read("1,5\n2,6\n")->stamp(2), "3");
  EXPECT_EQ(read("1,5\n2,6\n", minutes(5))->step, minutes(5));
  EXPECT_EQ(read("0,5\n3600,6\n", seconds(1))->step, hours(1));
  EXPECT_EQ(read("0,5\n3600,6\n", seconds(1))->stamp(2), "7200");
}

TEST(TimeSeries, MissingStepsStayMissing) {
  const auto series = read(
      "2014-04-01 00:00,1\n2014-04-01 01:00,NaN\n2014-04-01 02:00,\n2014-04-01 03:00,4\n"
      "2014-04-01 06:00,7\n2014-04-01 07:00,8\n");
  EXPECT_EQ(shown(series->values), "1 - - 4 - - 7 8");
}

TEST(TimeSeries, UnsortedRowsAreSortedAndRowsOfOneStepAveraged) {
  EXPECT_EQ(shown(read("3,30\n1,10\n2,20\n2,40\n4,40\n")->values), "10 30 30 40");
}

// Clocks jitter, and odd steps would fit no day.
TEST(TimeSeries, TheStepDividesADay) {
  EXPECT_EQ(read("2014-04-01 00:00:02,1\n2014-04-01 00:05:00,2\n2014-04-01 00:10:03,3\n")->step,
            minutes(5));
  const auto odd = read("2014-04-01 00:00,1\n2014-04-01 00:07,3\n2014-04-01 00:14,5\n");
  EXPECT_EQ(odd->step, minutes(10));
  EXPECT_EQ(shown(odd->values), "1 4");
  EXPECT_EQ(read("2014-04-01,1\n2014-04-02,3\n2014-04-03,5\n")->step, hours(24));
  EXPECT_EQ(read("2014-04-01 00:00,1\n2014-04-01 00:05,3\n", hours(1))->step, hours(1));
}

TEST(TimeSeries, CyclesAreWholeOrNone) {
  EXPECT_EQ(cycles_of(hours(1)).day, 24u);
  EXPECT_EQ(cycles_of(hours(1)).week, 168u);
  EXPECT_EQ(cycles_of(hours(24)).day, 0u);
  EXPECT_EQ(cycles_of(hours(24)).week, 7u);
  EXPECT_EQ(cycles_of(hours(24 * 7)).week, 0u);
  EXPECT_EQ(cycles_of(hours(5)).day, 0u);
}

TEST(TimeSeries, ErrorsSayLineColumnAndRemedy) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "the series has no rows; a row is timestamp,value"},
      {"timestamp,value\n", "the series has no rows"},
      {"timestamp,value\n2014-04-01 00:00:00,1\nsoon,2\n", "line 3, column 1: 'soon' is no time"},
      {"timestamp,value\n2014-04-01 00:00:00,  x1\n", "line 2, column 23: 'x1' is no number"},
      {"timestamp,value\n2014-04-01 00:00:00\n",
       "line 2, column 20: the row has 1 of the 2 fields"},
      {"timestamp;value\n", "line 1, column 16: the row has 1 of the 2 fields expected"},
      {"2014-13-01,1\n2014-12-01,1\n2014-13-01,1\n", "line 3, column 1: '2014-13-01' is no time"},
      {"1,1\n2014-12-01,1\n", "line 2, column 1: '2014-12-01' is a time, but the rows before it"},
      {"1,1\n2,inf\n", "line 2, column 3: 'inf' is no number"},
      {"1,1\n2,1e101\n", "line 2, column 3: '1e101' is beyond 1e100"},
      {"1,1\n99999999,1\n", "line 2, column 1: '99999999' steps are more than 1,900 years"},
      {"1,1\n2," + std::string(5000, '1'), "line 2, column 4096: longer than 4096 bytes"},
      {"2014-04-01 00:00,1\n2014-04-01 00:00,2\n", "all rows have the same time"},
      {"2014-04-01 00:00:00,1\n2014-04-01 00:00:01,2\n2014-04-01 00:00:02,2\n2024-04-01,3\n",
       "steps of 1s, more than 2000000; leave out what is far from the rest"},
  };
  for (const auto& [text, message] : cases) {
    const auto series = read(text);
    ASSERT_FALSE(series) << message;
    EXPECT_NE(series.error().message.find(message), std::string::npos)
        << message << "\ngot: " << series.error().message;
  }
}

}  // namespace
}  // namespace showcaller
