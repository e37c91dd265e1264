// SPDX-License-Identifier: Apache-2.0
#include "engine/incident_book.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/explain.h"
#include "engine/view.h"

namespace showcaller {
namespace {

constexpr std::size_t kFailuresMax = 2'000;
constexpr Duration kFailuresKept = hours(1);

std::uint64_t root_of(const Record& record) {
  return record.cause != 0 ? record.cause : record.seq;
}

bool fails(const InstanceMoved& moved) {
  return moved.to == InstancePhase::Unhealthy || moved.signal.value_or(0) != 0 ||
         moved.exit_code.value_or(0) != 0;
}

bool is_bad(VerdictName verdict) {
  return verdict == VerdictName::Fail || verdict == VerdictName::Skewed;
}

// A hold that somebody wanted is no incident, nor one that time alone ends.
bool is_trouble(HoldCause cause) {
  return cause == HoldCause::Gate || cause == HoldCause::Thin || cause == HoldCause::Readiness ||
         cause == HoldCause::Quarantine;
}

std::string subject_of(const QuarantineSet& p) {
  for (const std::string& subject : subjects_of(Payload(p)))
    if (!subject.starts_with("fleet/")) return subject;
  return "fleet/" + p.fleet;
}

}  // namespace

IncidentState Incident::state_at(Instant now) const {
  const bool lapsed = state == IncidentState::Open && until != Instant{} && until <= now;
  return lapsed ? IncidentState::Over : state;
}

Instant Incident::ended_at(Instant now) const {
  return state != IncidentState::Over && state_at(now) == IncidentState::Over ? until : ended;
}

// What each kind of record does to the book.
struct IncidentBook::Fold {
  IncidentBook& book;
  const Record& record;

  template <class P>
  void operator()(const P&) const {}

