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
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "flow/flag_snapshot.h"
#include "flow/otlp_intake.h"
#include "flow/port/action.h"
#include "flow/port/evidence_store.h"
#include "flow/port/journal.h"
#include "flow/port/ledger.h"
#include "flow/port/metric_queries.h"
#include "flow/telemetry_intake.h"
#include "host/action_reconciler.h"
#include "host/alert_reconciler.h"
#include "host/allocation_desk.h"
#include "host/burn_watch.h"
#include "host/command_rates.h"
#include "host/counted_stages.h"
#include "host/demand_history.h"
#include "host/drill_runner.h"
#include "host/engine_host.h"
#include "host/flag_exposures.h"
#include "host/fleet_reconciler.h"
#include "host/fleet_trail.h"
#include "host/gate_runner.h"
#include "host/metric_poller.h"
#include "host/port/clock.h"
#include "host/probe_runner.h"
#include "host/service_watch.h"

namespace showcaller {

struct HostPorts {
  Journal* journal = nullptr;
  const Clock* clock = nullptr;
  std::map<std::string, FleetDriver*> drivers;  // by the name in FleetSpec::driver
  ActionPort* actions = nullptr;
  EvidenceStore* evidence = nullptr;
  Ledger* ledger = nullptr;
  StageCounts* counts = nullptr;     // absent: what the host itself counts
  AlertSender* alerts = nullptr;     // absent: alerts are in the journal alone
  ProbePort* probes = nullptr;       // absent: probes are made elsewhere, if at all
  MetricQueries* queries = nullptr;  // of Metrics from Prometheus; absent: nobody answers them
};

// Tells of an error once, however often it is met before the next success.
class Trouble {
 public:
  void tell(const Status& status, const std::function<void(const Error&)>& on_error) {
    if (!status && status.error().message != told_) on_error(status.error());
    told_ = status ? std::string() : status.error().message;
  }

 private:
  std::string told_;
};

struct HostOptions {
  EngineHostOptions engine;
  AllocatorLimits allocator;
  IntakeLimits telemetry;
  SeriesLimits series;  // of data points
  std::string secret;   // exposure salts come from it; keep it for as long as the journal
  Duration totals_every = minutes(1);       // sessions_counted records, at most so often an event
  Duration keep_ledgers = hours(24 * 180);  // from sealing on, which the journal remembers for ever
  Duration keep_evidence = hours(24 * 90);  // from the last tick on
  std::set<std::string> probe_regions;      // where this is, for probes that name their regions
  std::function<void(const Error&)> on_error = [](const Error&) {};
  ProbeRunner::OnChange on_probe = [](const auto&, const auto&, const auto&) {};
};

class Host {
 public:
  static Result<std::unique_ptr<Host>> open(HostPorts ports, HostOptions options);

  EngineHost& engine() { return *engine_; }
  const EngineHost& engine() const { return *engine_; }
  std::shared_ptr<const World> world() const { return engine_->published(); }

  // One pass of every reconciler.
  void pass();
  // After the last pass and the last allocation: what is noted is settled.
  void finish();

  // Any thread.
  // A command of an actor, within the actor's rate; decided after the next settle(). One that is
  // refused is still the caller's.
  Status post(Letter* command) {
    TRY(may_post(std::get<Command>(command->input)));
    return engine_->post(command);
  }
  // The same for many. Each letter is a command.
  void post_all(std::vector<Letter> commands);
  void settle() { engine_->settle(); }
  // Whom the answer exposes is noted for the ledger before it is given.
  Result<Allocation> allocate(const AllocationRequest& request);
  bool release(const std::string& session) { return desk_->release(session); }
  Result<ReportReceipt> report(const Report& batch);
  // The same of OpenTelemetry's data points.
  Result<OtlpReceipt> take_points(const DataPoints& points, const OtlpSender& sender);
  // The server answered an evaluation; `flag` empty: of all flags.
  void evaluated(const json::object& context, std::string_view flag);
  // What a relay has to know to say the same of its own answers, and what it said.
  std::shared_ptr<const EventReaches> flag_reaches() const { return flag_exposures_.reaches(); }
  void exposed_at_relay(std::vector<LedgerEntry> entries);
  // Who is known by the assignment alone, of this revision. On disk when it returns; the ledger is
  // sealed anew. Conflict: it is not kept any more.
  Status add_admitted(const LedgerRevision& revision, std::span<const LedgerEntry> entries);
  std::shared_ptr<const FlagSnapshot> flags(FlagVisibility visibility);
  // Fleets as last observed.
  std::vector<FleetPass> fleets() const;
  FleetView view_of(const std::string& fleet) const;
  // How each Probe stands.
  std::vector<ProbeView> probes() const { return probes_->list(); }
  // What it was like in the last hour.
  FleetLooks trail_of(const std::string& fleet) const;
  Ledger& ledger() const { return *ports_.ledger; }
  EvidenceStore& evidence() const { return *ports_.evidence; }
  std::string salt_of(const std::string& event) const;
  // Null: nobody is told of alerts.
  AlertReconciler* alerts() const { return alerts_.get(); }
  // How each objective of a service stands.
  std::vector<ObjectiveStanding> objectives() const { return burns_->standings(); }
  // What the live game is like, for planning: baselines of the last hour, traffic since the start.
  PlanFacts plan_facts() const;

