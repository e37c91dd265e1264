// SPDX-License-Identifier: Apache-2.0
// A team: who is on call when, who is called next, and by what ways.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/spec/alert_severity.h"

namespace showcaller {

// People take turns; the turn changes at the same time on the wall, whatever the clocks do there.
struct RotaSpec {
  struct Override {
    Instant from, to;
    std::string who;
  };
  std::string zone = "UTC";         // IANA
  std::int64_t starts_ms = 0;       // of the wall: when the first of `people` begins
  int days = 7;                     // a turn
  std::vector<std::string> people;  // in their order
  std::vector<Override> overrides;  // the first that holds counts
};

enum class RouteType : std::uint8_t { Alertmanager, Webhook, Slack, PagerDuty };

// Where alerts of the team go. What must stay secret is the server's to know, by a name.
struct AlertRoute {
  std::string name;
  RouteType type = RouteType::Webhook;
  std::string url, url_secret;                  // one of them
  std::string secret;                           // bearer token; PagerDuty: the routing key
  AlertSeverity least = AlertSeverity::Ticket;  // Page: tickets do not go there
};

struct TeamSpec {
  std::vector<std::string> members;
  std::vector<std::string> escalation;          // team or member names, in order
  std::vector<Duration> escalate_after;         // waits before each step; the last one repeats
  std::map<std::string, std::string> contacts;  // name -> how to reach, told along
  std::optional<RotaSpec> rota;
  std::vector<AlertRoute> routes;
};

}  // namespace showcaller
