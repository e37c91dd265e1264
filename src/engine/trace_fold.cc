// SPDX-License-Identifier: Apache-2.0
#include "engine/trace_fold.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/check.h"
#include "base/trace_context.h"
#include "engine/explain.h"
#include "engine/view.h"
#include "model/revision_trace.h"

namespace showcaller {
namespace {

// What an event does in a phase, in the order of Phase; empty: it is over, and nothing goes on, or
// it is rolled out, which its stages tell.
constexpr std::string_view kPhaseSpans[kPhases] = {"validation",
                                                   "approval",
                                                   "approved",
                                                   "preparation",
                                                   "ready",
                                                   "",
                                                   "live",
                                                   "settling",
                                                   "deprecated",
                                                   "",
                                                   "",
                                                   "",
                                                   "rollback",
                                                   "",
                                                   "rollback stuck"};

// A span that goes on: found again in the next world by its id.
struct OpenSpan {
  std::string trace, id;
  friend bool operator==(const OpenSpan&, const OpenSpan&) = default;
};

std::string root_id(const std::string& trace) {
  return span_id_of(trace, "revision", "");
}

// Whether a phase goes on in it that has a span.
bool has_phase(const EventState* event) {
  return event && !event->trace->empty() && !kPhaseSpans[std::size_t(event->phase)].empty();
}

std::optional<OpenSpan> stage_of(const EventState* event) {
  if (!event || event->trace->empty() || event->phase != Phase::RollingOut || event->stage < 0)
    return std::nullopt;
  return OpenSpan{*event->trace, span_id_of(*event->trace, "stage", std::to_string(event->visit))};
}

std::optional<OpenSpan> hold_of(const EventState* event) {
  if (!event || event->trace->empty() || !event->hold) return std::nullopt;
  return OpenSpan{*event->trace,
                  span_id_of(*event->trace, "hold", std::to_string(to_ms(event->hold->since)))};
}

// What is known of by its id before it is over: phases are not, for the time that their end would
// be found by moves when the server was away.
OpenSpan innermost(const EventState& event) {
  if (auto stage = stage_of(&event)) return *std::move(stage);
  return {*event.trace, event.trace->empty() ? "" : root_id(*event.trace)};
}

std::string stage_name(const EventState& event) {
  const auto& stages = event.spec().stages;
  const auto at = std::size_t(event.stage);
  return at < stages.size() ? stages[at].name : std::to_string(event.stage);
}

bool is_turned_back(Phase to) {
  return to == Phase::RollingBack || to == Phase::RollbackStuck || to == Phase::Rejected ||
         to == Phase::Cancelled;
}

// One record between two worlds, as far as it concerns one event.
class EventSpans {
 public:
  EventSpans(const World& world, const std::string& name, const EventState* before,
             const EventState& after, const Record& record, std::vector<Span>* ended)
      : world_(world),
        name_(name),
        before_(before),
        after_(after),
        record_(record),
        ended_(*ended) {}

  TracePlace tell() {
    end_phase();
    end_stage();
    end_hold();
    const OpenSpan around = innermost(after_);
    TracePlace place{around.trace, around.id};
    std::visit([&](const auto& payload) { record_span(payload, &place); }, record_.payload);
    return place;
  }

 private:
  Span begin(const EventState& event, const OpenSpan& open, std::string name, Instant start) {
    Span span;
    span.trace = open.trace;
    span.id = open.id;
    span.parent = root_id(open.trace);
    span.name = std::move(name);
    span.start = world_.wall(start);
    span.end = world_.wall(record_.time);
    span.attributes = {{"showcaller.event", name_},
                       {"showcaller.revision", event.revision},
                       {"showcaller.record", std::int64_t(record_.seq)}};
    return span;
  }
  static void note(Span* span, std::string_view key, std::string value) {
    if (!value.empty()) span->attributes.emplace_back(key, std::move(value));
  }
  static void note(Span* span, std::string_view key, std::int64_t value) {
    span->attributes.emplace_back(key, value);
  }
  static void went_wrong(Span* span, std::string why) {
    span->status = SpanStatus::Error;
    span->status_text = std::move(why);
  }