 private:
  Host(HostPorts ports, HostOptions options)
      : ports_(std::move(ports)), options_(std::move(options)) {}
  Status may_post(const Command& command);
  void count_probe(std::vector<ReportedDelta> deltas);
  void note_exposures();
  void note_flags(std::span<const LedgerEntry> entries);
  bool is_past_keeping(const LedgerStanding& sealed) const;
  void note(std::span<const LedgerEntry> entries);  // with ledger_mutex_ held
  Status find_unsealed();
  void keep_ledger();
  bool seal(const LedgerRevision& revision);
  void sweep();
  void tell_totals();
  void tell_trouble();
  void note_demand(FleetPass* pass);
  std::int64_t players_on(const std::string& fleet, const std::string& build) const;
  void note_looks();
  std::optional<Headroom> headroom_of(const JudgedStage& stage) const;
  std::vector<std::pair<std::string, double>> burns_of(const std::string& service) const;
  std::string trouble_of(const JudgedStage& stage, const std::string& metric) const;
  void watch_services();
  std::shared_ptr<const OtlpCatalog> otlp_catalog();

  HostPorts ports_;
  HostOptions options_;
  std::unique_ptr<EngineHost> engine_;
  CommandRates rates_;
  std::unique_ptr<AllocationDesk> desk_;
  std::unique_ptr<FleetReconciler> fleets_;
  std::unique_ptr<DemandHistory> demand_;
  std::unique_ptr<DrillRunner> drills_;
  std::unique_ptr<ActionReconciler> actions_;
  std::unique_ptr<ServiceWatch> services_;
  std::unique_ptr<MetricPoller> poller_;
  std::unique_ptr<CountedStages> counted_;
  std::unique_ptr<GateRunner> gates_;
  std::unique_ptr<BurnWatch> burns_;
  std::unique_ptr<AlertReconciler> alerts_;  // null: nobody is told

  Instant opened_{}, swept_{};
  mutable std::mutex intake_mutex_;
  TelemetryIntake intake_;
  std::uint64_t probe_batches_ = 0;  // with intake_mutex_
  std::optional<OtlpIntake> otlp_;
  std::mutex catalog_mutex_;
  std::shared_ptr<const OtlpCatalog> catalog_;
  std::uint64_t catalog_version_ = 0;
  std::atomic<std::uint64_t> manifests_version_ = 1;  // raised by each record of a manifest
  mutable std::mutex passes_mutex_;
  std::map<std::string, FleetPass> passes_;
  // The last view of a fleet since its pass: who asks in the same moment again gets it again.
  struct Viewed {
    std::shared_ptr<const World> world;
    Instant at{};
    FleetView view;
  };
  mutable std::map<std::string, Viewed> viewed_;
  FleetTrail trail_;
  std::mutex flags_mutex_;
  std::shared_ptr<const FlagSnapshot> server_flags_, client_flags_;
  std::atomic<std::uint64_t> flags_version_ = 1;  // raised by each record that concerns flags
  std::uint64_t server_flags_version_ = 0, client_flags_version_ = 0;
  std::map<std::string, StageTotals> totals_;  // newest a visit, not yet told
  std::map<std::string, Instant> totals_told_;
  FlagExposures flag_exposures_;
  Trouble journal_trouble_, ledger_trouble_, settle_trouble_;
  std::mutex ledger_mutex_;
  std::set<LedgerRevision> unsealed_;
  std::unique_ptr<ProbeRunner> probes_;  // Gone first: outcomes come at any time, and are counted.
};

}  // namespace showcaller
