// SPDX-License-Identifier: Apache-2.0
#include "sim/crowd.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace showcaller::sim {
namespace {

constexpr Duration kChurnLasts = hours(16);
constexpr double kLastsMsMax = 4e9;  // six weeks

}  // namespace

bool PartySet::insert(std::size_t region, std::uint64_t party) {
  if (region >= regions_.size()) regions_.resize(region + 1);
  std::vector<bool>& parties = regions_[region];
  if (party >= parties.size()) parties.resize(party + party / 2 + 64);
  if (parties[party]) return false;
  return parties[party] = true;
}

Crowd::Crowd(Truth* truth, VirtualFleet* fleet, std::uint64_t seed)
    : truth_(truth), fleet_(fleet), random_(seed) {
  CHECK(truth_->population().regions.size() <= kRegionsMax);  // More are refused when it is read.
}

void Crowd::step(const Step& step, Level* level) {
  count_time(step.to - step.from);
  level->begin_step(step.to);
  end_lost(step.to, level);
  end_due(step.to, level);
  for (std::size_t door = 0; door < step.doors.size(); ++door) arrive(step, door, level);
  level->end_step(step.to);
}

void Crowd::begin_stage() {
  stage_harmed_.clear();
  counts_.stage_harmed_players = 0;
  if (!was_harmful_) return;
  running_.each([&](const Playing& session) {
    counts_.stage_harmed_players += newly_harmed(session, &stage_harmed_);
  });
}

// Players of the session who were not counted yet: its party once, who else plays each time.
std::int64_t Crowd::newly_harmed(const Playing& session, PartySet* parties) const {
  if (!session.canary) return 0;
  const Population& population = truth_->population();
  return population.session_players - population.party +
         (parties->insert(session.region, session.party) ? population.party : 0);
}

// Who plays on the canary when a fault begins suffers from it too.
void Crowd::count_time(Duration passed) {
  const bool harmful = truth_->is_harmful();
  if (harmful && !was_harmful_) running_.each([&](const Playing& session) { note_harm(session); });
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

// Those beside one that crashed, or on an instance that was stopped under them, die with it.
void Crowd::end_lost(Duration now, Level* level) {
  std::vector<std::uint32_t> lost = fleet_->take_lost();
  if (lost.empty()) return;
  std::sort(lost.begin(), lost.end());
  over_.clear();
  running_.take_if(
      [&](const Playing& session) {
        return session.instance != 0 &&
               std::binary_search(lost.begin(), lost.end(), session.instance);
      },
      &over_);
  for (Playing& session : over_) end(&session, now);
  level->ended(over_);
}

// A session ends when its time has come, or with its instance.
void Crowd::end_due(Duration now, Level* level) {
  over_.clear();
  running_.take_until(now, &over_);
  const bool some_crash =
      std::any_of(over_.begin(), over_.end(), [](const Playing& each) { return each.crashes; });
  if (some_crash) {  // Else nobody suffers from who ended before him.
    std::sort(over_.begin(), over_.end(), [](const Playing& a, const Playing& b) {
      return a.ends != b.ends ? a.ends < b.ends : a.id < b.id;
    });
  }
  for (Playing& session : over_) end(&session, now);
  level->ended(over_);
  end_lost(now, level);
}

void Crowd::end(Playing* session, Duration now) {
  if (session->crashes) fleet_->crash(session->instance);
  const bool lost =
      session->instance != 0 && !fleet_->end_session(fleet_->find(session->instance), session->id);
  session->failed = session->crashes || lost;
  const int players = truth_->population().session_players;
  counts_.playing -= players;
  if (session->canary) counts_.playing_canary -= players;
  if (!session->failed) return;
  ++counts_.crashed;
  if (random_.chance(double(truth_->population().churn_ppm) / 1e6)) send_away(*session, now);
}

void Crowd::arrive(const Step& step, std::size_t index, Level* level) {
  const FleetDoor& door = step.doors[index];
  draw_parties(step, index);
  refuse_beyond(step, door);
  const Arrivals arrivals{door, index, parties_, last_session_ + 1};
  seats_.assign(arrivals.size(), {});
  level->seat(arrivals, seats_);
  last_session_ += arrivals.size();
  begun_.clear();
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    if (seats_[i].state == SeatState::Taken)
      begun_.push_back(begin(step, arrivals.visit(i), seats_[i]));
    else if (seats_[i].state == SeatState::Refused)
      ++counts_.refused;
  }
  running_.add_all(begun_);
}

