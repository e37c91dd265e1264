// SPDX-License-Identifier: Apache-2.0
#include "compute/fleet_planner.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compute/fleet_census.h"
#include "compute/fleet_demand.h"
#include "compute/start_culprit.h"

namespace showcaller {
namespace {

std::string how_it_ended(const InstanceExit& exit) {
  if (exit.signal != 0) return fmt::format("ended by signal {}", exit.signal);
  return fmt::format("exited with {}", exit.code);
}

// The whole root.
std::int64_t slack_of(std::int64_t desired) {
  std::int64_t root = 0;
  while ((root + 1) * (root + 1) <= desired) ++root;
  return root;
}

// The count of failures goes no further where more instances stay than end early: three are waited
// for four times as long as one.
constexpr std::int64_t kFewFailures = 3;

// So long an instance must have been ready before its start counts as a success.
Duration settle_time(const HealthSpec& health) {
  return std::max(health.start_timeout, kStartSettles);
}

Duration delay_after(const HealthSpec& health, std::int64_t failures) {
  Duration delay = health.backoff_first;
  for (std::int64_t i = 1; i < failures && delay < health.backoff_max; ++i) delay *= 2;
  return std::min(delay, health.backoff_max);
}

// One pass over one fleet. Each step reads the census as the steps before have left it.
class FleetPlanning {
 public:
  FleetPlanning(const World& world, const std::string& fleet,
                std::span<const ObservedInstance> observed, Instant now,
                const DemandOutlook* outlook)
      : world_(world),
        fleet_(fleet),
        now_(now),
        spec_(world.fleet(fleet)),
        census_(take_census(world, fleet, observed, now)),
        outlook_(outlook) {
    if (!spec_) spec_ = &kNoFleet;
    if (const FleetState* state = world.fleets.find(fleet)) state_ = state;
    layers_ = build_layers(world, fleet, *spec_);
  }

  std::vector<Payload> plan() && {
    lift_quarantines();
    for (CensusEntry& entry : census_.entries) settle(&entry);
    adopt_strangers();
    delay_failed_starts();
    count();
    stop_what_has_to_go();
    for (const auto& [key, demand] : demand_) shrink(key, demand);
    for (const auto& [key, demand] : demand_) grow(key, demand);
    return std::move(out_);
  }

 private:
  static const FleetSpec kNoFleet;  // A fleet whose manifest is gone wants nothing.

  void move(CensusEntry* entry, InstancePhase to, std::string reason) {
    InstanceMoved moved{fleet_, entry->instance->id, to, std::move(reason), {}, {}};
    if (to == InstancePhase::Gone && entry->seen && entry->seen->exit) {
      if (entry->seen->exit->signal != 0)
        moved.signal = entry->seen->exit->signal;
      else
        moved.exit_code = entry->seen->exit->code;
    }
    out_.push_back(std::move(moved));
    entry->phase = to;
    entry->since = now_;
  }

  void fail_start(const CensusEntry& entry) { ++failed_[place_of(entry)]; }

  // Ready for a moment and of no use to anybody: started for nothing, whatever it said. With a
  // session it is another matter: what happens to matches is for gates to judge.
  void fail_start_if_early(const CensusEntry& entry) {
    const ObservedInstance& seen = *entry.seen;
    const Duration settles = settle_time(spec_->health);
    const bool early = now_ - entry.since < settles &&
                       now_ - seen.started_at < settles + spec_->health.start_timeout;
    if (!early || seen.session || seen.sessions_ended > 0) return;
    fail_start(entry);
    unsteady_builds_.insert(entry.instance->build);
  }

  // ---- quarantines that are over ----

  void lift_quarantines() {
    for (const QuarantineEntry& entry : quarantines_of(world_, fleet_)) {
      const bool expired = is_expired(entry.quarantine, now_);
      const bool gone = entry.scope == QuarantineScope::Instance &&
                        !world_.instances.contains(instance_key(fleet_, entry.subject));
      if (!expired && !gone) continue;
      out_.push_back(QuarantineLifted{entry.scope, fleet_, entry.subject,
                                      expired ? "its time is over" : "the instance is gone"});
    }
  }

