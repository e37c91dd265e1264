// SPDX-License-Identifier: Apache-2.0
#include "sim/run.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "engine/moves.h"
#include "engine/view.h"
#include "flow/memory_evidence_store.h"
#include "flow/memory_journal.h"
#include "flow/memory_ledger.h"
#include "host/host.h"
#include "sim/invariants.h"
#include "sim/people.h"
#include "sim/session_level.h"
#include "sim/stage_evidence.h"
#include "sim/virtual_clock.h"
#include "sim/virtual_services.h"

namespace showcaller::sim {
namespace {

constexpr Duration kStepMost = seconds(10);
constexpr Duration kGameBeforeLeast = minutes(10), kGameBeforeMost = minutes(45);
constexpr Duration kRestartTakes = seconds(5);
constexpr Duration kHeldEnough = minutes(20);  // nobody comes: so it stays
constexpr Duration kStuckEnough = minutes(10);
constexpr Duration kSampleEvery = minutes(1);
constexpr Duration kQuietLeast = hours(2);     // shorter waits are played out
constexpr Duration kDoorsAhead = minutes(30);  // players are there again before doors open

CrowdCounts operator-(const CrowdCounts& a, const CrowdCounts& b) {
  return {a.sessions - b.sessions,
          a.refused - b.refused,
          a.crashed - b.crashed,
          a.canary_sessions - b.canary_sessions,
          a.player_s - b.player_s,
          a.canary_player_s - b.canary_player_s,
          a.harm_player_s - b.harm_player_s,
          a.canary_players - b.canary_players,
          a.harmed_players - b.harmed_players,
          a.stage_harmed_players,
          a.playing,
          a.playing_canary};
}

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t part) {
  return Random(seed).fork(part).next();
}

Duration game_before(const RunSpec& spec) {
  return std::clamp(2 * spec.population.session, kGameBeforeLeast, kGameBeforeMost);
}

// Each region's players are shared out over the fleets that have it, by the room they have there.
std::vector<FleetDoor> doors_of(const RunSpec& spec) {
  std::vector<FleetDoor> out;
  const auto& regions = spec.population.regions;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const std::size_t first = out.size();
    double room = 0;
    for (const auto& manifest : spec.manifests) {
      if (manifest->kind() != Kind::Fleet) continue;
      const auto& fleet = manifest->as<FleetSpec>();
      const BuildSpec* base = fleet.build(fleet.base);
      const double has =
          double(fleet.capacity.instances_max) * (base ? base->sessions_per_instance : 1);
      for (const RegionSpec& region : fleet.regions) {
        if (region.name != regions[i].name) continue;
        out.push_back({manifest->name, i, has});
        room += has;
      }
    }
    for (std::size_t door = first; door < out.size(); ++door) out[door].share /= room;
  }
  if (!out.empty()) return out;
  // A game whose servers are not ours: sessions are played somewhere.
  for (std::size_t i = 0; i < regions.size(); ++i) out.push_back({"", i, 1});
  return out;
}

class Play {
 public:
  Play(const RunSpec& spec, bool with_story)
      : spec_(spec),
        with_story_(with_story),
        clock_(spec.start - game_before(spec)),
        truth_(spec.population, metrics_of(spec.manifests, spec.population), targeted(spec),
               seed_of(spec.seed, 1)),
        fleet_(&truth_, seed_of(spec.seed, 2)),
        services_(&truth_, seed_of(spec.seed, 3)),
        crowd_(&truth_, &fleet_, spec.event, seed_of(spec.seed, 4)),
        people_(&truth_, seed_of(spec.seed, 5)),
        ledger_(seed_of(spec.seed, 6)) {
    result_.seed = spec.seed;
  }

  RunResult perform();

 private:
  static std::vector<Fault> targeted(const RunSpec& spec);
  Status start_host();
  void restart(Duration down);
  void send(Command command);
  Status apply(bool the_event);
  void play_game_before();
  void advance(Duration d);
  void strike();
  void settle();
  void follow_records();
  void take(const Record& record);
  void sample();
  bool is_over();
  void conclude(Ending ending, std::string why);
  Duration step_length() const;
  std::optional<Instant> date_waited_for() const;
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
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::unique_ptr<MemoryJournal> journal_;
  MemoryJournal reader_{disk_};
  MemoryEvidenceStore evidence_;
  MemoryLedger ledger_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Assigner> assigner_;
  std::unique_ptr<SessionLevel> level_;
  RehearsalInvariants invariants_;
  RunResult result_;
  std::set<const Fault*> struck_, told_;
  ReportPath path_;
  std::vector<FleetDoor> doors_;
  std::optional<std::uint64_t> torn_;  // the append that the power goes in
  std::optional<Duration> applied_, admitted_, harmful_, opened_, undoing_;
  std::optional<Duration> live_since_, held_since_;
  Duration sampled_{};
  CrowdCounts at_stage_;
  std::uint64_t followed_ = 0;
  std::string fleet_named_;  // whose build changes; else the first
  bool headroom_seen_ = false;
  std::vector<std::string> pages_;
  bool over_ = false;
};

