// SPDX-License-Identifier: Apache-2.0
// The state of everything that Showcaller decides about: the fold of the journal's records, and
// nothing else.
//
// A world is a value. Copying it shares all of it (base/persistent_map.h); the engine's thread
// changes its own copy and publishes it by copying. Nothing soft is in here: no pings, no counts of
// sessions, no allocations.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/persistent_map.h"
#include "base/result.h"
#include "base/shared.h"
#include "flag/flag_switch.h"
#include "model/done_keys.h"
#include "model/record.h"
#include "model/spec/manifest.h"

namespace showcaller {

#define F(name) visit(#name, self.name);

struct Hold {
  HoldCause by = HoldCause::Operator;
  std::string actor, reason;
  Instant since{};
  SHOWCALLER_FIELDS(F(by) F(actor) F(reason) F(since))
};

enum class StepState : std::uint8_t { Pending, Doing, Done, Failed, Undoing, Undone, Stuck };
template <>
struct EnumNames<StepState> {
  static constexpr std::array<std::string_view, 7> names{"pending", "doing",  "done", "failed",
                                                         "undoing", "undone", "stuck"};
};

struct Step {
  StepState state = StepState::Pending;
  std::int64_t attempt = 0;  // of the present direction
  Instant changed{};
  std::string detail;   // of the last outcome; empty while an attempt is under way
  std::string lineage;  // of the world when the present direction began; part of its key
  SHOWCALLER_FIELDS(F(state) F(attempt) F(changed) F(detail) F(lineage))
};

struct Approval {
  std::string hash, by;
  std::vector<std::string> roles;
  Instant at{}, until{};
  SHOWCALLER_FIELDS(F(hash) F(by) F(roles) F(at) F(until))
};

struct GateStanding {
  VerdictName verdict = VerdictName::Thin;
  std::int64_t visit = 0;
  std::int64_t evidence_s = 0;
  Instant since{};
  json::object statistics;
  std::string why;
  SHOWCALLER_FIELDS(F(verdict) F(visit) F(evidence_s) F(since) F(statistics) F(why))
};

struct ReadinessStanding {
  bool ready = false;
  Instant since{};
  std::string detail;
  SHOWCALLER_FIELDS(F(ready) F(since) F(detail))
};

// A sealed ledger: who may have been exposed to a revision.
struct LedgerStanding {
  std::int64_t revision = 0, rows = 0, players = 0;
  std::string root;
  Instant at{};
  SHOWCALLER_FIELDS(F(revision) F(rows) F(players) F(root) F(at))
};

// Somebody set approvals and freezes aside for a manifest, for a while. It takes two people.
struct GlassBreak {
  std::string hash, by, reason;
  Instant at{}, until{};
  SHOWCALLER_FIELDS(F(hash) F(by) F(reason) F(at) F(until))
};

// A rehearsal or a backtest has shown that a gate finds what it is there for.
struct GateProof {
  std::string gate, by, verdict;
  ProofMethod method = ProofMethod::Rehearsal;
  std::int64_t runs = 0;
  Instant at{};
  SHOWCALLER_FIELDS(F(gate) F(by) F(verdict) F(method) F(runs) F(at))
};

// A revision that was applied to an event under way, and waits beside the one in force until it is
// approved.
struct ProposedRevision {
  std::shared_ptr<const Manifest> manifest;
  std::int64_t revision = 0;
  std::string author, trace;
  std::uint64_t applied_seq = 0;
};

// Its copies, moves and end, as those of World, are compiled once (world.cc).
struct EventState {
  EventState();
  EventState(const EventState& other);
  EventState(EventState&& other) noexcept;
  EventState& operator=(const EventState& other);
  EventState& operator=(EventState&& other) noexcept;
  ~EventState();

