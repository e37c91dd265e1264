// SPDX-License-Identifier: Apache-2.0
#include "wire/log.h"

#include <array>

#include <fmt/format.h>
#include <unistd.h>

namespace showcaller {
namespace {

constexpr std::array<std::string_view, 5> kLevels{"debug", "info", "warning", "error", "off"};

// Controls of ASCII, and those of C1 as UTF-8 writes them: a terminal would act on either.
std::size_t control_at(std::string_view text, std::size_t at) {
  const auto byte = std::uint8_t(text[at]);
  if (byte < 0x20 || byte == 0x7f) return 1;
  const bool c1 = byte == 0xc2 && at + 1 < text.size() && std::uint8_t(text[at + 1]) < 0xa0;
  return c1 ? 2 : 0;
}

void append_printable(std::string* out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t control = control_at(text, at);
    if (control == 0) {
      *out += text[at++];
      continue;
    }
    *out += fmt::format("\\u{:04x}", std::uint8_t(text[at + control - 1]));
    at += control;
  }
}

bool is_word(std::string_view text) {
  return !text.empty() && text.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789-_./:@%+") == text.npos;
}

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

LogLine::LogLine(std::string* out, LogFormat format, LogLevel level, Instant time,
                 std::string_view message, LogTrace trace)
    : out_(out), format_(format) {
  if (format == LogFormat::Json) {
    *out += "{\"time\":\"";
    *out += format_instant(time);
    *out += "\",\"level\":\"";
    *out += to_string(level);
    *out += "\",\"message\":";
    append_json_string(out, message);
  } else {
    *out += fmt::format("{} {:<7} ", format_instant(time), to_string(level));
    append_printable(out, message);
  }
  if (!trace.trace_id.empty()) field("trace_id", trace.trace_id);
  if (!trace.span_id.empty()) field("span_id", trace.span_id);
}

void LogLine::begin(std::string_view name) {
  if (format_ == LogFormat::Json) {
    *out_ += ',';
    append_json_string(out_, name);
    *out_ += ':';
  } else {
    *out_ += ' ';
    append_printable(out_, name);
    *out_ += '=';
  }
}

LogLine& LogLine::field(std::string_view name, std::string_view text) {
  begin(name);
  if (format_ == LogFormat::Text && is_word(text)) {
    *out_ += text;
  } else {
    std::string quoted;
    append_json_string(&quoted, text);
    format_ == LogFormat::Json ? void(*out_ += quoted) : append_printable(out_, quoted);
  }
  return *this;
}

LogLine& LogLine::field(std::string_view name, std::uint64_t number) {
  return json(name, fmt::format_int(number).c_str());
}

LogLine& LogLine::json(std::string_view name, std::string_view value) {
  begin(name);
  format_ == LogFormat::Json ? void(*out_ += value) : append_printable(out_, value);
  return *this;
}

void LogLine::end() {
  *out_ += format_ == LogFormat::Json ? "}\n" : "\n";
}

std::string format_log_line(LogFormat format, LogLevel level, Instant time,
                            std::string_view message, LogTrace trace, const json::object& fields) {
  std::string out;
  LogLine line(&out, format, level, time, message, trace);
  for (const auto& [key, value] : fields) {
    if (value.is_string()) {
      line.field(key, value.get_string());
    } else {
      line.json(key, to_json_text(value));
    }
  }
  line.end();
  return out;
}

void Log::write(LogLevel level, Instant time, std::string_view message, LogTrace trace,
                const json::object& fields) {
  if (writes(level)) write_lines(format_log_line(format_, level, time, message, trace, fields));
}

void Log::write_lines(std::string_view lines) {
  // A log that cannot be written has nobody to tell.
  [[maybe_unused]] const auto written = ::write(descriptor_, lines.data(), lines.size());
}

}  // namespace showcaller
