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
          a.canary_refused - b.canary_refused,
          a.player_s - b.player_s,
          a.canary_player_s - b.canary_player_s,
          a.harm_player_s - b.harm_player_s,
          a.canary_players - b.canary_players,
          a.harmed_players - b.harmed_players,
          a.playing,
          a.playing_canary};
}

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t part) {
  return Random(seed).fork(part).next();
}

class Play {
 public:
  Play(const RunSpec& spec, bool with_story)
      : spec_(spec),
        with_story_(with_story),
        clock_(spec.start),
        truth_(spec.population, metrics_of(spec.manifests, spec.population), targeted(spec),
               seed_of(spec.seed, 1)),
        fleet_(&truth_, seed_of(spec.seed, 2)),
        services_(&truth_, seed_of(spec.seed, 3)),
        crowd_(&truth_, &fleet_, seed_of(spec.seed, 4)),
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
  std::optional<Duration> quiet_for() const;
  void skip(Duration quiet);
  void close_stage();
  std::vector<EvidencePoint> evidence_of_the_event();
  const EventState* event() const { return host_->world()->event(spec_.event); }
  Duration now() const { return clock_.monotonic(); }
  const Fault* strikes(FaultKind kind);

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
  std::set<const Fault*> struck_;
  std::optional<Duration> admitted_, opened_, undoing_, ended_;
  std::optional<Duration> live_since_, held_since_;
  Duration sampled_{};
  CrowdCounts at_stage_;
  std::uint64_t followed_ = 0;
  std::vector<std::string> fleets_;
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
        if (!hosts.empty()) fault.target = hosts.front();
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
  level_ = std::make_unique<SessionLevel>(host_.get(), assigner_.get(), &truth_, &fleet_,
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
  constexpr int kStartsMax = 20;
  Status started = start_host();
  for (int i = 1; i < kStartsMax && !started; ++i) started = start_host();
  CHECK(started);
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
      fleet_.set_sessions_per_instance(build.version, build.sessions_per_instance);
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
  const Duration from = now();
  clock_.advance(d);
  truth_.advance(now(), admitted_ ? std::optional(now() - *admitted_) : std::nullopt);
  strike();
  fleet_.set_canaries(assigner_->canaries());
  fleet_.set_time(now(), host_->engine().now());
  services_.set_time(now());
  Crowd::Step step;
  step.from = from;
  step.to = now();
  step.wall = clock_.wall();
  if (opened_) step.since_open = now() - *opened_;
  step.fleets = fleets_;
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
  for (Command& command : people_.act(*host_->world(), now(), host_->engine().now()))
    send(std::move(command));
  follow_records();
  if (now() - sampled_ >= kSampleEvery) sample();
}

const Fault* Play::strikes(FaultKind kind) {
  const Fault* fault = truth_.acting(kind);
  return fault && struck_.insert(fault).second ? fault : nullptr;
}

// What strikes once.
void Play::strike() {
  if (const Fault* jump = strikes(FaultKind::ClockJump))
    clock_.step(Duration(std::int64_t(jump->size * 1000)));
  if (const Fault* full = strikes(FaultKind::DiskFull))
    disk_->add_fault(
        {JournalFault::Kind::DiskFull, disk_->appends() + 1, std::uint64_t(full->size)});
  if (strikes(FaultKind::TornWrite))
    disk_->add_fault({JournalFault::Kind::TornBatch, disk_->appends() + 1, 1});
  if (const Fault* down = strikes(FaultKind::Restart))
    restart(Duration(std::int64_t(down->size * 1000)));
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
    at_stage_ = crowd_.counts();
    if (!admitted_) admitted_ = now();
    result_.stages.push_back({entered->name, entered->exposure_ppm, now(), {}, {}, {}});
  }
  if (const auto* verdict = std::get_if<VerdictChanged>(&record.payload);
      verdict && verdict->event == spec_.event) {
    if (verdict->gate.empty() && !result_.stages.empty())
      result_.stages.back().verdict = enum_name(verdict->verdict);
    const bool fired =
        verdict->verdict != VerdictName::Pass && verdict->verdict != VerdictName::Thin;
    if (fired && !result_.fired && admitted_) {
      const Duration since = spec_.faults.empty() ? Duration{} : spec_.faults.front().from;
      result_.fired = GateFired{verdict->gate, std::string(enum_name(verdict->verdict)),
                                now() - *admitted_ - since};
    }
  }
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

void Play::sample() {
  sampled_ = now();
  Sample sample{now(), crowd_.counts().playing, crowd_.counts().playing_canary,
                0,     crowd_.counts().refused, 0};
  const EventState* state = event();
  if (state && may_admit(state->phase)) sample.exposure_ppm = state->exposure_ppm;
  if (!fleets_.empty())
    sample.headroom = double(host_->view_of(fleets_.front()).headroom_ppm()) / double(kPpmWhole);
  if (result_.samples.empty() || sample.headroom < result_.headroom_least)
    result_.headroom_least = sample.headroom;
  result_.samples.push_back(sample);
}

void Play::conclude(Ending ending, std::string why) {
  over_ = true;
  result_.ending = ending;
  result_.why = std::move(why);
}

bool Play::is_over() {
  const EventState* state = event();
  if (!state || over_) return over_;
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
  } else if (showcaller::is_over(phase)) {
    conclude(Ending::Ended, *state->phase_reason);
  } else if (held_since_ && now() - *held_since_ >= kHeldEnough) {
    conclude(may_admit(phase) ? Ending::Held : Ending::NotReady, state->hold->reason);
  } else if (phase == Phase::Live && state->intake == IntakeState::Open &&
             now() - std::max(*live_since_, opened_.value_or(Duration{})) >= spec_.watched) {
    conclude(Ending::Live, *state->phase_reason);
  } else if (!may_admit(phase) && phase != Phase::Ready && phase != Phase::RollingBack &&
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

// An event that waits for its date, and nothing else: the time until shortly before is passed over.
std::optional<Duration> Play::quiet_for() const {
  const EventState* state = event();
  if (!state || !state->spec().schedule.start || state->hold) return std::nullopt;
  const LiveEventSpec& spec = state->spec();
  Instant date = spec.schedule.start->at;
  const bool waits_to_begin =
      state->phase == Phase::Ready && spec.rollout_begin_before_start != Duration{};
  const bool waits_to_open = state->phase == Phase::Live && state->intake == IntakeState::Proving;
  if (!waits_to_begin && !waits_to_open) return std::nullopt;
  if (waits_to_begin) date -= spec.rollout_begin_before_start;
  const Duration quiet = date - clock_.wall() - kDoorsAhead;
  return quiet >= kQuietLeast ? std::optional(quiet) : std::nullopt;
}

void Play::skip(Duration quiet) {
  clock_.advance(quiet);
  result_.skipped += quiet;
}

void Play::play_game_before() {
  const Duration before =
      std::clamp(2 * spec_.population.session, kGameBeforeLeast, kGameBeforeMost);
  while (now() < before) advance(step_length());
}

std::vector<EvidencePoint> Play::evidence_of_the_event() {
  const EventState* state = event();
  if (!state) return {};
  return stage_evidence(&evidence_, spec_.event, state->last_revision, state->visit);
}

RunResult Play::perform() {
  for (const auto& manifest : spec_.manifests) {
    if (manifest->kind() == Kind::Fleet) fleets_.push_back(manifest->name);
  }
  if (fleets_.empty()) fleets_.emplace_back();
  CHECK(start_host());
  if (const Status applied = apply(false); !applied) {
    conclude(Ending::Refused, applied.error().message);
  } else {
    play_game_before();
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
                               fmt::format("{}/{}/{}/{}", counts.sessions, counts.refused,
                                           counts.crashed, counts.canary_sessions)))
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