  void end_phase() {
    if (!has_phase(before_)) return;
    const bool moved_on = std::holds_alternative<PhaseChanged>(record_.payload);
    if (!moved_on && *before_->trace == *after_.trace) return;
    const OpenSpan ended{*before_->trace,
                         span_id_of(*before_->trace, "phase", std::to_string(record_.seq))};
    Span span = begin(*before_, ended, std::string(kPhaseSpans[std::size_t(before_->phase)]),
                      before_->phase_since);
    note(&span, "showcaller.phase", std::string(enum_name(before_->phase)));
    if (const auto* moved = std::get_if<PhaseChanged>(&record_.payload)) {
      note(&span, "showcaller.phase.next", std::string(enum_name(moved->to)));
      note(&span, "showcaller.reason", moved->reason);
      if (is_turned_back(moved->to)) went_wrong(&span, moved->reason);
    }
    ended_.push_back(std::move(span));
  }

  void end_stage() {
    const auto open = stage_of(before_);
    if (!open || open == stage_of(&after_)) return;
    Span span = begin(*before_, *open, "stage " + stage_name(*before_), before_->stage_since);
    note(&span, "showcaller.stage", stage_name(*before_));
    note(&span, "showcaller.stage.visit", before_->visit);
    note(&span, "showcaller.exposure_ppm", before_->exposure_ppm);
    const auto* moved = std::get_if<PhaseChanged>(&record_.payload);
    const bool back = after_.phase == Phase::RollingOut && after_.stage < before_->stage;
    if (back || (moved && is_turned_back(moved->to))) {
      const auto* entered = std::get_if<StageEntered>(&record_.payload);
      went_wrong(&span, moved ? moved->reason : entered ? entered->reason : "");
    } else {
      span.status = SpanStatus::Ok;
    }
    ended_.push_back(std::move(span));
  }

  void end_hold() {
    const auto open = hold_of(before_);
    if (!open || open == hold_of(&after_)) return;
    Span span = begin(*before_, *open, "hold", before_->hold->since);
    note(&span, "showcaller.hold.by", std::string(enum_name(before_->hold->by)));
    note(&span, "showcaller.reason", before_->hold->reason);
    ended_.push_back(std::move(span));
  }

  // A span that this record alone tells of, within what goes on.
  void add(Span span, TracePlace* place) {
    place->span = span.id;
    link_request(&span);
    ended_.push_back(std::move(span));
  }

  void record_span(const EventRevised& p, TracePlace* place) {
    const std::string& trace = p.trace.empty() ? record_.trace : p.trace;
    if (trace.empty()) return;
    *place = {trace, root_id(trace)};
    Span span = begin(after_, {trace, root_id(trace)}, "LiveEvent " + name_, record_.time);
    span.parent.clear();
    span.attributes[1].second = p.revision;
    note(&span, "showcaller.actor", record_.actor);
    note(&span, "showcaller.manifest.hash", p.hash);
    if (p.proposed) span.attributes.emplace_back("showcaller.proposed", true);
    link_request(&span);
    if (before_ && !before_->trace->empty() && *before_->trace != trace) {
      span.links.push_back({*before_->trace,
                            root_id(*before_->trace),
                            "",
                            {{"showcaller.link", std::string("revision before")}}});
    }
    ended_.push_back(std::move(span));
  }

