// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include <fmt/format.h>

#include "wire/api_routes.h"

namespace showcaller {
namespace {

const RouteParam kEventFilter{"event", "query", "Only what is about this LiveEvent."};
const RouteParam kKindFilter{"kind", "query", "Only this kind."};

Result<std::optional<std::uint64_t>> whole_number(std::string_view text, std::string_view what) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::Invalid,
                fmt::format("'{}' is not a whole number; write {} as one", text, what));
  }
  return value;
}

Result<HistoryQuery> history_query(const RequestContext& context) {
  HistoryQuery query{.event = context.query("event"), .kind = context.query("kind")};
  TRY(const auto from, whole_number(context.query("from"), "from"));
  TRY(const auto to, whole_number(context.query("to"), "to"));
  TRY(const auto limit, whole_number(context.query("limit"), "limit"));
  query.from_seq = from.value_or(1);
  query.to_seq = to.value_or(0);
  query.limit = std::min<std::uint64_t>(limit.value_or(query.limit), 10'000);
  return query;
}

// Where a reader goes on. A browser that comes back sends the address it began with, and where it
// has come to since in the header.
Result<std::optional<std::uint64_t>> last_seen(const ApiBackend& backend,
                                               const RequestContext& context) {
  const auto header = context.request.headers.get("Last-Event-ID");
  TRY(const auto after, whole_number(header.empty() ? context.query("after") : std::string(header),
                                     header.empty() ? "after" : "Last-Event-ID"));
  const auto last = backend.last_seq();
  if (after && *after > last) {
    return fail(ErrorCode::Conflict,
                fmt::format("the journal ends at record {}, before {}: it is not the one that was "
                            "read; begin again without a place",
                            last, *after));
  }
  return after;
}

void watch(const ApiPorts& ports, const std::shared_ptr<const RequestContext>& context,
           Answer answer) {
  const auto after = last_seen(*ports.backend, *context);
  if (!after) return answer.fail(after.error());
  if (ports.hub->watchers() >= WatchHub::kWatchersMax) {
    return answer.fail({ErrorCode::Limit, "too many watch already; try again later"});
  }
  auto stream = answer.stream({.headers = {{"Content-Type", "text/event-stream"},
                                           {"Cache-Control", "no-store"},
                                           {"X-Accel-Buffering", "no"}},
                               .body = ""});
  auto allowed = [ports, context] {
    return ports.authenticate(context->request) &&
           authorize_route(*ports.backend, *context, context->route->access);
  };
  if (!ports.hub->add(stream, {.filter = {context->query("event"), context->query("kind")},
                               .after = *after,
                               .allowed = std::move(allowed)}))
    stream->close();
}

}  // namespace

void add_reading(Router* router, const ApiPorts& ports, Route route, Reading reading) {
  route.method = "GET";
  route.access = "read";
  route.handler = [backend = ports.backend, reading = std::move(reading)](const auto& context,
                                                                          Answer answer) {
    answer.settle(reading(*backend, *context));
  };
  router->add(std::move(route));
}