// What a loss strikes when it is not said: the first region, or host, of the first fleet.
std::vector<Fault> Play::targeted(const RunSpec& spec) {
  std::vector<Fault> faults = spec.faults;
  for (Fault& fault : faults) {
    if (fault.target.empty() && !spec.population.regions.empty() &&
        (fault.kind == FaultKind::RegionLoss || fault.kind == FaultKind::HostLoss)) {
      fault.target = spec.population.regions.front().name;
      for (const auto& manifest : spec.manifests) {
        if (fault.kind != FaultKind::HostLoss || manifest->kind() != Kind::Fleet) continue;
        const auto& hosts = manifest->as<FleetSpec>().regions.front().hosts;
        fault.target =
            hosts.empty() ? manifest->as<FleetSpec>().regions.front().name : hosts.front();
        break;
      }
    }
  }
  return faults;
}

Status Play::start_host() {
  journal_ = std::make_unique<MemoryJournal>(disk_);
  HostOptions options;
  options.secret = fmt::format("rehearsal {}", spec_.seed);
  options.engine.version = "rehearsal";
  HostPorts ports{journal_.get(), &clock_, {}, &services_, &evidence_, &ledger_};
  for (const auto& manifest : spec_.manifests) {
    if (manifest->kind() == Kind::Fleet) ports.drivers[manifest->as<FleetSpec>().driver] = &fleet_;
  }
  TRY(host_, Host::open(ports, std::move(options)));
  assigner_ = std::make_unique<Assigner>(host_.get());
  level_ = std::make_unique<SessionLevel>(host_.get(), assigner_.get(), &truth_, &fleet_, &path_,
                                          seed_of(spec_.seed, 7 + now().count()));
  return {};
}

// As a supervisor does it: again and again until it comes up.
void Play::restart(Duration down) {
  services_.forget_callers();
  level_.reset();
  assigner_.reset();
  host_.reset();
  clock_.advance(down);
  Status started = start_host();
  for (; !started && now() < spec_.horizon; started = start_host()) clock_.advance(seconds(1));
  CHECK(started);  // Memory holds what it was given: a full disk is full for so many writes.
}

void Play::settle() {
  while (true) {
    const auto ran = host_->engine().run_batch();
    if (!ran || !*ran) return;
  }
}

void Play::send(Command command) {
  const int copies = truth_.acting(FaultKind::Duplicates) ? 2 : 1;
  for (int i = 0; i < copies; ++i) (void)host_->engine().submit(command);
  settle();
}

Status Play::apply(bool the_event) {
  ApplyCommand apply;
  for (const auto& manifest : spec_.manifests) {
    const bool is_event = manifest->kind() == Kind::LiveEvent;
    if (is_event == the_event) apply.manifests.push_back(manifest);
    if (manifest->kind() != Kind::Fleet) continue;
    for (const BuildSpec& build : manifest->as<FleetSpec>().builds)
      fleet_.set_sessions_per_instance(manifest->name, build.version, build.sessions_per_instance);
  }
  if (apply.manifests.empty()) return {};
  Status answered;
  Command command{std::move(apply), {"author", {"admin"}}, "", {}, "rehearsal"};
  TRY(host_->engine().submit(std::move(command), [&](Result<Receipt> receipt) {
    if (!receipt) answered = std::unexpected(receipt.error());
  }));
  settle();
  return answered;
}

Duration Play::step_length() const {
  Duration step = std::min(kStepMost, spec_.population.session / 20);
  const EventState* state = event();
  if (state) step = std::min(step, state->spec().analysis.tick);
  return std::max<Duration>(seconds(1), std::chrono::floor<std::chrono::seconds>(step));
}