  // ---- what each instance has become ----

  void settle(CensusEntry* entry) {
    if (!entry->seen) return settle_unseen(entry);
    if (entry->seen->state == InstanceState::Exited) return settle_exited(entry);
    switch (entry->phase) {
      case InstancePhase::Wanted:
        return settle_starting(entry);
      case InstancePhase::Ready:
      case InstancePhase::Draining:
        return settle_running(entry);
      case InstancePhase::Unhealthy:
        return settle_unhealthy(entry);
      case InstancePhase::Stopping:
      case InstancePhase::Gone:
        return;
    }
  }

  // A driver may forget for a while. What it does not show is first distrusted, then given up.
  void settle_unseen(CensusEntry* entry) {
    const Duration patience = spec_->health.period * std::max(1, spec_->health.failures);
    switch (entry->phase) {
      case InstancePhase::Wanted:
        if (now_ - entry->since < spec_->health.start_timeout) return;
        fail_start(*entry);
        return move(entry, InstancePhase::Gone, "its driver never showed it");
      case InstancePhase::Ready:
      case InstancePhase::Draining:
        return move(entry, InstancePhase::Unhealthy, "its driver does not show it");
      case InstancePhase::Unhealthy:
        if (now_ - entry->since >= patience)
          move(entry, InstancePhase::Gone, "its driver shows it no more");
        return;
      case InstancePhase::Stopping:
        return move(entry, InstancePhase::Gone, "stopped");
      case InstancePhase::Gone:
        return;
    }
  }

  void settle_exited(CensusEntry* entry) {
    const InstanceExit exit = entry->seen->exit.value_or(InstanceExit{});
    std::string how = how_it_ended(exit);
    if (entry->phase == InstancePhase::Wanted && !entry->seen->was_ready) {
      fail_start(*entry);
      return move(entry, InstancePhase::Gone, how + " before it was ready");
    }
    const bool served =
        entry->phase == InstancePhase::Wanted || entry->phase == InstancePhase::Ready;
    if (served && !exit.wanted) fail_start_if_early(*entry);
    if (entry->seen->session && !exit.wanted)
      how += fmt::format("; session {} ran on it", *entry->seen->session);
    move(entry, InstancePhase::Gone, std::move(how));
  }

  // The driver tells the start by the wall clock. Where that has stepped back since, it says
  // nothing.
  Duration starting_for(const CensusEntry& entry) const {
    const Duration asked = now_ - entry.since;
    const Duration started = world_.wall(now_) - entry.seen->started_at;
    return started < Duration{} ? asked : std::min(asked, started);
  }

  void settle_starting(CensusEntry* entry) {
    const ObservedInstance& seen = *entry->seen;
    switch (seen.state) {
      case InstanceState::Ready:
      case InstanceState::Reserved:
      case InstanceState::Allocated:
        return move(entry, InstancePhase::Ready, "ready");
      case InstanceState::Starting:
        if (starting_for(*entry) <= spec_->health.start_timeout) return;
        fail_start(*entry);
        return move(
            entry, InstancePhase::Stopping,
            fmt::format("not ready within {}", format_duration(spec_->health.start_timeout)));
      case InstanceState::Unhealthy:
      case InstanceState::Shutdown:
        if (!seen.was_ready)
          fail_start(*entry);
        else if (seen.state == InstanceState::Unhealthy)
          fail_start_if_early(*entry);
        return move(entry, InstancePhase::Stopping,
                    seen.state == InstanceState::Shutdown ? "it asked to end"
                                                          : "unhealthy before it was ready");
      case InstanceState::Exited:
        return;
    }
  }