  void record_span(const VerdictChanged& p, TracePlace* place) {
    if (!begins_here()) return;
    const std::string what = p.gate.empty() ? "stage" : p.gate;
    const OpenSpan open{
        *after_.trace,
        span_id_of(*after_.trace, "gate", fmt::format("{}/{}/{}", p.visit, p.gate, record_.seq))};
    const GateStanding* standing = nullptr;
    if (const auto at = before_->gates.find(p.gate); at != before_->gates.end())
      standing = &at->second;
    const bool goes_on = standing && standing->visit == p.visit;
    Span span = begin(after_, open, "gate " + what,
                      goes_on ? standing->since : std::max(after_.stage_since, after_.phase_since));
    span.parent = place->span;
    note(&span, "showcaller.gate", what);
    note(&span, "showcaller.verdict", std::string(enum_name(p.verdict)));
    if (goes_on)
      note(&span, "showcaller.verdict.before", std::string(enum_name(standing->verdict)));
    note(&span, "showcaller.evidence_s", p.evidence_s);
    note(&span, "showcaller.gate.looks", looks_since(goes_on ? standing->evidence_s : 0, p));
    note(&span, "showcaller.reason", p.why);
    note_statistics(&span, p.statistics);
    if (p.verdict == VerdictName::Fail) went_wrong(&span, p.why);
    if (p.verdict == VerdictName::Pass) span.status = SpanStatus::Ok;
    add(std::move(span), place);
  }

