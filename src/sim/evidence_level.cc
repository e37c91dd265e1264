// SPDX-License-Identifier: Apache-2.0
#include "sim/evidence_level.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "base/check.h"
#include "base/hash.h"
#include "sim/session_level.h"

namespace showcaller::sim {
namespace {

constexpr std::size_t kBuckets = 64;  // of units, as the intake's

std::size_t bucket_of(std::uint32_t region, std::uint64_t party) {
  return std::size_t(Random(party * 64 + region).next() % kBuckets);
}

std::string stage_key(const ArmAssignment& arm) {
  return fmt::format("{}/r{}/v{}", arm.event, arm.revision, arm.visit);
}

// Of the buckets' names, in their order.
const std::array<std::uint32_t, kBuckets>& bucket_ranks() {
  static const std::array<std::uint32_t, kBuckets> kRanks = [] {
    std::array<std::uint32_t, kBuckets> order, ranks;
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [](std::uint32_t a, std::uint32_t b) {
      return std::to_string(a) < std::to_string(b);
    });
    for (std::uint32_t i = 0; i < kBuckets; ++i) ranks[order[i]] = i;
    return ranks;
  }();
  return kRanks;
}

bool has(const std::vector<std::string>& sorted, const std::string& name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

// Of a site that does.
bool takes_sessions(const VirtualInstance& instance, const FleetAllocationPlan& plan) {
  const ObservedInstance& seen = instance.seen;
  const bool open = seen.state == InstanceState::Ready || seen.state == InstanceState::Allocated;
  if (!open || int(instance.sessions.size()) >= instance.sessions_max) return false;
  if (!plan.reuse && seen.sessions_ended > 0) return false;
  return !has(plan.withheld, seen.id) && !has(plan.quarantined_hosts, seen.host) &&
         (plan.quarantined_pairs.empty() ||
          !has(plan.quarantined_pairs, seen.build + "@" + seen.host));
}

std::int64_t chapter_of(Instant at) {
  return at.time_since_epoch() / BaselineHistory::kBucket;
}

}  // namespace

EvidenceLevel::EvidenceLevel(Truth* truth, VirtualFleet* fleet, std::string event,
                             std::uint64_t seed)
    : truth_(truth), fleet_(fleet), event_(std::move(event)), random_(seed) {
  fleet_->show_numbers_alone();
}

// A new process knows nothing of the hour before, as on stage.
void EvidenceLevel::open(Host* host, const Assigner* assigner) {
  host_ = host;
  assigner_ = assigner;
  known_.clear();
  version_ = 0;
  history_ = BaselineHistory();
  chapters_.clear();
  watched_.clear();
}

void EvidenceLevel::begin_step(Duration) {
  const Instant now = host_->engine().now();
  if (chapter_of(now) != chapter_of(told_until_)) end_chapter(told_until_);
  told_until_ = now;
  find_places();
}

// ---- who goes where ----

void EvidenceLevel::find_places() {
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
    if (fleet != assigner_->plan()->fleets.end()) at->plan = &fleet->second;
  }
  known = std::uint32_t(at - sites_.begin()) + 1;
  return known - 1;
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
    const bool runs = instance->seen.state != InstanceState::Exited;
    if (runs && int(instance->sessions.size()) < instance->sessions_max) return instance;
    with_room[at] = with_room.back();
    with_room.pop_back();
  }
  return nullptr;
}

// In the visit's own region, else in another.
VirtualInstance* EvidenceLevel::place_for(const Visit& visit, Kind* kind) {
  find_sites(kind);
  const std::string& home = truth_->population().regions[visit.door.region].name;
  for (const bool at_home : {true, false}) {
    for (const std::size_t i : kind->sites) {
      Site& site = sites_[i];
      if ((site.region == home) != at_home) continue;
      if (VirtualInstance* instance = any_with_room(&site)) return instance;
    }
  }
  return nullptr;
}

// A party is asked for once, until somebody may be assigned otherwise.
std::uint32_t EvidenceLevel::kind_of(const Visit& visit) {
  if (assigner_->draws_sessions()) return ask(visit, nullptr);
  if (version_ != assigner_->version() || known_.empty()) {
    known_.clear();
    version_ = assigner_->version();
  }
  if (visit.door_index >= known_.size()) known_.resize(visit.door_index + 1);
  std::vector<std::uint16_t>& known = known_[visit.door_index];
  if (known.empty()) {
    const Population& population = truth_->population();
    known.resize(population.parties(population.regions[visit.door.region]));
  }
  std::uint16_t& kind = known[visit.party];
  if (kind != 0) return kind;
  const std::uint32_t asked = ask(visit, nullptr);
  CHECK(asked <= std::numeric_limits<std::uint16_t>::max());  // Layers and their arms are few.
  return kind = std::uint16_t(asked);
}

