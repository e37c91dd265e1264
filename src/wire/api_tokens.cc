// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <sodium.h>

#include "base/hash.h"
#include "wire/api_routes.h"
#include "wire/command_json.h"
#include "wire/token_text.h"

namespace showcaller {
namespace {

constexpr Duration kTokenLife = hours(24 * 90);

void create_token(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  auto fields = object_body(context.request);
  if (!fields) return answer.fail(fields.error());
  CreateTokenCommand command{.name = get_string(*fields, "name")};
  const auto* roles = get_if(*fields, "roles");
  for (const auto& role :
       roles != nullptr && roles->is_array() ? roles->as_array() : json::array()) {
    if (role.is_string()) command.roles.emplace_back(role.as_string());
  }
  if (command.name.empty() || command.roles.empty()) {
    return answer.fail(
        {ErrorCode::Invalid, "a token needs a 'name' and a list of 'roles'; send both"});
  }
  Duration life = kTokenLife;
  if (const auto text = get_string(*fields, "expires_in"); !text.empty()) {
    const auto parsed = parse_duration(text);
    if (!parsed) return answer.fail(parsed.error());
    life = *parsed;
  }
  const auto made = make_token_text();
  command.id = made.id;
  command.sha256 = made.sha256;
  command.expires = ports.backend->now() + life;
  json::object shown{
      {"id", made.id}, {"token", made.text}, {"expires", format_instant(command.expires)}};
  auto submitted = make_command(context, std::move(command), get_string(*fields, "reason"));
  // A repetition made no token, so its text would open nothing.
  auto reply = [shown = std::move(shown),
                answer = std::move(answer)](Result<Receipt> result) mutable {
    if (!result) return answer.fail(result.error());
    if (result->repeated) {
      return answer.fail(
          {ErrorCode::Conflict,
           "this key has made a token before, which was shown then; use another key"});
    }
    shown["seq"] = result->seq;
    answer.ok(shown, 201);
  };
  ports.backend->submit(std::move(submitted), std::move(reply));
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
               .body = BodyRule::Required,
               .body_schema = "TokenRequest",
               .answer_schema = "NewToken",
               .answer_status = 201,
               .handler = [ports](const auto& context, Answer answer) {
                 create_token(ports, *context, std::move(answer));
               }});
  router->add({.method = "DELETE",
               .pattern = "/api/v1/tokens/{id}",
               .id = "revokeToken",
               .tag = "access",
               .summary = "Revoke a token",
               .answer_schema = "Receipt",
               .handler = [ports](const auto& context, Answer answer) {
                 RevokeTokenCommand command{std::string(context->param("id"))};
                 submit_command(ports, make_command(*context, std::move(command)),
                                std::move(answer));
               }});
  router->add({.method = "GET",
               .pattern = "/api/v1/whoami",
               .id = "whoami",
               .tag = "access",
               .summary = "The name and roles behind the token",
               .answer_schema = "Actor",
               .handler = [](const auto& context, Answer answer) {
                 json::array roles;
                 for (const auto& role : context->actor.roles) roles.emplace_back(role);
                 answer.ok(
                     json::object{{"name", context->actor.name}, {"roles", std::move(roles)}});
               }});
}

}  // namespace showcaller
