// SPDX-License-Identifier: Apache-2.0
// What a match of the arena asks of live operations and tells them: flags before it, measurements
// during and after. Without SHOWCALLER_URL nothing is asked or told, and the game plays by its
// defaults.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "match.h"

namespace arena {

// A session as the allocation describes it, in the annotations of the game server.
struct Session {
  std::string id;
  std::string party;  // "showcaller.dev/party": what flags are asked with
  std::string arms;   // "showcaller.dev/arms": passed on as it is, never looked into
};

class LiveOps {
 public:
  struct Options {
    std::string url;  // http://127.0.0.1:8080; empty: live operations are off
    std::string token;
    std::string instance;  // SHOWCALLER_INSTANCE
    std::string fleet;
    std::string build;
    std::string region;
  };
  explicit LiveOps(const Options& options);
  ~LiveOps();

  // The rules of a match: flags `double-score` (bool) and `arena-gravity` (number).
  MatchRules rules_for(const Session& session);
  void session_started(const Session& session, int players);
  // How long each step of the simulation took, in ms.
  void step_took(const Session& session, double ms);
  void session_ended(const Session& session, bool completed, double seconds, int falls);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace arena
