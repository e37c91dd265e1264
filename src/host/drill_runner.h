// SPDX-License-Identifier: Apache-2.0
// Plays the drills that were begun on this server: kills and pauses instances of the fleet, and
// disturbs their network, when their time comes, sees what the engine does about it, and ends each
// drill with its report, at the latest when its time is over. What is done is in the journal before
// it is done; who began it need not stay.
//
// A drill in the middle of which the server was started anew is over: what it saw is lost. What has
// to end (a pause, a fault of the network) ends by itself at the driver, and is ended here too.
//
// Threads: note() by the engine's, pass() by the reconcilers', may_begin() by any.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "compute/fleet_view.h"
#include "compute/port/fleet_driver.h"
#include "engine/drill_score.h"
#include "host/engine_host.h"
#include "host/fleet_reconciler.h"

namespace showcaller {

class DrillRunner {
 public:
  using ViewOf = std::function<FleetView(const std::string& fleet)>;

  DrillRunner(EngineHost* host, std::map<std::string, FleetDriver*> drivers)
      : host_(host), drivers_(std::move(drivers)), opened_(host->now()) {}

  // Whether the fleet's driver can do all that the drill needs, but for what may be left out.
  Status may_begin(const World& world, const DrillCommand& command) const;
  void note(const World& world, std::span<const Record> records);
  // `fleets_of`: as last observed; asked only while there is something to do. Returns the errors of
  // drivers, if any.
  using FleetsOf = std::function<std::vector<FleetPass>()>;
  std::vector<Error> pass(const ViewOf& view_of, const FleetsOf& fleets_of);

 private:
  struct Play {
    Instant started{};
    DrillSpec drill;
    DrillScore score;
    std::set<std::string> asked;  // injects whose record is on its way
    std::set<std::string> done;   // that were carried out
    DrillMoment before;
  };
  // One drill in one pass.
  struct Turn {
    const World& world;
    const std::string& name;
    const DrillRun& run;
    Instant now{};
    const FleetView& view;
    std::span<const ObservedInstance> instances;
    std::vector<Error>* errors;
  };

  bool is_settled(const std::string& name, const DrillRun& run) const;
  Play* play_of(const std::string& name, const DrillRun& run);
  void turn(const Turn& turn, Play* play);
  void ask_for_what_is_due(const Turn& turn, Play* play);
  void carry_out(const Turn& turn, Play* play);
  void end_what_lasts(const Turn& turn);
  Status may_play(const World& world, const std::string& fleet, const DrillInject& inject) const;
  void end(const Turn& turn, std::string verdict, std::string reason, json::object report);
  void disturb(const Turn& turn, const DisturbInstance& one);

  EngineHost* host_;
  std::map<std::string, FleetDriver*> drivers_;
  Instant opened_;
  std::map<std::string, Play> plays_;  // by drill
  std::set<std::string> ended_;        // "drill/inject@time": told to be as before
  std::mutex mutex_;
  std::vector<Record> noted_;
};

}  // namespace showcaller
