// SPDX-License-Identifier: Apache-2.0
// What a rehearsal as counts tells the gates: of stages that are judged, of the hour before, and of
// what players felt.
#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "sim/evidence_level.h"

namespace showcaller::sim {
namespace {

constexpr std::size_t kBuckets = 64;  // of units, as the intake's

std::uint8_t bucket_of(const Playing& session) {
  return std::uint8_t(Random(std::uint64_t(session.party) * 64 + session.region).next() % kBuckets);
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

}  // namespace

std::string stage_of(const ArmAssignment& arm) {
  return fmt::format("{}/r{}/v{}", arm.event, arm.revision, arm.visit);
}

// ---- what sessions say ----

void EvidenceLevel::find_listeners(Kind* kind) {
  for (const ArmAssignment& arm : kind->flag_arms) {
    if (!arm.counted) continue;
    kind->told.push_back({stage_of(arm), arm.arm, false});
    if (arm.arm == Arm::Baseline) kind->taught.push_back(taught({"", "", arm.event}, false));
  }
  if (kind->build.empty()) return;
  kind->taught.push_back(taught({kind->fleet, kind->build, ""}, true));
  for (const ArmAssignment& arm : kind->arms) {
    if (!arm.counted) continue;
    kind->told.push_back({stage_of(arm), arm.arm, true});
    kind->shows_place = true;
  }
}

EvidenceLevel::Taught EvidenceLevel::taught(BaselineSource source, bool by_place) {
  const auto known = std::ranges::find(sources_, source, &Source::who);
  const auto at = std::size_t(known - sources_.begin());
  if (known == sources_.end())
    sources_.emplace_back(std::move(source), StageTally(truth_->metrics().size()));
  return {at, by_place};
}

void EvidenceLevel::ended(std::span<const Playing> sessions) {
  for (const Playing& session : sessions) {
    if (session.instance != 0 && kinds_[session.kind].shows_place)
      --running_at(session.instance, session.kind)->sessions;
  }
  if (truth_->acting(FaultKind::Blind)) return;
  for (const Playing& session : sessions) say(session);
}

void EvidenceLevel::say(const Playing& session) {
  VirtualInstance* instance = fleet_->find(session.instance);
  static const InstanceMood kCalm;
  if (instance) truth_->let_drift(&instance->mood);
  Fate fate;
  fate.trouble = truth_->trouble(instance ? instance->mood : kCalm,
                                 instance ? session.ends - instance->ready_since : hours(1));
  fate.canary = session.canary;
  fate.crashed = session.failed;
  fate.lasted = Duration(session.lasts_ms);
  const Fault* skew = session.canary ? truth_->acting(FaultKind::Skew) : nullptr;
  SaidLog::Row row{session.instance, session.kind, bucket_of(session), false};
  SaidLog::Said* said = said_.add(row).data();
  for (const Measured& metric : truth_->metrics()) {
    const Outcome outcome = truth_->outcome(metric, fate, &random_);
    const bool hushed = skew && outcome.n > 0 && outcome.bad && random_.chance(skew->size);
    // The server sees crashes itself.
    if (hushed && metric.is_crash) said_.hush();
    if (!hushed || metric.is_crash) {
      *said = outcome.value
                  ? SaidLog::Said::measured(*outcome.value)
                  : SaidLog::Said::counted(std::int32_t(outcome.n), std::int32_t(outcome.x));
    }
    ++said;
  }
}

// By kind, what is told of the stage; null: nothing.
std::vector<const EvidenceLevel::Told*> EvidenceLevel::told_of(const std::string& stage) const {
  std::vector<const Told*> out(kinds_.size());
  for (std::size_t kind = 0; kind < kinds_.size(); ++kind) {
    for (const Told& told : kinds_[kind].told) {
      if (told.stage == stage) out[kind] = &told;
    }
  }
  return out;
}

void EvidenceLevel::add_to(StageTally* tally, const SaidLog::Row& row,
                           std::span<const SaidLog::Said> said, bool by_place) const {
  const std::size_t group = by_place ? row.place : row.bucket;
  for (std::size_t m = 0; m < said.size(); ++m) {
    const Measured& metric = truth_->metrics()[m];
    if (said[m].is_nothing() || (row.hushed && metric.is_crash && !by_place)) continue;
    if (metric.type == MetricType::Quantile)
      tally->add_value(group, m, said[m].value());
    else
      tally->add(group, m, said[m]);
  }
}

std::string EvidenceLevel::group_name(bool by_place, std::size_t group) const {
  return by_place ? place_names_[group] : std::to_string(group);
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

std::span<const std::uint32_t> EvidenceLevel::ranks(bool by_place) const {
  if (!by_place) return bucket_ranks();
  rank_places();
  return place_ranks_;
}

// Rows that a judged stage, or who asks what players felt, has not read.
std::uint64_t EvidenceLevel::least_unread() const {
  std::uint64_t least = felt_metrics_.empty() ? said_.end() : unfelt_;
  for (const auto& [stage, judged] : judged_) least = std::min(least, judged.unread);
  return least;
}

// ---- the hour before, and what players felt ----

// learn(source, metric, group, counts, at) for what sources were told from `unread` on.
template <class Learn>
void EvidenceLevel::read_sources(std::uint64_t* unread, Learn&& learn) const {
  const auto add = [&](const SaidLog::Row& row, std::span<const SaidLog::Said> said) {
    for (const Taught& taught : kinds_[row.kind].taught)
      add_to(&sources_[taught.source].tally, row, said, taught.by_place);
  };
  const auto end_of_chapter = [&](Instant at) {
    for (Source& source : sources_) {
      source.tally.take([&](const StageTally::Said& said) {
        learn(source.who, truth_->metrics()[said.metric].name,
              group_name(source.who.event.empty(), said.group), StageTally::counts_of(said), at);
      });
    }
  };
  said_.read(*unread, add, end_of_chapter);
  *unread = said_.end();
}

const BaselineHistory& EvidenceLevel::history() const {
  read_sources(&unlearned_, [&](const BaselineSource& source, const std::string& metric,
                                const std::string& group, const MetricCounts& counts, Instant at) {
    history_.learn(source, metric, {group, ""}, counts, at);
  });
  return history_;
}

void EvidenceLevel::learn_felt() {
  if (felt_metrics_.empty()) {
    unfelt_ = said_.end();
    return;
  }
  read_sources(&unfelt_, [&](const BaselineSource& source, const std::string& metric,
                             const std::string& group, const MetricCounts& counts, Instant) {
    if (felt_metrics_.contains(metric)) felt_.learn(source, metric, group, counts);
  });
}

void EvidenceLevel::watch_felt(std::set<std::string> metrics) {
  if (metrics == felt_metrics_) return;
  learn_felt();
  felt_metrics_ = metrics;
  felt_.watch(std::move(metrics));
}

std::vector<FeltCounts> EvidenceLevel::take_felt() {
  learn_felt();
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

// ---- stages that are judged ----

void EvidenceLevel::watch(const std::set<std::string>& stages) {
  std::erase_if(judged_, [&](const auto& judged) { return !stages.contains(judged.first); });
  // What was said before it was judged says nothing of it.
  const StageTally none(truth_->metrics().size());
  for (const std::string& stage : stages)
    judged_.try_emplace(stage, Judged{said_.end(), {none, none}});
}

StageTick EvidenceLevel::take_tick(const std::string& stage) {
  StageTick out;
  if (const auto judged = judged_.find(stage); judged != judged_.end()) {
    const bool by_place = add_up(stage, &judged->second);
    for (const Arm arm : {Arm::Canary, Arm::Baseline})
      take_from(arm, by_place, &judged->second.tallies[std::size_t(arm)], &out);
  }
  out.alive = living(stage);
  return out;
}

// Whether it is told of instances.
bool EvidenceLevel::add_up(const std::string& stage, Judged* judged) const {
  const std::vector<const Told*> told = told_of(stage);
  const auto add = [&](const SaidLog::Row& row, std::span<const SaidLog::Said> said) {
    if (const Told* to = told[row.kind])
      add_to(&judged->tallies[std::size_t(to->arm)], row, said, to->by_place);
  };
  said_.read(judged->unread, add, [](Instant) {});
  judged->unread = said_.end();
  return std::any_of(told.begin(), told.end(), [](const Told* to) { return to && to->by_place; });
}

void EvidenceLevel::take_from(Arm arm, bool by_place, StageTally* tally, StageTick* tick) const {
  std::vector<StageTick::Groups*> by_metric(truth_->metrics().size());
  const auto take = [&](const StageTally::Said& said) {
    auto*& groups = by_metric[said.metric];
    if (!groups) {
      const std::string& name = truth_->metrics()[said.metric].name;
      groups = &tick->metrics[name];
      groups->reserve(groups->size() + tally->groups());
      tick->trust[name] = Trust::Server;
    }
    groups->emplace_back(GroupKey{arm, group_name(by_place, said.group), {}},
                         StageTally::counts_of(said));
  };
  tally->take(take, ranks(by_place));
}

// A stage that sessions run of shows the instances that they run on, though nothing ended there.
std::vector<GroupKey> EvidenceLevel::living(const std::string& stage) const {
  const std::vector<const Told*> shows = told_of(stage);
  if (std::none_of(shows.begin(), shows.end(),
                   [](const Told* shown) { return shown && shown->by_place; }))
    return {};
  std::vector<GroupKey> out, baseline;
  rank_places();
  for (const std::uint32_t place : places_in_order_) {
    bool is_on[2] = {false, false};
    for (const Running& running : running_[place]) {
      const Told* shown = running.sessions > 0 ? shows[running.kind] : nullptr;
      if (shown && shown->by_place) is_on[std::size_t(shown->arm)] = true;
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

}  // namespace showcaller::sim
