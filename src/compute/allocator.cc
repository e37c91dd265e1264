// SPDX-License-Identifier: Apache-2.0
#include "compute/allocator.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "base/hash.h"
#include "compute/assignment.h"
#include "compute/instance_pool.h"
#include "compute/pace_bucket.h"

namespace showcaller {
namespace {

constexpr std::size_t kIdMax = 128;
constexpr std::size_t kWaitingMax = 100'000;

enum class SessionStage : std::uint8_t {
  Given,    // the instance does not show it yet
  Running,  // it does
  Ended,    // kept for its answer
};

struct KnownSession {
  Allocation allocation;
  std::uint64_t fingerprint = 0;  // of the request; 0: found running, the request is not known
  SessionStage stage = SessionStage::Given;
  std::int64_t ended_before = 0;  // the instance's count of ended sessions when it was given
  Instant due{};                  // its key in the queue that it is in
};

// Names in the order of their time. Bounded by what it is about.
class DueQueue {
 public:
  void add(Instant due, const std::string& name) { entries_.emplace(due, name); }
  void remove(Instant due, const std::string& name) { entries_.erase({due, name}); }
  const std::pair<Instant, std::string>* first() const {
    return entries_.empty() ? nullptr : &*entries_.begin();
  }

 private:
  std::set<std::pair<Instant, std::string>> entries_;
};

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kIdMax &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return std::uint8_t(c) <= 0x20 || c == ',' || c == 0x7f; });
}

Status check(const AllocationRequest& request, const AllocatorLimits& limits) {
  if (!is_id(request.session)) {
    return fail(ErrorCode::Invalid,
                "the session's id is empty, longer than 128 bytes, or has a space or comma");
  }
  if (request.players.empty())
    return fail(ErrorCode::Invalid, "the session has no players; name at least one");
  if (request.players.size() > limits.players_max) {
    return fail(ErrorCode::Invalid,
                fmt::format("the session has more than {} players", limits.players_max));
  }
  for (const AllocationPlayer& player : request.players) {
    if (!is_id(player.id)) {
      return fail(ErrorCode::Invalid,
                  "a player's id is empty, longer than 128 bytes, or has a space or comma");
    }
  }
  if (!request.party.empty() && !is_id(request.party)) {
    return fail(ErrorCode::Invalid,
                "the party's id is longer than 128 bytes, or has a space or comma");
  }
  return {};
}

// Tells one request from another under the same session id. The order of players does not matter.
std::uint64_t fingerprint_of(const AllocationRequest& request) {
  std::uint64_t players = 0;
  for (const AllocationPlayer& player : request.players) players += hash64(player.id, 1);
  const std::uint64_t hash = hash64(request.fleet, hash64(request.party, players));
  return hash == 0 ? 1 : hash;
}

std::vector<std::string> shown_sessions(const ObservedInstance& seen) {
  std::vector<std::string> out;
  if (seen.state != InstanceState::Allocated) return out;
  const auto several = seen.annotations.find(kSessionsAnnotation);
  if (several != seen.annotations.end()) {
    std::string_view rest = several->second;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      if (end > 0) out.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (seen.session && std::find(out.begin(), out.end(), *seen.session) == out.end())
    out.push_back(*seen.session);
  return out;
}

// Somebody plays, or the game server does not say who does.
bool is_claimed(const ObservedInstance& seen) {
  return seen.state == InstanceState::Allocated && (seen.players > 0 || seen.capacity == 0);
}

}  // namespace

struct Allocator::State {
  explicit State(AllocatorLimits l) : limits(l) {}

  struct Totals {
    StageTotals totals;
    bool changed = false;
  };
  struct Place {
    InstanceSlot* slot = nullptr;
    BuildAssignment assignment;
  };

  AllocatorLimits limits;
  std::shared_ptr<const AllocationPlan> plan;
  std::map<std::string, InstancePool> pools;
  std::unordered_map<std::string, KnownSession> known;  // looked up, never walked
  DueQueue claims;                                      // sessions that nobody has claimed yet
  std::set<std::string>
      unclaimed;     // sessions that an instance shows, past their time to be claimed
  DueQueue endings;  // ended sessions, by when they are forgotten
  std::map<std::string, Instant> waiting;  // sessions that a full canary was refused to, since when
  DueQueue waiting_due;
  std::map<std::string, PaceBucket> paces;
  std::map<std::string, Totals> totals;  // of the present visit, by event
  std::vector<StageTotals> sealed;       // of visits that are over, not yet taken
  std::deque<ExposureRow> exposures;
  Instant last{};

