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

Result<LedgerEntry> exposure_from(const json::value& told) {
  const json::object* object = told.if_object();
  if (object == nullptr) return fail(ErrorCode::Invalid, "an exposure is an object");
  LedgerEntry entry{.event = get_string(*object, "event"),
                    .revision = get_int(*object, "revision"),
                    .visit = get_int(*object, "visit"),
                    .region = get_string(*object, "region"),
                    .player = get_string(*object, "player")};
  if (entry.event.empty() || entry.player.empty())
    return fail(ErrorCode::Invalid, "an exposure names its `event` and `player`");
  TRY(entry.at, parse_instant(get_string(*object, "at")));
  return entry;
}

// Whom the relay's answers may have exposed.
void take_exposures(const RelayPorts& ports, const RequestContext& context, Answer answer) {
  const auto body = object_body(context.request);
  if (!body) return answer.fail(body.error());
  const json::value* list = get_if(*body, "exposures");
  if (list == nullptr || !list->is_array())
    return answer.fail({ErrorCode::Invalid, "'exposures' is no list; send one"});
  std::vector<LedgerEntry> entries;
  for (const json::value& each : list->get_array()) {
    auto entry = exposure_from(each);
    if (!entry) return answer.fail(entry.error());
    entries.push_back(*std::move(entry));
  }
  const std::size_t taken = entries.size();
  ports.exposed(std::move(entries));
  answer.ok(json::object{{"taken", taken}}, 202);
}

}  // namespace

json::object relayed_exposure(const LedgerEntry& entry) {
  json::object out{{"event", entry.event},
                   {"revision", entry.revision},
                   {"visit", entry.visit},
                   {"player", entry.player},
                   {"at", format_instant(entry.at)}};
  if (!entry.region.empty()) out["region"] = entry.region;
  return out;
}

// At a server: moves are a command like another.
RelayPorts relay_ports(const ApiPorts& ports) {
  return {.state =
              [ports](const RequestContext& context) {
                ports.backend->heard_of_relay(context.actor, context.query("place").substr(0, 128));
                return ports.backend->relay_state();
              },
          .hear =
              [ports](MovesBelow moves, const auto& context, Answer answer) {
                MergeFlagsCommand command{std::move(moves.place), std::move(moves.flags)};
                submit_command(ports, *context, make_command(*context, std::move(command)),
                               std::move(answer));
              },
          .exposed =
              [ports](std::vector<LedgerEntry> entries) {
                ports.backend->exposed_at_relay(std::move(entries));
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
               .pattern = std::string(kRelayExposedPath),
               .id = "relayExposed",
               .tag = "relay",
               .summary = "Whom answers of a relay exposed, and when, for the ledger",
               .access = "relay",
               .body = BodyRule::Required,
               .body_bytes_max = kLargeBodyBytesMax,
               .answer_status = 202,
               .handler = [ports](const auto& context, Answer answer) {
                 take_exposures(ports, *context, std::move(answer));
               }});
}

}  // namespace showcaller