void Play::advance(Duration d) {
  clock_.advance(d);
  const auto since = [&](const std::optional<Duration>& then) {
    return then ? std::optional(now() - *then) : std::nullopt;
  };
  truth_.advance(now(), since(applied_), since(admitted_));
  if (truth_.is_harmful() && !harmful_) harmful_ = now();
  strike();
  if (with_story_) tell_faults();
  fleet_.set_canaries(assigner_->canaries());
  fleet_.set_time(now(), host_->engine().now());
  services_.set_time(now());
  Crowd::Step step;
  step.from = now() - d;  // Who came while the server was away did not get in.
  step.to = now();
  step.wall = clock_.wall();
  if (opened_) step.since_open = now() - *opened_;
  step.doors = doors_;
  step.flag_arms_of = [this](const AllocationRequest& request) {
    return assigner_->flags(request);
  };
  step.begun = [this](const Playing& session) {
    if (!session.instance.empty())
      invariants_.follow_session(*host_->world(), session.fleet, session.instance,
                                 fmt::format("{}-party-{}", session.region, session.party),
                                 session.arms);
  };
  crowd_.step(step, level_.get());
  level_->deliver(now());
  host_->pass();
  settle();
  if (torn_ && disk_->appends() >= *torn_) {
    torn_.reset();
    restart(kRestartTakes);
  }
  for (Command& command : people_.act(*host_->world(), now(), host_->engine().now()))
    send(std::move(command));
  follow_records();
  if (now() - sampled_ >= kSampleEvery) sample();
}

std::vector<const Fault*> Play::strikes(FaultKind kind) {
  std::vector<const Fault*> out;
  for (const Fault* fault : truth_.begun(kind)) {
    if (struck_.insert(fault).second) out.push_back(fault);
  }
  return out;
}

// What strikes once.
void Play::strike() {
  for (const Fault* jump : strikes(FaultKind::ClockJump))
    clock_.step(Duration(std::int64_t(jump->size * 1000)));
  for (const Fault* full : strikes(FaultKind::DiskFull))
    disk_->add_fault(
        {JournalFault::Kind::DiskFull, disk_->appends() + 1, std::uint64_t(full->size)});
  if (!strikes(FaultKind::TornWrite).empty()) {
    torn_ = disk_->appends() + 1;
    disk_->add_fault({JournalFault::Kind::TornBatch, *torn_, 1});
  }
  for (const Fault* down : strikes(FaultKind::Restart))
    restart(Duration(std::int64_t(down->size * 1000)));
}

// What begins or ends now of what was asked for, for the story.
void Play::tell_faults() {
  for (const Fault& fault : truth_.faults()) {
    const auto begun = truth_.begun(fault.kind);
    const bool acts = std::find(begun.begin(), begun.end(), &fault) != begun.end();
    if (acts == told_.contains(&fault)) continue;
    if (acts)
      told_.insert(&fault);
    else
      told_.erase(&fault);
    const auto at = std::chrono::floor<std::chrono::seconds>(now());
    result_.story.push_back(fmt::format("{}  fault        {} {}", format_duration(at),
                                        to_text(fault), acts ? "begins" : "ends"));
  }
}

void Play::follow_records() {
  const Status read = reader_.read(followed_ + 1, [&](const StoredRecord& stored) {
    const auto record = decode_record(stored.bytes);
    CHECK(record);
    followed_ = stored.seq;
    invariants_.follow(*record);
    take(*record);
    return true;
  });
  CHECK(read);  // Memory does not fail to be read.
}

void Play::close_stage() {
  if (result_.stages.empty()) return;
  StageResult& stage = result_.stages.back();
  if (stage.left != Duration{}) return;
  stage.left = now();
  stage.counts = crowd_.counts() - at_stage_;
}

void Play::take(const Record& record) {
  if (with_story_) {
    const auto at = std::chrono::floor<std::chrono::seconds>(now());
    result_.story.push_back(fmt::format("{}  {}", format_duration(at), record_line(record)));
  }
  if (const auto* page = std::get_if<PageRaised>(&record.payload)) pages_.push_back(page->text);
  if (const auto* entered = std::get_if<StageEntered>(&record.payload);
      entered && entered->event == spec_.event) {
    close_stage();
    crowd_.begin_stage();
    at_stage_ = crowd_.counts();
    if (!admitted_) admitted_ = now();
    result_.stages.push_back({entered->name, entered->exposure_ppm, now(), {}, {}, {}});
  }
  if (const auto* verdict = std::get_if<VerdictChanged>(&record.payload);
      verdict && verdict->event == spec_.event)
    note_verdict(*verdict);
  if (const auto* intake = std::get_if<IntakeChanged>(&record.payload);
      intake && intake->event == spec_.event && intake->to == IntakeState::Open && !opened_)
    opened_ = now();
  if (const auto* moved = std::get_if<PhaseChanged>(&record.payload);
      moved && moved->event == spec_.event) {
    if (moved->to == Phase::RollingBack && !undoing_) undoing_ = now();
    if (moved->to == Phase::RolledBack && undoing_) result_.to_rolled_back = now() - *undoing_;
    if (moved->to == Phase::Live) live_since_ = now();
    if (!may_admit(moved->to)) close_stage();
  }
  if (const auto* sealed = std::get_if<LedgerSealed>(&record.payload);
      sealed && sealed->event == spec_.event)
    result_.ledger_players = sealed->players;
}

