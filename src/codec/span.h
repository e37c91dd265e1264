// SPDX-License-Identifier: Apache-2.0
// A span: something that lasted from one instant to another, in a trace. Source: OpenTelemetry's
// trace data model.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"

namespace showcaller {

using SpanValue = std::variant<std::string, std::int64_t, double, bool>;
using SpanAttributes = std::vector<std::pair<std::string, SpanValue>>;

enum class SpanKind : std::uint8_t { Internal = 1, Server = 2, Client = 3 };  // On the wire.
enum class SpanStatus : std::uint8_t { Unset = 0, Ok = 1, Error = 2 };        // On the wire.

// A span elsewhere that has to do with this one: the request that began it, a revision before.
struct SpanLink {
  std::string trace, span, state;
  SpanAttributes attributes;
  friend bool operator==(const SpanLink&, const SpanLink&) = default;
};

struct Span {
  std::string trace, id, parent, state;  // hex; parent empty: the trace begins here
  std::string name;
  SpanKind kind = SpanKind::Internal;
  Instant start{}, end{};  // UTC
  SpanStatus status = SpanStatus::Unset;
  std::string status_text;  // of an error: what went wrong
  SpanAttributes attributes;
  std::vector<SpanLink> links;
  friend bool operator==(const Span&, const Span&) = default;
};

}  // namespace showcaller
