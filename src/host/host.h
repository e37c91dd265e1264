// SPDX-License-Identifier: Apache-2.0
// The host: the engine on its journal, and all that keeps the world outside in step with it. Sees
// only ports; the same on stage, in tests and in rehearsals.
//
// Threads: three callers may be apart: one drives the engine (engine().run_batch()), one the
// reconcilers (pass()), any number report, allocate and read. Nothing here starts a thread:
// HostThreads (host_threads.h) does, on stage.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "flow/flag_snapshot.h"
#include "flow/port/action.h"
#include "flow/port/evidence_store.h"
#include "flow/port/journal.h"
#include "flow/port/ledger.h"
#include "flow/telemetry_intake.h"
#include "host/action_reconciler.h"
#include "host/allocation_desk.h"
#include "host/command_rates.h"
#include "host/engine_host.h"
#include "host/fleet_reconciler.h"
#include "host/gate_runner.h"
#include "host/port/clock.h"

namespace showcaller {

struct HostPorts {
  Journal* journal = nullptr;
  const Clock* clock = nullptr;
  std::map<std::string, FleetDriver*> drivers;  // by the name in FleetSpec::driver
  ActionPort* actions = nullptr;
  EvidenceStore* evidence = nullptr;
  Ledger* ledger = nullptr;
};

struct HostOptions {
  EngineHostOptions engine;
  AllocatorLimits allocator;
  IntakeLimits telemetry;
  std::string secret;  // exposure salts come from it; keep it for as long as the journal
  Duration totals_every = minutes(1);  // sessions_counted records, at most so often an event
  std::function<void(const Error&)> on_error = [](const Error&) {};
};

class Host {
 public:
  static Result<std::unique_ptr<Host>> open(HostPorts ports, HostOptions options);

  EngineHost& engine() { return *engine_; }
  const EngineHost& engine() const { return *engine_; }
  std::shared_ptr<const World> world() const { return engine_->published(); }

  // One pass of every reconciler.
  void pass();

  // Any thread.
  // A command of an actor, within the actor's rate; decided after the next settle().
  Status post(Command command, Reply reply) {
    TRY(rates_.take(*world(), command, engine_->now()));
    return engine_->post(std::move(command), std::move(reply));
  }
  // The same for many. Each letter is a command.
  void post_all(std::vector<Letter> commands);
  void settle() { engine_->settle(); }
  Result<Allocation> allocate(const AllocationRequest& request) { return desk_->allocate(request); }
  bool release(const std::string& session) { return desk_->release(session); }
  Result<ReportReceipt> report(const Report& batch);
  std::shared_ptr<const FlagSnapshot> flags(FlagVisibility visibility);
  // Fleets as last observed.
  std::vector<FleetPass> fleets() const;
  FleetView view_of(const std::string& fleet) const;
  Ledger& ledger() const { return *ports_.ledger; }
  std::string salt_of(const std::string& event) const;
  // What the live game is like, for planning: measured since the server started.
  PlanFacts plan_facts() const;

 private:
  Host(HostPorts ports, HostOptions options)
      : ports_(std::move(ports)), options_(std::move(options)) {}
  void keep_ledger();
  void tell_totals();
  void tell_trouble();
  std::optional<double> headroom_of(const std::string& fleet, const std::string& build) const;

  HostPorts ports_;
  HostOptions options_;
  std::unique_ptr<EngineHost> engine_;
  CommandRates rates_;
  std::unique_ptr<AllocationDesk> desk_;
  std::unique_ptr<FleetReconciler> fleets_;
  std::unique_ptr<ActionReconciler> actions_;
  std::unique_ptr<GateRunner> gates_;

  Instant opened_{};
  std::string trouble_told_;
  mutable std::mutex intake_mutex_;
  TelemetryIntake intake_;
  mutable std::mutex passes_mutex_;
  std::map<std::string, FleetPass> passes_;
  std::mutex flags_mutex_;
  std::shared_ptr<const FlagSnapshot> server_flags_, client_flags_;
  std::atomic<std::uint64_t> flags_version_ = 1;  // raised by each record that concerns flags
  std::uint64_t server_flags_version_ = 0, client_flags_version_ = 0;
  std::vector<LedgerEntry> unwritten_;         // taken from the desk, not yet in the ledger
  std::map<std::string, StageTotals> totals_;  // newest a visit, not yet told
  std::map<std::string, Instant> totals_told_;
  std::map<std::string, std::pair<std::string, std::int64_t>>
      unsealed_;  // "event/r1" -> event, revision
};

}  // namespace showcaller
