// SPDX-License-Identifier: Apache-2.0
#include "model/metric_query.h"

#include <algorithm>
#include <optional>

namespace showcaller {
namespace {

constexpr std::string_view kBegin = "{{", kEnd = "}}";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string quoted_part(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\'' || c == '\\' || c == '`') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::optional<std::string> value_of(std::string_view name, const QueryPlace& place) {
  if (name == "event") return quoted_part(place.event);
  if (name == "arm") return std::string(to_string(place.arm));
  if (name == "fleet") return quoted_part(place.fleet);
  if (name == "build") return quoted_part(place.build);
  if (name == "window") return format_duration(place.window);
  return std::nullopt;
}

// Calls `text(part)` for what stands between placeholders and `name(part)` for what they name.
void each_part(std::string_view query, auto text, auto name) {
  for (;;) {
    const std::size_t begin = query.find(kBegin);
    const std::size_t end = begin == query.npos ? begin : query.find(kEnd, begin);
    if (end == query.npos) return text(query);
    text(query.substr(0, begin));
    name(trimmed(query.substr(begin + kBegin.size(), end - begin - kBegin.size())));
    query.remove_prefix(end + kEnd.size());
  }
}

}  // namespace

std::string filled_query(std::string_view query, const QueryPlace& place) {
  std::string out;
  each_part(
      query, [&](std::string_view part) { out += part; },
      [&](std::string_view name) { out += value_of(name, place).value_or(std::string()); });
  return out;
}

std::string unknown_placeholder(std::string_view query) {
  std::string out;
  each_part(
      query, [](std::string_view) {},
      [&](std::string_view name) {
        if (out.empty() && !value_of(name, {})) out = name.substr(0, 64);
      });
  return out;
}

bool is_windowed(std::string_view query) {
  bool out = false;
  each_part(
      query, [](std::string_view) {},
      [&](std::string_view name) { out = out || name == "window"; });
  return out;
}

}  // namespace showcaller