namespace {

void add_world_readings(Router* router, const ApiPorts& ports) {
  const auto add = [&](Route route, Reading reading) {
    add_reading(router, ports, std::move(route), std::move(reading));
  };
  add({.pattern = "/api/v1/status",
       .id = "status",
       .tag = "service",
       .summary = "The server and its world in a few numbers",
       .answer_schema = "Status"},
      [](const auto& backend, const auto&) { return backend.status(); });
  add({.pattern = "/api/v1/events",
       .id = "listEvents",
       .tag = "events",
       .summary = "All LiveEvents, in short",
       .answer_schema = "List"},
      [](const auto& backend, const auto&) { return backend.events(); });
  add({.pattern = "/api/v1/events/{event}",
       .id = "getEvent",
       .tag = "events",
       .summary = "One LiveEvent: phase, stage, gates, steps, readiness, what it waits for",
       .answer_schema = "Event"},
      [](const auto& backend, const auto& context) {
        return backend.event(context.param("event"));
      });
  add({.pattern = "/api/v1/manifests",
       .id = "listManifests",
       .tag = "manifests",
       .summary = "Manifests in force",
       .params = {kKindFilter},
       .answer_schema = "List"},
      [](const auto& backend, const auto& context) {
        return backend.manifests(context.query("kind"));
      });
  add({.pattern = "/api/v1/manifests/{kind}/{name}",
       .id = "getManifest",
       .tag = "manifests",
       .summary = "One manifest",
       .answer_schema = "Manifest"},
      [](const auto& backend, const auto& context) {
        return backend.manifest(context.param("kind"), context.param("name"));
      });
  add({.pattern = "/api/v1/fleets",
       .id = "listFleets",
       .tag = "compute",
       .summary = "Fleets as wanted and as observed",
       .answer_schema = "List"},
      [](const auto& backend, const auto&) { return backend.fleets(); });
  add({.pattern = "/api/v1/fleets/{fleet}",
       .id = "getFleet",
       .tag = "compute",
       .summary = "One fleet",
       .answer_schema = "Fleet"},
      [](const auto& backend, const auto& context) {
        return backend.fleet(context.param("fleet"));
      });
  add({.pattern = "/api/v1/instances",
       .id = "listInstances",
       .tag = "compute",
       .summary = "Game server processes",
       .params = {{"fleet", "query", "Only those of this fleet."}},
       .answer_schema = "List"},
      [](const auto& backend, const auto& context) {
        return backend.instances(context.query("fleet"));
      });
  add({.pattern = "/api/v1/quarantines",
       .id = "listQuarantines",
       .tag = "compute",
       .summary = "Quarantines in force",
       .answer_schema = "List"},
      [](const auto& backend, const auto&) { return backend.quarantines(); });
  add({.pattern = "/api/v1/probes",
       .id = "listProbes",
       .tag = "compute",
       .summary = "How each Probe stands, from every place that it is made from",
       .answer_schema = "List"},
      [](const auto& backend, const auto&) { return backend.probes(); });
  router->add({.method = "GET",
               .pattern = "/api/v1/probes/{region}/work",
               .id = "probesOfRegion",
               .tag = "compute",
               .summary = "The probes that are made from a region, for who makes them there",
               .access = "probe",
               .answer_schema = "List",
               .handler = [backend = ports.backend](const auto& context, Answer answer) {
                 answer.ok(backend->probes_of(context->param("region")));
               }});
  add({.pattern = "/api/v1/services",
       .id = "listServices",
       .tag = "services",
       .summary = "Services: under stress or not, what they do without, and their circuit breakers",
       .answer_schema = "List"},
      [](const auto& backend, const auto&) { return backend.services(); });
  add({.pattern = "/api/v1/services/{service}",
       .id = "getService",
       .tag = "services",
       .summary = "One service, with every sign that it was last measured by",
       .answer_schema = "Service"},
      [](const auto& backend, const auto& context) {
        return backend.service(context.param("service"));
      });
  add({.pattern = "/api/v1/drills",
       .id = "listDrills",
       .tag = "compute",
       .summary = "Drills that were played on this server, each with its last report",
       .answer_schema = "List"},
      [](const auto& backend, const auto&) { return backend.drills(); });
  add({.pattern = "/api/v1/drills/{drill}",
       .id = "getDrill",
       .tag = "compute",
       .summary = "The last run of a drill; its verdict is empty while it goes on",
       .answer_schema = "DrillRun"},
      [](const auto& backend, const auto& context) {
        return backend.drill(context.param("drill"));
      });
  add({.pattern = "/api/v1/configs/{config}",
       .id = "getConfig",
       .tag = "manifests",
       .summary = "The versions of a configuration document that are kept, the newest first",
       .answer_schema = "ConfigVersions"},
      [](const auto& backend, const auto& context) {
        return backend.config(context.param("config"));
      });
  add({.pattern = "/api/v1/flags",
       .id = "listFlags",
       .tag = "flags",
       .summary = "Flags: whose, enabled, disabled or killed, and the events that change them",
       .answer_schema = "List"},
      [](const auto& backend, const auto&) { return backend.flag_list(); });
  add({.pattern = "/api/v1/line",
       .id = "listStoppedLines",
       .tag = "line",
       .summary = "Scopes whose line is stopped",
       .answer_schema = "List"},
      [](const auto& backend, const auto&) { return backend.lines(); });
}

void add_journal_readings(Router* router, const ApiPorts& ports) {
  const auto add = [&](Route route, Reading reading) {
    route.slow = true;
    add_reading(router, ports, std::move(route), std::move(reading));
  };
  add({.pattern = "/api/v1/history",
       .id = "history",
       .tag = "history",
       .summary = "Records of the journal, in order",
       .params = {{"from", "query", "First seq; default 1.", "integer"},
                  {"to", "query", "Last seq.", "integer"},
                  {"limit", "query", "At most so many records; default 1000, at most 10000.",
                   "integer"},
                  kEventFilter,
                  kKindFilter},
       .answer_schema = "History"},
      [](const auto& backend, const auto& context) -> Result<json::value> {
        TRY(const auto query, history_query(context));
        return backend.history(query);
      });
  add({.pattern = "/api/v1/flags/stale",
       .id = "staleFlags",
       .tag = "flags",
       .summary =
           "Flags that may be taken out, and why: never asked for, one answer for all, owner "
           "gone, event over",
       .params = {{"after", "query", "How long is long, such as 90d; default 30d.", "string"}},
       .answer_schema = "StaleFlags"},
      [](const auto& backend, const auto& context) {
        return backend.stale_flags(context.query("after"));
      });
  add({.pattern = "/api/v1/flags/document",
       .id = "flagDocument",
       .tag = "flags",
       .summary = "Every flag with its rules, as servers get, got or will get them",
       .params = {{"at", "query", "A time such as 2026-12-18T18:00:00Z; default: now.", "string"}},
       .answer_schema = "FlagSnapshot"},
      [](const auto& backend, const auto& context) {
        return backend.flag_document(context.query("at"));
      });
  add({.pattern = "/api/v1/ledger/{event}",
       .id = "eventLedger",
       .tag = "history",
       .summary = "Who may have been exposed, as counts and pseudonyms",
       .params = {{"revision", "query", "Of the event; default: the present one.", "integer"}},
       .answer_schema = "Ledger"},
      [](const auto& backend, const auto& context) -> Result<json::value> {
        TRY(const auto revision, whole_number(context.query("revision"), "revision"));
        return backend.ledger(context.param("event"),
                              static_cast<std::int64_t>(revision.value_or(0)));
      });
}

}  // namespace

