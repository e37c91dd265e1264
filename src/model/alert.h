// SPDX-License-Identifier: Apache-2.0
// Alerts and silences, as the journal and the world know them.
//
// An alert is one cause: whatever else belongs to it is one of its members, and calls nobody again.
// Subjects are named "LiveEvent/NAME", "Service/NAME", "Fleet/NAME".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/fields.h"
#include "model/spec/alert_severity.h"

namespace showcaller {

// What is wrong with the subject. On disk by name.
enum class AlertCause : std::uint8_t {
  Rollback,       // the engine undoes a LiveEvent
  RollbackStuck,  // and cannot
  Held,           // the engine holds it, and somebody has to look
  Gate,           // one of its gates fails, and it goes on
  BreakGlass,     // somebody set approvals and freezes aside
  Instances,      // instances of a fleet fail, and what they share is quarantined
  Burn            // players feel it: an objective's error budget burns
};
enum class AlertMove : std::uint8_t {
  Acknowledged,
  Escalated,
  Grouped,   // more belongs to it
  Eased,     // what belongs to it is over
  Worsened,  // a ticket that is a page now
  Resolved,
  Owned  // somebody's by name
};
enum class DeliveryOutcome : std::uint8_t { Delivered, Dead };  // dead: given up

template <>
struct EnumNames<AlertSeverity> {
  static constexpr std::array<std::string_view, 2> names{"page", "ticket"};
};
template <>
struct EnumNames<AlertCause> {
  static constexpr std::array<std::string_view, 7> names{
      "rollback", "rollback-stuck", "held", "gate", "break-glass", "instances", "burn"};
};
template <>
struct EnumNames<AlertMove> {
  static constexpr std::array<std::string_view, 7> names{
      "acknowledged", "escalated", "grouped", "eased", "worsened", "resolved", "owned"};
};
template <>
struct EnumNames<DeliveryOutcome> {
  static constexpr std::array<std::string_view, 2> names{"delivered", "dead"};
};

#define F(name) visit(#name, self.name);
#define SHOWCALLER_ALERT_FIELDS(...)              \
  template <class Self, class Visit>              \
  static void fields(Self& self, Visit&& visit) { \
    __VA_ARGS__                                   \
  }

struct AlertMember {
  std::string subject;
  AlertCause cause = AlertCause::Held;
  std::string detail;  // the gate; why it is held; the SLO, for one event "SLO of LiveEvent/NAME"
  bool over = false;   // of a burn; of the others the world itself tells
  SHOWCALLER_ALERT_FIELDS(F(subject) F(cause) F(detail) F(over))