  // The gate looks once a tick that has evidence. Looks that change nothing are no records: they
  // are counted in the span of the verdict that lasted.
  std::int64_t looks_since(std::int64_t evidence_s_before, const VerdictChanged& p) const {
    const std::int64_t tick_s =
        std::max<std::int64_t>(1, after_.spec().analysis.tick.count() / 1'000);
    return std::max<std::int64_t>(1, (p.evidence_s - evidence_s_before) / tick_s);
  }

  // The numbers of a verdict, as they stand in the record.
  static void note_statistics(Span* span, const json::object& statistics) {
    for (const auto& [key, value] : statistics) {
      const std::string name = fmt::format("showcaller.gate.{}", std::string_view(key));
      if (value.is_int64()) note(span, name, value.get_int64());
      if (value.is_double()) span->attributes.emplace_back(name, value.get_double());
    }
  }

  void record_span(const ReadinessChanged& p, TracePlace* place) {
    if (!begins_here()) return;
    const OpenSpan open{*after_.trace, span_id_of(*after_.trace, "readiness",
                                                  fmt::format("{}/{}", p.check, record_.seq))};
    const auto at = before_->readiness.find(p.check);
    const Instant since = at == before_->readiness.end() ? Instant{} : at->second.since;
    Span span = begin(after_, open, "readiness " + p.check, std::max(since, after_.phase_since));
    span.parent = place->span;
    note(&span, "showcaller.check", p.check);
    span.attributes.emplace_back("showcaller.ready", p.ready);
    note(&span, "showcaller.detail", p.detail);
    if (p.ready) span.status = SpanStatus::Ok;
    add(std::move(span), place);
  }

  void record_span(const StepStarted& p, TracePlace* place) {
    if (begins_here()) place->span = step_span_id(*after_.trace, p.step, p.direction, p.attempt);
  }
  void record_span(const StepFinished& p, TracePlace* place) {
    if (!begins_here() || std::size_t(p.step) >= after_.steps->size()) return;
    const Step& started = (*before_->steps)[std::size_t(p.step)];
    const OpenSpan open{*after_.trace, step_span_id(*after_.trace, p.step, p.direction, p.attempt)};
    const bool under_way =
        started.attempt == p.attempt && started.detail.empty() &&
        (started.state == StepState::Doing || started.state == StepState::Undoing);
    const Change& change = after_.spec().changes[std::size_t(p.step)];
    Span span = begin(after_, open, fmt::format("{} {}", enum_name(p.direction), change.path()),
                      under_way ? started.changed : record_.time);
    span.parent = place->span;
    if (std::holds_alternative<ActionChange>(change.what)) span.kind = SpanKind::Client;
    note(&span, "showcaller.step", p.step + 1);
    note(&span, "showcaller.step.attempt", p.attempt);
    note(&span, "showcaller.outcome", std::string(enum_name(p.outcome)));
    note(&span, "showcaller.detail", p.detail);
    if (p.outcome == StepOutcome::Done) {
      span.status = SpanStatus::Ok;
    } else {
      went_wrong(&span, p.detail);
    }
    add(std::move(span), place);
  }

  // What somebody asked for: a moment, linked to his request.
  template <class Payload>
  void record_span(const Payload&, TracePlace* place) {
    const bool asked =
        record_.cause == 0 && !record_.actor.empty() && record_.actor != kEngineActor;
    if (!asked || !begins_here()) return;
    const OpenSpan open{*after_.trace,
                        span_id_of(*after_.trace, "command", std::to_string(record_.seq))};
    Span span = begin(after_, open, fmt::format("command {}", record_.kind().name), record_.time);
    span.parent = place->span;
    note(&span, "showcaller.actor", record_.actor);
    note(&span, "showcaller.says", record_line(record_));
    link_request(&span);
    ended_.push_back(std::move(span));
  }

  void link_request(Span* span) const {
    const auto request = parse_traceparent(record_.traceparent);
    if (!request) return;
    span->links.push_back({request->trace_id,
                           request->parent_id,
                           record_.tracestate,
                           {{"showcaller.link", std::string("request")}}});
  }

  bool begins_here() const { return before_ && !after_.trace->empty(); }

  const World& world_;
  const std::string& name_;
  const EventState* before_;
  const EventState& after_;
  const Record& record_;
  std::vector<Span>& ended_;
};

// Instances of a build that a revision brings belong to its trace; others to none.
TracePlace instance_place(const World& before, const World& after, const Record& record,
                          std::vector<Span>* ended) {
  const auto* requested = std::get_if<InstanceRequested>(&record.payload);
  const auto* moved = std::get_if<InstanceMoved>(&record.payload);
  if (!requested && !moved) return {};
  const std::string key =
      requested ? requested->fleet + "/" + requested->id : moved->fleet + "/" + moved->id;
  const Instance* was = before.instances.find(key);
  const Instance* is = after.instances.find(key);
  const Instance* instance = is ? is : was;
  if (!instance) return {};
  const std::string trace = trace_of_build(after, instance->fleet, instance->build);
  if (trace.empty()) return {};
  const std::string start_id = instance_span_id(trace, instance->id);
  if (!moved || !was) return {trace, start_id};
  const bool starting = was->phase == InstancePhase::Wanted;
  if (!starting && moved->to != InstancePhase::Gone) return {trace, root_id(trace)};
  Span span;
  span.trace = trace;
  span.id = starting ? start_id : span_id_of(trace, "instance end", instance->id);
  span.parent = root_id(trace);
  span.name = starting ? "instance start" : "instance end";
  span.start = after.wall(was->since);
  span.end = after.wall(record.time);
  span.attributes = {{"showcaller.fleet", was->fleet},
                     {"showcaller.instance", was->id},
                     {"showcaller.build", was->build},
                     {"showcaller.region", was->region},
                     {"showcaller.host", was->host},
                     {"showcaller.record", std::int64_t(record.seq)},
                     {"showcaller.instance.phase", std::string(enum_name(moved->to))}};
  if (moved->exit_code)
    span.attributes.emplace_back("showcaller.exit_code", std::int64_t(*moved->exit_code));
  if (moved->signal)
    span.attributes.emplace_back("showcaller.signal", std::int64_t(*moved->signal));
  const bool failed = starting && moved->to != InstancePhase::Ready;
  span.status = failed ? SpanStatus::Error : SpanStatus::Ok;
  if (failed) span.status_text = moved->reason;
  ended->push_back(std::move(span));
  return {trace, ended->back().id};
}

}  // namespace

TracePlace place_of(const EventState& event) {
  const OpenSpan open = innermost(event);
  return {open.trace, open.id};
}

TracePlace TraceFold::take(const Record& record, std::vector<Span>* ended) {
  const World before = world_;
  CHECK(evolve(&world_, record));  // It is durable: the engine itself folded it.
  const std::string name = event_of(record.payload);
  if (const EventState* after = name.empty() ? nullptr : world_.event(name)) {
    return EventSpans(world_, name, before.event(name), *after, record, ended).tell();
  }
  if (TracePlace place = instance_place(before, world_, record, ended); !place.trace.empty())
    return place;
  const auto request = parse_traceparent(record.traceparent);
  return {record.trace, request && request->trace_id == record.trace ? request->parent_id : ""};
}

}  // namespace showcaller
