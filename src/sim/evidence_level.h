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
#include "sim/said_log.h"
#include "sim/stage_tally.h"

namespace showcaller::sim {

class EvidenceLevel final : public Level, public StageCounts {
 public:
  EvidenceLevel(Truth* truth, VirtualFleet* fleet, std::string event, std::uint64_t seed);

  // ---- Level ----
  void open(Host* host, const Assigner* assigner) override;
  void begin_step(Duration now) override;
  void end_step(Duration) override {}
  void seat(const Arrivals& arrivals, std::span<Seat> seats) override;
  void ended(std::span<const Playing> sessions) override;
  StageCounts* counts() override { return this; }

  // ---- StageCounts ----
  void watch(const std::set<std::string>& stages) override;
  StageTick take_tick(const std::string& stage) override;
  UnitCounts take_units(const std::string& stage) override;
  void watch_felt(std::set<std::string> metrics) override;
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
  // What sessions of a kind are told of: an arm of a stage.
  struct Told {
    std::string stage;
    Arm arm = Arm::Baseline;
    bool by_place = false;  // by the instance; else by the unit's bucket
  };
  // The same of the hour before.
  struct Taught {
    std::size_t source = 0;  // of sources_
    bool by_place = false;
  };
  // Sessions that are all assigned alike.
  struct Kind {
    bool served = true;        // false: no build that they may have
    std::string fleet, build;  // empty: not on servers of ours
    std::vector<ArmAssignment> arms, flag_arms;
    std::string layer;  // the event whose build it is; empty: the base
    bool canary = false;
    std::vector<Told> told;
    std::vector<Taught> taught;
    bool shows_place = false;  // a stage is told where they run
    std::vector<DrawnFor> drawn;
    std::vector<std::size_t> sites;  // of its build, of so many that were known
    std::size_t sites_known = 0;
    friend bool operator==(const Kind& a, const Kind& b) {
      return a.served == b.served && a.fleet == b.fleet && a.build == b.build && a.arms == b.arms &&
             a.flag_arms == b.flag_arms;
    }
  };
  struct Source {
    BaselineSource who;
    StageTally tally;
  };
  // A stage that is judged: from which row on it has not read, and what it adds up, by arm.
  struct Judged {
    std::uint64_t unread = 0;
    StageTally tallies[2];
  };
  struct Running {
    std::uint16_t kind = 0;
    std::int32_t sessions = 0;
  };
  struct Site {  // a fleet's build in a region
    std::string fleet, build, region;
    std::size_t home = 0;                       // which of the population's regions it is
    const FleetAllocationPlan* plan = nullptr;  // null: it takes no sessions now
    std::vector<VirtualInstance*> with_room;
    bool has_any = false;
  };
  void find_kinds(const Arrivals& arrivals);
  std::vector<std::uint16_t>& known_at(const Arrivals& arrivals);
  std::uint16_t ask(const Visit& visit, const CanaryLayer* skip);
  std::uint16_t known_kind(Kind kind);
  void find_listeners(Kind* kind);
  Taught taught(BaselineSource source, bool by_place);
  Seat seat_of(const Visit& visit, std::uint16_t kind);
  VirtualInstance* place_or_spill(const Visit& visit, std::uint16_t* kind);
  void draw(const Visit& visit, const Kind& kind);
  std::vector<DrawnFor> drawn_for(const Visit& visit, const Kind& kind);
  VirtualInstance* place_for(const Visit& visit, Kind* kind);
  VirtualInstance* any_with_room(Site* site);
  bool is_in_reach(const Kind& kind) const;
  void find_places();
  std::size_t site_of(const VirtualInstance& instance);
  void know_place(const VirtualInstance& instance);
  void find_sites(Kind* kind) const;
  PaceBucket* pace_of(const Visit& visit, const std::string& event);
  const CanaryLayer* layer_of(const Visit& visit, const std::string& event) const;

  SaidLog new_log() const;
  void say(const Playing& session);
  std::vector<const Told*> told_of(const std::string& stage) const;
  void add_to(StageTally* tally, const SaidLog::Row& row, std::span<const SaidLog::Said> said,
              bool by_place) const;
  bool add_up(const std::string& stage, Judged* judged) const;
  void take_from(Arm arm, bool by_place, StageTally* tally, StageTick* tick) const;
  std::vector<GroupKey> living(const std::string& stage) const;
  Running* running_at(std::size_t place, std::uint16_t kind);
  std::string group_name(bool by_place, std::size_t group) const;
  std::span<const std::uint32_t> ranks(bool by_place) const;
  void rank_places() const;
  template <class Learn>
  void read_sources(std::uint64_t* unread, Learn&& learn) const;
  void learn_felt();
  const BaselineHistory& history() const;
  std::uint64_t least_unread() const;

  Host* host_ = nullptr;
  const Assigner* assigner_ = nullptr;
  Truth* truth_;
  VirtualFleet* fleet_;
  std::string event_;
  Random random_;
  std::uint64_t version_ = 0;  // of the assigner's, that kinds are known for
  // Kinds, by door and party; 0: not asked yet. As small as can be: it is looked up all the time.
  std::vector<std::vector<std::uint16_t>> known_;
  std::vector<Kind> kinds_{1};                           // from 1
  std::vector<std::uint16_t> kinds_of_all_;              // who arrive; kept for its memory
  std::map<std::string, std::shared_ptr<Drawn>> drawn_;  // by stage
  Requests requests_;
  std::map<std::string, PaceBucket> paces_;
  std::vector<Site> sites_;
  bool places_are_known_ = false;              // in this step
  std::vector<std::uint32_t> site_of_;         // by the instances' numbers; 0: not known yet
  std::vector<std::vector<Running>> running_;  // by the instances' numbers
  std::vector<std::string> place_names_;       // the same
  // Places in the order of their names, and where each stands in it; made again when one is new.
  mutable std::vector<std::uint32_t> places_in_order_, place_ranks_;
  SaidLog said_;
  std::map<std::string, Judged> judged_;  // by stage
  mutable std::vector<Source> sources_;
  // The hour before is learned when somebody asks: most of it is forgotten unasked.
  mutable BaselineHistory history_;
  mutable std::uint64_t unlearned_ = 0;  // rows, from there on
  FeltTally felt_;
  std::set<std::string> felt_metrics_;
  std::uint64_t unfelt_ = 0;
};

// A stage's key, of an arm.
std::string stage_of(const ArmAssignment& arm);

}  // namespace showcaller::sim