  void operator()(const EventRevised& p) const {
    if (p.proposed) return;
    EventSeen& event = book.events_[p.event];
    event.touches = subjects_of_event_document(p.document);
    event.touches.insert("event/" + p.event);
    event.revision = p.revision;
    if (const json::value* about = get_if(p.document, "metadata"); about && about->is_object())
      event.team = get_string(about->get_object(), "owner");
  }
  void operator()(const StageEntered& p) const { grew(p.event); }
  void operator()(const ExposureWidened& p) const { grew(p.event); }
  void operator()(const IntakeChanged& p) const {
    if (p.to == IntakeState::Open) grew(p.event);
  }
  void operator()(const VerdictChanged& p) const {
    EventSeen& event = book.events_[p.event];
    if (p.verdict == VerdictName::Pass && p.gate == event.bad_gate) event.turned_bad = {};
    if (!is_bad(p.verdict) || event.turned_bad != Instant{}) return;
    event.turned_bad = record.time;
    event.bad_gate = p.gate;
    event.bad_why = p.why;
  }
  void operator()(const PhaseChanged& p) const {
    const std::string subject = "event/" + p.event;
    const bool nobody_is_in =
        !may_admit(p.to) && p.to != Phase::RollingBack && p.to != Phase::RollbackStuck;
    if (nobody_is_in) book.events_[p.event].grew = book.events_[p.event].turned_bad = {};
    if (p.to == Phase::RollingBack && p.from != Phase::RollbackStuck)
      return of_event(IncidentKind::Rollback, p.event, fmt::format("{} is rolled back", p.event),
                      p.reason);
    Incident* incident = book.at_work(subject, root_of(record));
    if (!incident) return;
    book.add_line(incident, record);
    if (p.to == Phase::RollbackStuck) {
      incident->state = IncidentState::Stuck;
      incident->title = fmt::format("the rollback of {} is stuck", p.event);
    } else if (p.to == Phase::RollingBack) {
      incident->state = IncidentState::Open;
    } else if (is_over(p.to)) {
      book.end(subject, record, false);
    }
  }
  void operator()(const HoldSet& p) const {
    if (is_trouble(p.by))
      of_event(IncidentKind::Hold, p.event, fmt::format("{} is held", p.event), p.reason);
  }
  void operator()(const HoldLifted& p) const { book.end("event/" + p.event, record, true); }
  void operator()(const PageRaised& p) const {
    const std::string subject = subject_of_alert(p.subject);
    Incident* incident = book.at_work(subject, root_of(record));
    if (!incident) {
      of_subject(IncidentKind::Page, subject, p.text, p.text);
      incident = &book.incidents_.back();
      incident->state = IncidentState::Told;
    } else {
      book.add_line(incident, record);
    }
    incident->team = p.team;
    incident->next_steps = p.next_steps;
  }
  // It calls somebody for what goes on, or for what nothing else tells of.
  void operator()(const AlertOpened& p) const {
    const std::string subject = subject_of_alert(p.subject);
    Incident* incident = book.at_work(subject, root_of(record));
    if (!incident) {
      of_subject(IncidentKind::Alert, subject, p.text, p.text);
      incident = &book.incidents_.back();
      incident->cause =
          fmt::format("{}{}{}", enum_name(p.cause), p.detail.empty() ? "" : ": ", p.detail);
    } else {
      book.add_line(incident, record);
    }
    incident->alert = alert_id(record.seq, book.lineage_);
    incident->team = p.team;
    incident->next_steps = p.next_steps;
    incident->runbook = p.runbook;
    for (const std::string& id : p.absorbs) book.end_alert(id, record);
  }
  void operator()(const AlertChanged& p) const {
    for (const std::string& id : p.absorbs) book.end_alert(id, record);
    if (p.move == AlertMove::Resolved) return book.end_alert(p.id, record);
    if (Incident* incident = book.of_alert(p.id)) book.add_line(incident, record);
  }
  void operator()(const JournalRestored& p) const { book.lineage_ = p.lineage; }
  void operator()(const InstanceRequested& p) const {
    book.instances_[fmt::format("{}/{}", p.fleet, p.id)] = {p.fleet, p.build, p.region, p.host};
  }
  void operator()(const InstanceMoved& p) const {
    const auto at = book.instances_.find(fmt::format("{}/{}", p.fleet, p.id));
    if (at == book.instances_.end()) return;
    if (fails(p)) {
      book.failures_.push_back({record.time, at->second});
      while (book.failures_.size() > kFailuresMax ||
             record.time - book.failures_.front().at > kFailuresKept)
        book.failures_.pop_front();
    }
    if (p.to == InstancePhase::Gone) book.instances_.erase(at);
  }
  void operator()(const QuarantineSet& p) const {
    const std::string subject = subject_of(p);
    Incident& incident = book.open(record, IncidentKind::Quarantine, subject);
    incident.owner = "fleet/" + p.fleet;
    incident.title =
        fmt::format("{} {} of fleet {} is quarantined", enum_name(p.scope), p.subject, p.fleet);
    incident.cause = record.actor == kEngineActor
                         ? fmt::format("{} of fleet {} fails", enum_name(p.scope), p.fleet)
                         : fmt::format("{}: {}", record.actor, p.reason);
    incident.until = p.until;
    incident.began = book.first_failure(p, record.time);
    incident.next_steps = {fmt::format("showcaller get instances {}", p.fleet),
                           fmt::format("when it is mended: showcaller release {} {} {}",
                                       enum_name(p.scope), p.fleet, p.subject)};
    book.suspect(&incident, subjects_of(record.payload));
  }
  void operator()(const QuarantineLifted& p) const {
    const QuarantineSet same{p.scope, p.fleet, p.subject, {}, {}};
    // Two fleets may have a region or host of one name.
    for (auto at = book.incidents_.rbegin(); at != book.incidents_.rend(); ++at) {
      const bool is_it = at->kind == IncidentKind::Quarantine && at->subject == subject_of(same) &&
                         at->owner == "fleet/" + p.fleet;
      if (is_it) return book.finish(&*at, record);
    }
  }

