// SPDX-License-Identifier: Apache-2.0
// One rehearsal run while it goes on: the host over its virtual world, stepped second by second,
// and what is noted of it. run.h is for callers; set-up, steps, story and ending have a file each.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/memory_evidence_store.h"
#include "flow/memory_journal.h"
#include "flow/memory_ledger.h"
#include "host/host.h"
#include "sim/assigner.h"
#include "sim/invariants.h"
#include "sim/operators.h"
#include "sim/people.h"
#include "sim/run.h"
#include "sim/session_level.h"
#include "sim/virtual_clock.h"
#include "sim/virtual_services.h"

namespace showcaller::sim {

class Play {
 public:
  Play(const RunSpec& spec, bool with_story);

  RunResult perform();

 private:
  static std::vector<Fault> targeted(const RunSpec& spec);
  Status start_host();
  void restart(Duration down);
  Status send(Command command);
  void operate();
  Status apply(bool the_event);
  void play_game_before();
  void advance(Duration d);
  void strike();
  void settle();
  void follow_records();
  void check_what_was_followed();
  void take(const Record& record);
  void sample();
  bool is_over();
  void watch();
  void conclude(Ending ending, std::string why);
  Duration step_length() const;
  std::optional<Instant> date_waited_for(const EventState& state) const;
  Duration quiet_of_another(const EventState& state) const;
  bool waits_for_its_date() const;
  std::optional<Duration> quiet_for() const;
  void skip(Duration quiet);
  void close_stage();
  std::vector<EvidencePoint> evidence_of_the_event();
  const EventState* event() const { return host_->world()->event(spec_.event); }
  Duration now() const { return clock_.monotonic(); }
  std::vector<const Fault*> strikes(FaultKind kind);
  void tell_faults();
  void note_verdict(const VerdictChanged& verdict);

  const RunSpec& spec_;
  bool with_story_;
  VirtualClock clock_;
  Truth truth_;
  VirtualFleet fleet_;
  VirtualServices services_;
  Crowd crowd_;
  People people_;
  Operators operators_;
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::unique_ptr<MemoryJournal> journal_;
  MemoryJournal reader_{disk_};
  MemoryEvidenceStore evidence_;
  MemoryLedger ledger_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Assigner> assigner_;
  std::unique_ptr<Level> level_;
  RehearsalInvariants invariants_;
  RunResult result_;
  std::set<const Fault*> struck_, told_;
  std::vector<FleetDoor> doors_;
  std::optional<std::uint64_t> torn_;  // the append that the power goes in
  std::optional<Duration> applied_, admitted_, harmful_, opened_, undoing_;
  std::optional<Duration> live_since_, held_since_;
  Duration sampled_{};
  CrowdCounts at_stage_;
  std::uint64_t followed_ = 0;
  Sha256 followed_hash_{};
  std::string fleet_named_;  // whose build changes; else the first
  bool headroom_seen_ = false;
  std::vector<std::string> pages_;
  bool over_ = false;
};

}  // namespace showcaller::sim
