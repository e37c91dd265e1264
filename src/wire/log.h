// SPDX-License-Identifier: Apache-2.0
// Structured log lines to a descriptor: one JSON object a line, or the same as plain text for a
// terminal. docs/observability.md has the names of the fields, which do not change.
//
//   {"time":"2026-12-11T18:00:00.250Z","level":"info","message":"...","trace_id":"...",
//    "span_id":"...", fields...}
//   2026-12-11T18:00:00.250Z info  ... trace_id=... span_id=... fields...
//
// A line is one line: what would end it, or move a terminal's cursor, is written as an escape.
// Threads: any; a line is written with one call and never torn. Secrets do not belong in fields.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"

namespace showcaller {

enum class LogLevel { Debug, Info, Warning, Error, Off };
std::string_view to_string(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view text);

enum class LogFormat { Json, Text };

// Where a line belongs; what is empty is left out.
struct LogTrace {
  std::string_view trace_id, span_id;
};

// A line, piece by piece and without a tree: they are written by the thousand.
class LogLine {
 public:
  LogLine(std::string* out, LogFormat format, LogLevel level, Instant time,
          std::string_view message, LogTrace trace = {});
  LogLine& field(std::string_view name, std::string_view text);
  LogLine& field(std::string_view name, std::uint64_t number);
  LogLine& json(std::string_view name, std::string_view value);
  void end();

 private:
  void begin(std::string_view name);
  std::string* out_;
  const LogFormat format_;
};

// A whole line, with its end.
std::string format_log_line(LogFormat format, LogLevel level, Instant time,
                            std::string_view message, LogTrace trace = {},
                            const json::object& fields = {});

class Log {
 public:
  // The descriptor stays the caller's.
  explicit Log(int descriptor = 2, LogLevel level = LogLevel::Info,
               LogFormat format = LogFormat::Json)
      : descriptor_(descriptor), format_(format), level_(level) {}

  void set_level(LogLevel level) { level_ = level; }
  bool writes(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  LogFormat format() const { return format_; }
  void write(LogLevel level, Instant time, std::string_view message, LogTrace trace = {},
             const json::object& fields = {});
  // Whole lines, as LogLine makes them, with one call.
  void write_lines(std::string_view lines);

 private:
  const int descriptor_;
  const LogFormat format_;
  std::atomic<LogLevel> level_;
};

}  // namespace showcaller
