// SPDX-License-Identifier: Apache-2.0
#include "wire/log.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
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

LogLine::LogLine(std::string* out, LogLevel level, Instant time, std::string_view message,
                 std::string_view trace)
    : out_(out) {
  *out += "{\"time\":\"";
  *out += format_instant(time);
  *out += "\",\"level\":\"";
  *out += to_string(level);
  *out += "\",\"message\":";
  append_json_string(out, message);
  if (!trace.empty()) field("trace", trace);
}

void LogLine::begin(std::string_view name) {
  *out_ += ',';
  append_json_string(out_, name);
  *out_ += ':';
}

LogLine& LogLine::field(std::string_view name, std::string_view text) {
  begin(name);
  append_json_string(out_, text);
  return *this;
}

LogLine& LogLine::field(std::string_view name, std::uint64_t number) {
  return json(name, fmt::format_int(number).c_str());
}

LogLine& LogLine::json(std::string_view name, std::string_view value) {
  begin(name);
  *out_ += value;
  return *this;
}

std::string format_log_line(LogLevel level, Instant time, std::string_view message,
                            std::string_view trace, const json::object& fields) {
  std::string out;
  LogLine line(&out, level, time, message, trace);
  for (const auto& [key, value] : fields) line.json(key, to_json_text(value));
  line.end();
  return out;
}

std::string format_console_line(LogLevel level, Instant time, std::string_view message,
                                std::string_view trace, const json::object& fields) {
  std::string out = fmt::format("{} {:<7} {}", format_instant(time), to_string(level), message);
  if (!trace.empty()) out += fmt::format(" trace={}", trace);
  for (const auto& [key, value] : fields)
    out += fmt::format(" {}={}", std::string_view(key), to_json_text(value));
  std::ranges::replace(out, '\n', ' ');  // A line is one line.
  return out += '\n';
}

void Log::write(LogLevel level, Instant time, std::string_view message, std::string_view trace,
                const json::object& fields) {
  if (!writes(level)) return;
  const auto format = format_ == LogFormat::Json ? format_log_line : format_console_line;
  write_lines(format(level, time, message, trace, fields));
}

void Log::write_lines(std::string_view lines) {
  // A log that cannot be written has nobody to tell.
  [[maybe_unused]] const auto written = ::write(descriptor_, lines.data(), lines.size());
}

}  // namespace showcaller
