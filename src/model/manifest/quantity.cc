// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/quantity.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/time.h"

namespace showcaller::manifest {
namespace {

constexpr double kNumberMax = 1e15;

// A decimal of digits and at most one point: no sign, no exponent.
std::optional<double> parse_decimal(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return std::nullopt;
  if (text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > kNumberMax)
    return std::nullopt;
  return value;
}

bool take_suffix(std::string_view* text, std::string_view suffix) {
  if (!text->ends_with(suffix)) return false;
  text->remove_suffix(suffix.size());
  return true;
}

std::optional<std::int64_t> whole(double value) {
  const double rounded = std::round(value);
  if (std::abs(value - rounded) > 1e-6 * std::max(1.0, std::abs(value) * 1e-6)) return std::nullopt;
  return static_cast<std::int64_t>(rounded);
}

}  // namespace

std::optional<std::int64_t> parse_percent_ppm(std::string_view text) {
  if (!take_suffix(&text, "%")) return std::nullopt;
  const auto value = parse_decimal(text);
  if (!value || *value > 100) return std::nullopt;
  return whole(*value * 10'000);
}

std::optional<std::variant<Ratio, Points>> parse_margin(std::string_view text) {
  if (text == "0") return Ratio{0};
  const bool points = take_suffix(&text, "pp");
  if (!points && !take_suffix(&text, "%")) return std::nullopt;
  const auto value = parse_decimal(text);
  if (!value) return std::nullopt;
  if (points)
    return *value <= 100 ? std::optional<std::variant<Ratio, Points>>(Points{*value / 100})
                         : std::nullopt;
  return Ratio{*value / 100};
}

std::optional<double> parse_multiple(std::string_view text) {
  if (!take_suffix(&text, "x")) return std::nullopt;
  const auto value = parse_decimal(text);
  if (!value || *value <= 1) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_rate_per_minute(std::string_view text) {
  double per_minute = 1;
  if (take_suffix(&text, "/s")) {
    per_minute = 60;
  } else if (take_suffix(&text, "/h")) {
    per_minute = 1.0 / 60;
  } else if (!take_suffix(&text, "/min")) {
    return std::nullopt;
  }
  if (take_suffix(&text, "k")) {
    per_minute *= 1'000;
  } else if (take_suffix(&text, "M")) {
    per_minute *= 1'000'000;
  }
  const auto value = parse_decimal(text);
  if (!value) return std::nullopt;
  const auto rate = whole(*value * per_minute);
  if (!rate || *rate < 1) return std::nullopt;
  return rate;
}

std::optional<std::int64_t> parse_player_count(std::string_view text) {
  const double each = take_suffix(&text, "k") ? 1'000 : take_suffix(&text, "M") ? 1'000'000 : 1;
  const auto value = parse_decimal(text);
  const auto players = value ? whole(*value * each) : std::nullopt;
  if (!players || *players < 1 || *players > 1'000'000'000) return std::nullopt;
  return players;
}

std::optional<double> parse_bound(std::string_view text) {
  if (const auto value = parse_decimal(text)) return value;
  std::string_view percent = text;
  if (take_suffix(&percent, "%")) {
    const auto value = parse_decimal(percent);
    return value ? std::optional(*value / 100) : std::nullopt;
  }
  const auto duration = parse_duration(text);
  if (!duration) return std::nullopt;
  return static_cast<double>(duration->count());
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  double unit = 1;
  if (take_suffix(&text, "KiB")) {
    unit = 1 << 10;
  } else if (take_suffix(&text, "MiB")) {
    unit = 1 << 20;
  } else if (take_suffix(&text, "GiB")) {
    unit = 1 << 30;
  } else if (!take_suffix(&text, "B")) {
    return std::nullopt;
  }
  const auto value = parse_decimal(text);
  if (!value || *value * unit > 1e15) return std::nullopt;
  return whole(*value * unit);
}

}  // namespace showcaller::manifest
