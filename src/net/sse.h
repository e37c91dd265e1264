// SPDX-License-Identifier: Apache-2.0
// Server-sent events as text, written and read. Source: WHATWG HTML, 9.2 "Server-sent events".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace showcaller {

struct SseEvent {
  std::string id;     // empty: none
  std::string event;  // empty: "message"
  std::string data;   // may hold newlines

  friend bool operator==(const SseEvent&, const SseEvent&) = default;
};

std::string format_sse(const SseEvent& event);
inline constexpr std::string_view kSseHeartbeat = ": \n\n";

// Feed bytes as they come; events come out whole. An event larger than the bound is skipped.
class SseParser {
 public:
  explicit SseParser(std::size_t event_bytes_max = 4 << 20) : event_bytes_max_(event_bytes_max) {}
  std::vector<SseEvent> feed(std::string_view bytes);
  const std::string& last_event_id() const { return last_id_; }

 private:
  void take_line(std::string_view line, std::vector<SseEvent>* out);

  std::size_t event_bytes_max_;
  std::string line_;
  std::string last_id_;
  SseEvent current_;
  bool has_data_ = false;
  bool oversized_ = false;
  bool after_cr_ = false;
  bool at_start_ = true;
};

}  // namespace showcaller
