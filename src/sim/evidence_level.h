// SPDX-License-Identifier: Apache-2.0
// Sessions as numbers: who is on which arm is the production's word, asked once a party and stage;
// places are taken where the plan allows it; and what happened reaches the gates as counts a tick,
// where the host reads them. Nobody is allocated, reported or put in a ledger one by one. For rates
// and statistics; session_level.h is for paths. A property test holds the two against each other.
//
// Threads: none.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "compute/pace_bucket.h"
#include "host/port/stage_counts.h"
#include "sim/crowd.h"
#include "sim/level.h"
#include "sim/stage_tally.h"

namespace showcaller::sim {

class EvidenceLevel final : public Level, public StageCounts {
 public:
  EvidenceLevel(Truth* truth, VirtualFleet* fleet, std::string event, std::uint64_t seed);

  // ---- Level ----
  void open(Host* host, const Assigner* assigner) override;
  void begin_step(Duration now) override;
  void end_step(Duration) override {}
  bool never_asks(const Visit& visit, Random* random) override;
  std::optional<Seat> seat(const Visit& visit) override;
  void ended(const Playing& session, bool crashed) override;
  StageCounts* counts() override { return this; }

  // ---- StageCounts ----
  void watch(const std::set<std::string>& stages) override;
  StageTick take_tick(const std::string& stage) override;
  UnitCounts take_units(const std::string& stage) override;
  void watch_felt(std::set<std::string> metrics) override { felt_.watch(std::move(metrics)); }
  std::vector<FeltCounts> take_felt() override;
  std::map<std::string, MetricCounts> totals(std::span<const BaselineSource> sources,
                                             Instant now) const override;
  BaselineGroups groups(std::span<const BaselineSource> sources, const std::string& metric,
                        Instant now) const override;

 private:
  struct Drawn {  // units of a stage
    PartySet seen;
    UnitCounts fresh;
  };
  struct DrawnFor {
    std::shared_ptr<Drawn> stage;
    Arm arm = Arm::Baseline;
    bool each = false;  // every session is a unit
  };
  // Sessions that are all assigned alike.
  struct Kind {
    bool served = true;        // false: no build that they may have
    std::string fleet, build;  // empty: not on servers of ours
    std::vector<ArmAssignment> arms, flag_arms;
    std::string layer;  // the event whose build it is; empty: the base
    bool canary = false;
    // Where what happened is told: of the unit's bucket, and of the instance.
    std::vector<std::size_t> by_bucket, by_place;
    bool shows_place = false;  // a stage is told where they run
    std::vector<DrawnFor> drawn;
    std::vector<std::size_t> sites;  // of its build, of so many that were known
    std::size_t sites_known = 0;
    friend bool operator==(const Kind& a, const Kind& b) {
      return a.served == b.served && a.fleet == b.fleet && a.build == b.build && a.arms == b.arms &&
             a.flag_arms == b.flag_arms;
    }
  };
  // What is told of a stage's arm, or of a source of the hour before (stage empty).
  struct Channel {
    std::string stage;
    Arm arm = Arm::Baseline;
    BaselineSource source;
    bool by_place = false;
    StageTally tally;
  };
  struct Running {
    std::uint32_t kind = 0;
    std::int64_t sessions = 0;
  };
  struct Site {  // a fleet's build in a region
    std::string fleet, build, region;
    const FleetAllocationPlan* plan = nullptr;  // null: it takes no sessions now
    std::vector<VirtualInstance*> with_room;
    bool has_any = false;
  };
  // What was told of sources in one of the hour's buckets.
  struct Told {
    std::size_t channel = 0;
    StageTally::Said said;  // its values are the chapter's
    std::size_t first_value = 0;
  };
  struct Chapter {
    Instant at{};
    std::vector<Told> told;
    std::vector<double> values;
  };

  std::uint32_t kind_of(const Visit& visit);
  std::uint32_t ask(const Visit& visit, const CanaryLayer* skip);
  std::uint32_t known_kind(Kind kind);
  void open_channels(Kind* kind);
  std::size_t channel(Channel like);
  std::size_t stage_channel(const ArmAssignment& arm, bool by_place);
  VirtualInstance* place_or_spill(const Visit& visit, std::uint32_t* kind);
  void draw(const Visit& visit, const Kind& kind);
  std::vector<DrawnFor> drawn_for(const Visit& visit, const Kind& kind);
  VirtualInstance* place_for(const Visit& visit, Kind* kind);
  VirtualInstance* any_with_room(Site* site);
  bool is_in_reach(const Kind& kind) const;
  void find_places();
  std::size_t site_of(const VirtualInstance& instance);
  void find_sites(Kind* kind) const;
  PaceBucket* pace_of(const Visit& visit, const std::string& event);
  void take_from(Channel* channel, StageTick* tick);
  std::vector<GroupKey> living(const std::string& stage) const;
  void note_place(const VirtualInstance& instance);
  Running* running_at(std::size_t place, std::uint32_t kind);
  std::string group_name(const Channel& channel, std::size_t group) const;
  std::span<const std::uint32_t> ranks(const Channel& channel) const;
  void rank_places() const;
  void end_chapter(Instant at) const;
  const BaselineHistory& history() const;
  const CanaryLayer* layer_of(const Visit& visit, const std::string& event) const;

  Host* host_ = nullptr;
  const Assigner* assigner_ = nullptr;
  Truth* truth_;
  VirtualFleet* fleet_;
  std::string event_;
  Random random_;
  std::uint64_t version_ = 0;  // of the assigner's, that kinds are known for
  // Kinds, by door and party; 0: not asked yet. As small as can be: it is looked up all the time.
  std::vector<std::vector<std::uint16_t>> known_;
  std::vector<Kind> kinds_{1};  // from 1
  mutable std::vector<Channel> channels_;
  std::map<std::string, std::shared_ptr<Drawn>> drawn_;  // by stage
  Requests requests_;
  std::map<std::string, PaceBucket> paces_;
  std::vector<Site> sites_;
  std::vector<std::uint32_t> site_of_;         // by the instances' numbers; 0: not known yet
  std::vector<std::vector<Running>> running_;  // by the instances' numbers
  std::vector<std::string> place_names_;       // the same
  // Places in the order of their names, and where each stands in it; made again when one is new.
  mutable std::vector<std::uint32_t> places_in_order_, place_ranks_;
  std::set<std::string> watched_;
  // The hour before is learned when somebody asks: most of it is forgotten unasked.
  mutable BaselineHistory history_;
  mutable FeltTally felt_;
  mutable std::deque<Chapter> chapters_;
  Instant told_until_{};
};

}  // namespace showcaller::sim
