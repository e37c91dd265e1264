// SPDX-License-Identifier: Apache-2.0
#include "cli/admitted_players.h"

#include <fmt/format.h>

#include "cli/serve/allocation_json.h"
#include "wire/field_reader.h"

namespace showcaller {

Result<AdmittedRequest> admitted_request(const World& world, std::string_view event,
                                         const json::object& body) {
  const EventState* state = world.event(event);
  if (!state) return fail(ErrorCode::NotFound, fmt::format("there is no LiveEvent '{}'", event));
  FieldReader reader(body, kReasonAside);
  TRY(const auto revision, reader.whole("revision"));
  TRY(const json::array* players, reader.list("players"));
  TRY(reader.finish());
  AdmittedRequest request{{std::string(event), revision.value_or(state->revision)}, {}};
  if (request.revision.revision < 1 || request.revision.revision > state->last_revision) {
    return fail(ErrorCode::NotFound, fmt::format("{} has no r{}; its newest is r{}", event,
                                                 request.revision.revision, state->last_revision));
  }
  if (!players || players->empty() || players->size() > kAdmittedPlayersMax) {
    return fail(ErrorCode::Invalid, fmt::format("'players' is no list of 1 to {} players; send "
                                                "their ids, or objects with an 'id'",
                                                kAdmittedPlayersMax));
  }
  for (const json::value& player : *players) {
    TRY(auto one, allocation_player(player));
    if (one.id.empty())
      return fail(ErrorCode::Invalid, "the 'id' of a player is empty; write the player's id");
    request.players.push_back(std::move(one));
  }
  return request;
}

AdmittedPlayers admitted_players(const AdmittedRequest& request, const AdmissionHistory& history) {
  AdmittedPlayers out;
  json::array players;
  std::int64_t without_unit = 0;
  const auto& [event, revision] = request.revision;
  for (const AllocationPlayer& player : request.players) {
    const EvaluationContext own(player.context);
    EvaluationContext who;
    who.set_parent(&own);
    who.set_targeting_key(player.id);
    without_unit += history.knows_no_unit_of(who) ? 1 : 0;
    json::array visits;
    for (const StageAdmission& admission : history.of(who)) {
      out.rows.push_back({event,
                          revision,
                          admission.visit,
                          get_string(player.context, "region"),
                          player.id,
                          {},
                          LedgerSource::Admitted,
                          admission.at});
      visits.push_back({{"visit", admission.visit},
                        {"stage", admission.stage},
                        {"at", format_instant(admission.at)}});
    }
    if (!visits.empty()) players.push_back({{"player", player.id}, {"visits", std::move(visits)}});
  }
  out.answer = {{"event", event},
                {"revision", revision},
                {"asked", request.players.size()},
                {"admitted", players.size()},
                {"without_unit", without_unit},
                {"players", std::move(players)}};
  return out;
}

}  // namespace showcaller