 private:
  void grew(const std::string& name) const {
    EventSeen& event = book.events_[name];
    event.grew = record.time;
    event.turned_bad = {};
  }

  // Joins what goes on about the event, or what the same decision has opened.
  void of_event(IncidentKind kind, const std::string& event, const std::string& title,
                const std::string& reason) const {
    of_subject(kind, "event/" + event, title, reason);
  }

  void of_subject(IncidentKind kind, const std::string& subject, const std::string& title,
                  const std::string& reason) const {
    Incident* incident = book.at_work(subject, root_of(record));
    if (!incident) {
      incident = &book.open(record, kind, subject);
      incident->cause = cause_of(subject, reason);
      describe(incident, subject);
    } else {
      book.add_line(incident, record);
      // What called somebody was not what did it.
      if (incident->kind <= IncidentKind::Alert) incident->cause = cause_of(subject, reason);
    }
    if (incident->kind > kind) return;
    incident->kind = kind;
    incident->title = title;
    incident->state = IncidentState::Open;
  }

  void describe(Incident* incident, const std::string& subject) const {
    const EventSeen* event = event_of_subject(subject);
    if (!event) return book.suspect(incident, {subject});
    incident->team = event->team;
    incident->revision = event->revision;
    if (event->grew != Instant{}) incident->began = std::min(event->grew, record.time);
    book.suspect(incident, event->touches);
  }

  const EventSeen* event_of_subject(const std::string& subject) const {
    if (!subject.starts_with("event/")) return nullptr;
    const auto at = book.events_.find(subject.substr(6));
    return at == book.events_.end() ? nullptr : &at->second;
  }

