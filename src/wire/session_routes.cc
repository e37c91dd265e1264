// SPDX-License-Identifier: Apache-2.0
#include "policy/access.h"
#include "wire/api_routes.h"
#include "wire/field_reader.h"
#include "wire/problem.h"
#include "wire/session_table.h"

namespace showcaller {
namespace {

json::object actor_json(const Actor& actor) {
  json::array roles;
  for (const auto& role : actor.roles) roles.emplace_back(role);
  return {{"name", actor.name}, {"roles", std::move(roles)}};
}

// Another site could sign a browser in as somebody else, who would then see what is done in it.
// What is no browser sends neither of the two fields.
Status check_not_from_elsewhere(const HttpRequest& request) {
  const bool browser = request.headers.find("Sec-Fetch-Site") || request.headers.find("Origin");
  return browser ? check_same_origin(request) : Status();
}

Result<std::string> token_sent(const HttpRequest& request) {
  TRY(check_not_from_elsewhere(request));
  TRY(const json::object body, object_body(request));
  FieldReader reader(body);
  TRY(std::string token, reader.text("token"));
  TRY(reader.finish());
  return token;
}

void sign_in(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  auto token = token_sent(context.request);
  if (!token) return answer.fail(token.error());
  const auto actor = ports.backend->authenticate(*token);
  if (!actor) return answer.fail(actor.error());
  const std::string id = ports.sessions->open(*std::move(token), ports.backend->now());
  auto response = json_response(200, to_json_text(actor_json(*actor)) + "\n");
  response.headers.add("Set-Cookie", session_cookie(id, context.request.peer.tls));
  response.headers.add("Cache-Control", "no-store");
  answer.send(std::move(response));
}

void sign_out(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  if (const auto good = check_not_from_elsewhere(context.request); !good)
    return answer.fail(good.error());
  ports.sessions->close(session_of(context.request.headers));
  answer.send({204, {{"Set-Cookie", ended_session_cookie()}}, ""});
}

// What the caller may do to what `owner` owns: which buttons are worth showing.
json::array rights_of(const ApiBackend& backend, const Actor& actor, std::string_view owner) {
  json::array may;
  for (const std::string_view verb : kVerbs) {
    if (backend.authorize(actor, verb, owner)) may.emplace_back(verb);
  }
  return may;
}

}  // namespace

void add_session_cookie_routes(Router* router, const ApiPorts& ports) {
  router->add({.method = "POST",
               .pattern = "/api/v1/session",
               .id = "signIn",
               .tag = "access",
               .summary = "Sign a browser in: the answer sets a cookie that stands for the token",
               .access = kPublic,
               .body = BodyRule::Required,
               .body_schema = "SignIn",
               .answer_schema = "Actor",
               .handler = [ports](const auto& context, Answer answer) {
                 sign_in(ports, *context, std::move(answer));
               }});
  router->add({.method = "DELETE",
               .pattern = "/api/v1/session",
               .id = "signOut",
               .tag = "access",
               .summary = "End the session of the request's cookie, if there is one",
               .access = kPublic,
               .answer_status = 204,
               .handler = [ports](const auto& context, Answer answer) {
                 sign_out(ports, *context, std::move(answer));
               }});
  router->add(
      {.method = "GET",
       .pattern = "/api/v1/whoami",
       .id = "whoami",
       .tag = "access",
       .summary = "The name and roles behind the token, and the verbs that they allow",
       .params = {{"owner", "query", "Verbs on what this Team owns; default: on the whole house."}},
       .answer_schema = "Actor",
       .handler = [ports](const auto& context, Answer answer) {
         json::object who = actor_json(context->actor);
         who["may"] = rights_of(*ports.backend, context->actor, context->query("owner"));
         answer.ok(who);
       }});
}

}  // namespace showcaller
