// SPDX-License-Identifier: Apache-2.0
#include "wire/trace_context.h"

#include <algorithm>

#include <fmt/format.h>
#include <sodium.h>

#include "base/random.h"

namespace showcaller {
namespace {

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == text.npos;
}

// Ids have to be unlikely to meet, not to be secret.
std::uint64_t random_id() {
  thread_local Random random = [] {
    std::uint64_t seed = 0;
    randombytes_buf(&seed, sizeof seed);
    return Random(seed);
  }();
  return std::max<std::uint64_t>(1, random.next());
}

}  // namespace

std::string TraceContext::traceparent() const {
  return fmt::format("00-{}-{}-{}", trace_id, span_id, sampled ? "01" : "00");
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
  return TraceContext{std::string(trace), "", std::string(parent), (digit & 1) == 1};
}

TraceContext continue_trace(std::string_view header) {
  auto context = parse_traceparent(header).value_or(TraceContext{});
  if (context.trace_id.empty())
    context.trace_id = fmt::format("{:016x}{:016x}", random_id(), random_id());
  context.span_id = fmt::format("{:016x}", random_id());
  return context;
}

}  // namespace showcaller
