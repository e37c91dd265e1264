// SPDX-License-Identifier: Apache-2.0
// Incidents: one for each rollback, each hold by the engine, each quarantine, and each alert or
// page that is none of these, folded from the journal's records. docs/incidents.md defines every
// word of it.
//
// Pure. Memory: the newest kIncidentsMax incidents, the changes of six hours (kChangesMax at most).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "engine/suspects.h"
#include "model/record.h"

namespace showcaller {

enum class IncidentKind : std::uint8_t { Page, Alert, Hold, Quarantine, Rollback };
enum class IncidentState : std::uint8_t {
  Open,   // it goes on
  Stuck,  // a rollback that cannot end by itself
  Over,
  Told,  // a page of before there were alerts: there is nothing that would end
};
template <>
struct EnumNames<IncidentKind> {
  static constexpr std::array<std::string_view, 5> names{"page", "alert", "hold", "quarantine",
                                                         "rollback"};
};
template <>
struct EnumNames<IncidentState> {
  static constexpr std::array<std::string_view, 4> names{"open", "stuck", "over", "told"};
};

// A record that belongs to an incident.
struct IncidentLine {
  std::uint64_t seq = 0;
  Instant at{};
  std::string by, what;
};

struct Incident {
  std::uint64_t id = 0;    // the record that opened it
  std::uint64_t root = 0;  // the decision that it is part of
  IncidentKind kind = IncidentKind::Page;
  IncidentState state = IncidentState::Open;
  std::string subject;  // "event/winter-raid", "build/raid@2.4.1"
  std::string owner;    // of a quarantine's fleet: "fleet/raid"; else the subject
  std::string title, cause, team;
  std::string alert;          // the id of the alert that called somebody; empty: none did
  std::int64_t revision = 0;  // of an event
  Instant began{};            // see docs/incidents.md
  Instant opened{};
  Instant ended{};  // when Over
  Instant until{};  // a quarantine that ends by itself
  std::vector<IncidentLine> lines;
  std::vector<std::string> next_steps;
  std::string runbook;
  std::vector<Suspect> suspects;

  // A quarantine may have ended by itself.
  IncidentState state_at(Instant now) const;
  Instant ended_at(Instant now) const;
};

inline constexpr std::size_t kIncidentsMax = 500;
inline constexpr std::size_t kIncidentLinesMax = 100;
inline constexpr std::size_t kChangesMax = 2'000;
inline constexpr std::size_t kSuspectsMax = 10;

class IncidentBook {
 public:
  // Of a kind's number: whether note() has to see it. The others may be passed by unread.
  static bool concerns(std::uint16_t kind);
  // In the journal's order.
  void note(const Record& record);

  const std::deque<Incident>& incidents() const { return incidents_; }  // the oldest first
  const Incident* find(std::uint64_t id) const;
  // Others of the same subject or the same cause, the newest first.
  std::vector<const Incident*> similar_to(const Incident& incident, std::size_t most) const;

 private:
  // What is known of an event between its incidents.
  struct EventSeen {
    Subjects touches;
    std::string team;
    std::int64_t revision = 0;
    Instant grew{};        // when its exposure last grew
    Instant turned_bad{};  // the first bad verdict since a good one or since it grew; 0: none
    std::string bad_gate, bad_why;
  };
  struct InstanceSeen {
    std::string fleet, build, region, host;
  };
  struct Failure {
    Instant at{};
    InstanceSeen where;
  };
  struct Fold;

  Incident& open(const Record& record, IncidentKind kind, const std::string& subject);
  Incident* of_alert(const std::string& id);
  void end_alert(const std::string& id, const Record& record);
  Incident* at_work(const std::string& subject, std::uint64_t root);
  void add_line(Incident* incident, const Record& record);
  void end(const std::string& subject, const Record& record, bool only_hold);
  void finish(Incident* incident, const Record& record);
  void suspect(Incident* incident, const Subjects& touches);
  Instant first_failure(const QuarantineSet& quarantine, Instant now) const;
  void note_change(const Record& record);

  std::deque<Incident> incidents_;
  std::deque<ChangeSeen> changes_;
  std::map<std::string, EventSeen> events_;
  std::map<std::string, InstanceSeen> instances_;
  std::deque<Failure> failures_;
  std::string lineage_;  // of the last restore: alerts are named by it
};

}  // namespace showcaller