  const FleetAllocationPlan* fleet_plan(const std::string& fleet) const {
    if (!plan) return nullptr;
    const auto at = plan->fleets.find(fleet);
    return at == plan->fleets.end() ? nullptr : &at->second;
  }

  // ---- publishing ----

  void take_layer(const CanaryLayer& layer) {
    paces[layer.event].set(layer.pace_per_minute, last);
    Totals& current = totals[layer.event];
    if (current.totals.revision == layer.revision && current.totals.visit == layer.visit) return;
    if (current.changed) sealed.push_back(current.totals);
    current = {{layer.event, layer.revision, layer.visit, layer.sessions_canary,
                layer.sessions_baseline, 0, 0},
               false};
  }

  void refresh_after(const FleetAllocationPlan* before, const std::string& fleet,
                     const FleetAllocationPlan& after) {
    InstancePool& pool = pools[fleet];
    const auto same_builds = [](const auto& a, const auto& b) {
      return a.first == b.first && a.second.quarantined == b.second.quarantined &&
             a.second.sessions_per_instance == b.second.sessions_per_instance;
    };
    const bool all = !before || before->reuse != after.reuse ||
                     before->quarantined_hosts != after.quarantined_hosts ||
                     before->quarantined_regions != after.quarantined_regions ||
                     before->quarantined_pairs != after.quarantined_pairs ||
                     !std::equal(before->builds.begin(), before->builds.end(), after.builds.begin(),
                                 after.builds.end(), same_builds);
    if (all) return pool.refresh_all(&after);
    std::vector<std::string> changed;
    std::set_symmetric_difference(before->withheld.begin(), before->withheld.end(),
                                  after.withheld.begin(), after.withheld.end(),
                                  std::back_inserter(changed));
    for (const std::string& id : changed) {
      if (InstanceSlot* slot = pool.find(id)) pool.refresh(slot, &after);
    }
  }

  void drop_ended_events() {
    std::set<std::string> present;
    for (const auto& [fleet, of_fleet] : plan->fleets) {
      for (const CanaryLayer& layer : of_fleet.layers) present.insert(layer.event);
    }
    std::erase_if(paces, [&](const auto& pace) { return !present.contains(pace.first); });
    std::erase_if(totals, [&](const auto& entry) {
      if (present.contains(entry.first)) return false;
      if (entry.second.changed) sealed.push_back(entry.second.totals);
      return true;
    });
  }

  // ---- observing ----

  void claim(const std::string& name, const KnownSession& session) {
    claims.remove(session.due, name);
    unclaimed.erase(name);
  }

  void end_session(const std::string& name, KnownSession* session, Instant now) {
    if (session->stage == SessionStage::Ended) return;
    claim(name, *session);
    session->stage = SessionStage::Ended;
    session->due = now + limits.remember;
    endings.add(session->due, name);
  }

  void forget(const std::string& name) {
    const auto at = known.find(name);
    if (at == known.end()) return;
    claim(name, at->second);
    endings.remove(at->second.due, name);
    known.erase(at);
  }

  // Ends those of the slot's sessions for which `ended` holds.
  template <class Ended>
  void end_sessions(InstanceSlot* slot, Instant now, Ended ended) {
    std::erase_if(slot->sessions, [&](const std::string& name) {
      const auto at = known.find(name);
      if (at == known.end()) return true;
      if (!ended(at->second)) return false;
      end_session(name, &at->second, now);
      return true;
    });
  }

  // A session that ran before this allocator was there.
  void restore(const std::string& fleet, InstanceSlot* slot, const ObservedInstance& seen,
               const std::string& name, Instant now) {
    if (known.contains(name) || known.size() >= limits.sessions_max) return;
    KnownSession session;
    Allocation& a = session.allocation;
    a = {name,       fleet, seen.id, seen.build, seen.region, seen.host, seen.address,
         seen.ports, {},    {},      now,        now,         false};
    if (const auto arms = seen.annotations.find(kArmsAnnotation); arms != seen.annotations.end()) {
      a.arms = arms_from_text(arms->second);
    }
    if (const auto party = seen.annotations.find("showcaller.dev/party");
        party != seen.annotations.end()) {
      a.unit_party = party->second;
    }
    session.stage = SessionStage::Running;
    known.emplace(name, std::move(session));
    slot->sessions.push_back(name);
  }

