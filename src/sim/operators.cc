// SPDX-License-Identifier: Apache-2.0
#include "sim/operators.h"

#include <fmt/format.h>

namespace showcaller::sim {

namespace {

template <class Table>
std::string oldest(const Table& table, auto since) {
  std::string out;
  Instant at = Instant::max();
  table.each([&](const std::string& id, const auto& entry) {
    if (entry.*since >= at) return;
    at = entry.*since;
    out = id;
  });
  return out;
}

CommandBody about_what_is_there(const World& world, CommandBody body) {
  if (auto* alert = std::get_if<AlertCommand>(&body); alert && alert->alert.empty())
    alert->alert = oldest(world.alerts, &Alert::opened);
  if (auto* end = std::get_if<UnsilenceCommand>(&body); end && end->silence.empty())
    end->silence = oldest(world.silences, &Silence::since);
  return body;
}

}  // namespace

std::optional<Command> Operators::next(const World& world, const EventState& event,
                                       Instant engine_now) {
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    const ScheduledCommand& due = commands_[i];
    if (sent_[i] || due.phase != event.phase || event.revision < due.revision) continue;
    if (engine_now - event.phase_since < due.after) continue;
    sent_[i] = true;
    met_.push_back(
        {i, event.phase, acting(), false, truth_->since_applied(), truth_->since_admitted()});
    Command command;
    command.body = about_what_is_there(world, due.body);
    command.actor = {due.actor, {"admin"}};
    command.key = fmt::format("rehearsal/operator/{}", i);
    return command;
  }
  return std::nullopt;
}

std::vector<FaultKind> Operators::acting() const {
  std::vector<FaultKind> out;
  for (int kind = 0; kind < kFaultKinds; ++kind) {
    if (!truth_->begun(FaultKind(kind)).empty()) out.push_back(FaultKind(kind));
  }
  return out;
}

}  // namespace showcaller::sim