std::uint32_t EvidenceLevel::ask(const Visit& visit, const CanaryLayer* skip) {
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

std::uint32_t EvidenceLevel::known_kind(Kind kind) {
  // The newest first: those of earlier stages do not come again.
  for (std::size_t i = kinds_.size() - 1; i > 0; --i) {
    if (!(kinds_[i] == kind)) continue;
    kinds_[i].drawn = std::move(kind.drawn);
    return std::uint32_t(i);
  }
  open_channels(&kind);
  kinds_.push_back(std::move(kind));
  return std::uint32_t(kinds_.size() - 1);
}

const CanaryLayer* EvidenceLevel::layer_of(const Visit& visit, const std::string& event) const {
  const auto fleet = assigner_->plan()->fleets.find(visit.door.fleet);
  if (fleet == assigner_->plan()->fleets.end()) return nullptr;
  for (const CanaryLayer& layer : fleet->second.layers) {
    if (layer.event == event) return &layer;
  }
  return nullptr;
}

bool EvidenceLevel::never_asks(const Visit& visit, Random* random) {
  const Fault* split = truth_->acting(FaultKind::Split);
  return split && !kinds_[kind_of(visit)].layer.empty() && random->chance(split->size);
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
VirtualInstance* EvidenceLevel::place_or_spill(const Visit& visit, std::uint32_t* kind) {
  Kind& wanted = kinds_[*kind];
  if (VirtualInstance* instance = place_for(visit, &wanted)) return instance;
  const CanaryLayer* layer = wanted.layer.empty() ? nullptr : layer_of(visit, wanted.layer);
  if (!layer || is_in_reach(wanted)) return nullptr;
  *kind = ask(visit, layer);
  return kinds_[*kind].served ? place_for(visit, &kinds_[*kind]) : nullptr;
}

std::optional<Seat> EvidenceLevel::seat(const Visit& visit) {
  std::uint32_t kind = kind_of(visit);
  draw(visit, kinds_[kind]);
  if (!kinds_[kind].served) return std::nullopt;
  if (visit.door.fleet.empty()) return Seat{nullptr, kinds_[kind].canary, kind};
  PaceBucket* pace = kinds_[kind].layer.empty() ? nullptr : pace_of(visit, kinds_[kind].layer);
  if (pace && !pace->has_one(host_->engine().now())) return std::nullopt;
  const Fault* lies = truth_->acting(FaultKind::Lies);
  if (lies && random_.chance(lies->size)) return std::nullopt;
  VirtualInstance* instance = place_or_spill(visit, &kind);
  if (!instance) return std::nullopt;
  if (pace && !kinds_[kind].layer.empty()) pace->take_one();
  fleet_->seat(instance, visit.session);
  note_place(*instance);
  if (kinds_[kind].shows_place) ++running_at(instance->number, kind)->sessions;
  return Seat{instance, kinds_[kind].canary, kind};
}

void EvidenceLevel::note_place(const VirtualInstance& instance) {
  if (instance.number >= running_.size()) {
    running_.resize(instance.number + 1);
    place_names_.resize(instance.number + 1);
  }
  std::string& name = place_names_[instance.number];
  if (name.empty()) {
    name = instance.seen.id;
    place_ranks_.clear();
  }
}

EvidenceLevel::Running* EvidenceLevel::running_at(std::size_t place, std::uint32_t kind) {
  std::vector<Running>& here = running_[place];
  for (Running& running : here) {
    if (running.kind == kind) return &running;
  }
  std::erase_if(here, [](const Running& running) { return running.sessions == 0; });
  return &here.emplace_back(Running{kind, 0});
}

std::vector<EvidenceLevel::DrawnFor> EvidenceLevel::drawn_for(const Visit& visit,
                                                              const Kind& kind) {
  std::vector<DrawnFor> out;
  for (const ArmAssignment& arm : kind.arms) {
    const CanaryLayer* layer = arm.counted ? layer_of(visit, arm.event) : nullptr;
    if (!layer) continue;
    std::shared_ptr<Drawn>& stage = drawn_[stage_key(arm)];
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

// ---- what is told ----

std::size_t EvidenceLevel::channel(Channel like) {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const Channel& known = channels_[i];
    if (known.stage == like.stage && known.arm == like.arm && known.source == like.source &&
        known.by_place == like.by_place)
      return i;
  }
  channels_.push_back(std::move(like));
  return channels_.size() - 1;
}

std::size_t EvidenceLevel::stage_channel(const ArmAssignment& arm, bool by_place) {
  return channel({stage_key(arm), arm.arm, {}, by_place, StageTally(truth_->metrics().size())});
}

void EvidenceLevel::open_channels(Kind* kind) {
  const auto of_source = [&](BaselineSource source, bool by_place) {
    return channel(
        {{}, Arm::Baseline, std::move(source), by_place, StageTally(truth_->metrics().size())});
  };
  for (const ArmAssignment& arm : kind->flag_arms) {
    if (!arm.counted) continue;
    kind->by_bucket.push_back(stage_channel(arm, false));
    if (arm.arm == Arm::Baseline) kind->by_bucket.push_back(of_source({"", "", arm.event}, false));
  }
  if (kind->build.empty()) return;
  kind->by_place.push_back(of_source({kind->fleet, kind->build, ""}, true));
  for (const ArmAssignment& arm : kind->arms) {
    if (!arm.counted) continue;
    kind->by_place.push_back(stage_channel(arm, true));
    kind->shows_place = true;
  }
}

void EvidenceLevel::ended(const Playing& session, bool crashed) {
  VirtualInstance* instance = fleet_->find(session.instance);
  static const InstanceMood kCalm;
  if (session.instance != 0 && kinds_[session.kind].shows_place)
    --running_at(session.instance, session.kind)->sessions;
  if (instance) truth_->let_drift(&instance->mood);
  if (truth_->acting(FaultKind::Blind)) return;
  Fate fate;
  fate.trouble = truth_->trouble(instance ? instance->mood : kCalm,
                                 instance ? session.ends - instance->ready_since : hours(1));
  fate.canary = session.canary;
  fate.crashed = crashed;
  fate.lasted = session.ends - session.begins;
  const Kind& kind = kinds_[session.kind];
  const Fault* skew = truth_->acting(FaultKind::Skew);
  const std::size_t bucket = kind.by_bucket.empty() ? 0 : bucket_of(session.region, session.party);
  for (std::size_t m = 0; m < truth_->metrics().size(); ++m) {
    const Measured& metric = truth_->metrics()[m];
    const Outcome outcome = truth_->outcome(metric, fate, &random_);
    if (outcome.n == 0) continue;
    const bool hushed = skew && session.canary && outcome.bad && random_.chance(skew->size);
    if (!hushed) {
      for (const std::size_t to : kind.by_bucket) channels_[to].tally.add(bucket, m, outcome);
    }
    // The server sees crashes itself.
    if (hushed && !metric.is_crash) continue;
    for (const std::size_t to : kind.by_place)
      channels_[to].tally.add(session.instance, m, outcome);
  }
}

std::string EvidenceLevel::group_name(const Channel& channel, std::size_t group) const {
  return channel.by_place ? place_names_[group] : std::to_string(group);
}

void EvidenceLevel::rank_places() const {
  if (place_ranks_.size() == place_names_.size()) return;
  places_in_order_.resize(place_names_.size());
  place_ranks_.resize(place_names_.size());
  std::iota(places_in_order_.begin(), places_in_order_.end(), 0);
  std::sort(places_in_order_.begin(), places_in_order_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return place_names_[a] < place_names_[b]; });
  for (std::uint32_t i = 0; i < places_in_order_.size(); ++i) place_ranks_[places_in_order_[i]] = i;
}

std::span<const std::uint32_t> EvidenceLevel::ranks(const Channel& channel) const {
  if (!channel.by_place) return bucket_ranks();
  rank_places();
  return place_ranks_;
}

void EvidenceLevel::end_chapter(Instant at) const {
  Chapter chapter{at, {}};
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (!channels_[i].stage.empty()) continue;
    channels_[i].tally.take([&](const StageTally::Said& said) {
      const std::string& metric = truth_->metrics()[said.metric].name;
      if (felt_.watches(metric))
        felt_.learn(channels_[i].source, metric, group_name(channels_[i], said.group),
                    StageTally::counts_of(said));
      chapter.told.push_back({i, said, chapter.values.size()});
      chapter.values.insert(chapter.values.end(), said.values.begin(), said.values.end());
    });
  }
  if (!chapter.told.empty()) chapters_.push_back(std::move(chapter));
  while (!chapters_.empty() &&
         chapter_of(chapters_.front().at) <= chapter_of(at) - BaselineHistory::kBuckets)
    chapters_.pop_front();
}

const BaselineHistory& EvidenceLevel::history() const {
  end_chapter(host_->engine().now());
  for (const Chapter& chapter : std::exchange(chapters_, {})) {
    for (const Told& told : chapter.told) {
      const Channel& channel = channels_[told.channel];
      StageTally::Said said = told.said;
      said.values = std::span(chapter.values).subspan(told.first_value, said.values.size());
      history_.learn(channel.source, truth_->metrics()[said.metric].name,
                     {group_name(channel, said.group), ""}, StageTally::counts_of(said),
                     chapter.at);
    }
  }
  return history_;
}

// ---- StageCounts ----

void EvidenceLevel::watch(const std::set<std::string>& stages) {
  if (stages == watched_) return;
  // What was counted before it was watched is dropped.
  for (Channel& channel : channels_) {
    if (!channel.stage.empty() && !watched_.contains(channel.stage))
      channel.tally.take([](const StageTally::Said&) {});
  }
  watched_ = stages;
}

StageTick EvidenceLevel::take_tick(const std::string& stage) {
  StageTick out;
  for (const Arm arm : {Arm::Canary, Arm::Baseline}) {
    for (Channel& channel : channels_) {
      if (channel.stage == stage && channel.arm == arm) take_from(&channel, &out);
    }
  }
  out.alive = living(stage);
  return out;
}

void EvidenceLevel::take_from(Channel* channel, StageTick* tick) {
  std::vector<StageTick::Groups*> by_metric(truth_->metrics().size());
  const auto take = [&](const StageTally::Said& said) {
    auto*& groups = by_metric[said.metric];
    if (!groups) {
      const std::string& name = truth_->metrics()[said.metric].name;
      groups = &tick->metrics[name];
      tick->trust[name] = Trust::Server;
    }
    groups->emplace_back(GroupKey{channel->arm, group_name(*channel, said.group), {}},
                         StageTally::counts_of(said));
  };
  channel->tally.take(take, ranks(*channel));
}

// A stage that sessions run of shows the instances that they run on, though nothing ended there.
std::vector<GroupKey> EvidenceLevel::living(const std::string& stage) const {
  std::vector<const Channel*> shows(kinds_.size());  // null: nothing of the stage
  for (std::size_t kind = 0; kind < kinds_.size(); ++kind) {
    for (const std::size_t to : kinds_[kind].by_place) {
      if (channels_[to].stage == stage) shows[kind] = &channels_[to];
    }
  }
  if (std::all_of(shows.begin(), shows.end(), [](const Channel* shown) { return !shown; }))
    return {};
  std::vector<GroupKey> out, baseline;
  rank_places();
  for (const std::uint32_t place : places_in_order_) {
    bool is_on[2] = {false, false};
    for (const Running& running : running_[place]) {
      const Channel* shown = running.sessions > 0 ? shows[running.kind] : nullptr;
      if (shown) is_on[std::size_t(shown->arm)] = true;
    }
    if (is_on[0]) out.push_back({Arm::Canary, place_names_[place], {}});
    if (is_on[1]) baseline.push_back({Arm::Baseline, place_names_[place], {}});
  }
  out.insert(out.end(), baseline.begin(), baseline.end());
  return out;
}

UnitCounts EvidenceLevel::take_units(const std::string& stage) {
  // Other visits of the same event are over.
  const std::string event = stage.substr(0, stage.find('/') + 1);
  std::erase_if(drawn_, [&](const auto& drawn) {
    return drawn.first != stage && drawn.first.starts_with(event);
  });
  const auto at = drawn_.find(stage);
  return at == drawn_.end() ? UnitCounts{} : std::exchange(at->second->fresh, {});
}

std::vector<FeltCounts> EvidenceLevel::take_felt() {
  end_chapter(host_->engine().now());
  return felt_.take();
}

std::map<std::string, MetricCounts> EvidenceLevel::totals(std::span<const BaselineSource> sources,
                                                          Instant now) const {
  return history().totals(sources, now);
}

BaselineGroups EvidenceLevel::groups(std::span<const BaselineSource> sources,
                                     const std::string& metric, Instant now) const {
  return history().groups(sources, metric, now);
}

}  // namespace showcaller::sim
