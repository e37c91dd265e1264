// SPDX-License-Identifier: Apache-2.0
#include "wire/api_routes.h"
#include "wire/metrics_response.h"

namespace showcaller {

void add_service_routes(Router* router, const ApiPorts& ports) {
  router->add(
      {.method = "GET",
       .pattern = "/livez",
       .id = "livez",
       .tag = "service",
       .summary = "The process answers",
       .access = kPublic,
       .answer_type = "text/plain",
       .handler = [](const auto&, Answer answer) { answer.send(text_response(200, "ok\n")); }});
  router->add({.method = "GET",
               .pattern = "/readyz",
               .id = "readyz",
               .tag = "service",
               .summary = "The server can take commands; 503 with the failed checks when it cannot",
               .access = kPublic,
               .answer_schema = "Readiness",
               .other_answers = {{503, "It cannot; `checks` says why.", "Readiness"}},
               .handler = [ports](const auto&, Answer answer) {
                 const auto readiness = ports.backend->readiness();
                 answer.ok(readiness, get_bool(readiness, "ready") ? 200 : 503);
               }});
  router->add(
      {.method = "GET",
       .pattern = "/api/v1/health",
       .id = "health",
       .tag = "service",
       .summary = "How the parts fare that the server rests on: journal, evidence, drivers, "
                  "relays",
       .access = "read",
       .answer_schema = "Health",
       .handler = [ports](const auto&, Answer answer) { answer.ok(ports.backend->health()); }});
  router->add({.method = "GET",
               .pattern = "/metrics",
               .id = "metrics",
               .tag = "service",
               .summary = "Metrics as OpenMetrics or Prometheus text",
               .access = "read",
               .answer_type = "text/plain",
               .other_answer_type = "application/openmetrics-text",
               .handler = [ports](const auto& context, Answer answer) {
                 answer.send(
                     metrics_response(*ports.metrics, context->request.headers.get("Accept")));
               }});
  router->add({.method = "GET",
               .pattern = "/api/v1/openapi.json",
               .id = "openapi",
               .tag = "service",
               .summary = "This document",
               .handler = [ports](const auto&, Answer answer) {
                 answer.send(json_response(200, ports.openapi()));
               }});
}

}  // namespace showcaller
