// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "codec/ofrep.h"
#include "wire/api_routes.h"
#include "wire/field_reader.h"
#include "wire/flagd/ofrep_server.h"
#include "wire/ofrep.h"

namespace showcaller {
namespace {

const RouteAnswer kNotChanged{304, "Not changed since the ETag of If-None-Match.", ""};
const RouteAnswer kBadContext{400, "The context is not one.", "OfrepError"};
const RouteAnswer kPushBack{429, "Send less, later; Retry-After says when.", ""};

std::string_view outcome_of(const Error* error) {
  return error == nullptr ? "ok" : to_string(error->code);
}

void allocate(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  auto body = object_body(context.request);
  auto result =
      body ? ports.backend->allocate(*body) : Result<json::value>(std::unexpected(body.error()));
  ports.metrics->counter("showcaller_allocations", {outcome_of(result ? nullptr : &result.error())})
      .add();
  answer.settle(result);
}

json::object receipt_json(const TelemetryReceipt& receipt, const std::set<std::string>& ignored) {
  json::object out{{"accepted", receipt.taken}};
  if (receipt.repeated) out["repeated"] = true;
  if (!receipt.dropped.empty()) out["dropped"] = json::value_from(receipt.dropped);
  if (!ignored.empty()) out["ignored_fields"] = json::value_from(ignored);
  out["report_every_ms"] = receipt.report_every_ms;
  return out;
}

void report(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  const auto count_batch = [&](std::string_view outcome) {
    ports.metrics->counter("showcaller_telemetry_batches", {outcome}).add();
  };
  std::set<std::string> ignored;
  auto batch = decode_telemetry(context.request.body, {}, &ignored);
  if (!batch) {
    // Too large is no matter of when: only 429 may be tried again.
    const bool large = batch.error().code == ErrorCode::Limit;
    count_batch(to_string(ErrorCode::Invalid));
    return answer.fail(large ? 413 : 400, {ErrorCode::Invalid, batch.error().message});
  }
  const auto receipt = ports.backend->report(*std::move(batch), context.actor);
  if (!receipt) {
    count_batch(to_string(receipt.error().code));
    return answer.fail(receipt.error());
  }
  count_batch(receipt->repeated ? "repeated" : "ok");
  const auto count_deltas = [&](std::string_view outcome, std::int64_t deltas) {
    if (deltas > 0)
      ports.metrics->counter("showcaller_telemetry_deltas", {outcome}).add(std::uint64_t(deltas));
  };
  count_deltas("taken", receipt->taken);
  for (const auto& [why, deltas] : receipt->dropped) count_deltas(why, deltas);
  answer.ok(receipt_json(*receipt, ignored), 202);
}

using PrivacyVerb = std::function<Result<json::value>(std::string_view player, const Actor& actor)>;

// What is done to a player's rows stands in the log with who did it and why, never with whose they
// are.
RouteHandler privacy(const ApiPorts& ports, std::string verb, PrivacyVerb act) {
  return [ports, verb = std::move(verb), act = std::move(act)](const auto& context, Answer answer) {
    const auto body = object_body(context->request);
    if (!body) return answer.fail(body.error());
    FieldReader reader(*body, kReasonAside);
    const auto player = reader.text("player");
    if (!player) return answer.fail(player.error());
    if (const auto whole = reader.finish(); !whole) return answer.fail(whole.error());
    if (player->empty())
      return answer.fail({ErrorCode::Invalid, "'player' is empty; send the player's id"});
    const auto result = act(*player, context->actor);
    const auto outcome = outcome_of(result ? nullptr : &result.error());
    ports.metrics->counter("showcaller_commands", {verb, outcome}).add();
    ports.log->write(LogLevel::Warning, ports.backend->now(), "a player's rows: " + verb,
                     context->trace.trace_id,
                     {{"actor", context->actor.name},
                      {"outcome", outcome},
                      {"reason", get_string(*body, "reason")}});
    answer.settle(result);
  };
}

// Whose names were asked about stands in no log; who asked, about what and how many does.
void admitted(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  const auto body = object_body(context.request);
  if (!body) return answer.fail(body.error());
  const std::string event(context.param("event"));
  const auto result = ports.backend->admitted(event, *body);
  const auto outcome = outcome_of(result ? nullptr : &result.error());
  ports.metrics->counter("showcaller_commands", {"ledger-admitted", outcome}).add();
  ports.log->write(LogLevel::Warning, ports.backend->now(), "players held against an event",
                   context.trace.trace_id,
                   {{"actor", context.actor.name},
                    {"event", event},
                    {"asked", result ? get_int(result->as_object(), "asked") : 0},
                    {"outcome", outcome},
                    {"reason", get_string(*body, "reason")}});
  answer.settle(result);
}

// Before the answer: whom it exposes is noted before he can know.
void tell_of_evaluation(const HttpRequest& request, ApiBackend* backend) {
  constexpr std::string_view kEvaluate = "/ofrep/v1/evaluate/flags";
  if (request.method != "POST" || !request.path.starts_with(kEvaluate)) return;
  std::string_view flag = std::string_view(request.path).substr(kEvaluate.size());
  if (flag.starts_with('/')) flag.remove_prefix(1);
  if (const auto who = decode_ofrep_context(request.body)) backend->evaluated(*who, flag);
}

void stream_flag_changes(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  if (ports.flag_streams == nullptr)
    return answer.fail({ErrorCode::NotFound, "changes of flags are not told here; ask again"});
  const HttpHeaders& headers = context.request.headers;
  const auto view = ports.backend->flags(context.actor);
  std::string last_seen(headers.get("Last-Event-ID", view.flags->fingerprint()));
  tell_of_changes(answer.stream(event_stream_head()), ports.flag_feed, ports.flag_streams,
                  std::string(token_of(headers)), "", std::move(last_seen));
}

void add_flag_routes(Router* router, const ApiPorts& ports) {
  router->add({.method = "GET",
               .pattern = "/api/v1/flags/snapshot",
               .id = "flagSnapshot",
               .tag = "flags",
               .summary = "Every flag with its rules, in flagd's format; ETag and If-None-Match",
               .access = "flags",
               .answer_schema = "FlagSnapshot",
               .other_answers = {kNotChanged},
               .handler = [backend = ports.backend](const auto& context, Answer answer) {
                 const auto view = backend->flags(context->actor);
                 if (view.client_visible_only) {
                   return answer.fail({ErrorCode::Forbidden,
                                       "rules are not for clients; evaluate by /ofrep/v1 instead"});
                 }
                 answer.send(handle_flag_snapshot(context->request, *view.flags));
               }});
  OfrepOptions options;
  if (ports.flag_streams != nullptr) options.stream = {.target = std::string(kFlagEventsPath)};
  const auto ofrep = [backend = ports.backend, options](const auto& context, Answer answer) {
    const auto view = backend->flags(context->actor);
    tell_of_evaluation(context->request, backend);
    answer.send(handle_ofrep(context->request, *view.flags, backend->now(), options));
  };
  router->add({.method = "GET",
               .pattern = std::string(kFlagEventsPath),
               .id = "ofrepEvents",
               .tag = "flags",
               .summary = "A server-sent event whenever the caller's flags have changed",
               .access = "flags",
               .params = {{"Last-Event-ID", "header", "Of the last event that the reader has."}},
               .answer_type = "text/event-stream",
               .handler = [ports](const auto& context, Answer answer) {
                 stream_flag_changes(ports, *context, std::move(answer));
               }});
  const auto add = [&](std::string method, std::string pattern, std::string id, std::string summary,
                       std::string schema, std::vector<RouteAnswer> others) {
    const bool with_body = method == "POST";
    router->add({.method = std::move(method),
                 .pattern = std::move(pattern),
                 .id = std::move(id),
                 .tag = "flags",
                 .summary = std::move(summary),
                 .access = "flags",
                 .body = with_body ? BodyRule::Optional : BodyRule::None,
                 .body_schema = with_body ? "OfrepContext" : "",
                 .answer_schema = std::move(schema),
                 .other_answers = std::move(others),
                 .handler = ofrep});
  };
  add("POST", "/ofrep/v1/evaluate/flags/{key...}", "ofrepEvaluate",
      "Evaluate one flag (OpenFeature Remote Evaluation)", "OfrepEvaluation",
      {kBadContext, {404, "There is no such flag.", "OfrepError"}});
  add("POST", "/ofrep/v1/evaluate/flags", "ofrepEvaluateAll",
      "Evaluate all flags; ETag and If-None-Match", "OfrepBulk", {kBadContext, kNotChanged});
  add("GET", "/ofrep/v1/configuration", "ofrepConfiguration", "What an OFREP provider may ask for",
      "OfrepConfiguration", {kNotChanged});
}

}  // namespace

void add_session_routes(Router* router, const ApiPorts& ports) {
  router->add({.method = "POST",
               .pattern = "/api/v1/allocations",
               .id = "allocate",
               .tag = "sessions",
               .summary = "Give a session an instance; the same session gets the same answer",
               .access = "allocate",
               .body = BodyRule::Required,
               .body_schema = "AllocationRequest",
               .answer_schema = "Allocation",
               .other_answers = {{409, "The session has a place in another fleet.", ""},
                                 {429, "Too many sessions for this server.", ""},
                                 {503, "No place now; Retry-After says when.", ""}},
               .handler = [ports](const auto& context, Answer answer) {
                 allocate(ports, *context, std::move(answer));
               }});
  router->add({.method = "DELETE",
               .pattern = "/api/v1/allocations/{session}",
               .id = "release",
               .tag = "sessions",
               .summary = "The session is over",
               .access = "allocate",
               .answer_status = 204,
               .handler = [ports](const auto& context, Answer answer) {
                 const auto released = ports.backend->release(context->param("session"));
                 if (!released) return answer.fail(released.error());
                 answer.send({.status = 204});
               }});
  router->add(
      {.method = "POST",
       .pattern = "/api/v1/telemetry",
       .id = "report",
       .tag = "sessions",
       .summary =
           "A batch of deltas from an SDK or game server; counted once by source and sequence",
       .access = "report",
       .body = BodyRule::Required,
       .body_bytes_max = kLargeBodyBytesMax,
       .body_schema = "TelemetryBatch",
       .answer_schema = "TelemetryReceipt",
       .answer_status = 202,
       .other_answers = {kPushBack},
       .handler = [ports](const auto& context, Answer answer) {
         report(ports, *context, std::move(answer));
       }});
  add_flag_routes(router, ports);
  const auto add_privacy = [&](std::string verb, std::string id, std::string summary,
                               PrivacyVerb act) {
    router->add({.method = "POST",
                 .pattern = "/api/v1/privacy/" + verb,
                 .id = std::move(id),
                 .tag = "privacy",
                 .summary = std::move(summary),
                 .access = "privacy",
                 .body = BodyRule::Required,
                 .body_schema = "Player",
                 .slow = true,
                 .handler = privacy(ports, "privacy-" + verb, std::move(act))});
  };
  router->add({.method = "POST",
               .pattern = "/api/v1/ledger/{event}/admitted",
               .id = "ledgerAdmitted",
               .tag = "privacy",
               .summary = "Whom of these players the event admitted; each gets a row in its ledger",
               .access = "privacy",
               .body = BodyRule::Required,
               .body_bytes_max = kLargeBodyBytesMax,
               .body_schema = "AdmittedRequest",
               .answer_schema = "Admitted",
               .other_answers = {{409, "That ledger is not kept any more.", ""}},
               .slow = true,
               .handler = [ports](const auto& context, Answer answer) {
                 admitted(ports, *context, std::move(answer));
               }});
  add_privacy("export", "privacyExport", "All that the ledgers hold of a player",
              [backend = ports.backend](std::string_view player, const Actor&) {
                return backend->privacy_export(player);
              });
  add_privacy("erase", "privacyErase",
              "Destroy a player's key: his rows can no longer be told to be his",
              [backend = ports.backend](std::string_view player, const Actor& actor) {
                return backend->privacy_erase(player, actor);
              });
}

}  // namespace showcaller