  void settle_running(CensusEntry* entry) {
    if (entry->seen->state == InstanceState::Shutdown)
      return move(entry, InstancePhase::Stopping, "it asked to end");
    const bool used_up = !spec_->reuse && entry->seen->sessions_ended > 0;
    if (used_up && entry->seen->state == InstanceState::Ready && entry->idle())
      return move(entry, InstancePhase::Stopping, "its session is over, and it is used once");
    if (entry->seen->unclaimed && entry->seen->state == InstanceState::Allocated) {
      return move(
          entry, InstancePhase::Stopping,
          fmt::format("nobody came to session {} within {}", entry->seen->session.value_or("?"),
                      format_duration(spec_->unclaimed_after)));
    }
    if (entry->seen->state != InstanceState::Unhealthy) return;
    if (entry->phase == InstancePhase::Ready && entry->sessions == 0) fail_start_if_early(*entry);
    const std::string missed =
        spec_->health.probe ? "missed its health pings or probes" : "missed its health pings";
    move(entry, InstancePhase::Unhealthy, missed);
    if (entry->sessions == 0) return move(entry, InstancePhase::Stopping, "unhealthy and idle");
    // It may recover and end its session, but is not trusted with another one.
    const Duration length = spec_->health.quarantine_for;
    out_.push_back(QuarantineSet{
        QuarantineScope::Instance, fleet_, entry->instance->id,
        length.count() == 0 ? Instant{} : now_ + length,
        fmt::format("instance {} {} while a session ran", entry->instance->id, missed)});
    entry->isolated = entry->must_empty = true;
  }

  void settle_unhealthy(CensusEntry* entry) {
    const Duration patience = spec_->health.period * std::max(1, spec_->health.failures);
    switch (entry->seen->state) {
      case InstanceState::Ready:
      case InstanceState::Reserved:
      case InstanceState::Allocated:
        return move(entry, InstancePhase::Ready, "healthy again");
      case InstanceState::Shutdown:
        return move(entry, InstancePhase::Stopping, "it asked to end");
      case InstanceState::Unhealthy:
      case InstanceState::Starting:
        if (entry->sessions == 0) return move(entry, InstancePhase::Stopping, "unhealthy and idle");
        if (now_ - entry->since < patience) return;
        return move(entry, InstancePhase::Stopping, "unhealthy; its session is lost");
      case InstanceState::Exited:
        return;
    }
  }

  // A living instance is always adopted, so that no match is cut and nothing runs unseen.
  void adopt_strangers() {
    for (const ObservedInstance* seen : census_.strangers) {
      const bool living =
          seen->state == InstanceState::Starting || seen->state == InstanceState::Ready ||
          seen->state == InstanceState::Reserved || seen->state == InstanceState::Allocated;
      if (!living || !spec_->build(seen->build)) continue;
      out_.push_back(InstanceRequested{fleet_, seen->id, seen->build, seen->region, seen->host});
      ++requested_;
      if (seen->state != InstanceState::Starting) {
        out_.push_back(
            InstanceMoved{fleet_, seen->id, InstancePhase::Ready, "found running", {}, {}});
      }
      adopted_.push_back({fleet_,
                          seen->id,
                          seen->build,
                          seen->region,
                          seen->host,
                          InstancePhase::Wanted,
                          false,
                          now_,
                          {}});
    }
    for (std::size_t i = 0, next = 0; i < census_.strangers.size() && next < adopted_.size(); ++i) {
      const ObservedInstance* seen = census_.strangers[i];
      const Instance& instance = adopted_[next];
      if (seen->id != instance.id) continue;
      ++next;
      CensusEntry entry{&instance, seen, InstancePhase::Ready, now_, sessions_on(*seen),
                        false,     false};
      if (seen->state == InstanceState::Starting) entry.phase = InstancePhase::Wanted;
      entry.isolated =
          census_.quarantines.isolates(instance.id, instance.build, instance.region, instance.host);
      entry.must_empty = census_.quarantines.empties(instance.id, instance.region, instance.host);
      census_.entries.push_back(entry);
    }
  }

  // ---- failures: back-off, then the culprit ----

