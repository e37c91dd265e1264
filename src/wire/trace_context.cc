// SPDX-License-Identifier: Apache-2.0
#include "wire/trace_context.h"

#include <algorithm>

#include <fmt/format.h>
#include <sodium.h>

#include "base/random.h"

namespace showcaller {
namespace {

// Ids have to be unlikely to meet, not to be secret.
std::uint64_t random_id() {
  thread_local Random random = [] {
    std::uint64_t seed = 0;
    randombytes_buf(&seed, sizeof seed);
    return Random(seed);
  }();
  return std::max<std::uint64_t>(1, random.next());
}

// Several fields of that name are one list.
std::string joined(const HttpHeaders& headers, std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!equal_ignoring_case(headers.name(i), name)) continue;
    if (!out.empty()) out += ',';
    out += headers.value(i);
  }
  return out;
}

}  // namespace

TraceContext continue_trace(const HttpHeaders& headers) {
  TraceContext context;
  if (headers.count("traceparent") == 1)
    context = parse_traceparent(headers.get("traceparent")).value_or(TraceContext{});
  if (context.trace_id.empty()) {
    context.trace_id = fmt::format("{:016x}{:016x}", random_id(), random_id());
  } else if (std::string state = joined(headers, "tracestate"); is_tracestate(state)) {
    context.state = std::move(state);
  }
  context.span_id = fmt::format("{:016x}", random_id());
  return context;
}

}  // namespace showcaller