  std::string cause_of(const std::string& subject, const std::string& reason) const {
    if (record.actor != kEngineActor)
      return reason.empty() ? record.actor : fmt::format("{}: {}", record.actor, reason);
    const EventSeen* event = event_of_subject(subject);
    if (!event || event->turned_bad == Instant{}) return reason;
    return event->bad_gate.empty() ? "the stage as a whole: " + event->bad_why
                                   : "gate " + event->bad_gate;
  }
};

bool IncidentBook::concerns(std::uint16_t kind) {
  constexpr std::array<std::string_view, 6> kPassedBy{"sessions_counted", "step_started",
                                                      "time_noted",       "readiness_changed",
                                                      "ledger_sealed",    "alert_delivered"};
  const auto row = std::ranges::find(kRecordKinds, kind, &RecordKindRow::number);
  return row != kRecordKinds.end() && std::ranges::find(kPassedBy, row->name) == kPassedBy.end();
}

void IncidentBook::note(const Record& record) {
  std::visit(Fold{*this, record}, record.payload);
  note_change(record);
}

// After the record's own incident: what is done about trouble is no cause of it.
void IncidentBook::note_change(const Record& record) {
  if (!is_a_change(record.payload)) return;
  ChangeSeen change{record.seq, record.time, record.actor, record_line(record),
                    subjects_of(record.payload)};
  const auto event = events_.find(showcaller::event_of(record.payload));
  if (event != events_.end())
    change.touches.insert(event->second.touches.begin(), event->second.touches.end());
  changes_.push_back(std::move(change));
  while (changes_.size() > kChangesMax || record.time - changes_.front().at > 2 * kSuspectsSince)
    changes_.pop_front();
}

Incident& IncidentBook::open(const Record& record, IncidentKind kind, const std::string& subject) {
  Incident incident;
  incident.id = record.seq;
  incident.root = root_of(record);
  incident.kind = kind;
  incident.subject = incident.owner = subject;
  incident.began = incident.opened = record.time;
  incidents_.push_back(std::move(incident));
  if (incidents_.size() > kIncidentsMax) incidents_.pop_front();
  add_line(&incidents_.back(), record);
  return incidents_.back();
}

Incident* IncidentBook::at_work(const std::string& subject, std::uint64_t root) {
  for (auto at = incidents_.rbegin(); at != incidents_.rend(); ++at) {
    if (at->subject != subject && at->owner != subject) continue;
    const bool goes_on = at->state == IncidentState::Open || at->state == IncidentState::Stuck;
    if (goes_on || at->root == root) return &*at;
  }
  return nullptr;
}

Incident* IncidentBook::of_alert(const std::string& id) {
  const auto at = std::find_if(incidents_.rbegin(), incidents_.rend(),
                               [&](const Incident& each) { return each.alert == id; });
  return at == incidents_.rend() ? nullptr : &*at;
}

// What has an end of its own goes on until then.
void IncidentBook::end_alert(const std::string& id, const Record& record) {
  Incident* incident = of_alert(id);
  if (!incident) return;
  if (incident->kind == IncidentKind::Alert) return finish(incident, record);
  add_line(incident, record);
}

void IncidentBook::add_line(Incident* incident, const Record& record) {
  if (incident->lines.size() < kIncidentLinesMax)
    incident->lines.push_back({record.seq, record.time, record.actor, record_line(record)});
}

void IncidentBook::end(const std::string& subject, const Record& record, bool only_hold) {
  Incident* incident = at_work(subject, 0);
  if (incident && (!only_hold || incident->kind == IncidentKind::Hold)) finish(incident, record);
}

void IncidentBook::finish(Incident* incident, const Record& record) {
  if (incident->lines.empty() || incident->lines.back().seq != record.seq)
    add_line(incident, record);
  if (incident->state == IncidentState::Over) return;
  incident->state = IncidentState::Over;
  incident->ended = record.time;
}

void IncidentBook::suspect(Incident* incident, const Subjects& touches) {
  TroubleSeen trouble{touches, incident->opened, incident->opened};
  const auto event = events_.find(incident->subject.substr(incident->subject.find('/') + 1));
  const bool of_event = incident->subject.starts_with("event/") && event != events_.end();
  if (of_event && event->second.turned_bad != Instant{}) trouble.sign = event->second.turned_bad;
  if (incident->kind == IncidentKind::Quarantine) trouble.sign = incident->began;
  const std::vector<ChangeSeen> changes(changes_.begin(), changes_.end());
  incident->suspects = suspects_of(trouble, changes, kSuspectsMax);
}

// The first of the failures in a row that the quarantine answers: each within ten minutes of the
// next.
Instant IncidentBook::first_failure(const QuarantineSet& quarantine, Instant now) const {
  constexpr Duration kApart = minutes(10);
  Instant first = now;
  for (auto at = failures_.rbegin(); at != failures_.rend(); ++at) {
    const InstanceSeen& where = at->where;
    const std::string& same = quarantine.scope == QuarantineScope::Build    ? where.build
                              : quarantine.scope == QuarantineScope::Host   ? where.host
                              : quarantine.scope == QuarantineScope::Region ? where.region
                                                                            : quarantine.subject;
    if (where.fleet != quarantine.fleet || same != quarantine.subject) continue;
    if (first - at->at > kApart) break;
    first = at->at;
  }
  return first;
}

const Incident* IncidentBook::find(std::uint64_t id) const {
  const auto at = std::ranges::find(incidents_, id, &Incident::id);
  return at == incidents_.end() ? nullptr : &*at;
}

std::vector<const Incident*> IncidentBook::similar_to(const Incident& incident,
                                                      std::size_t most) const {
  std::vector<const Incident*> out;
  for (auto at = incidents_.rbegin(); at != incidents_.rend() && out.size() < most; ++at) {
    const bool alike = at->subject == incident.subject || at->cause == incident.cause;
    if (at->id != incident.id && alike) out.push_back(&*at);
  }
  return out;
}

}  // namespace showcaller