  void delay_failed_starts() {
    if (state_) delays_ = state_->delays;
    forgive_what_settled();
    for (const auto& [place, count] : failed_) {
      StartDelay& delay = delays_[key_of(place)];
      delay.failures += count;
      // Where most stay, the fleet must still be able to grow.
      const bool few = unsteady_builds_.contains(place.build) &&
                       outnumber_failures([&](const StartPlace& p) { return p == place; });
      if (few) delay.failures = std::min(delay.failures, kFewFailures);
      delay.until = now_ + delay_after(spec_->health, delay.failures);
      out_.push_back(StartsDelayed{fleet_, place.build, place.region, place.host, delay.failures,
                                   delay.until});
    }
    if (failed_.empty()) return;

    std::vector<FailingStart> failing;
    for (const auto& [key, delay] : delays_) {
      const StartPlace place = place_of(key);
      const bool few =
          unsteady_builds_.contains(place.build) &&
          outnumber_failures([&](const StartPlace& p) { return p.build == place.build; });
      if (!few && !census_.quarantines.forbids_start(place.build, place.region, place.host)) {
        failing.push_back({place, delay.failures});
      }
    }
    const std::vector<StartPlace> places = running_places();
    for (Culprit& culprit : name_culprits(failing, places, spec_->health.quarantine_after))
      quarantine(std::move(culprit));
  }

  // Where builds run: what runs is not to be blamed. Of a build that ends soon after it was ready,
  // those that have not lasted yet prove nothing.
  std::vector<StartPlace> running_places() const {
    std::set<StartPlace> out;
    for (const CensusEntry& entry : census_.entries) {
      const bool proves = now_ - entry.since >= settle_time(spec_->health) ||
                          !unsteady_builds_.contains(entry.instance->build);
      if (works(entry) && proves) out.insert(place_of(entry));
    }
    return {out.begin(), out.end()};
  }

  // More are there, or on their way, than have failed in a row. A few that end early among many say
  // nothing of the build, or of the place.
  template <class Holds>
  bool outnumber_failures(Holds holds) const {
    std::int64_t more = 0;
    for (const auto& [key, delay] : delays_) more -= holds(place_of(key)) ? delay.failures : 0;
    for (const CensusEntry& entry : census_.entries) {
      const bool there = works(entry) || (entry.alive() && entry.phase == InstancePhase::Wanted);
      more += there && holds(place_of(entry)) ? 1 : 0;
    }
    return more > 0;
  }

  static bool works(const CensusEntry& entry) {
    return entry.alive() &&
           (entry.phase == InstancePhase::Ready || entry.phase == InstancePhase::Draining);
  }

  // A start after the last failure has lasted: the failures are over.
  void forgive_what_settled() {
    if (delays_.empty()) return;
    for (const CensusEntry& entry : census_.entries) {
      if (!entry.alive() || entry.phase != InstancePhase::Ready) continue;
      const auto delay = delays_.find(key_of(place_of(entry)));
      if (delay == delays_.end() || !is_ready_since_failure(entry, delay->second)) continue;
      if (now_ - entry.since < settle_time(spec_->health)) {
        recovering_.insert(delay->first);
        continue;
      }
      const StartPlace place = place_of(entry);
      out_.push_back(StartsDelayed{fleet_, place.build, place.region, place.host, 0, Instant{}});
      delays_.erase(delay);
    }
  }

  bool is_ready_since_failure(const CensusEntry& entry, const StartDelay& delay) const {
    return entry.since > delay.until - delay_after(spec_->health, delay.failures);
  }

  void quarantine(Culprit culprit) {
    const Duration length = spec_->health.quarantine_for;
    FleetQuarantines& q = census_.quarantines;
    (culprit.scope == QuarantineScope::Host     ? q.hosts
     : culprit.scope == QuarantineScope::Region ? q.regions
                                                : q.builds)
        .insert(culprit.subject);
    for (CensusEntry& entry : census_.entries) {
      const Instance& i = *entry.instance;
      entry.isolated = entry.isolated || q.isolates(i.id, i.build, i.region, i.host);
      entry.must_empty = entry.must_empty || q.empties(i.id, i.region, i.host);
    }
    out_.push_back(QuarantineSet{culprit.scope, fleet_, std::move(culprit.subject),
                                 length.count() == 0 ? Instant{} : now_ + length,
                                 std::move(culprit.reason)});
  }

