// SPDX-License-Identifier: Apache-2.0
#include "analysis/time_series.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::size_t kLineBytesMax = 4096;
constexpr std::size_t kRowsMax = 2'000'000;
constexpr std::size_t kStepsMax = 2'000'000;
constexpr double kClockMin = 1e8;    // 1973 in seconds: smaller numbers are counts
constexpr double kValueMax = 1e100;  // so that sums and products of values stay finite
constexpr double kCountedMsMax =
    6e13;  // counts are told from 1970 on, and calendars begin in year 1
constexpr Duration kCountStep = hours(1);
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

constexpr std::array<std::int64_t, 26> kStepsOfADay_s{
    1,   2,   3,   4,   5,   6,   10,  12,   15,   20,   30,   60,    120,
    180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600, 7200, 10800, 14400};
constexpr std::array<std::int64_t, 4> kLongSteps_s{21600, 28800, 43200, 86400};

// What was read, for a message: short, and printable.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, 40));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  return "'" + out + (text.size() > 40 ? "...'" : "'");
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

bool says_missing(std::string_view text) {
  return text.empty() || same_word(text, "nan") || same_word(text, "na") ||
         same_word(text, "n/a") || same_word(text, "null");
}

std::optional<double> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

// RFC 3339, and what is usual short of it: no zone, no seconds, no time of day.
std::optional<Instant> clock_time_of(std::string_view text) {
  std::string full(text);
  if (full.size() == 10) full += "T00:00";
  const bool zone = full.size() > 10 && full.find_first_of("Zz+-", 10) != full.npos;
  const auto time = parse_instant(zone ? full : full + "Z");
  if (!time) return std::nullopt;
  return *time;
}

// Seconds, ms, us or ns since 1970, told apart by size: each begins where the one before would be
// in the year 5138.
Instant instant_of_number(double number) {
  double ms = number * 1000;
  for (double bound = 1e11; number >= bound && bound <= 1e17; bound *= 1000) ms /= 1000;
  return instant_ms(std::llround(ms));
}

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

Duration nice_step(Duration usual) {
  const double floor_s = double(usual.count()) / 1000 * 0.9;  // clocks jitter
  for (const std::int64_t s : kStepsOfADay_s)
    if (double(s) >= floor_s) return seconds(s);
  for (const std::int64_t s : kLongSteps_s)
    if (double(s) >= floor_s) return seconds(s);
  return usual;
}

std::optional<Duration> usual_gap(const std::vector<SeriesPoint>& points) {
  std::vector<std::int64_t> gaps;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const std::int64_t gap = (points[i].time - points[i - 1].time).count();
    if (gap > 0) gaps.push_back(gap);
  }
  if (gaps.empty()) return std::nullopt;
  const auto middle = gaps.begin() + std::ptrdiff_t(gaps.size() / 2);
  std::nth_element(gaps.begin(), middle, gaps.end());
  return Duration(*middle);
}

}  // namespace

std::unexpected<Error> SeriesReader::wrong(std::size_t column, const std::string& what) const {
  return fail(ErrorCode::Invalid, fmt::format("line {}, column {}: {}", line_, column, what));
}

std::vector<SeriesReader::Field> SeriesReader::fields_of(std::string_view line) const {
  std::vector<Field> fields;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(',', at), line.size());
    std::string_view text = line.substr(at, end - at);
    const std::string_view inner = trimmed(text);
    const std::size_t column = inner.empty() ? at + 1 : std::size_t(inner.data() - line.data()) + 1;
    const bool quoted = inner.size() >= 2 && inner.front() == '"' && inner.back() == '"';
    fields.push_back({quoted ? trimmed(inner.substr(1, inner.size() - 2)) : inner, column});
    at = end + 1;
  }
  return fields;
}

// The first row names columns unless its own first field is a time.
bool SeriesReader::take_header(const std::vector<Field>& fields) {
  if (std::exchange(begun_, true)) return false;
  if (number_of(fields[0].text) || clock_time_of(fields[0].text)) return false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (same_word(fields[i].text, "timestamp")) time_at_ = i;
    if (same_word(fields[i].text, "value")) value_at_ = i;
  }
  return true;
}

Result<Instant> SeriesReader::time_of(const Field& field) {
  const auto number = number_of(field.text);
  const auto clock = number ? std::nullopt : clock_time_of(field.text);
  if ((!number && !clock) || (number && std::abs(*number) >= 9e18)) {
    return wrong(field.column, shown(field.text) +
                                   " is no time; write 2026-12-18T18:00:00Z, 2026-12-18 18:00:00 "
                                   "(read as UTC), seconds since 1970, or a count of steps");
  }
  const StampKind kind = number && *number < kClockMin ? StampKind::Count : StampKind::Clock;
  if (kind_ != StampKind::Unknown && kind != kind_) {
    return wrong(
        field.column,
        fmt::format("{} is a {}, but the rows before it have {}; use one kind of timestamp",
                    shown(field.text), kind == StampKind::Count ? "count" : "time",
                    kind == StampKind::Count ? "times" : "counts"));
  }
  kind_ = kind;
  if (clock) return *clock;
  if (kind == StampKind::Clock) return instant_of_number(*number);
  const double ms = *number * double(count_step_.count());
  if (std::abs(ms) > kCountedMsMax)
    return wrong(field.column, shown(field.text) +
                                   " steps are more than 1,900 years; count from "
                                   "nearer, or give a shorter --step");
  return instant_ms(std::llround(ms));
}

