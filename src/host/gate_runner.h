// SPDX-License-Identifier: Apache-2.0
// Judges the stages that are judged now: every tick it takes what was counted, stores it, feeds the
// gate, and tells the engine what the gate says. After a crash a stage's gate is fed again from the
// evidence store, and goes on.
//
// A look says nothing about the engine's decision: that is gate_decision.cc's. Threads: pass() by
// one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/gate.h"
#include "compute/fleet_view.h"
#include "engine/absolute_gate.h"
#include "engine/gate_plan.h"
#include "flow/port/evidence_store.h"
#include "host/engine_host.h"
#include "host/learned_noise.h"
#include "host/port/stage_counts.h"
#include "host/stage_tick.h"

namespace showcaller {

// Headroom of a stage's fleet, as last observed; absent: not known.
using HeadroomOf = std::function<std::optional<Headroom>(const JudgedStage& stage)>;

// Why nothing can be known of a metric of the stage now; empty: it can.
using TroubleOf = std::function<std::string(const JudgedStage& stage, const std::string& metric)>;

// What the baseline is like, metric by metric.
std::map<std::string, BaselineOf> baselines_of(const std::map<std::string, MetricCounts>& totals);

class GateRunner {
 public:
  GateRunner(EngineHost* host, EvidenceStore* store, StageCounts* counts, HeadroomOf headroom_of,
             TroubleOf trouble_of = {})
      : host_(host),
        store_(store),
        counts_(counts),
        headroom_of_(std::move(headroom_of)),
        trouble_of_(std::move(trouble_of)),
        noise_(store) {}

  // Closes the ticks that are due. Returns the store's errors, if any.
  std::vector<Error> pass();

 private:
  struct Watch {
    JudgedStage stage;
    std::optional<GateState> gate;  // absent: nothing to compare
    std::vector<AbsoluteJudge> absolute;
    std::map<std::string, Trust> trust;  // metric -> who spoke of it: nobody less is heard
    Instant next_tick{};
    std::int64_t t_s = 0;  // of the last tick
    std::int64_t evidence_s = 0;
    EvidenceMark mark;
    std::optional<StageLine> unstored;     // a tick that was taken, and the store refused
    std::optional<EvidenceMark> appended;  // it was, but may have been lost before it was flushed
  };

  void follow(const World& world, const std::string& event, const std::string& stream,
              std::vector<Error>* errors);
  void close_watches(const std::set<std::string>& streams, std::vector<Error>* errors);
  std::optional<Watch> open_watch(JudgedStage stage, const GateHistory& history,
                                  std::vector<Error>* errors);
  void let_join(Watch* watch, JudgedStage stage, const GateHistory& history,
                std::vector<Error>* errors);
  Result<EvidenceMark> store_stage(const JudgedStage& stage,
                                   const std::optional<StageLine>& history);
  StageLine take_tick(Watch* watch);
  Status store_tick(Watch* watch);
  void close_tick(Watch* watch, std::vector<Error>* errors);
  void take_line(Watch* watch, const StageLine& line);
  void take_new_line(Watch* watch, StageLine line, std::vector<Error>* errors);
  enum class Words { None, All };  // reasons and statistics
  struct Compared {
    std::vector<GateReading> gates;
    GateReading stage;
  };
  static Compared compared(const Watch& watch, Words words);
  static bool is_by_clients(const Watch& watch, const std::string& metric);
  GateLooked look(const Watch& watch, Words words) const;
  void blind_where_nothing_is_known(const JudgedStage& stage,
                                    std::vector<GateReading>* readings) const;
  void tell(const Watch& watch);

  EngineHost* host_;
  EvidenceStore* store_;
  StageCounts* counts_;
  HeadroomOf headroom_of_;
  TroubleOf trouble_of_;
  LearnedNoise noise_;
  std::map<std::string, Watch> watches_;  // by JudgedStage::stream()
};

}  // namespace showcaller
