// SPDX-License-Identifier: Apache-2.0
#include "sim/crowd.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace showcaller::sim {
namespace {

constexpr std::uint64_t kPartiesMax = std::uint64_t(1) << 40;  // a region
constexpr std::uint64_t kStaffOneIn = 200;                     // parties
constexpr std::string_view kPlatforms[] = {"pc", "console", "mobile"};
constexpr Duration kChurnLasts = hours(16);

// As game back ends tell them: what audiences are judged on.
json::object context_of(std::uint64_t party) {
  return {{"account", {{"group", party % kStaffOneIn == 0 ? "staff" : "player"}}},
          {"platform", kPlatforms[party % std::size(kPlatforms)]}};
}

bool on_canary(const std::vector<ArmAssignment>& arms, const std::string& event) {
  return std::any_of(arms.begin(), arms.end(), [&](const ArmAssignment& arm) {
    return arm.event == event && arm.arm == Arm::Canary && !arm.spilled;
  });
}

}  // namespace

Crowd::Crowd(Truth* truth, VirtualFleet* fleet, std::string event, std::uint64_t seed)
    : truth_(truth), fleet_(fleet), random_(seed), event_(std::move(event)) {}

void Crowd::step(const Step& step, Seating* seating) {
  count_time(step.to - step.from);
  end_due(step.to, seating);
  for (const FleetDoor& door : step.doors) arrive(step, door, seating);
}

void Crowd::begin_stage() {
  stage_harmed_.clear();
  counts_.stage_harmed_players = 0;
  if (!was_harmful_) return;
  for (const auto& [id, session] : sessions_)
    counts_.stage_harmed_players += newly_harmed(session, &stage_harmed_);
}

// Players of the session who were not counted yet: its party once, who else plays each time.
std::int64_t Crowd::newly_harmed(const Playing& session, std::set<std::uint64_t>* parties) const {
  if (!session.canary) return 0;
  const Population& population = truth_->population();
  return population.session_players - population.party +
         (parties->insert(session.party).second ? population.party : 0);
}

// Who plays on the canary when a fault begins suffers from it too.
void Crowd::count_time(Duration passed) {
  const bool harmful = truth_->is_harmful();
  if (harmful && !was_harmful_) {
    for (const auto& [id, session] : sessions_) note_harm(session);
  }
  was_harmful_ = harmful;
  const double s = double(passed.count()) / 1000;
  counts_.player_s += s * double(counts_.playing);
  counts_.canary_player_s += s * double(counts_.playing_canary);
  if (harmful) counts_.harm_player_s += s * double(counts_.playing_canary);
}

void Crowd::note_harm(const Playing& session) {
  counts_.harmed_players += newly_harmed(session, &harmed_);
  counts_.stage_harmed_players += newly_harmed(session, &stage_harmed_);
}

// A session ends when its time has come, or with its instance.
void Crowd::end_due(Duration now, Seating* seating) {
  for (const std::string& id : fleet_->take_lost()) end(id, now, seating);
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::string id = due_.begin()->second;
    due_.erase(due_.begin());
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) continue;
    const Playing& session = found->second;
    if (session.crashes <= session.ends && !session.instance.empty())
      fleet_->crash(session.instance);
    end(id, now, seating);
    // Those beside it die with it.
    for (const std::string& lost : fleet_->take_lost()) end(lost, now, seating);
  }
}

void Crowd::end(const std::string& id, Duration now, Seating* seating) {
  auto found = sessions_.extract(id);
  if (found.empty()) return;
  const Playing& session = found.mapped();
  const int players = truth_->population().session_players;
  counts_.playing -= players;
  if (session.canary) counts_.playing_canary -= players;
  const bool crashed = session.crashes <= std::min(session.ends, now);
  const bool lost = !session.instance.empty() && !fleet_->has_session(session.instance, id);
  if (!lost && !session.instance.empty()) fleet_->end_session(session.instance, id);
  const bool failed = crashed || lost;
  counts_.crashed += failed ? 1 : 0;
  if (failed && random_.chance(double(truth_->population().churn_ppm) / 1e6))
    away_until_[session.party] = now + kChurnLasts;
  seating->ended(session, failed);
}

