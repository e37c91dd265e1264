// SPDX-License-Identifier: Apache-2.0
#include "host/host.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/deliberate_bug.h"
#include "base/hash.h"
#include "compute/forecast_capacity.h"
#include "engine/baseline_sources.h"
#include "host/instance_sessions.h"

namespace showcaller {
namespace {

constexpr Duration kSweepEvery = hours(1);
constexpr std::size_t kNotedMax = 100'000;

// Of the service, by its own word or the probe's; fails so often in a row as it says, from every
// place that was heard of.
bool is_failed_probe_of(const World& world, const std::string& service, const ProbeView& view) {
  const ServiceSpec* spec = world.service(service);
  const auto manifest = world.manifest(Kind::Probe, view.probe);
  if (!spec || !manifest || view.places.empty()) return false;
  const auto& probe = manifest->as<ProbeSpec>();
  if (probe.service != service && std::ranges::find(spec->probes, view.probe) == spec->probes.end())
    return false;
  const int most = std::max(1, probe.failures);
  return std::ranges::all_of(view.places,
                             [&](const auto& place) { return place.second.failures >= most; });
}

}  // namespace

Result<std::unique_ptr<Host>> Host::open(HostPorts ports, HostOptions options) {
  std::unique_ptr<Host> host(new Host(std::move(ports), std::move(options)));
  Host& self = *host;
  for (const auto& [name, driver] : self.ports_.drivers) {
    auto& after = self.options_.engine.epoch_after;
    after = std::max(after, driver->epoch());
  }
  TRY(self.engine_, EngineHost::open(self.ports_.journal, self.ports_.clock, self.options_.engine));
  self.intake_ = TelemetryIntake(self.options_.telemetry);
  self.opened_ = self.engine_->now();
  const auto salt_of = [&self](const std::string& event) { return self.salt_of(event); };
  self.desk_ = std::make_unique<AllocationDesk>(self.engine_.get(), salt_of, self.ports_.drivers,
                                                self.options_.allocator);
  self.fleets_ = std::make_unique<FleetReconciler>(self.engine_.get(), self.ports_.drivers);
  self.drills_ = std::make_unique<DrillRunner>(self.engine_.get(), self.ports_.drivers);
  self.demand_ = std::make_unique<DemandHistory>(self.ports_.evidence);
  if (self.ports_.actions)
    self.actions_ = std::make_unique<ActionReconciler>(self.engine_.get(), self.ports_.actions);
  self.counted_ =
      std::make_unique<CountedStages>(&self.intake_mutex_, &self.intake_, self.desk_.get());
  if (!self.ports_.counts) self.ports_.counts = self.counted_.get();
  self.gates_ = std::make_unique<GateRunner>(
      self.engine_.get(), self.ports_.evidence, self.ports_.counts,
      [&self](const JudgedStage& stage) { return self.headroom_of(stage); },
      [&self](const JudgedStage& stage, const std::string& metric) {
        return self.trouble_of(stage, metric);
      });
  self.burns_ =
      std::make_unique<BurnWatch>(self.engine_.get(), self.ports_.evidence, self.ports_.counts,
                                  [&self](const std::string& f, const std::string& build) {
                                    return self.players_on(f, build);
                                  });
  if (self.ports_.alerts)
    self.alerts_ = std::make_unique<AlertReconciler>(self.engine_.get(), self.ports_.alerts);
  self.probes_ = std::make_unique<ProbeRunner>(
      self.engine_.get(), self.ports_.probes, self.options_.probe_regions,
      [&self](std::vector<ReportedDelta> deltas) { self.count_probe(std::move(deltas)); },
      self.options_.on_probe);
  self.otlp_.emplace(self.engine_->wall(), self.options_.series);
  self.watch_services();
  TRY(self.find_unsealed());
  self.flag_exposures_.publish(*self.world(), salt_of);
  self.engine_->listen([&self, salt_of](const World& world, const RecordBatch& records) {
    self.drills_->note(world, *records);
    if (std::ranges::any_of(*records, [](const Record& record) {
          return std::holds_alternative<ManifestApplied>(record.payload) ||
                 std::holds_alternative<ManifestRemoved>(record.payload);
        }))
      ++self.manifests_version_;
    const bool concerned = std::any_of(records->begin(), records->end(), [](const Record& record) {
      return concerns_flags(record.payload);
    });
    if (!concerned) return;
    ++self.flags_version_;
    self.flag_exposures_.publish(world, salt_of);
  });
  return host;
}

// What is asked of services, and of servers that count for us.
void Host::watch_services() {
  services_ = std::make_unique<ServiceWatch>(
      engine_.get(),
      ServiceSigns{.headroom_of = [this](const std::string& fleet) -> std::optional<std::int64_t> {
                     std::unique_lock lock(passes_mutex_);
                     if (!passes_.contains(fleet)) return std::nullopt;
                     lock.unlock();
                     return view_of(fleet).headroom_ppm();
                   },
                   .burn_of = [this](const std::string& service) { return burns_of(service); },
                   .fails_probe =
                       [this](const std::string& service) {
                         const auto now = world();
                         return std::ranges::any_of(probes_->list(), [&](const ProbeView& view) {
                           return is_failed_probe_of(*now, service, view);
                         });
                       }});
  if (!ports_.queries) return;
  poller_ = std::make_unique<MetricPoller>(
      engine_.get(), ports_.queries, [this](const ReportedDelta& delta, Trust trust) {
        std::lock_guard lock(intake_mutex_);
        if (intake_.check_room()) (void)intake_.add(delta, "prometheus", trust, engine_->now());
      });
}

// Of everybody's evidence, where there was any in the last minutes: what it proves over a rule's
// time and still shows over its shorter one, by the rule that shows most.
std::vector<std::pair<std::string, double>> Host::burns_of(const std::string& service) const {
  std::vector<std::pair<std::string, double>> out;
  for (const ObjectiveStanding& standing : burns_->standings()) {
    if (standing.service != service || !standing.event.empty() || !standing.reading.seen) continue;
    double burn = 0;
    for (const BurnReading::Rule& rule : standing.reading.rules)
      burn = std::max(burn, std::min(rule.proven, rule.still));
    out.emplace_back(standing.slo.name, burn);
  }
  return out;
}

std::string Host::trouble_of(const JudgedStage& stage, const std::string& metric) const {
  if (poller_) return poller_->trouble(stage.key(), metric);
  const auto spec = metric_spec(*world(), metric);
  if (!spec || spec->source != MetricSource::Prometheus) return {};
  return "nobody is asked for it: say `showcaller serve --prometheus URL`";
}

std::shared_ptr<const OtlpCatalog> Host::otlp_catalog() {
  std::lock_guard lock(catalog_mutex_);
  const std::uint64_t newest = manifests_version_;  // Before the world is read, as with flags.
  if (!catalog_ || catalog_version_ != newest) {
    catalog_ = std::make_shared<const OtlpCatalog>(OtlpCatalog::of(*world()));
    catalog_version_ = newest;
  }
  return catalog_;
}

Result<OtlpReceipt> Host::take_points(const DataPoints& points, const OtlpSender& sender) {
  const auto catalog = otlp_catalog();
  std::lock_guard lock(intake_mutex_);
  return otlp_->take(points, *catalog, sender, engine_->now(), &intake_);
}

std::string Host::salt_of(const std::string& event) const {
  std::string secret = options_.secret;
  if (broken(DeliberateBug::RebucketedOnRestart)) secret += std::to_string(world()->epoch);
  return to_hex(hmac_sha256(secret, "exposure/" + event)).substr(0, 32);
}

void Host::pass() {
  (void)engine_->submit(engine_->observe_clock());
  const auto errors = fleets_->pass([this](FleetPass& pass) {
    desk_->observe(pass.fleet, pass.instances.change());
    note_demand(&pass);
    if (ports_.counts == counted_.get()) {  // Else nobody asks the intake.
      std::lock_guard lock(intake_mutex_);
      intake_.observe(pass.fleet, instance_sessions(*pass.instances), engine_->now());
    }
    std::lock_guard lock(passes_mutex_);
    passes_[pass.fleet] = pass;
    viewed_.erase(pass.fleet);
  });
  for (const Error& error : errors) options_.on_error(error);
  note_looks();
  desk_->expire();
  if (actions_) actions_->pass();
  services_->pass();
  if (poller_) poller_->pass();
  for (const Error& error : drills_->pass([this](const std::string& f) { return view_of(f); },
                                          [this] { return fleets(); }))
    options_.on_error(error);
  probes_->pass();
  for (const Error& error : gates_->pass()) options_.on_error(error);
  for (const Error& error : burns_->pass()) options_.on_error(error);
  keep_ledger();
  sweep();
  tell_totals();
  (void)engine_->submit(TimePassed{});
  if (alerts_) alerts_->pass();
  tell_trouble();
  if (engine_->snapshot_due()) (void)engine_->write_snapshot();
}

// Within its actor's rate; and a drill is begun only where all of it can be done.
Status Host::may_post(const Command& command) {
  const auto now = world();
  TRY(rates_.take(*now, command, engine_->now()));
  const auto* drill = std::get_if<DrillCommand>(&command.body);
  return drill ? drills_->may_begin(*now, *drill) : Status();
}

void Host::post_all(std::vector<Letter> commands) {
  std::vector<Letter> allowed;
  allowed.reserve(commands.size());
  for (Letter& letter : commands) {
    const Status within = may_post(std::get<Command>(letter.input));
    if (within) {
      allowed.push_back(std::move(letter));
    } else if (letter.reply) {
      letter.reply(std::unexpected(within.error()));
    }
  }
  engine_->post_all(std::move(allowed));
}

void Host::finish() {
  keep_ledger();
}

Result<ReportReceipt> Host::report(const Report& batch) {
  ReportReceipt receipt;
  {
    std::lock_guard lock(intake_mutex_);
    TRY(receipt, intake_.report(batch, engine_->now()));
  }
  note_flags(flag_exposures_.of_report(batch, engine_->now()));
  if (!receipt.repeated && batch.trust != Trust::Client) probes_->note(batch.deltas);
  return receipt;
}

// What was made here, beside what others report.
void Host::count_probe(std::vector<ReportedDelta> deltas) {
  Report report;
  report.source = "probes";
  report.trust = Trust::Probe;
  report.deltas = std::move(deltas);
  std::lock_guard lock(intake_mutex_);
  report.sequence = ++probe_batches_;
  (void)intake_.report(report, engine_->now());  // Full: the next one counts again.
}

void Host::evaluated(const json::object& context, std::string_view flag) {
  note_flags(flag_exposures_.of_evaluation(context, flag, engine_->now()));
}

// It may have been cut off for long: what it tells of is still known, or it is of no use.
void Host::exposed_at_relay(std::vector<LedgerEntry> entries) {
  std::erase_if(entries, [this, known = world()](const LedgerEntry& entry) {
    const EventState* event = known->event(entry.event);
    const LedgerStanding* sealed = event ? event->ledger_of(entry.revision) : nullptr;
    return event == nullptr || (sealed && is_past_keeping(*sealed));
  });
  note_flags(flag_exposures_.of_relay(std::move(entries), engine_->now()));
}

// Unlike a session, an evaluation is not refused while many rows wait: that they are not kept is
// told.
void Host::note_flags(std::span<const LedgerEntry> entries) {
  if (entries.empty()) return;
  std::lock_guard lock(ledger_mutex_);
  if (ports_.ledger->noted() < kNotedMax) return note(entries);
  ledger_trouble_.tell(fail(ErrorCode::Limit,
                            "the ledger cannot be written, and whom flags reach is not noted any "
                            "more; free some space"),
                       options_.on_error);
}

PlanFacts Host::plan_facts() const {
  PlanFacts facts;
  const double running_s = double((engine_->now() - opened_).count()) / 1000;
  for (FleetPass& pass : fleets()) {
    facts.outlooks[pass.fleet] = std::move(pass.outlook);
    facts.instances[pass.fleet] = *pass.instances;
  }
  facts.baselines = baselines_of(ports_.counts->totals(baseline_sources(*world()), engine_->now()));
  if (running_s < 1) return facts;
  std::lock_guard lock(intake_mutex_);
  for (const auto& [fleet, sessions] : intake_.sessions_started()) {
    facts.sessions_per_s[fleet] = double(sessions) / running_s;
  }
  return facts;
}

std::shared_ptr<const FlagSnapshot> Host::flags(FlagVisibility visibility) {
  std::lock_guard lock(flags_mutex_);
  const bool client = visibility == FlagVisibility::Client;
  auto& snapshot = client ? client_flags_ : server_flags_;
  auto& version = client ? client_flags_version_ : server_flags_version_;
  const std::uint64_t newest =
      flags_version_;  // Before the world is read: at worst it is computed once more.
  if (!snapshot || version != newest) {
    snapshot = std::make_shared<const FlagSnapshot>(flag_snapshot(
        *world(), [this](const std::string& event) { return salt_of(event); }, visibility));
    version = newest;
  }
  return snapshot;
}

std::vector<FleetPass> Host::fleets() const {
  std::lock_guard lock(passes_mutex_);
  std::vector<FleetPass> out;
  for (const auto& [name, pass] : passes_) out.push_back(pass);
  return out;
}

FleetView Host::view_of(const std::string& fleet) const {
  std::lock_guard lock(passes_mutex_);
  const auto at = passes_.find(fleet);
  static const FleetPass kNothing;
  const FleetPass& pass = at == passes_.end() ? kNothing : at->second;
  const auto seen_in = world();
  const Instant now = engine_->now();
  const auto viewed = viewed_.find(fleet);
  if (viewed != viewed_.end() && viewed->second.world == seen_in && viewed->second.at == now)
    return viewed->second.view;
  FleetView view = fleet_view(*seen_in, fleet, *pass.instances, now, pass.outlook);
  if (at != passes_.end()) viewed_[fleet] = {seen_in, now, view};
  return view;
}

FleetLooks Host::trail_of(const std::string& fleet) const {
  std::lock_guard lock(passes_mutex_);
  return trail_.of(fleet);
}

void Host::note_looks() {
  const Instant wall = world()->wall(engine_->now());
  std::vector<std::string> due;
  {
    std::lock_guard lock(passes_mutex_);
    for (const auto& [fleet, pass] : passes_) {
      if (trail_.is_due(fleet, wall)) due.push_back(fleet);
    }
  }
  for (const std::string& fleet : due) {
    const FleetView view = view_of(fleet);
    std::lock_guard lock(passes_mutex_);
    trail_.add(view, wall);
  }
}

// Sessions that run, whoever plays them.
void Host::note_demand(FleetPass* pass) {
  SessionsByRegion sessions;
  const auto now = world();
  if (const FleetSpec* spec = now->fleet(pass->fleet)) {
    for (const RegionSpec& region : spec->regions) sessions[region.name] = 0;
  }
  auto here = sessions.end();  // Most stand beside those of their region.
  for (const ObservedInstance& instance : *pass->instances) {
    if (instance.state == InstanceState::Exited) continue;
    if (here == sessions.end() || here->first != instance.region)
      here = sessions.try_emplace(instance.region).first;
    here->second += sessions_on(instance);
  }
  std::vector<Error> errors;
  pass->outlook = demand_->observe(pass->fleet, sessions, now->wall(engine_->now()), &errors);
  for (const Error& error : errors) options_.on_error(error);
}

std::int64_t Host::players_on(const std::string& fleet, const std::string& build) const {
  std::lock_guard lock(passes_mutex_);
  const auto at = passes_.find(fleet);
  if (at == passes_.end()) return 0;
  std::int64_t sessions = 0;
  for (const ObservedInstance& instance : *at->second.instances) {
    if (instance.state != InstanceState::Exited && (build.empty() || instance.build == build))
      sessions += sessions_on(instance);
  }
  const FleetSpec* spec = world()->fleet(fleet);
  return sessions * std::max(1, spec ? spec->capacity.players_per_session : 1);
}

// Against the peak that is forecast; where there is no forecast, of the event's build against what
// runs on it now.
std::optional<Headroom> Host::headroom_of(const JudgedStage& stage) const {
  {
    std::lock_guard lock(passes_mutex_);
    if (!passes_.contains(stage.fleet)) return std::nullopt;
  }
  const auto now = world();
  const FleetView view = view_of(stage.fleet);
  const EventState* event = now->event(stage.event);
  if (event && event->manifest) {
    if (auto ahead = headroom_ahead(*now, view, *event, engine_->now()))
      return Headroom{ahead->level, std::move(ahead->basis)};
  }
  return Headroom{double(view.headroom_ppm(stage.canary_build)) / double(kPpmWhole), {}};
}

Result<Allocation> Host::allocate(const AllocationRequest& request) {
  auto allocation = desk_->allocate(request);
  if (!allocation) return allocation;
  note_exposures();
  note_flags(flag_exposures_.of_session(request, *allocation, engine_->now()));
  return allocation;
}

// Under one lock, so that whoever asked waits until his own row is noted, also if another took it.
// While many rows wait for the ledger no more are taken, and the allocator, whose own store then
// fills, refuses the canary: no exposure goes untold.
void Host::note_exposures() {
  std::lock_guard lock(ledger_mutex_);
  if (ports_.ledger->noted() >= kNotedMax) return;
  std::vector<LedgerEntry> entries;
  for (const ExposureRow& row : desk_->take_exposures()) {
    if (row.player.empty()) continue;  // Nobody in particular.
    entries.push_back({row.event, row.revision, row.visit, row.region, row.player, row.session,
                       LedgerSource::Served, row.at});
  }
  if (broken(DeliberateBug::LedgerRowLost) && !entries.empty()) entries.pop_back();
  note(entries);
}

void Host::note(std::span<const LedgerEntry> entries) {
  if (entries.empty()) return;
  for (const LedgerEntry& entry : entries) unsealed_.insert({entry.event, entry.revision});
  const Status noted = ports_.ledger->note(entries);
  ledger_trouble_.tell(noted, options_.on_error);
}

Status Host::add_admitted(const LedgerRevision& revision, std::span<const LedgerEntry> entries) {
  const auto now = world();
  const EventState* event = now->event(revision.event);
  const LedgerStanding* sealed = event ? event->ledger_of(revision.revision) : nullptr;
  if (sealed && is_past_keeping(*sealed)) {
    return fail(ErrorCode::Conflict,
                fmt::format("the ledger of {} r{} was sealed at {} and is not kept any more; see "
                            "`showcaller serve --keep-ledgers`",
                            revision.event, revision.revision, format_instant(sealed->at)));
  }
  if (entries.empty()) return {};
  std::lock_guard lock(ledger_mutex_);
  unsealed_.insert(revision);
  return ports_.ledger->add(entries);
}

bool Host::is_past_keeping(const LedgerStanding& sealed) const {
  return engine_->now() - sealed.at >= options_.keep_ledgers;
}

// Ledgers of an earlier process that nobody sealed.
Status Host::find_unsealed() {
  TRY(const auto revisions, ports_.ledger->revisions());
  const auto now = world();
  for (const LedgerRevision& each : revisions) {
    const EventState* event = now->event(each.event);
    if (event && !event->ledger_of(each.revision)) unsealed_.insert(each);
  }
  return {};
}

void Host::keep_ledger() {
  note_exposures();
  const Status settled = ports_.ledger->settle();
  settle_trouble_.tell(settled, options_.on_error);
  if (!settled) return;
  std::set<LedgerRevision> unsealed;
  {
    std::lock_guard lock(ledger_mutex_);
    unsealed = unsealed_;
  }
  for (const LedgerRevision& each : unsealed) {
    if (!seal(each)) continue;
    std::lock_guard lock(ledger_mutex_);
    unsealed_.erase(each);
  }
}

// When nobody more can be exposed to it; true when that is in the journal.
bool Host::seal(const LedgerRevision& revision) {
  const auto now = world();
  const EventState* event = now->event(revision.event);
  if (!event) return true;  // Nobody would look for it.
  if (event->revision == revision.revision && may_admit(event->phase)) return false;
  const auto seal = ports_.ledger->seal(revision.event, revision.revision);
  if (!seal) {
    options_.on_error(seal.error());
    return false;
  }
  const LedgerStanding* sealed = event->ledger_of(revision.revision);
  if (sealed && sealed->root == seal->root) return true;
  (void)engine_->submit(
      LedgerObserved{revision.event, revision.revision, seal->rows, seal->players, seal->root});
  return false;
}

// What was kept for long enough goes; the journal keeps counts and roots.
void Host::sweep() {
  const Instant now = engine_->now();
  if (now - swept_ < kSweepEvery) return;
  swept_ = now;
  const auto removed = ports_.evidence->remove_older(now - options_.keep_evidence);
  if (!removed) options_.on_error(removed.error());
  const auto revisions = ports_.ledger->revisions();
  if (!revisions) return options_.on_error(revisions.error());
  const auto then = world();
  for (const LedgerRevision& each : *revisions) {
    const EventState* event = then->event(each.event);
    const LedgerStanding* sealed = event ? event->ledger_of(each.revision) : nullptr;
    if (!sealed || !is_past_keeping(*sealed)) continue;
    if (const Status gone = ports_.ledger->remove(each.event, each.revision); !gone)
      options_.on_error(gone.error());
  }
}

void Host::tell_trouble() {
  const std::optional<Error> trouble = engine_->trouble();
  journal_trouble_.tell(trouble ? Status(std::unexpected(*trouble)) : Status(), options_.on_error);
}

void Host::tell_totals() {
  for (StageTotals& total : desk_->take_totals()) {
    totals_[fmt::format("{}/r{}/v{}", total.event, total.revision, total.visit)] = std::move(total);
  }
  const Instant now = engine_->now();
  std::erase_if(totals_, [&](const auto& waiting) {
    const StageTotals& total = waiting.second;
    Instant& told = totals_told_[waiting.first];
    if (now - told < options_.totals_every) return false;
    told = now;
    (void)engine_->submit(
        TotalsObserved{total.event, total.revision, total.visit, total.canary, total.baseline});
    return true;
  });
}

}  // namespace showcaller
