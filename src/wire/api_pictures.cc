// SPDX-License-Identifier: Apache-2.0
// Reads that cost something and that many look at together: pictures in columns of numbers, and
// explanations. Made once for all who ask within a second.
#include <charconv>

#include <fmt/format.h>

#include "wire/answer_cache.h"
#include "wire/api_routes.h"

namespace showcaller {
namespace {

using Picture = std::function<Result<json::value>(const ApiBackend&, const RequestContext&)>;

Result<std::int64_t> number_in(const RequestContext& context, std::string_view name) {
  const std::string text = context.query(name);
  if (text.empty()) return 0;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value > 0) return value;
  return fail(ErrorCode::Invalid,
              fmt::format("'{}' is no number; write {} as a whole one from 1 on", text, name));
}

Result<json::value> evidence(const ApiBackend& backend, const RequestContext& context) {
  EvidenceQuery query{.event = std::string(context.param("event")),
                      .live = context.query("live") == "true"};
  TRY(query.revision, number_in(context, "revision"));
  TRY(query.visit, number_in(context, "visit"));
  return backend.evidence(query);
}

void add_picture(Router* router, const ApiPorts& ports, const std::shared_ptr<AnswerCache>& cache,
                 Route route, Picture picture) {
  route.method = "GET";
  route.access = "read";
  route.slow = true;
  route.handler = [backend = ports.backend, cache, picture = std::move(picture)](
                      const auto& context, Answer answer) {
    const auto text = cache->get(std::string(context->request.target),
                                 [&] { return picture(*backend, *context); });
    if (!text) return answer.fail(text.error());
    answer.send(json_response(200, **text));
  };
  router->add(std::move(route));
}

}  // namespace

void add_picture_routes(Router* router, const ApiPorts& ports) {
  const auto cache = std::make_shared<AnswerCache>();
  const auto add = [&](Route route, Picture picture) {
    add_picture(router, ports, cache, std::move(route), std::move(picture));
  };
  add({.pattern = "/api/v1/calendar",
       .id = "calendar",
       .tag = "events",
       .summary = "All LiveEvents over time, freezes, what meets, and when there is room",
       .answer_schema = "Calendar"},
      [](const auto& backend, const auto&) -> Result<json::value> { return backend.calendar(); });
  add({.pattern = "/api/v1/events/{event}/evidence",
       .id = "eventEvidence",
       .tag = "events",
       .summary = "What each gate of a stage had seen and said, over time",
       .params = {{"revision", "query", "Default: the present one.", "integer"},
                  {"visit", "query", "Of a stage, as records tell it; default: the present one.",
                   "integer"},
                  {"live", "query", "The watch after the last stage.", "boolean"}},
       .answer_schema = "Evidence"},
      evidence);
  add({.pattern = "/api/v1/explain/{event}",
       .id = "explainEvent",
       .tag = "history",
       .summary = "Why the event is where it is: each decision with its evidence",
       .answer_schema = "Explanation"},
      [](const auto& backend, const auto& context) {
        return backend.explain(context.param("event"));
      });
  add({.pattern = "/api/v1/fleets/{fleet}/map",
       .id = "fleetMap",
       .tag = "compute",
       .summary = "Each instance of a fleet in a few bytes: state, build, players, quarantine",
       .answer_schema = "FleetMap"},
      [](const auto& backend, const auto& context) {
        return backend.fleet_map(context.param("fleet"));
      });
  add({.pattern = "/api/v1/fleets/{fleet}/demand",
       .id = "fleetDemand",
       .tag = "compute",
       .summary = "A fleet's sessions by the hour, its forecast, and what it was like this hour",
       .answer_schema = "FleetDemand"},
      [](const auto& backend, const auto& context) {
        return backend.fleet_demand(context.param("fleet"));
      });
}

}  // namespace showcaller
