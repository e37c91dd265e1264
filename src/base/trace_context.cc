// SPDX-License-Identifier: Apache-2.0
#include "base/trace_context.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::size_t kStateBytesMax = 512;
constexpr std::size_t kStateMembersMax = 32;
constexpr std::size_t kStatePartMax = 256;

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == text.npos;
}

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_state_key(std::string_view key) {
  if (key.empty() || key.size() > kStatePartMax || !is_lower_or_digit(key.front())) return false;
  return std::ranges::all_of(key, [](char c) {
    return is_lower_or_digit(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
  });
}

bool is_state_value(std::string_view value) {
  if (value.empty() || value.size() > kStatePartMax || value.back() == ' ') return false;
  return std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != '='; });
}

std::string_view without_blanks(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string format_traceparent(std::string_view trace_id, std::string_view span_id, bool sampled) {
  return fmt::format("00-{}-{}-{}", trace_id, span_id, sampled ? "01" : "00");
}

std::string TraceContext::traceparent() const {
  return format_traceparent(trace_id, span_id, sampled);
}

std::string TraceContext::callers_traceparent() const {
  return parent_id.empty() ? "" : format_traceparent(trace_id, parent_id, sampled);
}

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  const bool shaped =
      header.size() >= 55 && header[2] == '-' && header[35] == '-' && header[52] == '-';
  if (!shaped || header.starts_with("ff")) return std::nullopt;
  // Version 00 ends here; a later one may go on after a dash.
  if (header.size() > 55 && (header.starts_with("00") || header[55] != '-')) return std::nullopt;
  const auto trace = header.substr(3, 32);
  const auto parent = header.substr(36, 16);
  const auto flags = header.substr(53, 2);
  if (!is_lower_hex(header.substr(0, 2)) || !is_lower_hex(trace) || !is_lower_hex(parent) ||
      !is_lower_hex(flags)) {
    return std::nullopt;
  }
  if (is_zero(trace) || is_zero(parent)) return std::nullopt;
  const char last = flags[1];
  const int digit = last <= '9' ? last - '0' : last - 'a' + 10;
  return TraceContext{.trace_id = std::string(trace),
                      .span_id = {},
                      .parent_id = std::string(parent),
                      .sampled = (digit & 1) == 1,
                      .state = {}};
}

bool is_tracestate(std::string_view header) {
  if (header.empty() || header.size() > kStateBytesMax) return false;
  std::set<std::string_view> keys;
  while (true) {
    const std::size_t comma = std::min(header.find(','), header.size());
    const std::string_view member = without_blanks(header.substr(0, comma));
    if (!member.empty()) {  // Empty members are allowed, and mean nothing.
      const std::size_t equals = std::min(member.find('='), member.size());
      const std::string_view key = member.substr(0, equals);
      if (equals == member.size() || !is_state_key(key) ||
          !is_state_value(member.substr(equals + 1)) || !keys.insert(key).second)
        return false;
    }
    if (comma == header.size()) break;
    header.remove_prefix(comma + 1);
  }
  return !keys.empty() && keys.size() <= kStateMembersMax;
}

}  // namespace showcaller
