// SPDX-License-Identifier: Apache-2.0
// Signing in by an issuer of identities (OpenID Connect, authorization code with PKCE):
//
//   GET /api/v1/session/oidc/start      303 to the issuer; the browser keeps a sealed ticket
//   GET /api/v1/session/oidc/callback   303 to the console, with a session; or to its sign-in page,
//                                       which asks GET /api/v1/session why there is none
//
// The ticket's `state` ties the way back to the browser that began, its `nonce` what the issuer
// signs, its verifier who may redeem the code.
#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "host/port/identity_provider.h"
#include "wire/api_routes.h"
#include "wire/session_table.h"
#include "wire/sign_in_ticket.h"

namespace showcaller {
namespace {

constexpr std::string_view kCallback = "/api/v1/session/oidc/callback";
constexpr std::size_t kSaidMax = 200;
constexpr std::size_t kGoToMax = 1'000;

// What a stranger wrote, fit for a page and a log: printable, on one line, short.
std::string tamed(std::string_view text) {
  std::string out(text.substr(0, kSaidMax));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, ' ');
  return out;
}

// A page of the console, and of no other server.
std::string page_asked_for(const RequestContext& context) {
  std::string to = context.query("to", "/");
  const bool ours = (to == "/" || to.starts_with("/console/")) && to.size() <= kGoToMax;
  const bool clean =
      std::ranges::all_of(to, [](char c) { return c > ' ' && c <= '~' && c != '\\'; });
  return ours && clean ? to : "/";
}

// One request of the two, from wherever its outcome comes.
class SignIn {
 public:
  SignIn(const ApiPorts& ports, std::shared_ptr<const RequestContext> context, Answer answer)
      : ports_(ports), context_(std::move(context)), answer_(std::move(answer)) {}

  static void begin(const ApiPorts& ports, const std::shared_ptr<const RequestContext>& context,
                    Answer answer) {
    const auto self = std::make_shared<SignIn>(ports, context, std::move(answer));
    const auto host = context->request.headers.get("Host");
    std::string base = ports.sign_in.public_url;
    if (base.empty()) base = fmt::format("http{}://{}", self->is_secure() ? "s" : "", host);
    self->ticket_ = {.attempt = new_sign_in_attempt(base + std::string(kCallback)),
                     .go_to = page_asked_for(*context),
                     .problem = {},
                     .until = self->now() + SignInTickets::kLife};
    ports.sign_in.identities->begin(self->ticket_.attempt, [self](const Result<std::string>& url) {
      if (!url) return self->refuse(url.error());
      self->send_to(*url, ticket_cookie(self->ports_.sign_in.tickets->seal(self->ticket_),
                                        self->is_secure()));
    });
  }

  static void come_back(const ApiPorts& ports, const std::shared_ptr<const RequestContext>& context,
                        Answer answer) {
    const auto self = std::make_shared<SignIn>(ports, context, std::move(answer));
    if (const Status ours = self->read_ticket(); !ours) return self->refuse(ours.error());
    const std::string code = context->query("code");
    if (code.empty()) return self->refuse(self->issuers_words());
    ports.sign_in.identities->redeem(self->ticket_.attempt, code, context->query("iss"),
                                     [self](const Result<Identity>& person) {
                                       if (!person) return self->refuse(person.error());
                                       self->admit(*person);
                                     });
  }

 private:
  Instant now() const { return ports_.backend->now(); }
  bool is_secure() const {
    return context_->request.peer.tls || ports_.sign_in.public_url.starts_with("https://");
  }

  Status read_ticket() {
    auto ticket = ports_.sign_in.tickets->open(ticket_of(context_->request.headers), now());
    const bool ours = ticket && !ticket->attempt.state.empty() &&
                      equal_in_constant_time(context_->query("state"), ticket->attempt.state);
    if (!ours) {
      return fail(ErrorCode::Unauthenticated,
                  "this was not begun in this browser, or more than ten minutes ago; begin again");
    }
    ticket_ = *std::move(ticket);
    return {};
  }

  Error issuers_words() const {
    const std::string error = tamed(context_->query("error", "it sent no code"));
    const std::string why = tamed(context_->query("error_description"));
    return {ErrorCode::Unauthenticated,
            fmt::format("{} did not sign you in: {}{}{}", ports_.sign_in.identities->name(), error,
                        why.empty() ? "" : ", ", why)};
  }