  bool is_same_as(const AlertMember& other) const {
    return subject == other.subject && cause == other.cause && detail == other.detail;
  }
};

// Its id is that of the record: alert_id().
struct AlertOpened {
  std::string subject;
  AlertCause cause = AlertCause::Held;
  std::string detail;
  AlertSeverity severity = AlertSeverity::Page;
  std::string team, owner;  // owner: who is called of the team; empty: whoever reads its routes
  std::string text, runbook;
  std::vector<std::string> next_steps;
  std::vector<std::string> absorbs;  // ids of alerts that end in it
  std::int64_t players_at_risk = 0, burn_milli = 0;
  SHOWCALLER_ALERT_FIELDS(F(subject) F(cause) F(detail) F(severity) F(team) F(owner) F(text)
                              F(runbook) F(next_steps) F(absorbs) F(players_at_risk) F(burn_milli))
};
struct AlertChanged {
  std::string id;
  AlertMove move = AlertMove::Resolved;
  std::string reason;
  std::int64_t level = 0;            // Escalated: so many steps up the team's path
  std::string team, owner;           // Escalated: who is called now; Owned: whose it is
  std::vector<AlertMember> members;  // Grouped, Eased
  std::vector<std::string> absorbs;  // Grouped: ids of alerts that end in it
  std::string root;                  // Grouped: the subject that explains the rest, if another
  bool told = false;                 // Grouped: its routes hear of it
  SHOWCALLER_ALERT_FIELDS(F(id) F(move) F(reason) F(level) F(team) F(owner) F(members) F(absorbs)
                              F(root) F(told))
};
// What came of telling one route of a change. Not written for what is told again and again.
struct AlertDelivered {
  std::string id, route;  // "team-raids/pager"
  std::int64_t change = 0;
  DeliveryOutcome outcome = DeliveryOutcome::Delivered;
  std::int64_t attempts = 0;
  std::string detail;
  SHOWCALLER_ALERT_FIELDS(F(id) F(route) F(change) F(outcome) F(attempts) F(detail))
};
// Its id is that of the record: silence_id().
struct SilenceSet {
  std::string subject;
  std::string event;  // ends with this LiveEvent; empty: with its time alone
  Instant until{};    // 0: with the event
  std::string reason;
  SHOWCALLER_ALERT_FIELDS(F(subject) F(event) F(until) F(reason))
};
struct SilenceEnded {
  std::string id, reason;
  SHOWCALLER_ALERT_FIELDS(F(id) F(reason))
};

struct AlertDelivery {
  std::int64_t change = 0;
  DeliveryOutcome outcome = DeliveryOutcome::Delivered;
  std::int64_t attempts = 0;
  std::string detail;
  Instant at{};
  SHOWCALLER_ALERT_FIELDS(F(change) F(outcome) F(attempts) F(detail) F(at))
};

struct Alert {
  std::vector<AlertMember> members;  // the first is what it was opened for
  std::string root;                  // the subject that explains the rest
  Instant grouped{};                 // when the last one came
  AlertSeverity severity = AlertSeverity::Page;
  std::string team, owner;          // of the level that is called now
  std::vector<std::string> called;  // teams, in their order; the first is the subject's own
  std::string text, runbook;
  std::string latest;  // what was told of it since it opened; empty: nothing
  std::vector<std::string> next_steps;
  std::int64_t players_at_risk = 0, burn_milli = 0;  // when it was opened
  Instant opened{}, acknowledged{}, resolved{};
  std::string acknowledged_by, resolved_reason;
  std::string absorbed_by;  // the alert whose cause explains this one
  std::int64_t level = 0;   // of escalation
  Instant level_since{};    // when that level was called
  std::int64_t change = 1;  // counts what there is to tell; 1 is that it opened
  std::map<std::string, AlertDelivery> deliveries;  // by route: the last change it was told
  SHOWCALLER_ALERT_FIELDS(F(members) F(root) F(grouped) F(severity) F(team) F(owner) F(called)
                              F(text) F(runbook) F(next_steps) F(players_at_risk) F(burn_milli)
                                  F(opened) F(acknowledged) F(resolved) F(acknowledged_by)
                                      F(resolved_reason) F(absorbed_by) F(level) F(level_since)
                                          F(change) F(deliveries) F(latest))

  const AlertMember& own() const { return members.front(); }
  bool is_open() const { return resolved == Instant{}; }
  bool is_acknowledged() const { return acknowledged != Instant{}; }
};

struct Silence {
  std::string subject, event, actor, reason;
  Instant since{}, until{};
  SHOWCALLER_ALERT_FIELDS(F(subject) F(event) F(actor) F(reason) F(since) F(until))
};

#undef F
#undef SHOWCALLER_ALERT_FIELDS

// Names given after a restore carry its lineage, so that none is given twice.
std::string alert_id(std::uint64_t seq, const std::string& lineage);
std::string silence_id(std::uint64_t seq, const std::string& lineage);

// Resolved alerts that the world remembers: the newest so many.
constexpr std::size_t kPastAlertsMax = 1'000;
// What belongs to one alert beyond this is not told apart.
constexpr std::size_t kAlertMembersMax = 64;

}  // namespace showcaller
