// SPDX-License-Identifier: Apache-2.0
#include "flow/saga.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/deliberate_bug.h"
#include "base/trace_context.h"
#include "model/revision_trace.h"

namespace showcaller {
namespace {

// A step of an event with all that a decision about it needs.
struct StepView {
  const EventState& event;
  int index;
  const Change& change;
  const Step& step;

  const ActionChange* action() const { return std::get_if<ActionChange>(&change.what); }
  bool is_under_way() const {
    const bool moving = step.state == StepState::Doing || step.state == StepState::Undoing;
    return moving && step.detail.empty();
  }
  // A call whose answer has not come by then is lost.
  Duration patience() const {
    return action()->timeout * (action()->verify.empty() ? 1 : 2) + kStepAnswerGrace;
  }
  Instant answer_by() const { return step.changed + patience(); }
  Instant retry_at() const { return step.changed + step_backoff(step.attempt); }
};

StepView view_of(const EventState& event, int index) {
  return {event, index, event.spec().changes[std::size_t(index)],
          (*event.steps)[std::size_t(index)]};
}

StepStarted start(const StepView& v, StepDirection direction, std::int64_t attempt) {
  return {v.event.manifest->name, v.event.revision, v.index, direction, attempt, v.change.path()};
}

StepFinished finish(const StepView& v, StepDirection direction, std::int64_t attempt,
                    StepOutcome outcome, std::string detail) {
  return {v.event.manifest->name, v.event.revision, v.index, direction, attempt, outcome,
          std::move(detail)};
}

bool cannot_be_undone(const StepView& v) {
  return v.change.irreversible || (v.action() && v.action()->undo.empty()) ||
         broken(DeliberateBug::UndoSkipped);
}

// The first attempt in a direction: steps that need no call are finished with it.
SagaMove begin(const StepView& v, StepDirection direction) {
  SagaMove move{start(v, direction, 1), std::nullopt};
  if (direction == StepDirection::Undo && cannot_be_undone(v)) {
    move.finished =
        finish(v, direction, 1, StepOutcome::Done, "left as it is: it cannot be undone");
  } else if (!v.action()) {
    move.finished = finish(v, direction, 1, StepOutcome::Done, "");
  }
  return move;
}

// An attempt is on its way, or its outcome is unknown: wait, try again, or give up.
std::optional<SagaMove> go_on(const StepView& v, StepDirection direction, Instant now) {
  const std::int64_t attempt = v.step.attempt;
  if (!v.action())
    return SagaMove{std::nullopt, finish(v, direction, attempt, StepOutcome::Done, "")};
  if (v.is_under_way()) {
    if (now < v.answer_by()) return std::nullopt;
    return SagaMove{std::nullopt, finish(v, direction, attempt, StepOutcome::Unknown,
                                         fmt::format("no answer to attempt {} within {}", attempt,
                                                     format_duration(v.patience())))};
  }
  if (attempt >= kStepAttemptsMax) {
    return SagaMove{std::nullopt,
                    finish(v, direction, attempt, StepOutcome::Failed,
                           fmt::format("given up after {} attempts: {}", attempt, v.step.detail))};
  }
  if (now < v.retry_at()) return std::nullopt;
  return SagaMove{start(v, direction, attempt + 1), std::nullopt};
}

std::optional<SagaMove> next_do(const EventState& event, Instant now, NewSteps steps) {
  for (int i = 0; i < int(event.steps->size()); ++i) {
    const StepView v = view_of(event, i);
    switch (v.step.state) {
      case StepState::Done:
        continue;
      case StepState::Doing:
        return go_on(v, StepDirection::Do, now);
      case StepState::Pending:
        // A hold lets what was begun go on, and begins nothing.
        if (event.hold || steps == NewSteps::Wait) return std::nullopt;
        return begin(v, StepDirection::Do);
      default:
        return std::nullopt;  // Failed: the engine decides what becomes of the event.
    }
  }
  return std::nullopt;
}

// Stuck in this rollback, or in one before that somebody has since asked to repeat?
bool is_stuck_now(const StepView& v) {
  return v.step.changed >= v.event.phase_since;
}

std::optional<SagaMove> next_undo(const EventState& event, Instant now) {
  const int steps = int(event.steps->size());
  for (int i = steps - 1; i >= 0; --i) {
    const int index = broken(DeliberateBug::UndoInTheWrongOrder) ? steps - 1 - i : i;
    const StepView v = view_of(event, index);
    switch (v.step.state) {
      case StepState::Pending:
      case StepState::Undone:
        continue;
      case StepState::Undoing:
        return go_on(v, StepDirection::Undo, now);
      case StepState::Doing:
        // An undo that overtakes its do would leave the do's effect: wait for the answer, as long
        // as one can come.
        if (v.is_under_way() && v.action() && now < v.answer_by()) return std::nullopt;
        return begin(v, StepDirection::Undo);
      case StepState::Done:
      case StepState::Failed:
        return begin(v, StepDirection::Undo);
      case StepState::Stuck:
        if (is_stuck_now(v)) return std::nullopt;
        return begin(v, StepDirection::Undo);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<SagaMove> next_move(const EventState& event, Instant now, NewSteps steps) {
  if (!event.manifest || event.steps->size() != event.spec().changes.size()) return std::nullopt;
  if (event.phase == Phase::Preparing) return next_do(event, now, steps);
  if (event.phase == Phase::RollingBack) return next_undo(event, now);
  return std::nullopt;
}

std::vector<Payload> next_saga_move(const std::string& name, const EventState& event, Instant now,
                                    NewSteps steps) {
  CHECK(!event.manifest || event.manifest->name == name);
  std::vector<Payload> payloads;
  if (auto move = next_move(event, now, steps)) {
    if (move->started) payloads.emplace_back(*std::move(move->started));
    if (move->finished) payloads.emplace_back(*std::move(move->finished));
  }
  return payloads;
}

Duration step_backoff(std::int64_t attempt) {
  Duration backoff = kStepBackoffFirst;
  for (std::int64_t i = 1; i < attempt && backoff < kStepBackoffMax; ++i) backoff *= 2;
  return std::min(backoff, kStepBackoffMax);
}

std::string step_idempotency_key(std::string_view event, std::int64_t revision, int step,
                                 StepDirection direction, std::string_view lineage) {
  return fmt::format("{}/r{}/s{}/{}{}{}", event, revision, step, enum_name(direction),
                     lineage.empty() ? "" : "/", lineage);
}

Result<std::string> action_url(const World& world, std::string_view path) {
  if (path.starts_with("http://") || path.starts_with("https://")) {
    return std::string(path);
  }
  const std::size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  const auto service = world.manifest(Kind::Service, name);
  if (!service || service->as<ServiceSpec>().url.empty()) {
    return fail(ErrorCode::NotFound,
                fmt::format("no Service '{}' has a url, so '{}' leads nowhere; apply one with "
                            "`spec.url`, or write the whole URL",
                            name, path));
  }
  std::string url = service->as<ServiceSpec>().url;
  while (url.ends_with('/')) url.pop_back();
  if (slash != std::string_view::npos) url += path.substr(slash);
  return url;
}

namespace {

// A do is sent while the event is prepared, an undo while it is rolled back; never one in the
// other's time.
bool is_wanted(const StepView& v) {
  if (!v.action() || !v.is_under_way()) return false;
  const Phase phase = v.step.state == StepState::Doing ? Phase::Preparing : Phase::RollingBack;
  return v.event.phase == phase;
}

ActionCall call_of(const World& world, const StepView& v) {
  const bool doing = v.step.state == StepState::Doing;
  ActionCall call;
  call.event = v.event.manifest->name;
  call.revision = v.event.revision;
  call.step = v.index;
  call.direction = doing ? StepDirection::Do : StepDirection::Undo;
  call.attempt = v.step.attempt;
  call.path = doing ? v.action()->act : v.action()->undo;
  call.idempotency_key =
      step_idempotency_key(call.event, call.revision, call.step, call.direction, v.step.lineage);
  if (broken(DeliberateBug::RetriedWithANewKey))
    call.idempotency_key += fmt::format("/{}", call.attempt);
  if (const std::string& trace = *v.event.trace; trace.size() == 32) {
    call.traceparent = format_traceparent(
        trace, step_span_id(trace, call.step, call.direction, call.attempt), true);
  }
  call.epoch = world.epoch;
  call.timeout = v.action()->timeout;
  if (auto url = action_url(world, call.path)) {
    call.url = *std::move(url);
  } else {
    call.problem = std::move(url.error().message);
  }
  if (v.action()->verify.empty()) return call;
  call.verify_path = v.action()->verify;
  if (auto url = action_url(world, call.verify_path)) {
    call.verify_url = *std::move(url);
  } else {
    call.problem = std::move(url.error().message);
  }
  return call;
}

}  // namespace

std::vector<ActionCall> wanted_calls(const World& world, Instant /*now*/) {
  std::vector<ActionCall> calls;
  world.events.each([&](const std::string&, const EventState& event) {
    if (event.phase != Phase::Preparing && event.phase != Phase::RollingBack) return;
    for (int i = 0; i < int(event.steps->size()); ++i) {
      const StepView v = view_of(event, i);
      if (is_wanted(v)) calls.push_back(call_of(world, v));
    }
  });
  return calls;
}

}  // namespace showcaller
