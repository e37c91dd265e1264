// SPDX-License-Identifier: Apache-2.0
// `showcaller admitted EVENT FILE`: a studio's own list of players, held against what an event
// admitted. The file is sent in parts; salts stay with the server.
#include <algorithm>
#include <fstream>
#include <iostream>

#include <fmt/format.h>

#include "cli/admitted_players.h"
#include "cli/cli.h"
#include "cli/client_answers.h"
#include "cli/terminal.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

Result<json::value> player_of(const std::string& file, std::size_t number, std::string_view line) {
  if (!line.starts_with('{')) return json::value(line);
  auto player = parse_json(line);
  if (player) return *std::move(player);
  return fail(ErrorCode::Invalid, fmt::format("{}:{}: {}; write an id, or {{\"id\": …}}", file,
                                              number, player.error().message));
}

Result<json::array> read_players(const std::string& file) {
  std::ifstream opened;
  if (file != "-") opened.open(file);
  std::istream& in = file == "-" ? std::cin : opened;
  if (!in) {
    return fail(ErrorCode::Invalid,
                fmt::format("{} can't be read; check its name and rights", file));
  }
  json::array players;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    TRY(auto player, player_of(file, number, line));
    players.push_back(std::move(player));
  }
  if (players.empty()) {
    return fail(ErrorCode::Invalid, fmt::format("{} names no player; write one a line", file));
  }
  return players;
}

// Answers of parts, added up.
void add_part(json::object part, json::object* whole) {
  if (whole->empty()) {
    *whole = std::move(part);
    return;
  }
  for (const char* count : {"asked", "admitted", "without_unit"})
    (*whole)[count] = get_int(*whole, count) + get_int(part, count);
  json::array& players = (*whole)["players"].as_array();
  for (json::value& player : part["players"].as_array()) players.push_back(std::move(player));
}

void show(const json::object& answer) {
  json::array rows;
  for (const json::value& player : answer.at("players").as_array()) {
    for (const json::value& visit : player.as_object().at("visits").as_array()) {
      json::object row = visit.as_object();
      row["player"] = player.as_object().at("player");
      rows.push_back(std::move(row));
    }
  }
  say(fmt::format("{} r{} admitted {} of {} players; they are in its ledger",
                  text_at(answer, "event"), text_at(answer, "revision"),
                  text_at(answer, "admitted"), text_at(answer, "asked")));
  if (const auto without = get_int(answer, "without_unit"); without > 0) {
    say(
        fmt::format("{} of them have not the attribute that shares are drawn by, such as a party; "
                    "write it beside their id",
                    without));
  }
  if (!rows.empty()) print_value(rows, OutputForm::Table, {"player", "visit", "stage", "at"});
}

}  // namespace

int admitted_verb(const ClientContext& context, const std::string& event, std::int64_t revision,
                  const std::string& file) {
  const auto players = read_players(file);
  if (!players) return failed(players.error());
  return with_server(context, [&](ApiClient& client) {
    json::object whole;
    for (std::size_t from = 0; from < players->size(); from += kAdmittedPlayersMax) {
      const std::size_t to = std::min(players->size(), from + kAdmittedPlayersMax);
      json::object body{{"players", json::array(players->begin() + std::ptrdiff_t(from),
                                                players->begin() + std::ptrdiff_t(to))}};
      if (revision > 0) body["revision"] = revision;
      if (!context.reason.empty()) body["reason"] = context.reason;
      auto answer =
          client.post(fmt::format("/api/v1/ledger/{}/admitted", percent_encode(event)), body);
      if (!answer) return failed(answer.error());
      add_part(std::move(answer->as_object()), &whole);
    }
    if (context.form == OutputForm::Table)
      show(whole);
    else
      print_value(whole, context.form);
    return int(kExitOk);
  });
}

}  // namespace showcaller
