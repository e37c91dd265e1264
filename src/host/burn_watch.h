// SPDX-License-Identifier: Apache-2.0
// Watches the objectives of services: every ten seconds it takes what players felt, adds it to
// rolling counts (of everybody, and of the players of each event that is on), and tells the engine
// where an error budget burns. What comes of that is the engine's to decide (decide_burn).
//
// A restart: alerts are in the journal. Counts are kept in the evidence store, a line of the last
// five minutes in a stream for each objective and week ("slo/join/success/2026-11-30"), and read
// again when the objective is first watched: at most five minutes of evidence are lost.
//
//   line = {"at": "2026-12-01T18:05:00Z", "event"?: NAME, "n": whole, "bad": whole, "squares":
//   whole}
//
// Threads: pass() by one; standings() by any. Limits: kBurnSeriesMax series; more are not watched,
// and that is told.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "analysis/burn_detector.h"
#include "analysis/error_budget.h"
#include "engine/burn_severity.h"
#include "flow/port/evidence_store.h"
#include "host/engine_host.h"
#include "host/port/stage_counts.h"

namespace showcaller {

constexpr std::size_t kBurnSeriesMax = 1'000;

// Of an objective: how it stands now.
struct ObjectiveStanding {
  std::string service, event;  // event empty: of everybody
  SloSpec slo;
  BurnReading reading;
  BadCounts window;  // over the objective's own
};

class BurnWatch {
 public:
  // Of a fleet's build, or of all its builds (build empty).
  using PlayersOn = std::function<std::int64_t(const std::string& fleet, const std::string& build)>;

  BurnWatch(EngineHost* host, EvidenceStore* store, StageCounts* counts, PlayersOn players_on)
      : host_(host), store_(store), counts_(counts), players_on_(std::move(players_on)) {}

  // Returns the store's errors, if any.
  std::vector<Error> pass();
  std::vector<ObjectiveStanding> standings() const;

 private:
  struct Series {
    RollingCounts rolling;
    BurnDetector detector;
    double needed = evidence_needed(0);  // evidence that a page needs now
    std::int64_t players = 0;            // at risk
    BadCounts unstored;
    Instant stored{};
    bool live = true;  // seen in this pass
  };
  struct Objective {
    std::string service;
    SloSpec slo;
    MetricSpec metric;
    std::vector<std::string> fleets;
    // Whose players: "" everybody; the builds that an event brought, none where it only told arms.
    std::map<std::string, std::vector<BaselineSource>> scopes;
  };

  std::vector<Objective> objectives(const World& world) const;
  Series* series_of(const Objective& objective, const std::string& event, Instant now,
                    std::vector<Error>* errors);
  void share_out(const World& world, const std::vector<Objective>& all, Instant now,
                 std::vector<Error>* errors);
  void read_again(const Objective& objective, const std::string& event, Series* series, Instant now,
                  std::vector<Error>* errors);
  static void take(const SloSpec& slo, Series* series, Instant at, const BadCounts& counts);
  // True: a line was appended.
  bool append(const Objective& objective, const std::string& event, Series* series, Instant now,
              std::vector<Error>* errors);
  void flush(const std::vector<Objective>& all, Instant now, std::vector<Error>* errors);
  std::int64_t players_at_risk(const Objective& objective, const std::string& event) const;
  static BadCounts felt_by(const Objective& objective, const std::string& event,
                           const std::vector<FeltCounts>& felt);
  ObjectiveStanding look(const Objective& objective, const std::string& event, const Series& series,
                         Instant now) const;
  void tell(const World& world, std::vector<ObjectiveStanding> standings, Instant now);

  EngineHost* host_;
  EvidenceStore* store_;
  StageCounts* counts_;
  PlayersOn players_on_;
  Instant next_tick_{};
  bool told_full_ = false;
  std::map<std::string, Series> series_;  // by service, objective, event
  mutable std::mutex mutex_;
  std::vector<ObjectiveStanding> standings_;
};

}  // namespace showcaller
