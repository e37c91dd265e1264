// SPDX-License-Identifier: Apache-2.0
// Structured log lines to a descriptor: one JSON object a line, or the same as plain text.
//
//   {"time":"2026-12-11T18:00:00.250Z","level":"info","message":"...","trace":"...", fields...}
//   2026-12-11T18:00:00.250Z info  ... trace=... fields...
//
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

// Ends in a newline. An empty trace is left out.
std::string format_log_line(LogLevel level, Instant time, std::string_view message,
                            std::string_view trace, const json::object& fields = {});

std::string format_console_line(LogLevel level, Instant time, std::string_view message,
                                std::string_view trace, const json::object& fields = {});

// The first, piece by piece and without a tree: for lines that are written by the thousand.
class LogLine {
 public:
  LogLine(std::string* out, LogLevel level, Instant time, std::string_view message,
          std::string_view trace);
  LogLine& field(std::string_view name, std::string_view text);
  LogLine& field(std::string_view name, std::uint64_t number);
  LogLine& json(std::string_view name, std::string_view value);
  void end() { *out_ += "}\n"; }

 private:
  void begin(std::string_view name);
  std::string* out_;
};

enum class LogFormat { Json, Console };

class Log {
 public:
  // The descriptor stays the caller's.
  explicit Log(int descriptor = 2, LogLevel level = LogLevel::Info,
               LogFormat format = LogFormat::Json)
      : descriptor_(descriptor), format_(format), level_(level) {}

  void set_level(LogLevel level) { level_ = level; }
  bool writes(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  void write(LogLevel level, Instant time, std::string_view message, std::string_view trace = {},
             const json::object& fields = {});
  // Whole lines, as LogLine makes them, with one call.
  void write_lines(std::string_view lines);

 private:
  const int descriptor_;
  const LogFormat format_;
  std::atomic<LogLevel> level_;
};

}  // namespace showcaller
