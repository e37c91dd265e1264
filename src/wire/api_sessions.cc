// SPDX-License-Identifier: Apache-2.0
#include "wire/api_routes.h"
#include "wire/field_reader.h"

namespace showcaller {
namespace {

std::string_view outcome_of(const Error* error) {
  return error == nullptr ? "ok" : to_string(error->code);
}

void allocate(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  auto body = object_body(context.request);
  auto result = body ? ports.backend->allocate(*body, context.trace)
                     : Result<json::value>(std::unexpected(body.error()));
  ports.metrics->counter("showcaller_allocations", {outcome_of(result ? nullptr : &result.error())})
      .add();
  answer.settle(result);
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
                     {context->trace.trace_id, context->trace.span_id},
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
                   {context.trace.trace_id, context.trace.span_id},
                   {{"actor", context.actor.name},
                    {"event", event},
                    {"asked", result ? get_int(result->as_object(), "asked") : 0},
                    {"outcome", outcome},
                    {"reason", get_string(*body, "reason")}});
  answer.settle(result);
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