  void follow(const std::string& fleet, InstanceSlot* slot, const ObservedInstance& seen,
              bool is_new, Instant now) {
    if (slot->address != seen.address) slot->address = seen.address;
    if (slot->host != seen.host) slot->host = seen.host;
    if (slot->ports != seen.ports) slot->ports = seen.ports;
    slot->state = seen.state;
    slot->sessions_ended = seen.sessions_ended;
    if (is_new) {
      slot->given_last = seen.session.value_or("");
      for (const std::string& name : shown_sessions(seen)) restore(fleet, slot, seen, name, now);
    }
    if (slot->sessions.empty()) return;
    if (seen.state == InstanceState::Unhealthy || seen.state == InstanceState::Shutdown) {
      lose_sessions(slot);
    } else if (seen.state == InstanceState::Ready) {
      // Back from a session, even one that came and went between two looks.
      end_sessions(slot, now, [&](const KnownSession& s) {
        return s.stage == SessionStage::Running || seen.sessions_ended > s.ended_before;
      });
    } else if (is_taken(*slot, seen)) {
      lose_sessions(slot);
    } else if (seen.state == InstanceState::Allocated) {
      const bool claimed = is_claimed(seen);
      for (const std::string& name : slot->sessions) {
        const auto at = known.find(name);
        if (at == known.end() || at->second.stage == SessionStage::Ended) continue;
        if (at->second.stage == SessionStage::Given && !shows(seen, name)) continue;
        at->second.stage = SessionStage::Running;
        if (claimed) claim(name, at->second);
      }
    }
  }

  // It reserved itself, or runs sessions that nobody here knows: it has refused those that it was
  // given.
  bool is_taken(const InstanceSlot& slot, const ObservedInstance& seen) const {
    if (seen.state == InstanceState::Reserved) return true;
    const auto shown = shown_sessions(seen);
    return !shown.empty() && std::none_of(shown.begin(), shown.end(), [&](const auto& name) {
      return known.contains(name) || name == slot.given_before || name == slot.given_last;
    });
  }

