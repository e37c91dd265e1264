// SPDX-License-Identifier: Apache-2.0
#include "wire/relay_routes.h"

#include <utility>

#include "wire/api_routes.h"

namespace showcaller {
namespace {

Result<MovesBelow> moves_of(const RequestContext& context) {
  TRY(const json::object body, object_body(context.request));
  MovesBelow out{.place = get_string(body, "place"), .flags = {}};
  if (out.place.empty())
    return fail(ErrorCode::Invalid, "'place' is missing; send the relay's name");
  const json::value* moves = get_if(body, "flags");
  if (moves == nullptr) return fail(ErrorCode::Invalid, "'flags' is missing; send their moves");
  TRY(out.flags, moves_from_json(*moves));
  if (out.flags.empty()) return fail(ErrorCode::Invalid, "'flags' is empty; send their moves");
  return out;
}

// Whom the relay's answers may expose.
void take_evaluations(const RelayPorts& ports, const RequestContext& context, Answer answer) {
  const auto body = object_body(context.request);
  if (!body) return answer.fail(body.error());
  const json::value* list = get_if(*body, "evaluations");
  if (list == nullptr || !list->is_array())
    return answer.fail(
        {ErrorCode::Invalid, "'evaluations' is no list; send {\"context\",\"flag\"}s"});
  std::int64_t taken = 0;
  for (const json::value& each : list->get_array()) {
    const json::object* object = each.if_object();
    const json::value* who = object != nullptr ? get_if(*object, "context") : nullptr;
    if (who == nullptr || !who->is_object()) continue;
    ports.backend->evaluated(who->get_object(), get_string(*object, "flag"));
    ++taken;
  }
  answer.ok(json::object{{"taken", taken}}, 202);
}

}  // namespace

// At a server: moves are a command like another.
RelayPorts relay_ports(const ApiPorts& ports) {
  return {.backend = ports.backend,
          .state =
              [ports](const RequestContext& context) {
                ports.backend->heard_of_relay(context.actor, context.query("place").substr(0, 128));
                return ports.backend->relay_state();
              },
          .hear =
              [ports](MovesBelow moves, const auto& context, Answer answer) {
                MergeFlagsCommand command{std::move(moves.place), std::move(moves.flags)};
                submit_command(ports, *context, make_command(*context, std::move(command)),
                               std::move(answer));
              }};
}

void add_relay_routes(Router* router, const RelayPorts& ports) {
  router->add({.method = "GET",
               .pattern = std::string(kRelayStatePath),
               .id = "relayState",
               .tag = "relay",
               .summary = "What a relay needs to know: whose flags, their kill switches, tokens",
               .access = "relay",
               .params = {{"place", "query", "The relay's name, by which its health is told."}},
               .handler = [ports](const auto& context, Answer answer) {
                 answer.ok(ports.state(*context));
               }});
  router->add({.method = "POST",
               .pattern = std::string(kRelayMovesPath),
               .id = "relayMoves",
               .tag = "relay",
               .summary = "Kill switches as they were moved below; off wins until re-opened",
               .access = "relay",
               .params = kCommandParams,
               .body = BodyRule::Required,
               .handler = [ports](const auto& context, Answer answer) {
                 auto moves = moves_of(*context);
                 if (!moves) return answer.fail(moves.error());
                 ports.hear(*std::move(moves), context, std::move(answer));
               }});
  router->add({.method = "POST",
               .pattern = std::string(kRelayEvaluatedPath),
               .id = "relayEvaluated",
               .tag = "relay",
               .summary = "Whose flags a relay evaluated, for the ledger",
               .access = "relay",
               .body = BodyRule::Required,
               .body_bytes_max = kLargeBodyBytesMax,
               .answer_status = 202,
               .handler = [ports](const auto& context, Answer answer) {
                 take_evaluations(ports, *context, std::move(answer));
               }});
}

}  // namespace showcaller