  std::shared_ptr<const Manifest> manifest;  // of the revision in force
  std::int64_t revision = 0;
  std::int64_t last_revision = 0;  // the highest number given, also to one that is not in force
  std::string author;              // who applied the revision
  std::optional<ProposedRevision> proposed;
  Phase phase = Phase::Draft;
  Instant phase_since{};
  Shared<std::string> phase_reason;
  std::optional<Hold> hold;
  Instant resumed{};  // when a hold was last lifted
  IntakeState intake = IntakeState::Closed;
  std::vector<std::string>
      open_regions;  // waves of a local schedule that are open; empty with Open: all
  std::vector<std::string> closed_regions;  // whose own end has come
  int stage = -1;                           // index; -1 before the first
  std::int64_t visit = 0;                   // counts entries of stages; names the evidence
  Instant stage_since{};
  std::int64_t exposure_ppm = 0;  // of the present stage, in force
  bool widened = false;
  std::map<std::string, std::int64_t> widened_ppm;  // by stage, of those entered so far
  std::int64_t pace_per_minute = 0;
  bool paced_by_gate = false;  // the pace is not the manifest's or an operator's
  bool diverted = false;
  Shared<std::vector<Step>> steps;            // one a change of the change-set
  std::map<std::string, GateStanding> gates;  // "" is the stage as a whole
  std::map<std::string, ReadinessStanding> readiness;
  std::vector<Approval> approvals;
  std::vector<GlassBreak> glass;
  std::map<std::string, GateProof> proofs;  // by the hash of the gate; revisions keep them
  std::int64_t sessions_canary = 0, sessions_baseline = 0;  // sealed totals
  std::vector<LedgerStanding> ledgers;                      // by revision; older ones too
  std::optional<ExposureBounds> bounds;                     // whom it may touch; absent: anybody
  Shared<std::string> trace;                                // of the revision
  std::uint64_t applied_seq = 0;

  const LiveEventSpec& spec() const { return manifest->as<LiveEventSpec>(); }
  const LedgerStanding* ledger_of(std::int64_t of_revision) const;
};

struct StoredManifest {
  std::shared_ptr<const Manifest> manifest;
  std::int64_t generation = 0;
};

struct Instance {
  std::string fleet, id, build, region, host;
  InstancePhase phase = InstancePhase::Wanted;
  bool was_ready = false;
  Instant since{};  // of the phase
  std::string reason;
  SHOWCALLER_FIELDS(F(fleet) F(id) F(build) F(region) F(host) F(phase) F(was_ready) F(since)
                        F(reason))
};

struct StartDelay {
  std::int64_t failures = 0;
  Instant until{};
  SHOWCALLER_FIELDS(F(failures) F(until))
};

struct FleetState {
  std::uint64_t next_instance = 1;           // serial of the next instance id
  std::map<std::string, StartDelay> delays;  // by "build/region/host"
  SHOWCALLER_FIELDS(F(next_instance) F(delays))
};

struct Quarantine {
  Instant since{}, until{};
  std::string reason;
  SHOWCALLER_FIELDS(F(since) F(until) F(reason))
};

struct StoppedLine {
  std::string actor, reason;
  Instant since{};
  SHOWCALLER_FIELDS(F(actor) F(reason) F(since))
};

struct Token {
  std::string id, name, sha256;
  std::vector<std::string> roles;
  Instant expires{};
  SHOWCALLER_FIELDS(F(id) F(name) F(sha256) F(roles) F(expires))
};

struct DrillStrike {
  std::string fault;
  std::vector<std::string> instances;
  Instant at{}, until{};
  SHOWCALLER_FIELDS(F(fault) F(instances) F(at) F(until))
};
// The last time that a Drill was played here.
struct DrillRun {
  std::string fleet, actor;
  json::object document;  // of the manifest
  Instant started{}, until{}, ended{};
  std::map<std::string, DrillStrike> strikes;  // by inject
  std::string verdict, reason;                 // empty: it goes on
  json::object report;
  bool goes_on() const { return verdict.empty(); }
  SHOWCALLER_FIELDS(F(fleet) F(actor) F(document) F(started) F(until) F(ended) F(strikes) F(verdict)
                        F(reason) F(report))
};

// What the journal knows of a flag beside its manifest, whether there is one or not.
struct FlagState {
  FlagSwitch kill;
  Instant schedule_reached{};            // changes of its schedule up to then are in force
  std::optional<ExposureBounds> bounds;  // of its own targeting
  SHOWCALLER_FIELDS(F(kill) F(schedule_reached) F(bounds))
};

struct WithdrawnFeature {
  std::string feature, flag, variant, message, reason;
  Instant since{};
  std::string by{};  // whoever took it by hand, and gives it back; empty: the engine
  SHOWCALLER_FIELDS(F(feature) F(flag) F(variant) F(message) F(reason) F(since) F(by))
};

// What the journal knows of a service beside its manifest.
struct ServiceState {
  BreakerState breaker = BreakerState::Closed;
  Instant breaker_since{};
  std::string breaker_reason;
  bool stressed = false;
  Instant stress_since{};         // or calm, since it is not stressed
  std::vector<StressSign> signs;  // of the last change
  std::string stress_reason;
  Instant moved{};                          // the last withdrawal or return
  std::vector<WithdrawnFeature> withdrawn;  // the first that went first
  std::vector<std::string> kept;  // given back by hand under this stress: the engine lets them be
  SHOWCALLER_FIELDS(F(breaker) F(breaker_since) F(breaker_reason) F(stressed) F(stress_since)
                        F(signs) F(stress_reason) F(moved) F(withdrawn) F(kept))
};

#undef F

constexpr std::size_t kIdempotencyKeysMax = 100'000;
constexpr Duration kIdempotencyKeyLife = hours(24);

struct World {
  World();
  World(const World& other);
  World(World&& other) noexcept;
  World& operator=(const World& other);
  World& operator=(World&& other) noexcept;
  ~World();