  static bool shows(const ObservedInstance& seen, const std::string& name) {
    if (seen.session == name) return true;
    const auto several = seen.annotations.find(kSessionsAnnotation);
    if (several == seen.annotations.end()) return !seen.session;
    const auto names = shown_sessions(seen);
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  // The instance serves them no more: they may be given another.
  void lose_sessions(InstanceSlot* slot) {
    for (const std::string& name : slot->sessions) forget(name);
    slot->sessions.clear();
  }

  void lose(InstancePool* pool, InstanceSlot* slot) {
    lose_sessions(slot);
    pool->remove(slot);
  }

  // ---- allocating ----

  Result<Allocation> repeat(const KnownSession& session, const AllocationRequest& request) const {
    // Of a session that was found running, the fleet and the party are known.
    const Allocation& given = session.allocation;
    const bool same =
        session.fingerprint != 0
            ? session.fingerprint == fingerprint_of(request)
            : given.fleet == request.fleet && (request.party.empty() || given.unit_party.empty() ||
                                               request.party == given.unit_party);
    if (!same) {
      return fail(ErrorCode::Conflict, fmt::format("session {} was allocated for another fleet, "
                                                   "party or players; give each session an id "
                                                   "of its own",
                                                   request.session));
    }
    Allocation out = given;
    out.repeated = true;
    return out;
  }

  bool cannot_serve(const FleetAllocationPlan& of_fleet, InstancePool& pool,
                    const CanaryLayer& layer, const std::vector<std::string>& regions) const {
    const auto build = of_fleet.builds.find(layer.build);
    if (build == of_fleet.builds.end() || build->second.quarantined) return true;
    return std::none_of(regions.begin(), regions.end(), [&](const std::string& region) {
      return pool.has_any(layer.build, region);
    });
  }

  // Since when the session has been refused a full canary; false when it has just begun to wait.
  bool has_waited(const std::string& session, Instant now) {
    const auto at = waiting.find(session);
    if (at != waiting.end()) return now - at->second >= limits.spill_after;
    if (waiting.size() >= kWaitingMax) stop_waiting(std::string(waiting_due.first()->second));
    waiting.emplace(session, now);
    waiting_due.add(now, session);
    return false;
  }
  void stop_waiting(const std::string& session) {
    const auto at = waiting.find(session);
    if (at == waiting.end()) return;
    waiting_due.remove(at->second, session);
    waiting.erase(at);
  }

  StageTotals* totals_of(const std::string& event) {
    const auto at = totals.find(event);
    if (at == totals.end()) return nullptr;
    at->second.changed = true;
    return &at->second.totals;
  }

  std::unexpected<Error> refuse(const CanaryLayer* layer, std::string message) {
    if (layer) {
      if (StageTotals* of_stage = totals_of(layer->event)) ++of_stage->refused;
    }
    return fail(ErrorCode::Unavailable, std::move(message));
  }

  // An event draws once: what follows when its canary is skipped is no draw.
  static void note_draws(const std::vector<ArmAssignment>& arms,
                         std::vector<ArmAssignment>* drawn) {
    for (const ArmAssignment& arm : arms) {
      const bool known = std::any_of(drawn->begin(), drawn->end(), [&](const ArmAssignment& other) {
        return other.event == arm.event;
      });
      if (!known) drawn->push_back(arm);
    }
  }

  // The same arms in another region, if the nearest is full: a full region never moves a session to
  // the other arm.
  Result<Place> find_place(const FleetAllocationPlan& of_fleet, InstancePool& pool,
                           const AllocationRequest& request,
                           const std::vector<std::string>& regions,
                           const std::vector<const CanaryLayer*>& skip, Instant now,
                           std::vector<ArmAssignment>* drawn) {
    TRY(auto first, assign_build(of_fleet, request, regions.front(), skip, now));
    if (drawn) note_draws(first.arms, drawn);
    if (first.layer && !paces[first.layer->event].has_one(now))
      return Place{nullptr, std::move(first)};
    for (std::size_t i = 0; i < regions.size(); ++i) {
      if (i > 0) {
        const auto there = assign_build(of_fleet, request, regions[i], skip, now);
        if (!there || there->build != first.build || there->arms != first.arms) continue;
      }
      if (InstanceSlot* slot = pool.first_free(first.build, regions[i]))
        return Place{slot, std::move(first)};
    }
    return Place{nullptr, std::move(first)};
  }

  Result<Place> choose(const FleetAllocationPlan& of_fleet, InstancePool& pool,
                       const AllocationRequest& request, Instant now,
                       std::vector<ArmAssignment>* drawn) {
    TRY(const auto regions, candidate_regions(of_fleet, request));
    if (regions.empty())
      return fail(ErrorCode::Unavailable, fmt::format("fleet {} has no region", request.fleet));
    std::vector<const CanaryLayer*> skip;
    for (;;) {
      TRY(auto place, find_place(of_fleet, pool, request, regions, skip, now, drawn));
      const CanaryLayer* layer = place.assignment.layer;
      if (layer && exposures.size() + request.players.size() > limits.exposures_max) {
        return refuse(layer, "exposures wait to be written to the ledger; try again");
      }
      if (place.slot) return place;
      if (!layer) {
        return fail(ErrorCode::Unavailable,
                    fmt::format("no instance of fleet {} is free for build {}; try again",
                                request.fleet, place.assignment.build));
      }
      if (!paces[layer->event].has_one(now)) {
        return refuse(layer, fmt::format("{} takes {} new sessions a minute; try again",
                                         layer->event, paces[layer->event].per_minute()));
      }
      // Going to the baseline would bend the sample, so a canary that is full for a moment is
      // waited for. One that cannot serve at all, or stays full, must not keep people from playing.
      if (!cannot_serve(of_fleet, pool, *layer, regions) && !has_waited(request.session, now)) {
        return refuse(layer, fmt::format("no instance of fleet {} is free for build {}; try again",
                                         request.fleet, layer->build));
      }
      skip.push_back(layer);
    }
  }

  bool make_room() {
    while (known.size() >= limits.sessions_max) {
      const auto* oldest = endings.first();
      if (!oldest) return false;
      forget(std::string(oldest->second));
    }
    return true;
  }

  void count(const AllocationRequest& request, const Allocation& given) {
    for (const ArmAssignment& arm : given.arms) {
      StageTotals* of_stage = arm.counted || arm.spilled ? totals_of(arm.event) : nullptr;
      if (of_stage && arm.spilled) ++of_stage->spilled;
      if (of_stage && arm.counted)
        ++(arm.arm == Arm::Canary ? of_stage->canary : of_stage->baseline);
      if (arm.arm != Arm::Canary) continue;
      for (const AllocationPlayer& player : request.players) {
        exposures.push_back({arm.event, arm.revision, arm.visit, player.id, given.session,
                             given.fleet, given.region, given.at});
      }
    }
  }

  Allocation give(const FleetAllocationPlan& of_fleet, InstancePool& pool,
                  const AllocationRequest& request, Place place, Instant now) {
    InstanceSlot& slot = *place.slot;
    if (place.assignment.layer) paces[place.assignment.layer->event].take_one();
    KnownSession session;
    session.allocation = {request.session,
                          request.fleet,
                          slot.id,
                          slot.build,
                          slot.region,
                          slot.host,
                          slot.address,
                          slot.ports,
                          party_of(request),
                          std::move(place.assignment.arms),
                          now,
                          now + of_fleet.unclaimed_after,
                          false};
    session.fingerprint = fingerprint_of(request);
    session.ended_before = slot.sessions_ended;
    session.due = session.allocation.claim_by;
    claims.add(session.due, request.session);
    slot.sessions.push_back(request.session);
    slot.given_before = std::exchange(slot.given_last, request.session);
    pool.refresh(&slot, &of_fleet);
    stop_waiting(request.session);
    Allocation out = session.allocation;
    count(request, out);
    known.insert_or_assign(request.session, std::move(session));
    return out;
  }
};

Allocator::Allocator(AllocatorLimits limits) : state_(std::make_unique<State>(limits)) {}
Allocator::~Allocator() = default;

void Allocator::publish(std::shared_ptr<const AllocationPlan> plan) {
  State& s = *state_;
  if (!plan) return;
  if (s.plan &&
      (plan->epoch < s.plan->epoch || (plan->epoch == s.plan->epoch && plan->seq < s.plan->seq)))
    return;
  const std::shared_ptr<const AllocationPlan> before = std::exchange(s.plan, std::move(plan));
  for (const auto& [fleet, of_fleet] : s.plan->fleets) {
    for (const CanaryLayer& layer : of_fleet.layers) s.take_layer(layer);
    const FleetAllocationPlan* was = nullptr;
    if (before) {
      if (const auto at = before->fleets.find(fleet); at != before->fleets.end()) was = &at->second;
    }
    s.refresh_after(was, fleet, of_fleet);
  }
  s.drop_ended_events();
}

void Allocator::observe(const std::string& fleet, std::span<const ObservedInstance> observed,
                        Instant now) {
  State& s = *state_;
  s.last = std::max(s.last, now);
  InstancePool& pool = s.pools[fleet];
  const FleetAllocationPlan* plan = s.fleet_plan(fleet);
  for (InstanceSlot& slot : pool.slots()) slot.seen = false;
  InstanceSlot* slot = nullptr;
  for (const ObservedInstance& seen : observed) {
    if (seen.fleet != fleet) continue;
    slot = pool.find_after(slot, seen.id);
    if (seen.state == InstanceState::Exited) {
      if (slot) s.lose(&pool, slot);
      continue;
    }
    const bool is_new = !slot;
    if (is_new)
      slot = &pool.add(seen);
    else
      pool.rename(slot, seen);
    slot->seen = true;
    slot->last_seen = now;
    s.follow(fleet, slot, seen, is_new, now);
    pool.refresh(slot, plan);
  }
  // A driver may forget for a moment: what it does not show takes no session, but keeps those it
  // has for a while.
  for (InstanceSlot& slot : pool.slots()) {
    if (!slot.used || slot.seen) continue;
    if (now - slot.last_seen >= kForgetUnseenAfter)
      s.lose(&pool, &slot);
    else
      pool.refresh(&slot, plan);
  }
}

Result<Allocation> Allocator::allocate(const AllocationRequest& request, Instant now,
                                       std::vector<ArmAssignment>* drawn) {
  State& s = *state_;
  s.last = std::max(s.last, now);
  TRY(check(request, s.limits));
  if (const auto at = s.known.find(request.session); at != s.known.end())
    return s.repeat(at->second, request);
  if (!s.plan) return fail(ErrorCode::Unavailable, "no plan was published yet; try again");
  const FleetAllocationPlan* plan = s.fleet_plan(request.fleet);
  if (!plan)
    return fail(ErrorCode::NotFound,
                fmt::format("there is no fleet '{}'; apply one", request.fleet));
  InstancePool& pool = s.pools[request.fleet];
  TRY(auto place, s.choose(*plan, pool, request, now, drawn));
  if (!s.make_room())
    return fail(ErrorCode::Limit, "too many sessions are under way for this server");
  return s.give(*plan, pool, request, std::move(place), now);
}

NeighbourSessions Allocator::neighbours(const Allocation& allocation) const {
  const auto pool = state_->pools.find(allocation.fleet);
  if (pool == state_->pools.end()) return {};
  const InstanceSlot* slot = pool->second.find(allocation.instance);
  if (!slot) return {};
  NeighbourSessions out{slot->sessions, {}};
  std::erase(out.running, allocation.session);
  for (const std::string& shown : {slot->given_before, slot->given_last}) {
    const bool runs = shown == allocation.session ||
                      std::find(out.running.begin(), out.running.end(), shown) != out.running.end();
    if (!shown.empty() && !runs) out.over.push_back(shown);
  }
  return out;
}

bool Allocator::release(const std::string& session, Instant now) {
  State& s = *state_;
  const auto at = s.known.find(session);
  if (at == s.known.end()) return false;
  const Allocation& allocation = at->second.allocation;
  InstancePool& pool = s.pools[allocation.fleet];
  if (InstanceSlot* slot = pool.find(allocation.instance)) {
    std::erase(slot->sessions, session);
    pool.refresh(slot, s.fleet_plan(allocation.fleet));
  }
  s.end_session(session, &at->second, now);
  return true;
}

void Allocator::expire(Instant now) {
  State& s = *state_;
  s.last = std::max(s.last, now);
  while (const auto* due = s.claims.first()) {
    if (due->first > now) break;
    const std::string name = due->second;
    s.claims.remove(due->first, name);
    const auto at = s.known.find(name);
    if (at == s.known.end()) continue;
    const Allocation& allocation = at->second.allocation;
    if (at->second.stage == SessionStage::Running) {
      s.unclaimed.insert(name);
      continue;
    }
    InstancePool& pool = s.pools[allocation.fleet];
    if (InstanceSlot* slot = pool.find(allocation.instance)) {
      std::erase(slot->sessions, name);
      pool.refresh(slot, s.fleet_plan(allocation.fleet));
    }
    s.forget(name);
  }
  while (const auto* due = s.endings.first()) {
    if (due->first > now) break;
    s.forget(std::string(due->second));
  }
  while (const auto* due = s.waiting_due.first()) {
    if (now - due->first < s.limits.remember) break;
    s.stop_waiting(std::string(due->second));
  }
}

std::vector<std::string> Allocator::unclaimed(const std::string& fleet) const {
  std::set<std::string> out;
  for (const std::string& name : state_->unclaimed) {
    const auto at = state_->known.find(name);
    if (at != state_->known.end() && at->second.allocation.fleet == fleet)
      out.insert(at->second.allocation.instance);
  }
  return {out.begin(), out.end()};
}

std::vector<StageTotals> Allocator::take_totals() {
  State& s = *state_;
  std::vector<StageTotals> out = std::exchange(s.sealed, {});
  for (auto& [event, entry] : s.totals) {
    if (!std::exchange(entry.changed, false)) continue;
    out.push_back(entry.totals);
  }
  return out;
}

std::vector<ExposureRow> Allocator::take_exposures(std::size_t max) {
  auto& rows = state_->exposures;
  const auto end = rows.begin() + std::ptrdiff_t(std::min(max, rows.size()));
  std::vector<ExposureRow> out(std::make_move_iterator(rows.begin()), std::make_move_iterator(end));
  rows.erase(rows.begin(), end);
  return out;
}

std::size_t Allocator::sessions() const {
  return state_->known.size();
}

}  // namespace showcaller