void Play::note_verdict(const VerdictChanged& verdict) {
  if (verdict.gate.empty() && !result_.stages.empty())
    result_.stages.back().verdict = enum_name(verdict.verdict);
  // Thin traffic is blind now and then; that is no finding.
  const bool whole = verdict.verdict == VerdictName::Skewed ||
                     (verdict.verdict == VerdictName::Blind && truth_.acting(FaultKind::Blind));
  const bool fired = verdict.gate.empty() ? whole : verdict.verdict == VerdictName::Fail;
  const bool some_harm = std::any_of(spec_.faults.begin(), spec_.faults.end(),
                                     [](const Fault& fault) { return harms_players(fault.kind); });
  const auto since = some_harm && admitted_ && harmful_ ? std::max(*harmful_, *admitted_)
                     : some_harm                        ? std::optional<Duration>()
                                                        : admitted_;
  if (!fired || result_.fired || !since || now() < *since || (some_harm && whole)) return;
  result_.fired = GateFired{verdict.gate, std::string(enum_name(verdict.verdict)), now() - *since};
}

void Play::sample() {
  sampled_ = now();
  Sample sample{now(), crowd_.counts().playing, crowd_.counts().playing_canary,
                0,     crowd_.counts().refused, 0};
  const EventState* state = event();
  if (state && may_admit(state->phase)) sample.exposure_ppm = state->exposure_ppm;
  if (!fleet_named_.empty() && sample.players > 0)
    sample.headroom = double(host_->view_of(fleet_named_).headroom_ppm()) / double(kPpmWhole);
  // The game before the event is no part of its story.
  if (state && sample.players > 0 &&
      (!headroom_seen_ || sample.headroom < result_.headroom_least)) {
    result_.headroom_least = sample.headroom;
    headroom_seen_ = true;
  }
  if (with_story_) result_.samples.push_back(sample);
}

void Play::conclude(Ending ending, std::string why) {
  over_ = true;
  result_.ending = ending;
  result_.why = std::move(why);
}

bool Play::is_over() {
  const EventState* state = event();
  if (over_) return true;
  if (now() - result_.skipped >= spec_.horizon) {
    conclude(Ending::RanOut,
             fmt::format("still {} after {}", state ? enum_name(state->phase) : "not there",
                         format_duration(spec_.horizon)));
    return true;
  }
  if (!state) return false;
  const Phase phase = state->phase;
  held_since_ = !state->hold ? std::nullopt : held_since_ ? held_since_ : now();
  const Duration in_phase = host_->engine().now() - state->phase_since;
  if (phase == Phase::RolledBack) {
    // Its ledger is sealed in the next passes.
    if (in_phase >= seconds(30)) conclude(Ending::RolledBack, *state->phase_reason);
  } else if (phase == Phase::RollbackStuck) {
    if (in_phase >= kStuckEnough) conclude(Ending::Stuck, *state->phase_reason);
  } else if (phase == Phase::Rejected) {
    conclude(Ending::Refused, *state->phase_reason);
  } else if (showcaller::is_over(phase) || phase == Phase::Settling || phase == Phase::Deprecated) {
    conclude(Ending::Ended, *state->phase_reason);
  } else if (held_since_ && now() - *held_since_ >= kHeldEnough) {
    conclude(may_admit(phase) ? Ending::Held : Ending::NotReady, state->hold->reason);
  } else if (phase == Phase::Live && state->intake == IntakeState::Open &&
             state->open_regions.empty() &&
             now() - std::max(*live_since_, opened_.value_or(Duration{})) >= spec_.watched) {
    conclude(Ending::Live, *state->phase_reason);
  } else if (!may_admit(phase) && phase != Phase::RollingBack && !waits_for_its_date() &&
             in_phase >= state->spec().readiness.timeout + kHeldEnough) {
    conclude(
        Ending::NotReady,
        fmt::format(
            "{}", fmt::join(waits_for(*host_->world(), spec_.event, host_->engine().now()), "; ")));
  } else if (now() >= spec_.horizon) {
    conclude(Ending::RanOut,
             fmt::format("still {} after {}", enum_name(phase), format_duration(spec_.horizon)));
  }
  return over_;
}

