// SPDX-License-Identifier: Apache-2.0
#include "engine/explain.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/alert_subjects.h"
#include "engine/decide.h"
#include "engine/flag_facts.h"
#include "engine/view.h"
#include "flow/flag_layers.h"
#include "policy/degradation.h"
#include "policy/gate_proofs.h"

namespace showcaller {
namespace {

struct EventOf {
  template <class P>
  std::string operator()(const P& payload) const {
    if constexpr (requires { payload.event; })
      return payload.event;
    else if constexpr (requires {
                         payload.subject;
                         payload.team;
                       })
      return event_of_subject(payload.subject);
    else
      return {};
  }

 private:
  static std::string event_of_subject(const std::string& subject) {
    const auto parts = parse_subject(subject);
    return parts && parts->kind == Kind::LiveEvent ? parts->name : "";
  }
};

// The rule by which a record came to be: a page of the docs that says it.
std::string rule_of(const Payload& payload) {
  if (std::holds_alternative<VerdictChanged>(payload) ||
      std::holds_alternative<GateProven>(payload))
    return "docs/gates.md";
  if (const auto* moved = std::get_if<PhaseChanged>(&payload)) {
    return fmt::format("docs/lifecycle.md: {} in {}", enum_name(moved->input),
                       enum_name(moved->from));
  }
  if (std::holds_alternative<ApprovalGranted>(payload) ||
      std::holds_alternative<RevisionAdopted>(payload) ||
      std::holds_alternative<GlassBroken>(payload))
    return "docs/policy.md";
  if (std::holds_alternative<QuarantineSet>(payload) ||
      std::holds_alternative<QuarantineLifted>(payload) ||
      std::holds_alternative<StartsDelayed>(payload))
    return "docs/fleets.md";
  if (std::holds_alternative<FlagKilled>(payload) ||
      std::holds_alternative<FlagReopened>(payload) ||
      std::holds_alternative<FlagScheduleReached>(payload))
    return "docs/flags.md";
  if (std::holds_alternative<StressChanged>(payload) ||
      std::holds_alternative<FeatureWithdrawn>(payload) ||
      std::holds_alternative<FeatureReturned>(payload))
    return "docs/degradation.md";
  return {};
}

std::string reason_of(const Payload& payload) {
  return std::visit(
      [](const auto& p) -> std::string {
        if constexpr (requires { p.why; })
          return p.why;
        else if constexpr (requires { p.reason; })
          return p.reason;
        else if constexpr (requires { p.detail; })
          return p.detail;
        else
          return {};
      },
      payload);
}

json::object evidence_of(const VerdictChanged& verdict) {
  return {{"stream", fmt::format("{}/r{}/v{}", verdict.event, verdict.revision, verdict.visit)},
          {"judged_seconds", verdict.evidence_s},
          {"offset", verdict.evidence_offset},
          {"hash", verdict.evidence_hash},
          {"statistics", verdict.statistics}};
}

json::array signs_of(const FeatureWithdrawn& withdrawn) {
  json::array out;
  for (const StressSign& sign : withdrawn.evidence) out.emplace_back(sign_text(sign));
  return out;
}

json::array withdrawn_from(const World& world, const EventState& event) {
  json::array out;
  for (const std::string& flag : flags_of(event.spec())) {
    const FeatureWithdrawal by = withdrawal_of(world, flag);
    if (!by.feature) continue;
    out.push_back(json::object{{"service", by.service},
                               {"feature", by.feature->feature},
                               {"flag", flag},
                               {"variant", by.feature->variant},
                               {"since", format_instant(by.feature->since)},
                               {"reason", by.feature->reason},
                               {"by", by.feature->by.empty() ? kEngineActor : by.feature->by}});
  }
  return out;
}

}  // namespace

std::string event_of(const Payload& payload) {
  return std::visit(EventOf{}, payload);
}

bool concerns_event(const Payload& payload, std::string_view event,
                    const std::vector<std::string>& flags) {
  if (event_of(payload) == event) return true;
  return std::visit(
      [&](const auto& p) {
        if constexpr (requires { p.flag; })
          return std::ranges::find(flags, p.flag) != flags.end();
        else
          return false;
      },
      payload);
}

bool is_a_decision(const Payload& payload) {
  return !std::holds_alternative<SessionsCounted>(payload) &&
         !std::holds_alternative<StepStarted>(payload);
}

json::object decision_of(const Record& record) {
  json::object out{{"seq", record.seq},
                   {"time", format_instant(record.time)},
                   {"what", record_line(record)},
                   {"why", reason_of(record.payload)},
                   {"by", record.actor}};
  if (record.cause != 0) out["cause"] = record.cause;
  if (!record.trace.empty()) out["trace"] = record.trace;
  if (const std::string rule = rule_of(record.payload); !rule.empty()) out["rule"] = rule;
  if (const auto* verdict = std::get_if<VerdictChanged>(&record.payload))
    out["evidence"] = evidence_of(*verdict);
  if (const auto* withdrawn = std::get_if<FeatureWithdrawn>(&record.payload))
    out["signs"] = signs_of(*withdrawn);
  return out;
}

json::object explanation_of(const World& world, const std::string& name,
                            std::span<const Record> records, Instant now) {
  json::array decisions, summary;
  for (const Record& record : records) {
    if (!is_a_decision(record.payload)) continue;
    decisions.push_back(decision_of(record));
  }
  json::object out{{"event", name}};
  if (const EventState* event = world.event(name)) {
    out["phase"] = std::string(enum_name(event->phase));
    out["revision"] = event->revision;
    summary.push_back(
        json::value(fmt::format("{} r{} is {}{}", name, event->revision, enum_name(event->phase),
                                event->phase_reason->empty() ? "" : ": " + *event->phase_reason)));
    for (const auto& [gate, standing] : event->gates) {
      summary.push_back(
          json::value(fmt::format("{} says {}: {}", gate.empty() ? "the stage" : "gate " + gate,
                                  enum_name(standing.verdict), standing.why)));
    }
    out["withdrawn"] = withdrawn_from(world, *event);
    if (!is_over(event->phase)) {
      for (std::string& note : gate_notes(world, *event))
        summary.push_back(json::value(std::move(note)));
      for (std::string& note : kill_notes(world, *event))
        summary.push_back(json::value(std::move(note)));
    }
    for (const LedgerStanding& ledger : event->ledgers) {
      summary.push_back(json::value(fmt::format(
          "{} players may have been exposed to r{} ({} rows); showcaller ledger {} --revision {}",
          ledger.players, ledger.revision, ledger.rows, name, ledger.revision)));
    }
    for (const std::string& wait : waits_for(world, name, now))
      summary.push_back(json::value("waits for " + wait));
  }
  out["summary"] = std::move(summary);
  out["decisions"] = std::move(decisions);
  return out;
}

}  // namespace showcaller