Result<double> SeriesReader::value_of(const Field& field) const {
  if (says_missing(field.text)) return kMissing;
  const auto number = number_of(field.text);
  if (!number) {
    return wrong(field.column, shown(field.text) +
                                   " is no number; write a decimal number such as "
                                   "12.5, or nothing where it is not known");
  }
  if (std::abs(*number) > kValueMax)
    return wrong(field.column, shown(field.text) + " is beyond 1e100; use a larger unit");
  return *number;
}

Result<std::optional<SeriesRow>> SeriesReader::next() {
  std::string line;
  while (read_line(in_, &line)) {
    ++line_;
    if (line.size() > kLineBytesMax)
      return wrong(kLineBytesMax,
                   fmt::format("longer than {} bytes; a row is timestamp,value", kLineBytesMax));
    std::string_view text = line;
    if (line_ == 1 && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    if (trimmed(text).empty()) continue;
    const auto fields = fields_of(text);
    const std::size_t wanted = std::max(time_at_, value_at_);
    if (fields.size() <= wanted) {
      return wrong(text.size() + 1,
                   fmt::format("the row has {} of the {} fields expected; a row is "
                               "timestamp,value with a comma between them",
                               fields.size(), wanted + 1));
    }
    if (take_header(fields)) continue;
    SeriesRow row{std::string(fields[time_at_].text), std::string(fields[value_at_].text), {}, 0};
    TRY(row.time, time_of(fields[time_at_]));
    TRY(row.value, value_of(fields[value_at_]));
    return row;
  }
  return std::nullopt;
}

Result<RegularSeries> regular_series(std::vector<SeriesPoint> points,
                                     std::optional<Duration> step_min) {
  std::stable_sort(points.begin(), points.end(),
                   [](const SeriesPoint& a, const SeriesPoint& b) { return a.time < b.time; });
  if (points.empty())
    return fail(ErrorCode::Invalid, "the series has no rows; a row is timestamp,value");
  const auto gap = usual_gap(points);
  if (!gap && !step_min)
    return fail(ErrorCode::Invalid,
                "all rows have the same time, which tells no step; say how long one is: --step 1h");
  RegularSeries series;
  series.start = points.front().time;
  series.step = std::max(gap ? nice_step(*gap) : *step_min, step_min.value_or(Duration{}));
  const auto step_of = [&](Instant time) {
    return std::size_t((time - series.start + series.step / 2) / series.step);
  };
  const std::size_t steps = step_of(points.back().time) + 1;
  if (steps > kStepsMax) {
    return fail(ErrorCode::Limit,
                fmt::format("{} to {} are {} steps of {}, more than {}; leave out what is far "
                            "from the rest, or give a longer --step",
                            format_instant(series.start), format_instant(points.back().time), steps,
                            format_duration(series.step), kStepsMax));
  }
  series.values.assign(steps, 0);
  std::vector<std::uint32_t> counts(steps);
  for (const SeriesPoint& point : points) {
    if (std::isnan(point.value)) continue;
    series.values[step_of(point.time)] += point.value;
    ++counts[step_of(point.time)];
  }
  for (std::size_t i = 0; i < steps; ++i)
    series.values[i] = counts[i] ? series.values[i] / counts[i] : kMissing;
  return series;
}

Result<RegularSeries> read_regular_series(std::istream& in, std::optional<Duration> step) {
  SeriesReader reader(in, step.value_or(kCountStep));
  std::vector<SeriesPoint> points;
  while (true) {
    TRY(const auto row, reader.next());
    if (!row) break;
    if (points.size() == kRowsMax)
      return fail(
          ErrorCode::Limit,
          fmt::format("more than {} rows; give the newest ones, or longer steps", kRowsMax));
    points.push_back({row->time, row->value});
  }
  const bool counts = reader.has_counts();
  TRY(RegularSeries series,
      regular_series(std::move(points), counts ? step.value_or(kCountStep) : step));
  if (counts) series.count_step = step.value_or(kCountStep);
  return series;
}

std::string RegularSeries::stamp(std::size_t i) const {
  const Instant time = start + step * std::int64_t(i);
  if (!count_step) return format_instant(time);
  return fmt::format("{}", double(to_ms(time)) / double(count_step->count()));
}

Cycles cycles_of(Duration step) {
  const auto steps_in = [step](Duration cycle) {
    const bool whole = step.count() > 0 && cycle % step == Duration{} && cycle / step > 1;
    return whole ? std::size_t(cycle / step) : 0;
  };
  return {steps_in(hours(24)), steps_in(hours(24 * 7))};
}

}  // namespace showcaller
