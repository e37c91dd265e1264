// SPDX-License-Identifier: Apache-2.0
#include "wire/api_routes.h"

namespace showcaller {
namespace {

void serve_metrics(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  const auto accept = context.request.headers.get("Accept");
  const bool open = accept.find("application/openmetrics-text") != accept.npos;
  auto text = ports.metrics->text(open);
  answer.send(text_response(200, std::move(text),
                            open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                 : "text/plain; version=0.0.4; charset=utf-8"));
}

}  // namespace

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
  router->add({.method = "GET",
               .pattern = "/metrics",
               .id = "metrics",
               .tag = "service",
               .summary = "Metrics as OpenMetrics or Prometheus text",
               .access = "read",
               .answer_type = "text/plain",
               .other_answer_type = "application/openmetrics-text",
               .handler = [ports](const auto& context, Answer answer) {
                 serve_metrics(ports, *context, std::move(answer));
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
