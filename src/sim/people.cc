// SPDX-License-Identifier: Apache-2.0
#include "sim/people.h"

#include <fmt/format.h>

#include "engine/alert_plan.h"
#include "engine/moves.h"
#include "model/gate_hash.h"
#include "policy/approvals.h"
#include "policy/gate_proofs.h"

namespace showcaller::sim {
namespace {

// As many different people as a rule asks for, each with all of its roles.
std::vector<Command> approvals_of(const std::string& name, const EventState& event,
                                  const ApprovalNeed& need) {
  std::vector<Command> out;
  for (const RuleStanding& rule : need.rules) {
    if (rule.met()) continue;
    for (int person = 1; person <= rule.needed; ++person) {
      Command command;
      command.body = ApproveCommand{name, event.manifest->hash};
      std::vector<std::string> roles = rule.roles;
      roles.emplace_back("admin");
      command.actor = {fmt::format("approver-{}", person), std::move(roles)};
      command.key = fmt::format("rehearsal/{}/r{}/{}/{}", name, event.revision, rule.rule, person);
      out.push_back(std::move(command));
    }
  }
  return out;
}

// What is rehearsed is the event with its gates acting: that they do is what the runs are to prove.
std::vector<Command> proofs_of(const World& world, const std::string& name,
                               const EventState& event) {
  std::vector<Command> out;
  for (const GateSpec& gate : event.spec().gates) {
    if (why_only_warns(world, event, gate).empty()) continue;
    const std::string hash = gate_hash(gate);
    Command command;
    command.body =
        ProveGateCommand{name, gate.name, hash, ProofMethod::Rehearsal, 1, "taken as proven"};
    command.actor = {"release-tools", {"admin"}};
    command.key = fmt::format("rehearsal/prove/{}/{}", name, hash);
    out.push_back(std::move(command));
  }
  return out;
}

bool is_others_to_tell(const std::string& check) {
  return !check.starts_with("capacity");
}

// The host itself makes it, and the virtual services answer.
bool is_probed(const World& world, const std::string& check) {
  constexpr std::string_view kProbe = "probe:";
  return check.starts_with(kProbe) &&
         world.manifest(Kind::Probe, check.substr(kProbe.size())) != nullptr;
}

}  // namespace

bool People::is_time(const std::string& task, Duration mean, Duration now, Random* random) {
  const auto [at, fresh] = due_.try_emplace(task, now);
  if (fresh) {
    at->second +=
        Duration(std::int64_t(mean.count() > 0 ? random->exponential(double(mean.count())) : 0));
  }
  return now >= at->second;
}

// Each who is called takes his own time, and again when he is called anew.
void People::answer_pages(const World& world, Duration now, Instant engine_now,
                          std::vector<Command>* out) {
  if (truth_->acting(FaultKind::NoAnswer)) return;
  world.alerts.each([&](const std::string& id, const Alert& alert) {
    if (alert.severity != AlertSeverity::Page || alert.is_acknowledged()) return;
    if (silence_of(world, alert, engine_now)) return;
    const std::string task = fmt::format("answer/{}/{}", id, to_ms(alert.level_since));
    if (!is_time(task, truth_->population().answer, now, &answers_)) return;
    Command command;
    command.body = AlertCommand{id, AlertVerb::Acknowledge};
    command.actor = {alert.owner.empty() ? "on-call" : alert.owner, {"admin"}};
    command.key = "rehearsal/" + task;
    out->push_back(std::move(command));
  });
}

std::vector<Command> People::act(const World& world, Duration now, Instant engine_now) {
  std::vector<Command> out;
  const Population& population = truth_->population();
  world.events.each([&](const std::string& name, const EventState& event) {
    const bool waits = event.phase == Phase::Validated || event.proposed;
    if (waits && !truth_->acting(FaultKind::NoApproval)) {
      const EventState asked = with_proposal(event);
      const ApprovalNeed need = approvals_needed(world, asked, engine_now);
      const std::string task = fmt::format("approve/{}/{}", name, asked.revision);
      if (!need.complete() && is_time(task, population.approval, now, &random_)) {
        for (Command& command : approvals_of(name, asked, need)) out.push_back(std::move(command));
      }
    }
    if (!is_over(event.phase)) {
      for (Command& command : proofs_of(world, name, event)) out.push_back(std::move(command));
    }
    if (event.phase != Phase::Preparing) return;
    for (const std::string& check : required_checks(event.spec())) {
      const auto standing = event.readiness.find(check);
      if (!is_others_to_tell(check) || is_probed(world, check) ||
          (standing != event.readiness.end() && standing->second.ready))
        continue;
      const std::string task = fmt::format("ready/{}/{}/{}", name, event.revision, check);
      if (!is_time(task, population.readiness_report, now, &random_)) continue;
      Command command;
      command.body = ReadyCommand{name, check, true, "rehearsed as good"};
      command.actor = {"release-tools", {"admin"}};
      command.key = "rehearsal/" + task;
      out.push_back(std::move(command));
    }
  });
  answer_pages(world, now, engine_now, &out);
  return out;
}

}  // namespace showcaller::sim
