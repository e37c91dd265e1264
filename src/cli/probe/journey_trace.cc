// SPDX-License-Identifier: Apache-2.0
#include "cli/probe/journey_trace.h"

#include <sodium.h>

#include "base/hash.h"
#include "base/trace_context.h"

namespace showcaller {
namespace {

constexpr std::size_t kTraceBytes = 16, kSpanBytes = 8;

std::string random_span_id(std::size_t bytes) {
  std::string out(bytes, '\0');
  randombytes_buf(out.data(), out.size());
  return to_hex(out);
}

void set_outcome(Span* span, const std::string& wrong) {
  span->status = wrong.empty() ? SpanStatus::Ok : SpanStatus::Error;
  span->status_text = wrong;
}

}  // namespace

JourneyTrace::JourneyTrace(const ProbeCall& call, int number, Instant start)
    : probe_(call.probe), region_(call.region), start_(start) {
  const auto around = parse_traceparent(call.traceparent);
  trace_ = around ? around->trace_id : random_span_id(kTraceBytes);
  journey_ = span("probe " + probe_, around ? around->parent_id : "", Duration(0));
  journey_.attributes.emplace_back("showcaller.probe.journey", std::int64_t(number));
}

Span JourneyTrace::span(std::string name, std::string parent, Duration at) const {
  Span out;
  out.trace = trace_;
  out.id = random_span_id(kSpanBytes);
  out.parent = std::move(parent);
  out.name = std::move(name);
  out.start = out.end = start_ + at;
  out.attributes = {{"showcaller.probe", probe_}};
  if (!region_.empty()) out.attributes.emplace_back("showcaller.region", region_);
  return out;
}

std::string JourneyTrace::begin(const ProbeStep& step, Duration at) {
  Span& began = steps_.emplace_back(span("step " + step.name, journey_.id, at));
  const bool here = std::holds_alternative<ScriptProbeStep>(step.what);
  began.kind = here ? SpanKind::Internal : SpanKind::Client;
  began.attributes.emplace_back("showcaller.probe.step", step.name);
  return format_traceparent(trace_, began.id, true);
}

void JourneyTrace::end(const ProbeStepResult& result, Duration at) {
  Span& ended = steps_.back();
  ended.end = start_ + at;
  set_outcome(&ended, result.wrong);
}

std::vector<Span> JourneyTrace::finish(const ProbeResult& result, Duration at) {
  journey_.end = start_ + at;
  set_outcome(&journey_, result.wrong);
  std::vector<Span> out = std::move(steps_);
  out.push_back(std::move(journey_));
  return out;
}

}  // namespace showcaller