// The date that an event waits for, and nothing else: to begin, or to open its doors.
std::optional<Instant> Play::date_waited_for() const {
  const EventState* state = event();
  if (!state || !state->spec().schedule.start || state->hold) return std::nullopt;
  const LiveEventSpec& spec = state->spec();
  if (state->phase == Phase::Ready && spec.rollout_begin_before_start != Duration{})
    return spec.schedule.start->at - spec.rollout_begin_before_start;
  const bool more_regions = state->intake == IntakeState::Open && !state->open_regions.empty();
  if (state->phase != Phase::Live || (state->intake != IntakeState::Proving && !more_regions))
    return std::nullopt;
  std::optional<Instant> next;
  for (const auto& [region, at] : spec.schedule.start->by_region) {
    if (at > clock_.wall() && (!next || at < *next)) next = at;
  }
  return next ? next : std::optional(spec.schedule.start->at);
}

bool Play::waits_for_its_date() const {
  const auto date = date_waited_for();
  return date && *date > clock_.wall();
}

// The time until shortly before that date is passed over, but for what goes wrong in it.
std::optional<Duration> Play::quiet_for() const {
  const auto date = date_waited_for();
  if (!date) return std::nullopt;
  Duration quiet = *date - clock_.wall() - kDoorsAhead;
  for (const Fault& fault : truth_.faults()) {
    const auto since = truth_.since_of(fault.kind);
    if (!since) continue;
    if (fault.from > *since) quiet = std::min(quiet, fault.from - *since);
    if (fault.lasts && fault.from + *fault.lasts > *since)
      quiet = std::min(quiet, fault.from + *fault.lasts - *since);
  }
  return quiet >= kQuietLeast ? std::optional(quiet) : std::nullopt;
}

void Play::skip(Duration quiet) {
  clock_.advance(quiet);
  result_.skipped += quiet;
}

void Play::play_game_before() {
  while (clock_.wall() < spec_.start) advance(std::min(step_length(), spec_.start - clock_.wall()));
}

std::vector<EvidencePoint> Play::evidence_of_the_event() {
  const EventState* state = event();
  if (!state) return {};
  return stage_evidence(&evidence_, spec_.event, state->last_revision, state->visit);
}

RunResult Play::perform() {
  doors_ = doors_of(spec_);
  fleet_named_ = doors_.front().fleet;
  for (const auto& manifest : spec_.manifests) {
    if (manifest->kind() != Kind::LiveEvent || manifest->name != spec_.event) continue;
    for (const Change& change : manifest->as<LiveEventSpec>().changes) {
      if (const auto* build = std::get_if<BuildChange>(&change.what)) fleet_named_ = build->fleet;
    }
  }
  CHECK(start_host());
  if (const Status applied = apply(false); !applied) {
    conclude(Ending::Refused, applied.error().message);
  } else {
    play_game_before();
    applied_ = now();
    if (const Status revised = apply(true); !revised)
      conclude(Ending::Refused, revised.error().message);
  }
  follow_records();
  while (!is_over()) {
    if (const auto quiet = quiet_for()) skip(*quiet);
    advance(step_length());
  }
  close_stage();
  invariants_.compare(*host_->world());
  result_.took = now();
  result_.counts = crowd_.counts();
  result_.pages = fmt::format("{}", fmt::join(pages_, "\n"));
  result_.violations = invariants_.violations();
  if (with_story_) result_.evidence = evidence_of_the_event();
  const auto tail = journal_->tail();
  CHECK(tail);
  const CrowdCounts& counts = result_.counts;
  result_.hash = to_hex(sha256(as_bytes(tail->hash),
                               fmt::format("{}/{}/{}/{}/{}/{}", counts.sessions, counts.refused,
                                           counts.crashed, counts.canary_sessions,
                                           counts.harmed_players, result_.ledger_players)))
                     .substr(0, 16);
  return std::move(result_);
}

}  // namespace

std::string_view to_string(Ending ending) {
  static constexpr std::string_view kNames[] = {"live",      "rolled_back", "stuck", "held",
                                                "not_ready", "refused",     "ended", "ran_out"};
  return kNames[std::size_t(ending)];
}

RunResult run(const RunSpec& spec, bool with_story) {
  return Play(spec, with_story).perform();
}

}  // namespace showcaller::sim
