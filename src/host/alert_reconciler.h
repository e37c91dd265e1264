// SPDX-License-Identifier: Apache-2.0
// Tells the routes of the teams that an alert has called what is new of it, and brings what came of
// it back to the engine.
//
// Each route is told the newest state alone; what it was not told before is passed over. A failure
// is tried again after 1 s, 2 s, 4 s, … up to a minute; after kAlertAttemptsMax it is a dead
// letter, until the alert changes again. A silenced alert is kept back until its silence ends. An
// alert that ended before a route was told of it is not told. Alertmanager is told again every
// minute while an alert fires, as it expects.
//
// What is delivered is a record: after a restart only what had no answer goes out again.
//
// Threads: pass() and test() by any, one at a time each; outcomes come on the port's threads.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "flow/port/alert_sender.h"
#include "host/engine_host.h"

namespace showcaller {

constexpr std::int64_t kAlertAttemptsMax = 12;
constexpr std::size_t kAlertsInFlightMax = 256;

struct AlertTotals {
  std::uint64_t delivered = 0, failed = 0, dead = 0;
};

class AlertReconciler {
 public:
  AlertReconciler(EngineHost* host, AlertSender* sender) : host_(host), sender_(sender) {}
  void pass();
  AlertTotals totals() const;
  // Sends something that is plainly a test by a route. NotFound: there is no such route.
  Status test(const std::string& team, const std::string& route, AlertSender::Outcome done);

 private:
  struct Standing {
    bool in_flight = false;
    std::int64_t change = 0;    // that is tried
    std::int64_t attempts = 0;  // of that change
    Instant next{};             // not before
    Instant told{};             // when it was last delivered, by this process
  };
  struct Shared {
    std::mutex mutex;
    std::map<std::string, Standing> standings;  // by "alert route"
    std::size_t in_flight = 0;
    AlertTotals totals;
  };
  static void settle(EngineHost* host, const std::shared_ptr<Shared>& shared,
                     DeliveryReported report, bool repeats, AlertSent sent, std::string detail);
  void tell(const World& world, const std::string& id, const Alert& alert, Instant now);
  void tell_route(const World& world, const std::string& id, const Alert& alert,
                  const std::string& team, const AlertRoute& route, Instant now);

  EngineHost* host_;
  AlertSender* sender_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace showcaller