  std::uint64_t seq = 0;  // of the last record in it
  std::uint64_t epoch = 0;
  Instant time{};                                        // of the last record
  Instant clock_stepped{};                               // when the wall clock last stepped
  Duration clock_offset{};                               // the wall clock less engine time
  std::string lineage;                                   // of the last restore; empty: none yet
  PersistentMap<std::string, StoredManifest> manifests;  // "Fleet/raid"; LiveEvents are in events
  PersistentMap<std::string, StoredManifest> config_versions;  // config_version_key()
  PersistentMap<std::string, EventState> events;               // by name
  PersistentMap<std::string, Instance> instances;              // "fleet/id"
  PersistentMap<std::string, FleetState> fleets;               // by name
  PersistentMap<std::string, Quarantine> quarantines;          // quarantine_key()
  PersistentMap<std::string, StoppedLine> lines;               // by scope
  PersistentMap<std::string, DrillRun> drills;                 // by name
  PersistentMap<std::string, FlagState> flags;                 // by key
  PersistentMap<std::string, Alert> alerts;                    // open ones, by id
  PersistentMap<std::string, Alert> past_alerts;               // resolved ones, by id
  PersistentMap<std::string, Silence> silences;                // by id
  PersistentMap<std::string, ServiceState> services;           // by name
  PersistentMap<std::string, Token> tokens;                    // by the hex SHA-256 of the token
  DoneKeys keys;                                               // of the last day

  // What the clock on the wall shows at an engine time. Schedules, freezes and whatever else is
  // written as a date are held against it; how long something lasts is a matter of engine time.
  Instant wall(Instant now) const { return now + clock_offset; }
  const EventState* event(std::string_view name) const { return events.find(name); }
  std::shared_ptr<const Manifest> manifest(Kind kind, std::string_view name) const;
  const FleetSpec* fleet(std::string_view name) const;
  // Open or past; null: there is none, or it is forgotten.
  const Alert* alert(std::string_view id) const;
  // The kill switch of a flag that is off; null: it is not.
  const FlagSwitch* killed(std::string_view flag) const;
  const ServiceSpec* service(std::string_view name) const;
};

// The event as it is once its proposed revision is in force; the event itself when none is
// proposed.
EventState with_proposal(EventState event);

// "drop-tables/00000000000000000017": the versions of a document stand together and in their order.
std::string config_version_key(std::string_view document, std::int64_t version);
// Of each document the newest so many by their numbers; others are forgotten.
constexpr std::size_t kConfigVersionsMax = 100;
// Null: no Config gave it, or it is forgotten.
const ConfigSpec* config_version(const World& world, std::string_view document,
                                 std::int64_t version);
// Each version of a document that is kept, the lowest first.
void each_config_version(const World& world, std::string_view document,
                         const std::function<void(const StoredManifest&)>& visit);

std::string quarantine_key(QuarantineScope scope, std::string_view fleet, std::string_view subject);
inline std::string instance_key(std::string_view fleet, std::string_view id) {
  return std::string(fleet) + "/" + std::string(id);
}

// Folds one record into the world. Total: a record that makes no sense for the world is Corrupt,
// and the world is unchanged. The only way a world changes.
[[nodiscard]] Status evolve(World* world, const Record& record);

// The whole world as text, and back. The text is canonical: equal worlds give equal bytes.
constexpr std::uint32_t kWorldTextFormat = 6;
std::string world_to_text(const World& world);
Result<World> world_from_text(std::string_view text);
// Hex SHA-256 of the text.
std::string world_hash(const World& world);

}  // namespace showcaller