void add_read_routes(Router* router, const ApiPorts& ports) {
  add_world_readings(router, ports);
  add_journal_readings(router, ports);
  router->add({.method = "POST",
               .pattern = "/api/v1/flags/{flag}/evaluate",
               .id = "evaluateFlag",
               .tag = "flags",
               .summary = "What somebody gets, got or will get of a flag, and by which rule",
               .access = "read",
               .body = BodyRule::Optional,
               .body_schema = "FlagQuestion",
               .answer_schema = "FlagAnswer",
               .slow = true,
               .handler = [backend = ports.backend](const auto& context, Answer answer) {
                 const auto body = object_body(context->request);
                 if (!body) return answer.fail(body.error());
                 answer.settle(backend->evaluate_flag(context->param("flag"), *body));
               }});
  router->add(
      {.method = "GET",
       .pattern = "/api/v1/watch",
       .id = "watch",
       .tag = "history",
       .summary = "Each durable record as a server-sent event, from now on or after a seq",
       .access = "read",
       .params = {{"after", "query", "The last seq that the reader has.", "integer"},
                  {"Last-Event-ID", "header", "The same, as browsers send it when they come back."},
                  kEventFilter,
                  kKindFilter},
       .answer_type = "text/event-stream",
       .other_answers = {{409, "The place named is not in this journal.", ""},
                         {429, "Too many watch already.", ""}},
       .handler = [ports](const auto& context, Answer answer) {
         watch(ports, context, std::move(answer));
       }});
}

Status authorize_route(const ApiBackend& backend, const RequestContext& context,
                       std::string_view access) {
  std::vector<std::string> owners;
  const auto name = [&](std::string_view kind, std::string_view of) {
    if (!of.empty()) owners.push_back(backend.owner_of(kind, of));
  };
  name("LiveEvent", context.param("event"));
  name("LiveEvent", context.query("event"));
  name("Fleet", context.param("fleet"));
  name("Fleet", context.query("fleet"));
  name("Drill", context.param("drill"));
  name("Flag", context.param("flag"));
  name("Config", context.param("config"));
  name("Team", context.param("team"));
  if (const auto kind = context.param("kind"); !kind.empty()) name(kind, context.param("name"));
  if (owners.empty()) owners.emplace_back();
  for (const auto& owner : owners) TRY(backend.authorize(context.actor, access, owner));
  return {};
}

}  // namespace showcaller
