// SPDX-License-Identifier: Apache-2.0
// What each kind of record says. Kinds are in the past tense; their numbers are on disk and are
// never reused.
//
// To add a kind: a struct here with fields(), a row in kRecordKinds (record.h), a case in
// evolve.cc, a stored sample in tests/model/samples. To change one: raise its version, add an
// upcaster (upcast.cc) and a sample of the old one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/circuit_breaker.h"
#include "base/fields.h"
#include "flag/exposure_bounds.h"
#include "flag/flag_switch.h"
#include "model/alert.h"
#include "model/lifecycle.h"

namespace showcaller {

enum class IntakeState : std::uint8_t { Closed, Proving, Open };  // On disk by name.
enum class StepDirection : std::uint8_t { Do, Undo };
enum class StepOutcome : std::uint8_t { Done, Failed, Unknown };
enum class VerdictName : std::uint8_t { Pass, Fail, Thin, Blind, Skewed };
// What says that a service is under stress.
enum class StressKind : std::uint8_t { Burn, Headroom, Dependency };
enum class ProofMethod : std::uint8_t { Rehearsal, Backtest };
enum class QuarantineScope : std::uint8_t { Instance, Build, Host, Region };
enum class HoldCause : std::uint8_t {
  Operator,
  Gate,
  Thin,
  Clock,
  Readiness,
  Quarantine,
  Schedule
};
// The life of an instance as the journal tells it. Allocated is not in it: that is the allocator's
// soft state.
enum class InstancePhase : std::uint8_t { Wanted, Ready, Unhealthy, Draining, Stopping, Gone };

template <>
struct EnumNames<IntakeState> {
  static constexpr std::array<std::string_view, 3> names{"closed", "proving", "open"};
};
template <>
struct EnumNames<StepDirection> {
  static constexpr std::array<std::string_view, 2> names{"do", "undo"};
};
template <>
struct EnumNames<StepOutcome> {
  static constexpr std::array<std::string_view, 3> names{"done", "failed", "unknown"};
};
template <>
struct EnumNames<VerdictName> {
  static constexpr std::array<std::string_view, 5> names{"pass", "fail", "thin", "blind", "skewed"};
};
template <>
struct EnumNames<StressKind> {
  static constexpr std::array<std::string_view, 3> names{"burn", "headroom", "dependency"};
};
template <>
struct EnumNames<ProofMethod> {
  static constexpr std::array<std::string_view, 2> names{"rehearsal", "backtest"};
};
template <>
struct EnumNames<QuarantineScope> {
  static constexpr std::array<std::string_view, 4> names{"instance", "build", "host", "region"};
};
template <>
struct EnumNames<HoldCause> {
  static constexpr std::array<std::string_view, 7> names{
      "operator", "gate", "thin", "clock", "readiness", "quarantine", "schedule"};
};
template <>
struct EnumNames<InstancePhase> {
  static constexpr std::array<std::string_view, 6> names{"wanted",   "ready",    "unhealthy",
                                                         "draining", "stopping", "gone"};
};

#define SHOWCALLER_FIELDS(...)                    \
  template <class Self, class Visit>              \
  static void fields(Self& self, Visit&& visit) { \
    __VA_ARGS__                                   \
  }
#define F(name) visit(#name, self.name);

// ---- manifests ----
struct ManifestApplied {
  std::string kind, name;
  std::int64_t generation = 0;
  std::string hash;
  json::object document;
  SHOWCALLER_FIELDS(F(kind) F(name) F(generation) F(hash) F(document))
};
struct ManifestRemoved {
  std::string kind, name;
  SHOWCALLER_FIELDS(F(kind) F(name))
};

// ---- a LiveEvent's life ----
struct EventRevised {
  std::string event;
  std::int64_t revision = 0;
  std::string hash;
  json::object document;
  bool proposed = false;  // it waits beside the one in force for a RevisionAdopted
  std::string trace{};    // that it has to itself; empty in old records: its command's
  SHOWCALLER_FIELDS(F(event) F(revision) F(hash) F(document) F(proposed) F(trace))
};
struct PhaseChanged {
  std::string event;
  std::int64_t revision = 0;
  Phase from = Phase::Draft, to = Phase::Draft;
  PhaseInput input = PhaseInput::Revise;
  std::string reason;
  SHOWCALLER_FIELDS(F(event) F(revision) F(from) F(to) F(input) F(reason))
};
struct StageEntered {
  std::string event;
  std::int64_t revision = 0;
  int stage = 0;  // index
  std::string name;
  std::int64_t exposure_ppm = 0;
  std::int64_t visit = 0;  // counts every entry of any stage; names its evidence
  std::string reason;
  SHOWCALLER_FIELDS(F(event) F(revision) F(stage) F(name) F(exposure_ppm) F(visit) F(reason))
};
struct ExposureWidened {
  std::string event;
  std::int64_t exposure_ppm = 0;
  std::string reason;
  // Arms in another share are other arms: the evidence begins anew. 0 in old records: it went on.
  std::int64_t visit = 0;
  SHOWCALLER_FIELDS(F(event) F(exposure_ppm) F(reason) F(visit))
};
struct HoldSet {
  std::string event;
  HoldCause by = HoldCause::Operator;
  std::string reason;
  SHOWCALLER_FIELDS(F(event) F(by) F(reason))
};
struct HoldLifted {
  std::string event, reason;
  SHOWCALLER_FIELDS(F(event) F(reason))
};
struct IntakeChanged {
  std::string event;
  IntakeState to = IntakeState::Closed;
  std::string region;  // empty: everywhere; else one wave of a local schedule
  std::string reason;
  SHOWCALLER_FIELDS(F(event) F(to) F(region) F(reason))
};
struct PaceSet {
  std::string event;
  std::int64_t per_minute = 0;  // new sessions of the canary; 0: no limit
  std::string reason;
  SHOWCALLER_FIELDS(F(event) F(per_minute) F(reason))
};
struct DivertSet {
  std::string event;
  bool on = false;  // new sessions go to the baseline; who is in stays in
  std::string reason;
  SHOWCALLER_FIELDS(F(event) F(on) F(reason))
};
struct VerdictChanged {
  std::string event;
  std::int64_t revision = 0;
  int stage = 0;
  std::int64_t visit = 0;
  std::string gate;  // empty: the stage as a whole
  VerdictName verdict = VerdictName::Thin;
  std::int64_t evidence_s = 0;  // judged seconds of the stage
  std::int64_t evidence_offset = 0;
  std::string evidence_hash;
  json::object statistics;  // log E in micro-nats, ratio, counts
  std::string why;
  SHOWCALLER_FIELDS(F(event) F(revision) F(stage) F(visit) F(gate) F(verdict) F(evidence_s)
                        F(evidence_offset) F(evidence_hash) F(statistics) F(why))
};
struct ApprovalGranted {
  std::string event;
  std::int64_t revision = 0;
  std::string hash;  // of what was approved
  std::string by;
  std::vector<std::string> roles;
  Instant until{};
  SHOWCALLER_FIELDS(F(event) F(revision) F(hash) F(by) F(roles) F(until))
};
struct StepStarted {
  std::string event;
  std::int64_t revision = 0;
  int step = 0;  // index into the change-set
  StepDirection direction = StepDirection::Do;
  std::int64_t attempt = 0;
  std::string path;  // the layer's path
  SHOWCALLER_FIELDS(F(event) F(revision) F(step) F(direction) F(attempt) F(path))
};
struct StepFinished {
  std::string event;
  std::int64_t revision = 0;
  int step = 0;
  StepDirection direction = StepDirection::Do;
  std::int64_t attempt = 0;
  StepOutcome outcome = StepOutcome::Done;
  std::string detail;
  SHOWCALLER_FIELDS(F(event) F(revision) F(step) F(direction) F(attempt) F(outcome) F(detail))
};
struct ReadinessChanged {
  std::string event, check;
  bool ready = false;
  std::string detail;
  SHOWCALLER_FIELDS(F(event) F(check) F(ready) F(detail))
};
struct SessionsCounted {  // totals of a stage, never single allocations
  std::string event;
  std::int64_t revision = 0, visit = 0, canary = 0, baseline = 0;
  SHOWCALLER_FIELDS(F(event) F(revision) F(visit) F(canary) F(baseline))
};
struct LedgerSealed {
  std::string event;
  std::int64_t revision = 0, rows = 0;
  std::string root;          // hex; the ledger's root hash
  std::int64_t players = 0;  // different ones in the rows
  SHOWCALLER_FIELDS(F(event) F(revision) F(rows) F(root) F(players))
};
struct RevisionAdopted {  // what was proposed is in force from now on
  std::string event;
  std::int64_t revision = 0;
  std::string reason;
  SHOWCALLER_FIELDS(F(event) F(revision) F(reason))
};
struct GlassBroken {  // one of the two people that it takes
  std::string event;
  std::int64_t revision = 0;
  std::string hash;  // of what may pass by approvals and freezes
  Instant until{};
  std::string reason;
  SHOWCALLER_FIELDS(F(event) F(revision) F(hash) F(until) F(reason))
};
struct GateProven {  // whoever sent it says so: the runs were made elsewhere
  std::string event, gate;
  std::string hash;  // of the gate's own definition (model/gate_hash.h)
  ProofMethod method = ProofMethod::Rehearsal;
  std::int64_t runs = 0;
  std::string verdict;  // what they came to
  SHOWCALLER_FIELDS(F(event) F(gate) F(hash) F(method) F(runs) F(verdict))
};
struct PageRaised {     // of journals from before there were alerts
  std::string subject;  // "LiveEvent/winter-raid"
  std::string team;
  std::string text;
  std::vector<std::string> next_steps;
  SHOWCALLER_FIELDS(F(subject) F(team) F(text) F(next_steps))
};

// ---- fleets ----
struct InstanceRequested {
  std::string fleet, id, build, region, host;
  SHOWCALLER_FIELDS(F(fleet) F(id) F(build) F(region) F(host))
};
struct InstanceMoved {
  std::string fleet, id;
  InstancePhase to = InstancePhase::Gone;
  std::string reason;
  std::optional<int> exit_code, signal;
  SHOWCALLER_FIELDS(F(fleet) F(id) F(to) F(reason) F(exit_code) F(signal))
};
// Exponential back-off after start failures in a row; failures 0: a start that lasted ends it.
struct StartsDelayed {
  std::string fleet, build, region, host;
  std::int64_t failures = 0;
  Instant until{};
  SHOWCALLER_FIELDS(F(fleet) F(build) F(region) F(host) F(failures) F(until))
};
struct QuarantineSet {
  QuarantineScope scope = QuarantineScope::Instance;
  std::string fleet, subject;  // the instance, build, host or region
  Instant until{};             // 0: until released
  std::string reason;          // names the culprit and the evidence
  SHOWCALLER_FIELDS(F(scope) F(fleet) F(subject) F(until) F(reason))
};
struct QuarantineLifted {
  QuarantineScope scope = QuarantineScope::Instance;
  std::string fleet, subject, reason;
  SHOWCALLER_FIELDS(F(scope) F(fleet) F(subject) F(reason))
};

// ---- the house ----
struct LineStopped {
  std::string scope, reason;  // scope: "" everything, "owner/team-raids", "fleet/raid"
  SHOWCALLER_FIELDS(F(scope) F(reason))
};
struct LineResumed {
  std::string scope, reason;
  SHOWCALLER_FIELDS(F(scope) F(reason))
};
struct TokenCreated {
  std::string id, name;
  std::vector<std::string> roles;
  std::string sha256;  // hex; the token itself is shown once and stored nowhere
  Instant expires{};   // 0: never
  SHOWCALLER_FIELDS(F(id) F(name) F(roles) F(sha256) F(expires))
};
struct TokenRevoked {
  std::string id;
  SHOWCALLER_FIELDS(F(id))
};
struct ClockStepped {  // the wall clock, against engine time, which goes on
  std::int64_t by_ms = 0;
  SHOWCALLER_FIELDS(F(by_ms))
};
// A backup was put in place of what there was. What the lost records named (instances, calls of
// actions) may still be out there: names given from here on carry the lineage, so that none is
// given twice.
struct JournalRestored {
  std::string lineage;  // [a-z0-9]
  std::uint64_t replaced =
      0;         // the last record of the journal that was replaced; 0: there was none
  Instant at{};  // wall time; the record's own time is that of the backup
  SHOWCALLER_FIELDS(F(lineage) F(replaced) F(at))
};
struct ServerStarted {
  std::string version;
  std::int64_t down_ms = 0;   // engine time since the last record: nobody was there
  std::int64_t clock_ms = 0;  // the wall clock less engine time; below 0: it is behind the journal
  SHOWCALLER_FIELDS(F(version) F(down_ms) F(clock_ms))
};
// Nothing else was to be told, and an event waits for time to pass: a restart then knows how long
// it did.
struct TimeNoted {
  std::string event;
  SHOWCALLER_FIELDS(F(event))
};

// ---- drills ----
// A Drill is played on a server's own staging fleet.
struct DrillStarted {
  std::string drill, fleet;
  json::object document;  // the manifest as it is played
  Instant until{};        // then it ends, whatever came
  SHOWCALLER_FIELDS(F(drill) F(fleet) F(document) F(until))
};
// Written before it is done.
struct DrillInjected {
  std::string drill, inject, fault;  // "kill", "pause"
  std::vector<std::string> instances;
  Instant until{};  // of a pause
  SHOWCALLER_FIELDS(F(drill) F(inject) F(fault) F(instances) F(until))
};
struct DrillEnded {
  std::string drill, verdict, reason;
  json::object report;  // docs/drills.md
  SHOWCALLER_FIELDS(F(drill) F(verdict) F(reason) F(report))
};

// Whom the event may touch at all, from now on (flag/exposure_bounds.h). Before anybody is in.
struct ExposureBounded {
  std::string event;
  ExposureBounds bounds;
  SHOWCALLER_FIELDS(F(event) F(bounds))
};

// ---- flags ----
// Its off variant for everybody, whatever else is said of it (flag/flag_switch.h).
struct FlagKilled {
  std::string flag;
  std::int64_t reopened = 0;  // how often it was re-opened before
  std::string reason;
  SHOWCALLER_FIELDS(F(flag) F(reopened) F(reason))
};
struct FlagReopened {
  std::string flag;
  std::int64_t reopened = 0;  // this time included
  std::string reason;
  SHOWCALLER_FIELDS(F(flag) F(reopened) F(reason))
};
// A relay that was cut off has told how its switch was moved there, and what it was here then.
struct FlagSwitchMerged {
  std::string flag, place;
  std::vector<FlagSwitch> there;
  FlagSwitch here;
  SHOWCALLER_FIELDS(F(flag) F(place) F(there) F(here))
};
// The wall clock has come to a time of the flag's schedule.
struct FlagScheduleReached {
  std::string flag;
  Instant at{};
  std::string reason;  // what is said from now on
  SHOWCALLER_FIELDS(F(flag) F(at) F(reason))
};

// The same of a flag's own targeting.
struct FlagBounded {
  std::string flag;
  ExposureBounds bounds;
  SHOWCALLER_FIELDS(F(flag) F(bounds))
};

// ---- services ----
// One reason why a service is under stress, or is not: what was measured and what it is held
// against, in thousandths (a burn rate of 14.4 is 14400, headroom of 5 % is 50, a dependency that
// is down 1000).
struct StressSign {
  StressKind kind = StressKind::Burn;
  std::string subject;  // the objective, the fleet, the service that it needs
  std::int64_t level = 0, limit = 0;
  SHOWCALLER_FIELDS(F(kind) F(subject) F(level) F(limit))
};
// Of the server's own calls to the service.
struct BreakerChanged {
  std::string service;
  BreakerState from = BreakerState::Closed, to = BreakerState::Closed;
  std::int64_t calls = 0, failures = 0;  // in the window that it rests on
  std::string reason;
  SHOWCALLER_FIELDS(F(service) F(from) F(to) F(calls) F(failures) F(reason))
};
struct StressChanged {
  std::string service;
  bool stressed = false;
  std::vector<StressSign> signs;  // all that was looked at
  std::string reason;
  SHOWCALLER_FIELDS(F(service) F(stressed) F(signs) F(reason))
};
// Everybody gets the variant while it lasts, whatever lies below; a kill lies above.
struct FeatureWithdrawn {
  std::string service, feature, flag, variant;
  std::string message;  // for players
  std::string reason;
  std::vector<StressSign> evidence;
  bool by_hand = false;  // then nobody else gives it back
  SHOWCALLER_FIELDS(F(service) F(feature) F(flag) F(variant) F(message) F(reason) F(evidence)
                        F(by_hand))
};
struct FeatureReturned {
  std::string service, feature, flag, reason;
  bool by_hand = false;  // then it stays until the stress of now is over
  SHOWCALLER_FIELDS(F(service) F(feature) F(flag) F(reason) F(by_hand))
};

#undef F

// What happened. Its copies, moves and end are compiled once: of so many alternatives they would
// cost each source that needs them a second or two.
struct Payload
    : std::variant<ManifestApplied, ManifestRemoved, EventRevised, PhaseChanged, StageEntered,
                   ExposureWidened, HoldSet, HoldLifted, IntakeChanged, PaceSet, DivertSet,
                   VerdictChanged, ApprovalGranted, StepStarted, StepFinished, ReadinessChanged,
                   SessionsCounted, LedgerSealed, PageRaised, RevisionAdopted, GlassBroken,
                   GateProven, InstanceRequested, InstanceMoved, StartsDelayed, QuarantineSet,
                   QuarantineLifted, LineStopped, LineResumed, TokenCreated, TokenRevoked,
                   ClockStepped, ServerStarted, TimeNoted, JournalRestored, DrillStarted,
                   DrillInjected, DrillEnded, FlagKilled, FlagReopened, FlagScheduleReached,
                   ExposureBounded, FlagBounded, FlagSwitchMerged, AlertOpened, AlertChanged,
                   AlertDelivered, SilenceSet, SilenceEnded, BreakerChanged, StressChanged,
                   FeatureWithdrawn, FeatureReturned> {
  using variant::variant;
  Payload();
  Payload(const Payload& other);
  Payload(Payload&& other) noexcept;
  Payload& operator=(const Payload& other);
  Payload& operator=(Payload&& other) noexcept;
  ~Payload();
};

}  // namespace showcaller
