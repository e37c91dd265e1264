// SPDX-License-Identifier: Apache-2.0
#include "sim/run.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "sim/play.h"
#include "sim/stage_evidence.h"

namespace showcaller::sim {
namespace {

constexpr Duration kStepMost = seconds(10);
constexpr Duration kRestartTakes = seconds(5);

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

}  // namespace

Duration Play::step_length() const {
  const EventState* state = event();
  const Duration tick = state ? state->spec().analysis.tick : kStepMost;
  // Rates are as true in the steps that they are judged in.
  const bool in_ticks = spec_.level == RehearsalLevel::Evidence;
  const Duration most = in_ticks ? std::max(tick, kStepMost) : kStepMost;
  const Duration step = std::min({most, spec_.population.session / 20, tick});
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
  // Who came while the server was away did not get in.
  const auto since_open = opened_ ? std::optional(now() - *opened_) : std::nullopt;
  crowd_.step({now() - d, now(), clock_.wall(), since_open, doors_}, level_.get());
  host_->pass();
  settle();
  if (torn_ && disk_->appends() >= *torn_) {
    torn_.reset();
    restart(kRestartTakes);
  }
  for (Command& command : people_.act(*host_->world(), now(), host_->engine().now()))
    (void)send(std::move(command));
  operate();
  follow_records();
  sample();
  watch();
}

// One command may change the phase that the next waits for.
void Play::operate() {
  while (const EventState* state = event()) {
    auto command = operators_.next(*host_->world(), *state, host_->engine().now());
    if (!command) return;
    operators_.answered(send(*std::move(command)).has_value());
  }
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
  invariants_.compare(&ledger_);
  invariants_.check_effects(services_.effects());
  result_.sent = operators_.met();
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

std::string_view to_string(RehearsalLevel level) {
  return level == RehearsalLevel::Session ? "session" : "evidence";
}

std::string_view to_string(Ending ending) {
  static constexpr std::string_view kNames[] = {"live",  "rolled_back", "stuck",
                                                "held",  "not_ready",   "refused",
                                                "ended", "ran_out",     "stopped"};
  return kNames[std::size_t(ending)];
}

RunResult run(const RunSpec& spec, bool with_story) {
  return Play(spec, with_story).perform();
}

}  // namespace showcaller::sim
