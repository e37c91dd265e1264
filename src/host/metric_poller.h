// SPDX-License-Identifier: Apache-2.0
// Metrics of judged stages that another server counts: asks it at every tick of the stage, for the
// canary and for the baseline, and hands on what came since as deltas of telemetry.
//
// A query's series are counts that only grow, of which the growth since the last answer is told;
// one that fell began anew. A query that names {{window}} answers what happened in it instead.
// While there is no good answer the metric is blind, and says why; what the counts grew by
// meanwhile is told with the next answer.
//
// Threads: pass() by one, trouble() by any; answers come on the port's threads. Limits: a stage and
// metric has one round of questions under way.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/gate_plan.h"
#include "evidence/trust.h"
#include "flow/port/metric_queries.h"
#include "flow/telemetry_intake.h"
#include "host/engine_host.h"

namespace showcaller {

class MetricPoller {
 public:
  using Take = std::function<void(const ReportedDelta& delta, Trust trust)>;
  MetricPoller(EngineHost* host, MetricQueries* queries, Take take);
  // Answers that are still to come are dropped.
  ~MetricPoller();
  MetricPoller(const MetricPoller&) = delete;
  MetricPoller& operator=(const MetricPoller&) = delete;

  void pass();
  // Why nothing is known of the stage's metric now; empty: something is, or it is not asked for
  // here.
  std::string trouble(const std::string& stage, const std::string& metric) const;

 private:
  // What is kept of one stage and metric between two rounds.
  struct Asked {
    Instant next{};
    bool under_way = false;
    std::string trouble = "it was not asked yet";
    std::map<std::string, double> totals;  // by arm, part and series
    std::map<std::string, std::int64_t>
        behind;  // bad ones of a group whose totals are still to come
  };
  struct State {
    mutable std::mutex mutex;
    std::map<std::pair<std::string, std::string>, Asked> asked;  // by stage and metric
    Take take;
  };
  struct Question;
  struct Round;

  void ask(const JudgedStage& stage, const std::string& metric, const MetricSpec& spec,
           const World& world);
  using Grown = std::map<std::pair<Arm, std::string>, ReportedDelta>;
  static std::string trouble_of(const Round& round);
  static Grown take_growth(const Round& round, Asked* asked);
  static void hold_back(const std::pair<Arm, std::string>& place, Asked* asked,
                        ReportedDelta* delta);
  static void finish(State* state, const Round& round);

  EngineHost* host_;
  MetricQueries* queries_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace showcaller
