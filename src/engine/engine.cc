// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/deliberate_bug.h"
#include "engine/alert_plan.h"

namespace showcaller {
namespace {

constexpr int kFollowUpsMax = 1'000;

std::vector<std::string> running_events(const World& world) {
  std::vector<std::string> names;
  world.events.each([&](const std::string& name, const EventState& event) {
    if (!is_over(event.phase)) names.push_back(name);
  });
  return names;
}

// A key is one command's. A record of before digests were kept does not say whose it was.
Result<Receipt> answer_again(const DoneKey& done, const Command& command, std::uint64_t digest) {
  if (done.command != 0 && done.command != digest) {
    return fail(ErrorCode::KeyTaken,
                fmt::format("the idempotency key '{}' belongs to another command of '{}' (record "
                            "{}), and this one was not carried out; send it with a new key",
                            command.key, command.actor.name, done.seq));
  }
  return Receipt{done.seq, true, {"this command was accepted before; nothing happened again"}};
}

}  // namespace

Result<Receipt> Engine::take(const Input& input, Instant now, std::vector<Record>* records) {
  now = std::max(now, world_.time);  // Engine time never goes backwards.
  const Command* command = std::get_if<Command>(&input);
  Envelope envelope{.actor = std::string(kEngineActor)};
  if (command) {
    envelope = {.actor = command->actor.name,
                .trace = command->trace,
                .traceparent = command->traceparent,
                .tracestate = command->tracestate};
    if (!command->key.empty()) {
      envelope.key = command->actor.name + "/" + command->key;
      envelope.command = digest_of(command->body);
      const DoneKey* done = world_.keys.find(envelope.key);
      if (done && !broken(DeliberateBug::KeyForgotten))
        return answer_again(*done, *command, envelope.command);
    }
  }
  TRY(Decision decision, decide(world_, input, now));
  const std::uint64_t before = world_.seq;
  for (Payload& payload : decision.payloads) {
    add(std::move(payload), &envelope, now, records);
    if (envelope.cause == 0)
      envelope.cause = world_.seq;  // The first is the cause of all the rest.
  }
  const std::size_t own = records->size();
  envelope.actor = kEngineActor;
  envelope.traceparent.clear();
  envelope.tracestate.clear();
  follow_up(std::move(decision.touched), &envelope, now, records);
  follow_up_alerts(&envelope, now, records);
  Receipt receipt{world_.seq > before ? before + 1 : 0, false, std::move(decision.notes)};
  for (std::size_t i = own; command && i < records->size() && i < own + 16; ++i) {
    if (const auto* moved = std::get_if<PhaseChanged>(&(*records)[i].payload)) {
      receipt.notes.push_back(fmt::format("{} is {}{}{}", moved->event, enum_name(moved->to),
                                          moved->reason.empty() ? "" : ": ", moved->reason));
    }
  }
  return receipt;
}

void Engine::add(Payload payload, Envelope* envelope, Instant now, std::vector<Record>* records) {
  Record record;
  record.seq = world_.seq + 1;
  record.time = now;
  record.epoch = epoch_;
  record.actor = envelope->actor;
  record.cause = envelope->cause;
  record.key = std::exchange(envelope->key, {});  // The first record alone carries it.
  record.command = std::exchange(envelope->command, 0);
  record.trace = envelope->trace;
  record.traceparent = envelope->traceparent;
  record.tracestate = envelope->tracestate;
  record.payload = std::move(payload);
  const Status folded = evolve(&world_, record);
  if (!folded)
    check_failed(__FILE__, __LINE__,
                 folded.error().message.c_str());  // decide() gave a senseless record.
  records->push_back(std::move(record));
}

void Engine::follow_up(std::vector<std::string> touched, Envelope* envelope, Instant now,
                       std::vector<Record>* records) {
  const std::string trace = envelope->trace;
  if (std::find(touched.begin(), touched.end(), "*") != touched.end())
    touched = running_events(world_);
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (const std::string& name : touched) {
    for (int round = 0;; ++round) {
      CHECK(round < kFollowUpsMax);
      const std::vector<Payload> payloads = follow(world_, name, now);
      if (payloads.empty()) break;
      // What an event does by itself belongs to the trace of its revision.
      const EventState* event = world_.event(name);
      envelope->trace = trace.empty() && event ? *event->trace : trace;
      for (const Payload& payload : payloads) add(payload, envelope, now, records);
    }
  }
}

void Engine::follow_up_alerts(Envelope* envelope, Instant now, std::vector<Record>* records) {
  for (int round = 0;; ++round) {
    CHECK(round < kFollowUpsMax);
    const std::vector<Payload> payloads = follow_alerts(world_, now);
    if (payloads.empty()) return;
    for (const Payload& payload : payloads) add(payload, envelope, now, records);
  }
}

}  // namespace showcaller
