// SPDX-License-Identifier: Apache-2.0
// The arena's server: one match at a time over UDP, told by its sidecar when a session is given to
// it.
//
// Ready → Allocated (the sidecar says so) → players join → match → end → Ready again. Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "live_ops.h"
#include "match.h"
#include "sidecar_client.h"

namespace arena {

using Clock = std::chrono::steady_clock;

struct ServerOptions {
  int port = 0;  // 0: the system chooses
  int players_max = 4;
  double match_seconds = 20;
  double gather_seconds = 0.7;  // from the first player to the start, unless all are there
  double claim_seconds = 15;    // an allocation to which nobody comes
  int protocol = 47;
  std::uint64_t seed = 1;
  // The share of matches in which a defect of this build shows itself, at a random moment of the
  // match.
  double crash_rate = 0;  // the loot table is corrupt and the process aborts
  double stall_rate = 0;  // a lock is never given back: no more ticks, no more health pings
};

class ArenaServer {
 public:
  ArenaServer(ServerOptions options, SidecarClient* sidecar, LiveOps* live_ops);
  ~ArenaServer();

  // False: the port could not be had.
  bool open();
  int port() const { return port_; }
  // Until a signal asks for the end. Returns the exit code.
  int run();

 private:
  enum class Stage { Waiting, Gathering, Playing };
  enum class Defect { None, Crash, Stall };
  struct Client {
    std::uint64_t address = 0;  // IPv4 and port
    int slot = 0;
    std::string player;
    Clock::time_point heard;
  };

  void watch_sidecar();
  void begin_session(Session session);
  void receive();
  void handle(std::uint64_t from, const Packet& packet, Clock::time_point now);
  void welcome(std::uint64_t from, const Join& join, Clock::time_point now);
  void send(std::uint64_t to, const Packet& packet);
  void send_all(const Packet& packet);
  void turn(Clock::time_point now);
  void begin_match(Clock::time_point now);
  void step(Clock::time_point now);
  void show_defect();
  void end_session(bool completed, Clock::time_point now);
  void ping(Clock::time_point now);
  int wait_ms(Clock::time_point now) const;

  const ServerOptions options_;
  SidecarClient* sidecar_;
  LiveOps* live_ops_;
  showcaller::Random random_;
  int socket_ = -1;
  int signals_ = -1;
  int port_ = 0;
  bool ending_ = false;

  Stage stage_ = Stage::Waiting;
  std::optional<Session> session_;
  std::string last_session_;  // states that came late may still name it
  std::unique_ptr<Match> match_;
  std::map<std::uint64_t, Client> clients_;
  Clock::time_point stage_began_{};
  std::optional<Clock::time_point> first_join_;
  Clock::time_point next_tick_{};
  Clock::time_point next_ping_{};
  std::chrono::milliseconds ping_period_{500};
  std::uint32_t last_tick_ = 0;
  Defect defect_ = Defect::None;
  std::uint32_t defect_tick_ = 0;
};

}  // namespace arena
