// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <sodium.h>

#include "base/hash.h"
#include "wire/api_routes.h"
#include "wire/command_json.h"
#include "wire/field_reader.h"
#include "wire/token_text.h"

namespace showcaller {
namespace {

constexpr Duration kTokenLife = hours(24 * 90);

Result<CreateTokenCommand> token_request(const json::object& fields, Instant now) {
  FieldReader reader(fields, kReasonAside);
  CreateTokenCommand command;
  TRY(command.name, reader.text("name"));
  TRY(command.roles, reader.texts("roles"));
  TRY(const auto life_text, reader.text("expires_in", false));
  TRY(reader.finish());
  if (command.name.empty() || command.roles.empty()) {
    return fail(ErrorCode::Invalid, "a token needs a 'name' and a list of 'roles'; send both");
  }
  Duration life = kTokenLife;
  if (!life_text.empty()) {
    TRY(life, parse_duration(life_text));
  }
  if (life <= Duration(0))
    return fail(ErrorCode::Invalid, "'expires_in' is over at once; give a duration such as 30d");
  command.expires = now + life;
  return command;
}

void create_token(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  const auto fields = object_body(context.request);
  if (!fields) return answer.fail(fields.error());
  auto request = token_request(*fields, ports.backend->now());
  if (!request) return answer.fail(request.error());
  CreateTokenCommand command = *std::move(request);
  const auto made = make_token_text();
  command.id = made.id;
  command.sha256 = made.sha256;
  json::object shown{
      {"id", made.id}, {"token", made.text}, {"expires", format_instant(command.expires)}};
  auto submitted = make_command(context, std::move(command), get_string(*fields, "reason"));
  // A repetition made no token, so its text would open nothing.
  submit_command(
      ports, context, std::move(submitted), std::move(answer),
      [shown = std::move(shown)](Answer answer, const Receipt& receipt) mutable {
        if (receipt.repeated) {
          return answer.fail(
              {ErrorCode::Conflict,
               "this key has made a token before, which was shown then; use another key"});
        }
        shown["seq"] = receipt.seq;
        answer.ok(shown, 201);
      });
}

}  // namespace

TokenText make_token_text() {
  std::array<char, 32> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  const auto secret = to_hex(std::string_view(bytes.data(), bytes.size()));
  randombytes_buf(bytes.data(), 6);
  TokenText made{
      .id = to_hex(std::string_view(bytes.data(), 6)), .text = "sc_" + secret, .sha256 = ""};
  made.sha256 = to_hex(sha256(made.text));
  return made;
}

void add_token_routes(Router* router, const ApiPorts& ports) {
  router->add(
      {.method = "GET",
       .pattern = "/api/v1/tokens",
       .id = "listTokens",
       .tag = "access",
       .summary = "Tokens, without their secrets",
       .access = "token",
       .answer_schema = "List",
       .handler = [ports](const auto&, Answer answer) { answer.ok(ports.backend->tokens()); }});
  router->add({.method = "POST",
               .pattern = "/api/v1/tokens",
               .id = "createToken",
               .tag = "access",
               .summary = "Make a token; its text is shown this once",
               .params = kCommandParams,
               .body = BodyRule::Required,
               .body_schema = "TokenRequest",
               .answer_schema = "NewToken",
               .answer_status = 201,
               .other_answers = {{200, "Of a dry run.", "DryRun"},
                                 {409, "The name is taken, or the key made a token before.", ""}},
               .handler = [ports](const auto& context, Answer answer) {
                 create_token(ports, *context, std::move(answer));
               }});
  router->add({.method = "DELETE",
               .pattern = "/api/v1/tokens/{id}",
               .id = "revokeToken",
               .tag = "access",
               .summary = "Revoke a token; streams that it opened end within a heartbeat",
               .params = {kIdempotencyKey, kDryRun, kReasonInQuery},
               .answer_schema = "CommandAnswer",
               .handler = [ports](const auto& context, Answer answer) {
                 RevokeTokenCommand command{std::string(context->param("id"))};
                 submit_command(
                     ports, *context,
                     make_command(*context, std::move(command), context->query("reason")),
                     std::move(answer));
               }});
}

}  // namespace showcaller
