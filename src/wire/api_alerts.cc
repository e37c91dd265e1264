// SPDX-License-Identifier: Apache-2.0
// Alerts and silences: reading them, and what people do about them.
#include <fmt/format.h>

#include "wire/api_routes.h"

namespace showcaller {
namespace {

constexpr std::array<std::string_view, 3> kStates{"firing", "acknowledged", "resolved"};

void add_alert_readings(Router* router, const ApiPorts& ports) {
  add_reading(router, ports,
              {.pattern = "/api/v1/alerts",
               .id = "listAlerts",
               .tag = "alerts",
               .summary = "Alerts, the newest first: open ones, and the last thousand resolved",
               .params = {{"state", "query", "firing, acknowledged or resolved; default: all."}},
               .answer_schema = "Alerts"},
              [](const auto& backend, const auto& context) -> Result<json::value> {
                const std::string state = context.query("state");
                if (!state.empty() && std::ranges::find(kStates, state) == kStates.end()) {
                  return fail(ErrorCode::Invalid,
                              fmt::format("'{}' is no state of an alert; there are firing, "
                                          "acknowledged, resolved",
                                          state));
                }
                return backend.alerts(state);
              });
  add_reading(router, ports,
              {.pattern = "/api/v1/alerts/{alert}",
               .id = "getAlert",
               .tag = "alerts",
               .summary = "One alert: what is wrong, whose it is, what to do next",
               .answer_schema = "Alert"},
              [](const auto& backend, const auto& context) {
                return backend.alert(context.param("alert"));
              });
  add_reading(
      router, ports,
      {.pattern = "/api/v1/silences",
       .id = "listSilences",
       .tag = "alerts",
       .summary = "Silences in force: alerts of their subjects call nobody",
       .answer_schema = "List"},
      [](const auto& backend, const auto&) -> Result<json::value> { return backend.silences(); });
}

void add_delivery_routes(Router* router, const ApiPorts& ports) {
  add_reading(router, ports,
              {.pattern = "/api/v1/alerts/dead-letters",
               .id = "listDeadLetters",
               .tag = "alerts",
               .summary = "What a route was not told, after all attempts",
               .answer_schema = "List"},
              [](const auto& backend, const auto&) -> Result<json::value> {
                return backend.dead_letters();
              });
  add_reading(
      router, ports,
      {.pattern = "/api/v1/objectives",
       .id = "listObjectives",
       .tag = "alerts",
       .summary = "Each objective of a service, of everybody and of each event's players: "
                  "its budget and how fast it burns",
       .answer_schema = "Objectives"},
      [](const auto& backend, const auto&) -> Result<json::value> { return backend.objectives(); });
  router->add({.method = "POST",
               .pattern = "/api/v1/teams/{team}/routes/{route}/test",
               .id = "testRoute",
               .tag = "alerts",
               .summary = "Send what is plainly a test by a team's route",
               .access = "acknowledge",
               .body = BodyRule::Optional,
               .body_schema = "AlertCommand",
               .answer_schema = "RouteTest",
               .handler = [backend = ports.backend](const auto& context, Answer answer) {
                 backend->test_route(
                     context->param("team"), context->param("route"),
                     [answer = std::move(answer)](Result<json::value> tested) mutable {
                       answer.settle(std::move(tested));
                     });
               }});
}

}  // namespace

void add_alert_routes(Router* router, const ApiPorts& ports) {
  add_alert_readings(router, ports);
  add_delivery_routes(router, ports);
  add_command_route(router, ports,
                    {.pattern = "/api/v1/alerts/{alert}/acknowledge",
                     .id = "acknowledgeAlert",
                     .tag = "alerts",
                     .summary = "Somebody looks after it: nobody else is called",
                     .body = BodyRule::Optional,
                     .body_schema = "AlertCommand"},
                    "acknowledge");
  add_command_route(router, ports,
                    {.pattern = "/api/v1/alerts/{alert}/own",
                     .id = "ownAlert",
                     .tag = "alerts",
                     .summary = "It is somebody's by name, who has the whole time to answer",
                     .body = BodyRule::Optional,
                     .body_schema = "AlertOwner"},
                    "own");
  add_command_route(router, ports,
                    {.pattern = "/api/v1/alerts/{alert}/resolve",
                     .id = "resolveAlert",
                     .tag = "alerts",
                     .summary = "It is over, whatever it waits for; refused while a budget burns",
                     .body = BodyRule::Optional,
                     .body_schema = "AlertCommand"},
                    "resolve");
  add_command_route(router, ports,
                    {.pattern = "/api/v1/silences",
                     .id = "silence",
                     .tag = "alerts",
                     .summary = "Let alerts of a subject call nobody for a while, or with an event",
                     .body = BodyRule::Required,
                     .body_schema = "Silence"},
                    "silence");
  add_command_route(router, ports,
                    {.pattern = "/api/v1/silences/{silence}/end",
                     .id = "endSilence",
                     .tag = "alerts",
                     .summary = "End a silence: what is open and unacknowledged calls somebody",
                     .body = BodyRule::Optional,
                     .body_schema = "AlertCommand"},
                    "unsilence");
}

}  // namespace showcaller
