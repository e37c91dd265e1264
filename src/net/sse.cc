// SPDX-License-Identifier: Apache-2.0
#include "net/sse.h"

#include <algorithm>

namespace showcaller {
namespace {

// Ids and names live on one line.
void append_line(std::string* out, std::string_view field, std::string_view value) {
  out->append(field).append(": ");
  const std::size_t at = out->size();
  out->append(value);
  std::replace_if(
      out->begin() + std::ptrdiff_t(at), out->end(), [](char c) { return c == '\n' || c == '\r'; },
      ' ');
  *out += '\n';
}

}  // namespace

std::string format_sse(const SseEvent& event) {
  std::string out;
  out.reserve(event.data.size() + event.id.size() + event.event.size() + 32);
  if (!event.id.empty()) append_line(&out, "id", event.id);
  if (!event.event.empty()) append_line(&out, "event", event.event);
  std::string_view rest = event.data;
  while (true) {
    const auto end = rest.find('\n');
    append_line(&out, "data", rest.substr(0, end));
    if (end == rest.npos) break;
    rest.remove_prefix(end + 1);
  }
  out += '\n';
  return out;
}

std::vector<SseEvent> SseParser::feed(std::string_view bytes) {
  std::vector<SseEvent> out;
  for (const char c : bytes) {
    const bool second_of_crlf = after_cr_ && c == '\n';
    after_cr_ = c == '\r';
    if (second_of_crlf) continue;
    if (c != '\n' && c != '\r') {
      if (line_.size() + current_.data.size() < event_bytes_max_) {
        line_ += c;
      } else {
        oversized_ = true;
      }
      continue;
    }
    std::string line = std::move(line_);
    line_.clear();
    if (at_start_ && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    at_start_ = false;
    take_line(line, &out);
  }
  return out;
}

void SseParser::take_line(std::string_view line, std::vector<SseEvent>* out) {
  if (line.empty()) {
    if (has_data_ && !oversized_) {
      current_.data.pop_back();  // the newline after its last line
      current_.id = last_id_;
      out->push_back(std::move(current_));
    }
    current_ = {};
    has_data_ = false;
    oversized_ = false;
    return;
  }
  const auto colon = line.find(':');
  if (colon == 0) return;  // a comment
  const auto field = line.substr(0, colon);
  auto value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    current_.data.append(value) += '\n';
    has_data_ = true;
  } else if (field == "event") {
    current_.event = value;
  } else if (field == "id" && value.find('\0') == value.npos) {
    last_id_ = value;
  }
}

}  // namespace showcaller
