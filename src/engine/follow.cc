// SPDX-License-Identifier: Apache-2.0
// What happens to a LiveEvent by itself, as a list of rules: the first that applies is what happens
// next.
#include <array>

#include <fmt/format.h>

#include "base/deliberate_bug.h"
#include "engine/decide.h"
#include "engine/exposure_share.h"
#include "engine/moves.h"
#include "engine/rollback_time.h"
#include "flow/saga.h"
#include "policy/approvals.h"
#include "policy/freezes.h"
#include "policy/quotas.h"

namespace showcaller {
namespace {

using Payloads = std::vector<Payload>;

bool steps_are_all(const EventState& event, auto predicate) {
  return std::all_of(event.steps->begin(), event.steps->end(), predicate);
}

// ---- toward safety and the end: alive under a hold ----

Payloads end_by_schedule(const Subject& s) {
  const auto& end = s.spec().schedule.end;
  if (!end || s.wall() < latest_of(*end) || !outcome_of(s.event.phase, PhaseInput::End).allowed)
    return {};
  return end_event(s, "the schedule's end");
}

Payloads close_the_doors(const Subject& s) {
  return close_next_doors(s);
}

Payloads undo_the_failed_preparation(const Subject& s) {
  if (s.event.phase != Phase::Preparing) return {};
  for (std::size_t i = 0; i < s.event.steps->size(); ++i) {
    const Step& step = (*s.event.steps)[i];
    if (step.state != StepState::Failed) continue;
    return roll_back(
        s, fmt::format("step {} ({}) failed: {}", i + 1, s.spec().changes[i].path(), step.detail),
        true);
  }
  return {};
}

Payloads undo_the_next_step(const Subject& s) {
  if (s.event.phase != Phase::RollingBack) return {};
  return next_saga_move(s.name, s.event, s.now, NewSteps::MayBegin);
}

Payloads get_stuck(const Subject& s) {
  if (s.event.phase != Phase::RollingBack) return {};
  std::string where;
  for (std::size_t i = 0; i < s.event.steps->size(); ++i) {
    if ((*s.event.steps)[i].state == StepState::Stuck) {
      where = fmt::format("undo of step {} ({}) failed: {}", i + 1, s.spec().changes[i].path(),
                          (*s.event.steps)[i].detail);
    }
  }
  const Duration within = rollback_within(s.world, s.spec());
  if (where.empty() && s.now - s.event.phase_since > within)
    where = fmt::format("the canary has not drained within {}", format_duration(within));
  if (where.empty()) return {};
  Payloads out{change_phase(s, PhaseInput::Stick, where)};
  for (Payload& payload : page_of(s, AlertCause::RollbackStuck, {},
                                  fmt::format("the rollback of {} is stuck: {}", s.name, where)))
    out.push_back(std::move(payload));
  return out;
}

Payloads finish_the_rollback(const Subject& s) {
  if (s.event.phase != Phase::RollingBack) return {};
  const bool undone = steps_are_all(s.event, [](const Step& step) {
    return step.state == StepState::Undone || step.state == StepState::Pending;
  });
  const bool drained = builds_that_run(s).empty() || broken(DeliberateBug::EndsBeforeDrained);
  if (!undone || !drained) return {};
  return {change_phase(s, PhaseInput::Undone, "every step is undone and every session drained")};
}

// ---- toward readiness ----

Payloads validate_the_draft(const Subject& s) {
  if (s.event.phase != Phase::Draft) return {};
  const auto problems = problems_against(s.world, *s.event.manifest);
  if (problems.empty()) return {change_phase(s, PhaseInput::Validate, "sound against the world")};
  return {change_phase(s, PhaseInput::Reject, fmt::format("{}", fmt::join(problems, "; ")))};
}

Payloads accept_the_approvals(const Subject& s) {
  if (s.event.phase != Phase::Validated) return {};
  if (!approvals_complete(s.world, s.event, s.now) && !broken(DeliberateBug::ApprovalIgnored))
    return {};
  return {change_phase(s, PhaseInput::Approve, "all approvals are there")};
}

// Actions are known by the revision that called them: none changes under one that is on its way.
bool a_step_is_under_way(const EventState& event) {
  return std::any_of(event.steps->begin(), event.steps->end(),
                     [](const Step& step) { return step.state == StepState::Doing; });
}

Payloads adopt_the_revision(const Subject& s) {
  if (!s.event.proposed || a_step_is_under_way(s.event)) return {};
  const EventState next = with_proposal(s.event);
  if (!approvals_complete(s.world, next, s.now)) return {};
  Payloads out{RevisionAdopted{s.name, next.revision, "all approvals are there"}};
  if (s.event.phase == Phase::Ready)
    out.push_back(change_phase({s.world, s.name, next, s.now}, PhaseInput::Prepare,
                               "the revision may ask for other checks"));
  return out;
}

Payloads begin_preparation(const Subject& s) {
  if (s.event.phase != Phase::Approved || s.event.hold || line_stopped(s.world, s.event)) return {};
  if (!meets_another_layer(s).empty()) return {};
  if (!check_event_quota(s.world, s.name, s.now)) return {};
  return {change_phase(s, PhaseInput::Prepare, "approved")};
}

Payloads do_the_next_step(const Subject& s) {
  if (s.event.phase != Phase::Preparing) return {};
  const NewSteps steps = line_stopped(s.world, s.event) ? NewSteps::Wait : NewSteps::MayBegin;
  return next_saga_move(s.name, s.event, s.now, steps);
}

Payloads become_ready(const Subject& s) {
  if (s.event.phase != Phase::Preparing || s.event.hold) return {};
  if (!steps_are_all(s.event, [](const Step& step) { return step.state == StepState::Done; }))
    return {};
  for (const std::string& check : required_checks(s.spec())) {
    const auto at = s.event.readiness.find(check);
    if (at == s.event.readiness.end() || !at->second.ready) return {};
  }
  return {change_phase(s, PhaseInput::MadeReady,
                       "every step is applied and every readiness check is good")};
}

Payloads give_up_waiting_for_readiness(const Subject& s) {
  // Who resumes grants it as long again.
  const Instant since = std::max(s.event.phase_since, s.event.resumed);
  if (s.event.phase != Phase::Preparing || s.now - since <= s.spec().readiness.timeout) return {};
  return hold(s, HoldCause::Readiness,
              fmt::format("not ready after {}: {}", format_duration(s.spec().readiness.timeout),
                          fmt::join(waits_for(s.world, s.name, s.now), "; ")),
              true);
}

// ---- toward exposure: waits for holds, stopped lines, freezes, and a clock that stepped ----

bool clock_is_settled(const Subject& s) {
  return clock_is_settled(s.world, s.now);
}

// Absent: as soon as it is ready.
std::optional<Instant> rollout_begins(const LiveEventSpec& spec) {
  if (!spec.schedule.start || spec.rollout_begin_before_start == Duration{}) return std::nullopt;
  return spec.schedule.start->at - spec.rollout_begin_before_start;
}

Payloads begin_the_rollout(const Subject& s) {
  if (s.event.phase != Phase::Ready || !blocked(s).empty()) return {};
  if (const auto begin = rollout_begins(s.spec()); begin) {
    if (s.wall() < *begin || !clock_is_settled(s)) return {};
  }
  if (!lacks_capacity(s).empty()) return {};
  const bool proving = s.spec().schedule.start.has_value();
  Payloads out{change_phase(s, PhaseInput::Admit, "ready, and its time has come")};
  // Who is held out is settled once, before anybody is in.
  ExposureBounds bounds = s.event.bounds.value_or(ExposureBounds());
  bounds.holdouts = holdouts_for(s.world, s.event.manifest->owner);
  if (bounds != s.event.bounds.value_or(ExposureBounds()))
    out.push_back(ExposureBounded{s.name, bounds});
  for (Payload& payload : enter_stage(s, 0, "first stage")) out.push_back(std::move(payload));
  out.push_back(IntakeChanged{s.name,
                              proving ? IntakeState::Proving : IntakeState::Open,
                              {},
                              proving ? "proving before the start" : "opens with its stages"});
  if (s.spec().intake.pace_per_minute > 0) {
    out.push_back(PaceSet{s.name, s.spec().intake.pace_per_minute, "as the manifest says"});
  }
  return out;
}

Payloads open_the_doors(const Subject& s) {
  const auto& start = s.spec().schedule.start;
  const bool proving = s.event.intake == IntakeState::Proving;
  const bool waves = s.event.intake == IntakeState::Open && !s.event.open_regions.empty();
  if (!start || !may_admit(s.event.phase) || !(proving || waves)) return {};
  if (s.wall() < start->at || !blocked(s).empty() || !clock_is_settled(s)) return {};
  const bool proven = s.event.phase == Phase::Live;
  if (!proven && s.spec().intake.if_not_proven == IfNotProven::Postpone) return {};
  if (!proven && proving && s.spec().intake.if_not_proven == IfNotProven::Ask) {
    return hold(s, HoldCause::Schedule,
                "its start has come before it is proven; resume to open, or roll back", true);
  }
  return open_next_doors(s);
}

bool stage_is_judged(const Subject& s) {
  const StageSpec& stage = *s.stage();
  if (!stage.gated) return false;
  return std::any_of(s.spec().gates.begin(), s.spec().gates.end(), [&](const GateSpec& gate) {
    return gate.stages.empty() ||
           std::find(gate.stages.begin(), gate.stages.end(), stage.name) != gate.stages.end();
  });
}

// A stage without gates advances by time alone; one with gates advances in gate_decision.cc, by
// evidence.
Payloads advance_by_time(const Subject& s) {
  if (s.event.phase != Phase::RollingOut || !s.stage() || stage_is_judged(s)) return {};
  if (s.now - s.event.stage_since < s.stage()->bake_min || !blocked(s).empty()) return {};
  if (!lacks_capacity(s).empty()) return {};
  return advance(
      s, fmt::format("baked for {}; the stage has no gate", format_duration(s.stage()->bake_min)));
}

// ---- what players are told to expect is no alert ----

Payloads silence_what_it_disturbs(const Subject& s) {
  if (!may_admit(s.event.phase)) return {};
  for (const std::string& subject : s.spec().disturbs) {
    bool silenced = false;
    s.world.silences.each([&](const std::string&, const Silence& silence) {
      silenced |= silence.event == s.name && silence.subject == subject;
    });
    if (!silenced)
      return {SilenceSet{subject, s.name, {}, "the event declares that it disturbs it"}};
  }
  return {};
}

// ---- after the show ----

Payloads settle(const Subject& s) {
  if (s.event.phase != Phase::Settling ||
      s.now - s.event.phase_since < s.spec().schedule.claim_until)
    return {};
  return {change_phase(s, PhaseInput::Deprecate, "claims are settled")};
}

// What is known of use is what runs; who still asks for a flag or a document is not counted.
Payloads retire(const Subject& s) {
  if (s.event.phase != Phase::Deprecated || s.now - s.event.phase_since < s.spec().schedule.retire)
    return {};
  if (!builds_that_run(s).empty()) return {};
  std::string reason =
      fmt::format("{} after its claims were settled", format_duration(s.spec().schedule.retire));
  if (s.spec().changes_build()) reason += ", and none of its builds runs";
  return {change_phase(s, PhaseInput::Retire, std::move(reason))};
}

constexpr auto kRules = std::to_array({
    &end_by_schedule,
    &close_the_doors,
    &undo_the_failed_preparation,
    &undo_the_next_step,
    &get_stuck,
    &finish_the_rollback,
    &validate_the_draft,
    &accept_the_approvals,
    &adopt_the_revision,
    &begin_preparation,
    &do_the_next_step,
    &become_ready,
    &give_up_waiting_for_readiness,
    &begin_the_rollout,
    &open_the_doors,
    &silence_what_it_disturbs,
    &advance_by_time,
    &settle,
    &retire,
});

}  // namespace

std::vector<Payload> follow(const World& world, const std::string& event, Instant now) {
  const auto subject = subject_of(world, event, now);
  if (!subject || is_over(subject->event.phase)) return {};
  for (const auto& rule : kRules) {
    if (auto payloads = rule(*subject); !payloads.empty()) return payloads;
  }
  return {};
}

namespace {

std::string percent(std::int64_t ppm) {
  return fmt::format("{:g} %", double(ppm) / 10'000);
}

// What a check that others make has to find, for who makes it.
std::string asked_by(const ReadinessSpec& asks, std::string_view check) {
  if (check == "client") {
    return fmt::format(" ({} of players on protocol {}{}{})", percent(asks.client_adoption_ppm),
                       asks.client_protocol, asks.client_by.empty() ? "" : ", for each ",
                       asks.client_by);
  }
  if (check.starts_with("bundle:"))
    return fmt::format(" ({} of clients have it)", percent(asks.bundle_ready_at_ppm));
  return {};
}

}  // namespace

std::vector<std::string> waits_for(const World& world, const std::string& event, Instant now) {
  const auto s = subject_of(world, event, now);
  if (!s) return {};
  std::vector<std::string> out;
  switch (s->event.phase) {
    case Phase::Validated:
      out = approvals_needed(world, s->event, now).missing;
      break;
    case Phase::Approved:
      if (auto meets = meets_another_layer(*s); !meets.empty()) out.push_back(std::move(meets));
      if (const Status quota = check_event_quota(world, event, now); !quota)
        out.push_back(quota.error().message);
      break;
    case Phase::Preparing:
      for (std::size_t i = 0; i < s->event.steps->size(); ++i) {
        if ((*s->event.steps)[i].state != StepState::Done) {
          out.push_back(fmt::format("step {} ({}): {}", i + 1, s->spec().changes[i].path(),
                                    enum_name((*s->event.steps)[i].state)));
        }
      }
      for (const std::string& check : required_checks(s->spec())) {
        const auto at = s->event.readiness.find(check);
        if (at == s->event.readiness.end())
          out.push_back(fmt::format("readiness check {}: no report yet{}", check,
                                    asked_by(s->spec().readiness, check)));
        else if (!at->second.ready)
          out.push_back(fmt::format("readiness check {}: {}", check, at->second.detail));
      }
      break;
    case Phase::Ready:
      if (const auto begin = rollout_begins(s->spec()); begin && s->wall() < *begin)
        out.push_back("its time: " + format_instant(*begin));
      if (auto lacks = lacks_capacity(*s); !lacks.empty()) out.push_back(std::move(lacks));
      break;
    case Phase::RollingOut:
      if (s->stage()) {
        const auto standing = s->event.gates.find("");
        const bool baked = now - s->event.stage_since >= s->stage()->bake_min;
        const bool failed =
            standing != s->event.gates.end() && standing->second.verdict == VerdictName::Fail;
        const std::string lacks = baked && !failed ? lacks_capacity(*s) : std::string();
        if (lacks.empty() || stage_is_judged(*s)) {
          out.push_back(fmt::format("stage {}: {}", s->stage()->name,
                                    !stage_is_judged(*s) ? "its bake time"
                                    : standing == s->event.gates.end()
                                        ? "a first look at the evidence"
                                        : standing->second.why));
        }
        if (!lacks.empty()) out.push_back(lacks);
      }
      break;
    case Phase::Deprecated:
      if (auto running = builds_that_run(*s); !running.empty())
        out.push_back("the end of " + running);
      break;
    case Phase::RollbackStuck:
      out.push_back(*s->event.phase_reason);
      break;
    default:
      break;
  }
  if (const std::string why = blocked(*s); !why.empty() && !is_over(s->event.phase))
    out.push_back(why);
  return out;
}

}  // namespace showcaller