  void admit(const Identity& person) {
    const auto actor = ports_.backend->recognize(person);
    if (!actor) return refuse(actor.error());
    log(LogLevel::Info,
        fmt::format("{} signed in by {}", tamed(actor->name), ports_.sign_in.identities->name()));
    const std::string id = ports_.sessions->open(person, now());
    send_to(ticket_.go_to, session_cookie(id, is_secure()), ticket_cookie("", is_secure()));
  }

  // The page asks why, so that no address can put words into it.
  void refuse(const Error& error) {
    log(LogLevel::Warning, "nobody was signed in: " + error.message);
    const SignInTicket told{.attempt = {},
                            .go_to = {},
                            .problem = error.message,
                            .until = now() + SignInTickets::kLife};
    send_to(ticket_.go_to.empty() ? "/" : ticket_.go_to,
            ticket_cookie(ports_.sign_in.tickets->seal(told), is_secure()));
  }

  template <class... Cookies>
  void send_to(std::string_view place, const Cookies&... cookies) {
    HttpResponse response{303, {{"Location", place}, {"Cache-Control", "no-store"}}, ""};
    (response.headers.add("Set-Cookie", cookies), ...);
    response.headers.add("Referrer-Policy", "no-referrer");
    answer_.send(std::move(response));
  }

  void log(LogLevel level, const std::string& message) const {
    ports_.log->write(level, now(), message, {context_->trace.trace_id, context_->trace.span_id},
                      {{"peer", context_->request.peer.address}});
  }

  const ApiPorts ports_;
  const std::shared_ptr<const RequestContext> context_;
  Answer answer_;
  SignInTicket ticket_;
};

// How one may sign in, and why the last attempt of this browser came to nothing.
void tell_ways(const ApiPorts& ports, const RequestContext& context, Answer answer) {
  json::object ways{{"issuer", nullptr}, {"problem", nullptr}};
  if (ports.sign_in.identities != nullptr) {
    ways["issuer"] = {{"name", ports.sign_in.identities->name()},
                      {"start", "/api/v1/session/oidc/start"}};
  }
  const auto ticket =
      ports.sign_in.tickets->open(ticket_of(context.request.headers), ports.backend->now());
  const bool failed = ticket && !ticket->problem.empty();
  if (failed) ways["problem"] = ticket->problem;
  auto response = json_response(200, to_json_text(ways) + "\n");
  if (failed) response.headers.add("Set-Cookie", ticket_cookie("", false));
  response.headers.add("Cache-Control", "no-store");
  answer.send(std::move(response));
}

using Step = void (*)(const ApiPorts&, const std::shared_ptr<const RequestContext>&, Answer);

Route step_route(const ApiPorts& ports, std::string pattern, std::string id, std::string summary,
                 Step step) {
  return {.method = "GET",
          .pattern = std::move(pattern),
          .id = std::move(id),
          .tag = "access",
          .summary = std::move(summary),
          .access = kPublic,
          .answer_status = 303,
          .answer_type = "text/html",
          .handler = [ports, step](const auto& context, Answer answer) {
            if (ports.sign_in.identities != nullptr) return step(ports, context, std::move(answer));
            answer.fail({ErrorCode::NotFound,
                         "this server knows no issuer of identities; sign in with a token, or have "
                         "it started with --oidc-issuer"});
          }};
}

}  // namespace

void add_sign_in_routes(Router* router, const ApiPorts& ports) {
  router->add({.method = "GET",
               .pattern = "/api/v1/session",
               .id = "signInWays",
               .tag = "access",
               .summary = "How one may sign in, and why this browser's last attempt failed",
               .access = kPublic,
               .answer_schema = "SignInWays",
               .handler = [ports](const auto& context, Answer answer) {
                 tell_ways(ports, *context, std::move(answer));
               }});
  auto start = step_route(ports, "/api/v1/session/oidc/start", "signInByIssuer",
                          "Send a browser to the issuer of identities", &SignIn::begin);
  start.params = {{"to", "query", "The console's page to come back to."}};
  router->add(std::move(start));
  auto callback = step_route(ports, std::string(kCallback), "signedInByIssuer",
                             "Where the issuer sends the browser back to", &SignIn::come_back);
  for (const char* name : {"code", "state", "iss", "error", "error_description"})
    callback.params.push_back({name, "query", "As OAuth 2.0 has it."});
  router->add(std::move(callback));
}

}  // namespace showcaller