  static std::string key_of(const StartPlace& place) {
    return fmt::format("{}/{}/{}", place.build, place.region, place.host);
  }
  static StartPlace place_of(const CensusEntry& entry) {
    return {entry.instance->build, entry.instance->region, entry.instance->host};
  }
  static StartPlace place_of(const std::string& key) {
    const std::size_t first = key.find('/'), last = key.rfind('/');
    if (first == std::string::npos || first == last) return {key, {}, {}};
    return {key.substr(0, first), key.substr(first + 1, last - first - 1), key.substr(last + 1)};
  }

  // ---- how many there are, and should be ----

  struct Group {
    std::vector<CensusEntry*> entries;
    std::int64_t serving = 0, starting = 0, living = 0;
    Instant grown{};  // when the youngest that serves was wanted or became ready
  };

  static bool same_place(const Instance* a, const Instance* b) {
    return a && a->build == b->build && a->region == b->region && a->host == b->host;
  }

  void count() {
    std::map<BuildRegion, BuildUse> use;
    std::map<BuildRegion, std::int64_t> sessions;
    const Instance* last = nullptr;
    BuildRegion key;
    Group* of_key = nullptr;
    std::int64_t *on_host = nullptr, *living = nullptr;
    for (CensusEntry& entry : census_.entries) {
      if (entry.phase == InstancePhase::Gone) continue;
      const Instance& instance = *entry.instance;
      if (!same_place(last, &instance)) {  // Most stand beside their like.
        last = &instance;
        key = {instance.build, instance.region};
        of_key = &groups_[key];
        on_host = &on_host_[instance.host];
        living = &living_[instance.region];
      }
      Group& group = *of_key;
      group.entries.push_back(&entry);
      ++*on_host;
      if (entry.phase != InstancePhase::Stopping) ++*living;
      if (entry.serves()) {
        ++group.serving;
        group.starting += entry.phase == InstancePhase::Wanted;
        group.grown = std::max(group.grown, entry.since);
      }
      if (entry.idle() || entry.phase == InstancePhase::Stopping) continue;
      if (entry.phase == InstancePhase::Draining || entry.isolated)
        ++use[key].draining;
      else
        sessions[key] += std::max<std::int64_t>(1, entry.sessions);
    }
    for (const auto& [key, count] : sessions) {
      const BuildSpec* build = spec_->build(key.first);
      const std::int64_t each = build ? std::max(1, build->sessions_per_instance) : 1;
      use[key].instances = (count + each - 1) / each;
    }
    std::vector<std::string> quarantined(census_.quarantines.builds.begin(),
                                         census_.quarantines.builds.end());
    if (spec_ == &kNoFleet) return;
    demand_ = fleet_demand(*spec_, layers_, use, quarantined, now_,
                           room_ahead(world_, fleet_, *spec_, outlook_, now_));
  }

  void stop_what_has_to_go() {
    const auto cuts = cut_builds(world_, fleet_);
    const Instance* last = nullptr;
    bool wanted = false;
    for (CensusEntry& entry : census_.entries) {
      const Instance& instance = *entry.instance;
      if (!same_place(last, &instance))
        wanted = demand_.contains({instance.build, instance.region});
      last = &instance;
      const bool has_to_go = !wanted || entry.must_empty;
      if (entry.phase == InstancePhase::Wanted && (has_to_go || withdrawn(entry))) {
        if (entry.seen)
          move(&entry, InstancePhase::Stopping, why_to_go(entry, wanted));
        else
          move(&entry, InstancePhase::Gone, why_to_go(entry, wanted) + "; it was not started yet");
      } else if (entry.phase == InstancePhase::Ready && has_to_go) {
        move(&entry, InstancePhase::Draining, why_to_go(entry, wanted));
      } else if (entry.phase == InstancePhase::Draining) {
        if (entry.idle() && now_ - entry.since >= kDrainSettles) {
          move(&entry, InstancePhase::Stopping, "drained");
        } else if (!wanted && is_cut(cuts, instance.build)) {
          move(&entry, InstancePhase::Stopping,
               "the drain is over, and the manifest ends what still runs");
        }
      }
    }
  }

