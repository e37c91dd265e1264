// SPDX-License-Identifier: Apache-2.0
#include "wire/log.h"

#include <array>

#include <unistd.h>

namespace showcaller {
namespace {

constexpr std::array<std::string_view, 5> kLevels{"debug", "info", "warning", "error", "off"};

}  // namespace

std::string_view to_string(LogLevel level) {
  return kLevels[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i] == text) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

std::string format_log_line(LogLevel level, Instant time, std::string_view message,
                            std::string_view trace, const json::object& fields) {
  std::string line = "{\"time\":";
  append_json_string(&line, format_instant(time));
  line += ",\"level\":";
  append_json_string(&line, to_string(level));
  line += ",\"message\":";
  append_json_string(&line, message);
  if (!trace.empty()) {
    line += ",\"trace\":";
    append_json_string(&line, trace);
  }
  for (const auto& [key, value] : fields) {
    line += ',';
    append_json_string(&line, key);
    line += ':';
    line += to_json_text(value);
  }
  return line + "}\n";
}

void Log::write(LogLevel level, Instant time, std::string_view message, std::string_view trace,
                const json::object& fields) {
  if (!writes(level)) return;
  const auto line = format_log_line(level, time, message, trace, fields);
  // A log that cannot be written has nobody to tell.
  [[maybe_unused]] const auto written = ::write(descriptor_, line.data(), line.size());
}

}  // namespace showcaller
