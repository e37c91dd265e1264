// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/first_tokens.h"

#include <fstream>

#include "cli/private_file.h"
#include "policy/access.h"
#include "wire/token_text.h"

namespace showcaller {
namespace {

constexpr std::string_view kAdmin = "admin";
constexpr std::string_view kGameServers = "game-servers";

Status run_command(Host* host, CommandBody body) {
  Command command{std::move(body), {"engine", {"admin"}}, {}, {}, "start of the server"};
  Status done = fail(ErrorCode::Internal, "the engine did not answer");
  TRY(host->engine().submit(std::move(command), [&done](Result<Receipt> receipt) {
    done = receipt ? Status() : Status(std::unexpected(receipt.error()));
  }));
  TRY(host->engine().run_batch());
  return done;
}

Result<std::string> make_token(Host* host, const std::filesystem::path& path, std::string_view name,
                               std::string_view role) {
  TokenText token = make_token_text();
  TRY(write_private(path, token.text + "\n"));
  TRY(run_command(host, CreateTokenCommand{
                            token.id, std::string(name), token.sha256, {std::string(role)}, {}}));
  return std::move(token.text);
}

// Nothing can be commanded before there is a token, so the first is among the first records.
Result<bool> has_had_a_token(Journal* journal) {
  bool found = false;
  Status decoded;
  TRY(journal->read(1, [&](const StoredRecord& stored) {
    const auto record = decode_record(stored.bytes);
    if (!record) decoded = std::unexpected(record.error());
    found = record && std::holds_alternative<TokenCreated>(record->payload);
    return decoded && !found;
  }));
  TRY(decoded);
  return found;
}

}  // namespace

Status ensure_admin_token(Host* host, Journal* journal, const std::filesystem::path& path) {
  TRY(const bool had, has_had_a_token(journal));
  if (had) return {};
  TRY(make_token(host, path, kAdmin, "admin"));
  return {};
}

Result<std::string> ensure_game_server_token(Host* host, const std::filesystem::path& path) {
  std::string text;
  std::ifstream(path) >> text;
  const auto world = host->world();
  const auto actor = authenticate(*world, text, host->engine().wall());
  if (actor && actor->name == kGameServers) return text;
  std::vector<std::string> lost;  // Nobody has their texts any more.
  world->tokens.each([&](const std::string&, const Token& each) {
    if (each.name == kGameServers) lost.push_back(each.id);
  });
  for (const auto& id : lost) TRY(run_command(host, RevokeTokenCommand{id}));
  return make_token(host, path, kGameServers, "game-server");
}

}  // namespace showcaller
