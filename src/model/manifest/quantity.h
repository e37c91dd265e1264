// SPDX-License-Identifier: Apache-2.0
// The short texts for quantities in manifests: "5%", "0.1pp", "2x", "20k/min", "250ms", "512MiB".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace showcaller::manifest {

// "5%" → 50'000. At most 4 decimals (1 ppm), 0 to 100 %.
std::optional<std::int64_t> parse_percent_ppm(std::string_view text);

struct Ratio {
  double value;
};  // "10%" → 0.10
struct Points {
  double value;
};  // "0.1pp" → 0.001
// A margin by which something may be worse.
std::optional<std::variant<Ratio, Points>> parse_margin(std::string_view text);

// "2x" → 2; more than 1.
std::optional<double> parse_multiple(std::string_view text);

// "20k/min" → 20'000; also "/s", "/h", "k" and "M". Whole and at least 1 a minute.
std::optional<std::int64_t> parse_rate_per_minute(std::string_view text);

// "20k" → 20'000; also "M". Whole and at least 1, at most a billion.
std::optional<std::int64_t> parse_player_count(std::string_view text);

// A bound in a metric's own unit: "250ms" or "1.5s" → milliseconds, "15%" → 0.15, "3" → 3.
std::optional<double> parse_bound(std::string_view text);

// "512MiB", "4KiB", "1GiB", "1000B" → bytes.
std::optional<std::int64_t> parse_bytes(std::string_view text);

}  // namespace showcaller::manifest