  // Not started yet, and now forbidden to.
  bool withdrawn(const CensusEntry& entry) const {
    const Instance& i = *entry.instance;
    return !entry.seen && census_.quarantines.forbids_start(i.build, i.region, i.host);
  }

  std::string why_to_go(const CensusEntry& entry, bool wanted) const {
    if (!wanted)
      return fmt::format("build {} is not wanted in {}", entry.instance->build,
                         entry.instance->region);
    return "quarantined";
  }

  bool is_cut(const std::vector<CutBuild>& cuts, const std::string& build) const {
    return std::any_of(cuts.begin(), cuts.end(),
                       [&](const CutBuild& cut) { return cut.build == build && cut.from <= now_; });
  }

  // A region at its limit where another build needs the room.
  bool is_pressed(const BuildRegion& key) const {
    std::int64_t missing = 0;
    for (const auto& [other, demand] : demand_) {
      if (other.second != key.second || other.first == key.first) continue;
      const auto at = groups_.find(other);
      missing += std::max<std::int64_t>(
          0, demand.desired - (at == groups_.end() ? 0 : at->second.serving));
    }
    const auto living = living_.find(key.second);
    return missing > 0 &&
           (living == living_.end() ? 0 : living->second) + missing > spec_->capacity.instances_max;
  }

  void shrink(const BuildRegion& key, const BuildDemand& demand) {
    const auto at = groups_.find(key);
    if (at == groups_.end()) return;
    Group& group = at->second;
    std::int64_t surplus = group.serving - demand.desired;
    if (surplus <= 0) return;
    // Steady load must not make instances come and go: nothing goes soon after growth, and what
    // chance alone may need again (the root of what is wanted) stays for long.
    if (demand.expects_sessions && demand.desired > 0 && !is_pressed(key)) {
      const std::int64_t slack = std::max<std::int64_t>(1, slack_of(demand.desired));
      const Duration quiet = now_ - group.grown;
      if (quiet < kScaleDownAfter) return;
      if (quiet < kTrimAfter) surplus -= slack;
    }
    const auto younger = [](const CensusEntry* a, const CensusEntry* b) {
      const auto age = [](const CensusEntry* e) {
        return std::tuple(e->phase == InstancePhase::Ready, e->since);
      };
      return age(a) != age(b) ? age(a) > age(b) : a->instance->id > b->instance->id;
    };
    std::vector<CensusEntry*> candidates;
    for (CensusEntry* entry : group.entries) {
      const bool ready = entry->phase == InstancePhase::Ready && entry->seen &&
                         entry->seen->state == InstanceState::Ready;
      if (ready && entry->serves() && entry->idle()) candidates.push_back(entry);
    }
    std::sort(candidates.begin(), candidates.end(), younger);
    for (CensusEntry* entry : candidates) {
      if (surplus-- <= 0) break;
      move(entry, InstancePhase::Draining, "more than is needed");
      --group.serving;
    }
  }

  void grow(const BuildRegion& key, const BuildDemand& demand) {
    Group& group = groups_[key];
    std::int64_t& living = living_[key.second];
    std::int64_t missing = demand.desired - group.serving;
    while (missing-- > 0 && starts_ < kStartsPerPassMax && living < spec_->capacity.instances_max) {
      const std::string* host = host_for(key);
      if (!host) return;
      request(key, *host);
      ++living;
    }
  }

