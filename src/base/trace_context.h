// SPDX-License-Identifier: Apache-2.0
// W3C trace context: which trace something belongs to, and which span it comes from. Source:
// www.w3.org/TR/trace-context, version 00.
//
//   traceparent = "00-" TRACE(32 hex) "-" SPAN(16 hex) "-" FLAGS(2 hex)      flags: 01 sampled
//   tracestate  = list of vendors' key=value, handed on as it came
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace showcaller {

struct TraceContext {
  std::string trace_id;   // 32 hex digits
  std::string span_id;    // 16, of this program's part
  std::string parent_id;  // 16, of the caller's part; empty: the trace begins here
  bool sampled = false;   // whoever began the trace has it recorded
  std::string state;      // the caller's tracestate; empty: none, or one that is malformed

  std::string traceparent() const;  // as it goes on: with this program's span
  // As the caller sent it, for those who have no span of their own in between; empty: it begins
  // here.
  std::string callers_traceparent() const;
};

std::string format_traceparent(std::string_view trace_id, std::string_view span_id, bool sampled);

// Nothing when the header is malformed, as the standard wants: ids that are all zero, version ff.
// A later version is read as far as this one goes.
std::optional<TraceContext> parse_traceparent(std::string_view header);
// At most 512 bytes and 32 members, each key once. The whole is given up when a part is malformed.
bool is_tracestate(std::string_view header);

}  // namespace showcaller
