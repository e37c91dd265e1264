// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <fmt/format.h>

#include "base/check.h"

namespace showcaller {
namespace {

constexpr int kFollowUpsMax = 1'000;
constexpr std::string_view kEngineActor = "engine";

std::vector<std::string> running_events(const World& world) {
  std::vector<std::string> names;
  world.events.each([&](const std::string& name, const EventState& event) {
    if (!is_over(event.phase)) names.push_back(name);
  });
  return names;
}

}  // namespace

Result<Receipt> Engine::take(const Input& input, Instant now, std::vector<Record>* records) {
  now = std::max(now, world_.time);  // Engine time never goes backwards.
  const Command* command = std::get_if<Command>(&input);
  Envelope envelope{std::string(kEngineActor), {}, {}, 0};
  if (command) {
    envelope = {command->actor.name, {}, command->trace, 0};
    if (!command->key.empty()) {
      envelope.key = command->actor.name + "/" + command->key;
      if (const DoneKey* done = world_.keys.find(envelope.key)) {
        return Receipt{
            done->seq, true, {"this command was accepted before; nothing happened again"}};
      }
    }
  }
  TRY(Decision decision, decide(world_, input, now));
  const std::uint64_t before = world_.seq;
  for (Payload& payload : decision.payloads) {
    add(std::move(payload), envelope, now, records);
    if (envelope.cause ==
        0) {  // The first record is the cause of all the rest, and alone carries the key.
      envelope.cause = world_.seq;
      envelope.key.clear();
    }
  }
  const std::size_t own = records->size();
  envelope.actor = kEngineActor;
  follow_up(std::move(decision.touched), envelope, now, records);
  Receipt receipt{world_.seq > before ? before + 1 : 0, false, std::move(decision.notes)};
  for (std::size_t i = own; command && i < records->size() && i < own + 16; ++i) {
    if (const auto* moved = std::get_if<PhaseChanged>(&(*records)[i].payload)) {
      receipt.notes.push_back(fmt::format("{} is {}{}{}", moved->event, enum_name(moved->to),
                                          moved->reason.empty() ? "" : ": ", moved->reason));
    }
  }
  return receipt;
}

void Engine::add(Payload payload, const Envelope& envelope, Instant now,
                 std::vector<Record>* records) {
  Record record;
  record.seq = world_.seq + 1;
  record.time = now;
  record.epoch = epoch_;
  record.actor = envelope.actor;
  record.cause = envelope.cause;
  record.key = envelope.key;
  record.trace = envelope.trace;
  record.payload = std::move(payload);
  const Status folded = evolve(&world_, record);
  if (!folded)
    check_failed(__FILE__, __LINE__,
                 folded.error().message.c_str());  // decide() gave a senseless record.
  records->push_back(std::move(record));
}

void Engine::follow_up(std::vector<std::string> touched, const Envelope& envelope, Instant now,
                       std::vector<Record>* records) {
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
      Envelope own = envelope;
      if (const EventState* event = world_.event(name); event && own.trace.empty())
        own.trace = event->trace;
      for (const Payload& payload : payloads) add(payload, own, now, records);
    }
  }
}

}  // namespace showcaller