void Crowd::arrive(const Step& step, const FleetDoor& door, Seating* seating) {
  const Population& population = truth_->population();
  const RegionCrowd& region = population.regions[door.region];
  double expected = sessions_per_s(population, region, step.wall, step.to, step.since_open) *
                    door.share * double((step.to - step.from).count()) / 1000;
  if (const Fault* herd = truth_->acting(FaultKind::Herd)) expected *= herd->size;
  const double parties =
      std::max(1.0, population.registered_players() * region.share / population.party);
  for (std::uint64_t left = random_.poisson(expected); left > 0; --left) {
    const std::uint64_t number = random_.below(std::uint64_t(parties));
    const std::uint64_t party = door.region * kPartiesMax + number;
    if (is_away(party, step.to)) continue;
    AllocationRequest request = request_of(door.fleet, region, number);
    if (!seating->never_asks(request, &random_)) begin(step, std::move(request), party, seating);
  }
}

bool Crowd::is_away(std::uint64_t party, Duration now) const {
  const auto away = away_until_.find(party);
  return away != away_until_.end() && now < away->second;
}

// The party that came together is bucketed; the others of the session came alone and follow it.
AllocationRequest Crowd::request_of(const std::string& fleet, const RegionCrowd& region,
                                    std::uint64_t party) {
  AllocationRequest request;
  request.session = fmt::format("s{}", next_session_++);
  request.fleet = fleet;
  request.region = region.name;
  request.party = fmt::format("{}-party-{}", region.name, party);
  const json::object context = context_of(party);
  for (int i = 0; i < truth_->population().party; ++i)
    request.players.push_back({fmt::format("{}-{}", request.party, i), context});
  return request;
}

void Crowd::begin(const Step& step, AllocationRequest request, std::uint64_t party,
                  Seating* seating) {
  Playing session;
  session.flag_arms = step.flag_arms_of ? step.flag_arms_of(request) : std::vector<ArmAssignment>{};
  const auto seat = seating->seat(request);
  if (!seat) {
    ++counts_.refused;
    return;
  }
  const Population& population = truth_->population();
  session.id = request.session;
  session.fleet = request.fleet;
  session.instance = seat->instance;
  session.region = request.region;
  session.party = party;
  session.arms = seat->arms;
  session.canary = on_canary(session.arms, event_) || on_canary(session.flag_arms, event_);
  session.begins = step.to;
  const double spread = population.session_spread;
  const double length =
      double(population.session.count()) * random_.lognormal(-spread * spread / 2, spread);
  session.ends = step.to + Duration(std::int64_t(length));
  VirtualInstance* instance = fleet_->find(session.instance);
  static const InstanceMood kCalm;
  if (instance) truth_->let_drift(&instance->mood);
  const double trouble = truth_->trouble(instance ? instance->mood : kCalm,
                                         instance ? step.to - instance->ready_since : hours(1));
  // One that crashes takes all that its instance runs with it.
  const double alone = instance ? 1.0 / instance->sessions_max : 1;
  if (random_.chance(alone * truth_->crash_rate(trouble, session.canary)))
    session.crashes = step.to + Duration(std::int64_t(length * random_.uniform()));
  ++counts_.sessions;
  counts_.playing += population.session_players;
  if (session.canary) {
    ++counts_.canary_sessions;
    counts_.playing_canary += population.session_players;
    if (let_in_.insert(party).second) counts_.canary_players += population.session_players;
    if (was_harmful_) note_harm(session);
  }
  if (step.begun) step.begun(session);
  due_.insert({std::min(session.ends, session.crashes), session.id});
  sessions_.emplace(session.id, std::move(session));
}

}  // namespace showcaller::sim