// Who comes, but for those who stay away.
void Crowd::draw_parties(const Step& step, std::size_t index) {
  const FleetDoor& door = step.doors[index];
  const Population& population = truth_->population();
  const RegionCrowd& region = population.regions[door.region];
  double expected = sessions_per_s(population, region, step.wall, step.to, step.since_open) *
                    door.share * double((step.to - step.from).count()) / 1000;
  if (const Fault* herd = truth_->acting(FaultKind::Herd)) expected *= herd->size;
  const std::uint64_t parties = population.parties(region);
  parties_.resize(random_.poisson(expected));
  for (std::uint32_t& party : parties_) party = std::uint32_t(random_.below(parties));
  if (away_until_.empty()) return;
  std::erase_if(parties_,
                [&](std::uint32_t party) { return is_away(door.region, party, step.to); });
}

// What cannot be written down is not played.
void Crowd::refuse_beyond(const Step& step, const FleetDoor& door) {
  const Fault* writes = truth_->acting(FaultKind::Writes);
  if (!writes) return;
  const Population& population = truth_->population();
  const double best = population.players / population.session_players /
                      (double(population.session.count()) / 1000) *
                      population.regions[door.region].share * door.share;
  const auto room = std::size_t(writes->size * best * double((step.to - step.from).count()) / 1000);
  if (parties_.size() <= room) return;
  counts_.refused += std::int64_t(parties_.size() - room);
  parties_.resize(room);
}

// Those who are back again are forgotten in the order in which they went.
void Crowd::send_away(const Playing& session, Duration now) {
  while (!away_.empty() && away_.front().first <= now) {
    const auto known = away_until_.find(away_.front().second);
    if (known != away_until_.end() && known->second <= now) away_until_.erase(known);
    away_.pop_front();
  }
  const std::pair<std::size_t, std::uint64_t> party{session.region, session.party};
  ever_away_.insert(party.first, party.second);
  away_until_[party] = now + kChurnLasts;
  away_.emplace_back(now + kChurnLasts, party);
}

bool Crowd::is_away(std::size_t region, std::uint64_t party, Duration now) const {
  if (!ever_away_.contains(region, party)) return false;
  const auto away = away_until_.find({region, party});
  return away != away_until_.end() && now < away->second;
}

// One that crashes takes all that its instance runs with it.
double Crowd::alone_crash_rate(const VirtualInstance* instance, bool canary, Duration now) {
  static const InstanceMood kCalm;
  const double trouble = truth_->trouble(instance ? instance->mood : kCalm,
                                         instance ? now - instance->ready_since : hours(1));
  return truth_->crash_rate(trouble, canary) / (instance ? instance->sessions_max : 1);
}

Playing Crowd::begin(const Step& step, const Visit& visit, const Seat& seat) {
  const Population& population = truth_->population();
  Playing session;
  session.id = visit.session;
  session.party = std::uint32_t(visit.party);
  session.region = std::uint16_t(visit.door.region);
  session.kind = seat.kind;
  session.canary = seat.canary;
  if (seat.instance) {
    session.instance = seat.instance->number;
    truth_->let_drift(&seat.instance->mood);
  }
  const double spread = population.session_spread;
  double lasts = double(population.session.count()) *
                 std::exp(spread * random_.quick_normal() - spread * spread / 2);
  if (random_.chance(alone_crash_rate(seat.instance, session.canary, step.to))) {
    session.crashes = true;
    lasts *= random_.uniform();
  }
  session.lasts_ms = std::uint32_t(std::min(lasts, kLastsMsMax));
  session.ends = step.to + Duration(session.lasts_ms);
  ++counts_.sessions;
  counts_.playing += population.session_players;
  if (session.canary) {
    ++counts_.canary_sessions;
    counts_.playing_canary += population.session_players;
    if (let_in_.insert(session.region, session.party))
      counts_.canary_players += population.session_players;
    if (was_harmful_) note_harm(session);
  }
  return session;
}

}  // namespace showcaller::sim