  // The host of the region with the fewest instances, of those where the build may start now.
  const std::string* host_for(const BuildRegion& key) {
    const auto region = std::find_if(spec_->regions.begin(), spec_->regions.end(),
                                     [&](const RegionSpec& r) { return r.name == key.second; });
    if (region == spec_->regions.end()) return nullptr;
    const std::string* best = nullptr;
    std::int64_t fewest = 0;
    const auto consider = [&](const std::string& host) {
      if (census_.quarantines.forbids_start(key.first, key.second, host)) return;
      const auto delay = delays_.find(key_of({key.first, key.second, host}));
      if (delay != delays_.end()) {
        // After a failure one start at a time, until one is ready, and only when its delay is over.
        const bool recovers = recovering_.contains(delay->first);
        if (now_ < delay->second.until || (!recovers && is_starting(key, host))) return;
      }
      const std::int64_t count = on_host_[host];
      if (best && count >= fewest) return;
      best = &host;
      fewest = count;
    };
    if (region->hosts.empty()) consider(region->name);
    for (const std::string& host : region->hosts) consider(host);
    return best;
  }

  bool is_starting(const BuildRegion& key, const std::string& host) const {
    if (requested_at_.contains({key.first, key.second, host})) return true;
    const auto at = groups_.find(key);
    return at != groups_.end() && std::any_of(at->second.entries.begin(), at->second.entries.end(),
                                              [&](const CensusEntry* entry) {
                                                return entry->instance->host == host &&
                                                       entry->phase == InstancePhase::Wanted;
                                              });
  }

  void request(const BuildRegion& key, const std::string& host) {
    out_.push_back(InstanceRequested{fleet_, next_id(), key.first, key.second, host});
    ++requested_;
    ++starts_;
    ++on_host_[host];
    requested_at_.insert({key.first, key.second, host});
  }

  // "raid-17"; after a restore "raid-7f3a1c-17", for the serials of the lost records may still run.
  // Serials are not used twice; one that a stranger holds is passed over.
  std::string next_id() {
    const std::uint64_t first = state_ ? state_->next_instance : 1;
    serial_ = std::max(serial_, first + requested_);
    for (;; ++serial_) {
      std::string id = fmt::format("{}-{}{}{}", fleet_.substr(0, 40), world_.lineage,
                                   world_.lineage.empty() ? "" : "-", serial_);
      const bool taken = world_.instances.contains(instance_key(fleet_, id)) ||
                         std::any_of(census_.strangers.begin(), census_.strangers.end(),
                                     [&](const ObservedInstance* seen) { return seen->id == id; });
      if (taken) continue;
      ++serial_;
      return id;
    }
  }

  const World& world_;
  const std::string& fleet_;
  Instant now_;
  const FleetSpec* spec_;
  const FleetState* state_ = nullptr;
  FleetCensus census_;
  const DemandOutlook* outlook_;
  std::vector<BuildLayer> layers_;
  std::vector<Instance> adopted_;
  std::map<StartPlace, std::int64_t> failed_;  // in this pass
  std::set<std::string> unsteady_builds_;      // of which one ended soon after it was ready
  std::set<std::string> recovering_;           // keys of delays: one is ready since, not for long
  std::map<std::string, StartDelay> delays_;
  std::map<BuildRegion, Group> groups_;
  std::map<BuildRegion, BuildDemand> demand_;
  std::map<std::string, std::int64_t> living_;  // by region
  std::map<std::string, std::int64_t> on_host_;
  std::set<StartPlace> requested_at_;
  std::uint64_t requested_ = 0, serial_ = 0;
  std::size_t starts_ = 0;
  std::vector<Payload> out_;
};

const FleetSpec FleetPlanning::kNoFleet{};

}  // namespace

std::vector<Payload> plan_fleet(const World& world, const std::string& fleet,
                                std::span<const ObservedInstance> observed, Instant now,
                                const DemandOutlook* outlook) {
  return FleetPlanning(world, fleet, observed, now, outlook).plan();
}

}  // namespace showcaller
