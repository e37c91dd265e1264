// SPDX-License-Identifier: Apache-2.0
#include "sim/crowd.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace showcaller::sim {
namespace {

constexpr Duration kChurnLasts = hours(16);
constexpr std::uint64_t kSlotMask = kSessionsMax - 1;  // of a session's number
static_assert((kSessionsMax & kSlotMask) == 0);

std::int64_t second_of(Duration at) {
  return std::chrono::ceil<std::chrono::seconds>(at).count();
}

}  // namespace

bool PartySet::insert(std::size_t region, std::uint64_t party) {
  if (region >= regions_.size()) regions_.resize(region + 1);
  std::vector<bool>& parties = regions_[region];
  if (party >= parties.size()) parties.resize(party + party / 2 + 64);
  if (parties[party]) return false;
  return parties[party] = true;
}

Crowd::Crowd(Truth* truth, VirtualFleet* fleet, std::uint64_t seed)
    : truth_(truth), fleet_(fleet), random_(seed) {}

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
  for (const Playing& session : sessions_)
    counts_.stage_harmed_players += newly_harmed(session, &stage_harmed_);
}

// Players of the session who were not counted yet: its party once, who else plays each time.
std::int64_t Crowd::newly_harmed(const Playing& session, PartySet* parties) const {
  if (session.id == 0 || !session.canary) return 0;
  const Population& population = truth_->population();
  return population.session_players - population.party +
         (parties->insert(session.region, session.party) ? population.party : 0);
}

// Who plays on the canary when a fault begins suffers from it too.
void Crowd::count_time(Duration passed) {
  const bool harmful = truth_->is_harmful();
  if (harmful && !was_harmful_) {
    for (const Playing& session : sessions_) note_harm(session);
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

Playing* Crowd::find(std::uint64_t id) {
  Playing& session = sessions_[id & kSlotMask];
  return session.id == id ? &session : nullptr;
}

std::uint64_t Crowd::next_id() const {
  const std::uint64_t slot = free_.empty() ? sessions_.size() : free_.back();
  return (serial_ + 1) * kSessionsMax + slot;
}

Playing& Crowd::new_session(std::uint64_t id) {
  ++serial_;
  if (free_.empty()) {
    CHECK(sessions_.size() < kSessionsMax);  // Whoever rehearses refuses larger crowds.
    sessions_.emplace_back();
  } else {
    free_.pop_back();
  }
  Playing& session = sessions_[id & kSlotMask];
  session = {};
  session.id = id;
  return session;
}

// Those beside one that crashed die with it.
void Crowd::end_lost(Duration now, Level* level) {
  for (const std::uint64_t lost : fleet_->take_lost()) end(lost, now, level);
}

// A session ends when its time has come, or with its instance.
void Crowd::end_due(Duration now, Level* level) {
  const auto soon = [&](std::uint64_t id) { __builtin_prefetch(&sessions_[id & kSlotMask]); };
  const auto end_one = [&](std::uint64_t id) {
    const Playing* session = find(id);
    if (!session) return;
    const bool crashes = session->crashes <= session->ends && session->instance != 0;
    if (crashes) fleet_->crash(session->instance);
    end(id, now, level);
    if (crashes) end_lost(now, level);
  };
  due_.take_until(std::chrono::floor<std::chrono::seconds>(now).count(), end_one, soon);
}

void Crowd::end(std::uint64_t id, Duration now, Level* level) {
  const Playing* found = find(id);
  if (!found) return;
  const Playing session = *found;
  sessions_[id & kSlotMask].id = 0;
  free_.push_back(id & kSlotMask);
  const int players = truth_->population().session_players;
  counts_.playing -= players;
  if (session.canary) counts_.playing_canary -= players;
  const bool crashed = session.crashes <= std::min(session.ends, now);
  const bool lost = session.instance != 0 && !fleet_->end_session(session.instance, id);
  const bool failed = crashed || lost;
  counts_.crashed += failed ? 1 : 0;
  if (failed && random_.chance(double(truth_->population().churn_ppm) / 1e6))
    send_away(session, now);
  level->ended(session, failed);
}

void Crowd::arrive(const Step& step, std::size_t index, Level* level) {
  const FleetDoor& door = step.doors[index];
  const Population& population = truth_->population();
  const RegionCrowd& region = population.regions[door.region];
  double expected = sessions_per_s(population, region, step.wall, step.to, step.since_open) *
                    door.share * double((step.to - step.from).count()) / 1000;
  if (const Fault* herd = truth_->acting(FaultKind::Herd)) expected *= herd->size;
  const std::uint64_t parties = population.parties(region);
  const Fault* writes = truth_->acting(FaultKind::Writes);
  std::int64_t room = std::numeric_limits<std::int64_t>::max();
  if (writes) {
    const double best = population.players / population.session_players /
                        (double(population.session.count()) / 1000) * region.share * door.share;
    room = std::int64_t(writes->size * best * double((step.to - step.from).count()) / 1000);
  }
  for (std::uint64_t left = random_.poisson(expected); left > 0; --left) {
    const Visit visit{door, index, random_.below(parties), next_id()};
    if (is_away(door.region, visit.party, step.to)) continue;
    if (level->never_asks(visit, &random_)) continue;
    if (room-- > 0)
      begin(step, visit, level);
    else
      ++counts_.refused;  // It cannot be written down, so it is not played.
  }
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

void Crowd::begin(const Step& step, const Visit& visit, Level* level) {
  const auto seat = level->seat(visit);
  if (!seat) {
    // A session that asked and was refused asks no more.
    ++serial_;
    ++counts_.refused;
    return;
  }
  const Population& population = truth_->population();
  Playing& session = new_session(visit.session);
  session.party = visit.party;
  session.region = std::uint16_t(visit.door.region);
  session.kind = seat->kind;
  session.canary = seat->canary;
  if (seat->instance) {
    session.instance = seat->instance->number;
    truth_->let_drift(&seat->instance->mood);
  }
  session.begins = step.to;
  const double spread = population.session_spread;
  const double length =
      double(population.session.count()) * random_.lognormal(-spread * spread / 2, spread);
  session.ends = step.to + Duration(std::int64_t(length));
  if (random_.chance(alone_crash_rate(seat->instance, session.canary, step.to)))
    session.crashes = step.to + Duration(std::int64_t(length * random_.uniform()));
  ++counts_.sessions;
  counts_.playing += population.session_players;
  if (session.canary) {
    ++counts_.canary_sessions;
    counts_.playing_canary += population.session_players;
    if (let_in_.insert(session.region, session.party))
      counts_.canary_players += population.session_players;
    if (was_harmful_) note_harm(session);
  }
  due_.add(second_of(std::min(session.ends, session.crashes)), session.id);
}

}  // namespace showcaller::sim
