// SPDX-License-Identifier: Apache-2.0
#include "flag/text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace showcaller {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return std::uint8_t(c) < 0x80; });
}

// Bad bytes stand for themselves, one unit each, so that no input can derail the count.
struct CodePoint {
  std::size_t bytes = 1;
  std::size_t units = 1;
};

CodePoint next_point(std::string_view text) {
  const auto lead = std::uint8_t(text.front());
  const std::size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes > text.size()) return {};
  return {.bytes = bytes, .units = bytes == 4 ? 2u : 1u};
}

double to_integer(double number) {
  return std::isnan(number) ? 0 : std::trunc(number);
}

}  // namespace

std::size_t utf16_length(std::string_view utf8) {
  if (is_ascii(utf8)) return utf8.size();
  std::size_t units = 0;
  while (!utf8.empty()) {
    const CodePoint point = next_point(utf8);
    units += point.units;
    utf8.remove_prefix(point.bytes);
  }
  return units;
}

std::string utf16_substring(std::string_view utf8, double start, double count) {
  const double length = double(utf16_length(utf8));
  start = to_integer(start);
  if (start < 0) start = std::max(0.0, length + start);
  count = std::min(to_integer(count), length - start);
  if (count <= 0) return {};
  const auto begin = std::size_t(start);
  const auto end = begin + std::size_t(count);
  if (length == double(utf8.size())) return std::string(utf8.substr(begin, end - begin));
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string out;
  std::size_t unit = 0;
  while (!utf8.empty() && unit < end) {
    const CodePoint point = next_point(utf8);
    const std::size_t after = unit + point.units;
    if (unit >= begin && after <= end) {
      out += utf8.substr(0, point.bytes);
    } else if (after > begin) {
      out += kReplacement;
    }
    unit = after;
    utf8.remove_prefix(point.bytes);
  }
  return out;
}

}  // namespace showcaller
