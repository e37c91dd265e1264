// SPDX-License-Identifier: Apache-2.0
#include "sim/evidence_level.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "sim/session_level.h"

namespace showcaller::sim {
namespace {

bool has(const std::vector<std::string>& sorted, const std::string& name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

// Of a site that does.
bool takes_sessions(const VirtualInstance& instance, const FleetAllocationPlan& plan) {
  const ObservedInstance& seen = instance.seen;
  const bool open = seen.state == InstanceState::Ready || seen.state == InstanceState::Allocated;
  if (!open || !instance.has_room()) return false;
  if (!plan.reuse && instance.sessions_ended > 0) return false;
  return !has(plan.withheld, seen.id) && !has(plan.quarantined_hosts, seen.host) &&
         (plan.quarantined_pairs.empty() ||
          !has(plan.quarantined_pairs, seen.build + "@" + seen.host));
}

}  // namespace

EvidenceLevel::EvidenceLevel(Truth* truth, VirtualFleet* fleet, std::string event,
                             std::uint64_t seed)
    : truth_(truth), fleet_(fleet), event_(std::move(event)), random_(seed), said_(new_log()) {
  fleet_->show_numbers_alone();
}

// A new process knows nothing of the hour before, as on stage.
void EvidenceLevel::open(Host* host, const Assigner* assigner) {
  host_ = host;
  assigner_ = assigner;
  known_.clear();
  version_ = 0;
  said_ = new_log();
  judged_.clear();
  history_ = BaselineHistory();
  unlearned_ = unfelt_ = 0;
}

SaidLog EvidenceLevel::new_log() const {
  return {truth_->metrics().size(), BaselineHistory::kBucket,
          BaselineHistory::kBuckets * BaselineHistory::kBucket};
}

void EvidenceLevel::begin_step(Duration) {
  said_.turn_to(host_->engine().now(), least_unread());
  places_are_known_ = false;
}

// ---- who goes where ----

// Once a step, when those have left who were to.
void EvidenceLevel::find_places() {
  if (std::exchange(places_are_known_, true)) return;
  const auto plan = assigner_->plan();
  for (Site& site : sites_) {
    site.with_room.clear();
    site.has_any = false;
    const auto fleet = plan->fleets.find(site.fleet);
    site.plan = fleet == plan->fleets.end() ? nullptr : &fleet->second;
  }
  for (auto& [id, instance] : fleet_->instances()) {
    if (instance.seen.state == InstanceState::Exited) continue;
    Site& site = sites_[site_of(instance)];
    if (!site.plan || fleet_->is_cut_off(site.region)) continue;
    site.has_any = site.has_any || instance.seen.was_ready;
    if (takes_sessions(instance, *site.plan)) site.with_room.push_back(&instance);
  }
  for (Site& site : sites_) {
    if (!site.plan) continue;
    const auto build = site.plan->builds.find(site.build);
    const bool closed = build == site.plan->builds.end() || build->second.quarantined ||
                        has(site.plan->quarantined_regions, site.region);
    if (closed) site.with_room.clear();
  }
}

std::size_t EvidenceLevel::site_of(const VirtualInstance& instance) {
  if (instance.number >= site_of_.size()) site_of_.resize(instance.number + 1);
  std::uint32_t& known = site_of_[instance.number];
  if (known != 0) return known - 1;
  const ObservedInstance& seen = instance.seen;
  const auto same = [&](const Site& site) {
    return site.fleet == seen.fleet && site.build == seen.build && site.region == seen.region;
  };
  auto at = std::find_if(sites_.begin(), sites_.end(), same);
  if (at == sites_.end()) {
    const auto fleet = assigner_->plan()->fleets.find(seen.fleet);
    at = sites_.insert(sites_.end(), Site{seen.fleet, seen.build, seen.region});
    const auto& regions = truth_->population().regions;
    at->home =
        std::size_t(std::ranges::find(regions, seen.region, &RegionCrowd::name) - regions.begin());
    if (fleet != assigner_->plan()->fleets.end()) at->plan = &fleet->second;
  }
  known = std::uint32_t(at - sites_.begin()) + 1;
  know_place(instance);
  return known - 1;
}

void EvidenceLevel::know_place(const VirtualInstance& instance) {
  running_.resize(site_of_.size());
  place_names_.resize(site_of_.size());
  place_names_[instance.number] = instance.seen.id;
  place_ranks_.clear();
}

void EvidenceLevel::find_sites(Kind* kind) const {
  for (std::size_t i = kind->sites_known; i < sites_.size(); ++i) {
    if (sites_[i].fleet == kind->fleet && sites_[i].build == kind->build) kind->sites.push_back(i);
  }
  kind->sites_known = sites_.size();
}

bool EvidenceLevel::is_in_reach(const Kind& kind) const {
  return std::any_of(kind.sites.begin(), kind.sites.end(),
                     [&](std::size_t site) { return sites_[site].has_any; });
}

VirtualInstance* EvidenceLevel::any_with_room(Site* site) {
  std::vector<VirtualInstance*>& with_room = site->with_room;
  while (!with_room.empty()) {
    const std::size_t at = random_.below(with_room.size());
    VirtualInstance* instance = with_room[at];
    if (instance->has_room()) return instance;
    with_room[at] = with_room.back();
    with_room.pop_back();
  }
  return nullptr;
}

// In the visit's own region, else in another.
VirtualInstance* EvidenceLevel::place_for(const Visit& visit, Kind* kind) {
  if (kind->sites_known != sites_.size()) find_sites(kind);
  for (const bool at_home : {true, false}) {
    for (const std::size_t i : kind->sites) {
      Site& site = sites_[i];
      if ((site.home == visit.door.region) != at_home) continue;
      if (VirtualInstance* instance = any_with_room(&site)) return instance;
    }
  }
  return nullptr;
}

// A party is asked for once, until somebody may be assigned otherwise.
void EvidenceLevel::find_kinds(const Arrivals& arrivals) {
  kinds_of_all_.resize(arrivals.size());
  if (assigner_->draws_sessions()) {
    for (std::size_t i = 0; i < arrivals.size(); ++i)
      kinds_of_all_[i] = ask(arrivals.visit(i), nullptr);
    return;
  }
  std::vector<std::uint16_t>& known = known_at(arrivals);
  for (const std::uint32_t party : arrivals.parties) __builtin_prefetch(&known[party]);
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    std::uint16_t& kind = known[arrivals.parties[i]];
    if (kind == 0) kind = ask(arrivals.visit(i), nullptr);
    kinds_of_all_[i] = kind;
  }
}

std::vector<std::uint16_t>& EvidenceLevel::known_at(const Arrivals& arrivals) {
  if (version_ != assigner_->version()) {
    known_.clear();
    version_ = assigner_->version();
  }
  if (arrivals.door_index >= known_.size()) known_.resize(arrivals.door_index + 1);
  std::vector<std::uint16_t>& known = known_[arrivals.door_index];
  if (known.empty()) {
    const Population& population = truth_->population();
    known.resize(population.parties(population.regions[arrivals.door.region]));
  }
  return known;
}

std::uint16_t EvidenceLevel::ask(const Visit& visit, const CanaryLayer* skip) {
  const AllocationRequest& request = requests_.of(truth_->population(), visit);
  Kind kind;
  kind.fleet = request.fleet;
  kind.flag_arms = assigner_->flags(request);
  kind.canary = on_canary(kind.flag_arms, event_);
  if (!request.fleet.empty()) {
    std::vector<const CanaryLayer*> skipped;
    if (skip) skipped.push_back(skip);
    auto assigned = assigner_->builds(request, skipped);
    kind.served = assigned.has_value();
    if (assigned) {
      kind.build = assigned->build;
      kind.arms = std::move(assigned->arms);
      if (assigned->layer) kind.layer = assigned->layer->event;
      kind.canary = kind.canary || on_canary(kind.arms, event_);
    }
  }
  kind.drawn = drawn_for(visit, kind);
  return known_kind(std::move(kind));
}

std::uint16_t EvidenceLevel::known_kind(Kind kind) {
  // The newest first: those of earlier stages do not come again.
  for (std::size_t i = kinds_.size() - 1; i > 0; --i) {
    if (!(kinds_[i] == kind)) continue;
    kinds_[i].drawn = std::move(kind.drawn);
    return std::uint16_t(i);
  }
  CHECK(kinds_.size() <= std::numeric_limits<std::uint16_t>::max());  // Layers and arms are few.
  find_listeners(&kind);
  kinds_.push_back(std::move(kind));
  return std::uint16_t(kinds_.size() - 1);
}

const CanaryLayer* EvidenceLevel::layer_of(const Visit& visit, const std::string& event) const {
  const auto fleet = assigner_->plan()->fleets.find(visit.door.fleet);
  if (fleet == assigner_->plan()->fleets.end()) return nullptr;
  for (const CanaryLayer& layer : fleet->second.layers) {
    if (layer.event == event) return &layer;
  }
  return nullptr;
}

PaceBucket* EvidenceLevel::pace_of(const Visit& visit, const std::string& event) {
  const CanaryLayer* layer = layer_of(visit, event);
  if (!layer) return nullptr;
  PaceBucket& pace = paces_[event];
  if (pace.per_minute() != layer->pace_per_minute)
    pace.set(layer->pace_per_minute, host_->engine().now());
  return &pace;
}

// A canary that is full for a moment is waited for; one that cannot serve at all must not keep
// people from playing.
VirtualInstance* EvidenceLevel::place_or_spill(const Visit& visit, std::uint16_t* kind) {
  Kind& wanted = kinds_[*kind];
  if (VirtualInstance* instance = place_for(visit, &wanted)) return instance;
  const CanaryLayer* layer = wanted.layer.empty() ? nullptr : layer_of(visit, wanted.layer);
  if (!layer || is_in_reach(wanted)) return nullptr;
  *kind = ask(visit, layer);
  return kinds_[*kind].served ? place_for(visit, &kinds_[*kind]) : nullptr;
}

void EvidenceLevel::seat(const Arrivals& arrivals, std::span<Seat> seats) {
  find_places();
  find_kinds(arrivals);
  for (std::size_t i = 0; i < arrivals.size(); ++i)
    seats[i] = seat_of(arrivals.visit(i), kinds_of_all_[i]);
}

Seat EvidenceLevel::seat_of(const Visit& visit, std::uint16_t kind) {
  const Fault* split = truth_->acting(FaultKind::Split);
  if (split && !kinds_[kind].layer.empty() && random_.chance(split->size))
    return {.state = SeatState::NotAskedFor};
  draw(visit, kinds_[kind]);
  if (!kinds_[kind].served) return {};
  if (visit.door.fleet.empty())
    return {.kind = kind, .state = SeatState::Taken, .canary = kinds_[kind].canary};
  PaceBucket* pace = kinds_[kind].layer.empty() ? nullptr : pace_of(visit, kinds_[kind].layer);
  if (pace && !pace->has_one(host_->engine().now())) return {};
  const Fault* lies = truth_->acting(FaultKind::Lies);
  if (lies && random_.chance(lies->size)) return {};
  VirtualInstance* instance = place_or_spill(visit, &kind);
  if (!instance) return {};
  if (pace && !kinds_[kind].layer.empty()) pace->take_one();
  VirtualFleet::seat(instance);
  if (kinds_[kind].shows_place) ++running_at(instance->number, kind)->sessions;
  return {instance, kind, SeatState::Taken, kinds_[kind].canary};
}

EvidenceLevel::Running* EvidenceLevel::running_at(std::size_t place, std::uint16_t kind) {
  std::vector<Running>& here = running_[place];
  for (Running& running : here) {
    if (running.kind == kind) return &running;
  }
  std::erase_if(here, [](const Running& running) { return running.sessions == 0; });
  return &here.emplace_back(kind, 0);
}

std::vector<EvidenceLevel::DrawnFor> EvidenceLevel::drawn_for(const Visit& visit,
                                                              const Kind& kind) {
  std::vector<DrawnFor> out;
  for (const ArmAssignment& arm : kind.arms) {
    const CanaryLayer* layer = arm.counted ? layer_of(visit, arm.event) : nullptr;
    if (!layer) continue;
    std::shared_ptr<Drawn>& stage = drawn_[stage_of(arm)];
    if (!stage) stage = std::make_shared<Drawn>();
    out.push_back({stage, arm.arm, layer->unit == Unit::Match});
  }
  return out;
}

void EvidenceLevel::draw(const Visit& visit, const Kind& kind) {
  for (const DrawnFor& drawn : kind.drawn) {
    Drawn& stage = *drawn.stage;
    if (!drawn.each && !stage.seen.insert(visit.door.region, visit.party)) continue;
    ++(drawn.arm == Arm::Canary ? stage.fresh.canary : stage.fresh.baseline);
  }
}

}  // namespace showcaller::sim
