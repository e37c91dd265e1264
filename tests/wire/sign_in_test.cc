// SPDX-License-Identifier: Apache-2.0
// Signing in by an issuer of identities, as a browser goes there and back. Over real sockets, with
// a fake program behind and an issuer that says what it is told; the real protocol is in
// tests/adapters/oidc and tests/e2e/oidc_test.py.
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "tests/wire/fake_backend.h"
#include "wire/api_server.h"
#include "wire/metric_table.h"
#include "wire/sign_in_ticket.h"

namespace showcaller {
namespace {

// Answers on the caller's thread, or keeps what it has to answer.
class FakeIssuer final : public IdentityProvider {
 public:
  std::string name() const override { return "Studio"; }
  void begin(const SignInAttempt& attempt, Address done) override {
    begun = attempt;
    if (is_down) return done(fail(ErrorCode::Unavailable, "the issuer does not answer; wait"));
    done("https://id.example.net/authorize?state=" + attempt.state);
  }
  void redeem(const SignInAttempt& attempt, const std::string& code, const std::string& issuer,
              Outcome done) override {
    redeemed = attempt;
    if (code != "good" || !(issuer.empty() || issuer == "https://id.example.net"))
      return done(fail(ErrorCode::Unauthenticated, "the issuer did not take the code"));
    done(person);
  }

  bool is_down = false;
  Identity person{"ann@studio.example", {"live-ops"}, instant_ms(1) + hours(24 * 365 * 1'000)};
  SignInAttempt begun, redeemed;
};

class SignInByIssuer : public testing::Test {
 protected:
  void SetUp() override { serve({.identities = &issuer}); }
  void serve(ApiServerOptions options) {
    server.reset();
    auto started = ApiServer::start(std::move(options), &backend, &metrics, &log);
    ASSERT_TRUE(started) << started.error().message;
    server = *std::move(started);
  }

  HttpResponse get(std::string target, HttpHeaders headers = {}) {
    HttpClient client({.base_url = server->url()});
    const auto response = client.send({"GET", std::move(target), std::move(headers), ""});
    EXPECT_TRUE(response) << (response ? "" : response.error().message);
    return response.value_or(HttpResponse{});
  }
  // Of that name among those that an answer sets, as a browser sends it back.
  static std::string cookie_in(const HttpResponse& answer, std::string_view name) {
    for (std::size_t i = 0; i < answer.headers.size(); ++i) {
      const std::string_view value = answer.headers.value(i);
      if (equal_ignoring_case(answer.headers.name(i), "Set-Cookie") && value.starts_with(name))
        return std::string(value.substr(0, value.find(';')));
    }
    return {};
  }
  std::string begin(std::string_view query = "") {
    const auto answer = get("/api/v1/session/oidc/start" + std::string(query));
    EXPECT_EQ(answer.status, 303) << answer.body;
    return cookie_in(answer, "showcaller_sign_in");
  }
  HttpResponse come_back(const std::string& ticket, const std::string& query) {
    return get("/api/v1/session/oidc/callback?" + query, {{"Cookie", ticket}});
  }
  // A whole attempt, which the issuer ends with this.
  HttpResponse there_and_back(const std::string& query) {
    const std::string ticket = begin();
    return come_back(ticket, query + "&state=" + issuer.begun.state);
  }
  // What the page is told, once.
  std::string problem_told(const HttpResponse& answer) {
    const auto told = get("/api/v1/session", {{"Cookie", cookie_in(answer, "showcaller_sign_in")}});
    EXPECT_EQ(cookie_in(told, "showcaller_sign_in"), "showcaller_sign_in=");
    return get_string(parse_json(told.body)->get_object(), "problem");
  }

  FakeBackend backend;
  MetricsRegistry metrics{kMetricTable};
  Log log{2, LogLevel::Off};
  FakeIssuer issuer;
  std::unique_ptr<ApiServer> server;
};

TEST_F(SignInByIssuer, ThereAndBackGivesASession) {
  const auto away = get("/api/v1/session/oidc/start?to=/console/events/winter-raid");
  EXPECT_EQ(away.status, 303);
  EXPECT_EQ(away.headers.get("Location"),
            "https://id.example.net/authorize?state=" + issuer.begun.state);
  EXPECT_EQ(issuer.begun.return_to, server->url() + "/api/v1/session/oidc/callback");
  EXPECT_GE(issuer.begun.verifier.size(), 43u);
  const std::string whole(away.headers.get("Set-Cookie"));
  EXPECT_NE(whole.find("; Path=/api/v1/session; HttpOnly; SameSite=Lax; Max-Age=600"),
            std::string::npos);
  EXPECT_EQ(whole.find(issuer.begun.verifier), std::string::npos) << "the browser can't read it";

  const auto back =
      come_back(cookie_in(away, "showcaller_sign_in"), "code=good&state=" + issuer.begun.state);
  EXPECT_EQ(back.status, 303);
  EXPECT_EQ(back.headers.get("Location"), "/console/events/winter-raid");
  EXPECT_EQ(issuer.redeemed.verifier, issuer.begun.verifier);
  EXPECT_EQ(issuer.redeemed.nonce, issuer.begun.nonce);
  EXPECT_EQ(cookie_in(back, "showcaller_sign_in"), "showcaller_sign_in=");
  const std::string session = cookie_in(back, "showcaller_session");
  const auto who = get("/api/v1/whoami", {{"Cookie", session}});
  EXPECT_EQ(who.status, 200);
  EXPECT_EQ(get_string(parse_json(who.body)->get_object(), "name"), "ann@studio.example");

  backend.viewer_revoked = true;
  EXPECT_EQ(get("/api/v1/whoami", {{"Cookie", session}}).status, 401)
      << "whom no policy knows any more has no session";
}

TEST_F(SignInByIssuer, SigningOutEndsTheSession) {
  const auto back = there_and_back("code=good");
  const std::string session = cookie_in(back, "showcaller_session");
  HttpClient client({.base_url = server->url()});
  const auto out = client.send(
      {"DELETE", "/api/v1/session", {{"Cookie", session}, {"Sec-Fetch-Site", "same-origin"}}, ""});
  ASSERT_TRUE(out);
  EXPECT_EQ(out->status, 204);
  EXPECT_EQ(get("/api/v1/whoami", {{"Cookie", session}}).status, 401);
}

TEST_F(SignInByIssuer, WhatIsNotThisBrowsersAttemptGivesNoSession) {
  const std::string ticket = begin();
  const std::string state = issuer.begun.state;
  for (const auto& [with, query] :
       {std::pair(ticket, std::string("code=good&state=another")),
        std::pair(ticket, std::string("code=good")),
        std::pair(std::string(), "code=good&state=" + state),
        std::pair(std::string("showcaller_sign_in=made-up"), "code=good&state=" + state),
        std::pair(ticket + "A", "code=good&state=" + state)}) {
    const auto back = come_back(with, query);
    EXPECT_EQ(back.status, 303) << query;
    EXPECT_EQ(back.headers.get("Location"), "/");
    EXPECT_EQ(cookie_in(back, "showcaller_session"), "") << query;
    EXPECT_TRUE(problem_told(back).starts_with("this was not begun in this browser")) << query;
  }
}

TEST_F(SignInByIssuer, AProblemIsNoAttempt) {
  const auto failed = there_and_back("error=access_denied");
  const auto back = come_back(cookie_in(failed, "showcaller_sign_in"), "code=good&state=");
  EXPECT_EQ(cookie_in(back, "showcaller_session"), "");
}

TEST_F(SignInByIssuer, WhatWentWrongIsSaidOnThePage) {
  issuer.is_down = true;
  EXPECT_EQ(problem_told(get("/api/v1/session/oidc/start")), "the issuer does not answer; wait");
  issuer.is_down = false;
  EXPECT_EQ(problem_told(there_and_back("code=bad")), "the issuer did not take the code");
  EXPECT_EQ(problem_told(there_and_back("error=access_denied&error_description=not%0Ayou")),
            "Studio did not sign you in: access_denied, not you");
  issuer.person.groups = {"guests"};
  EXPECT_EQ(problem_told(there_and_back("code=good")), "no policy gives them a role; ask an admin");
}

TEST_F(SignInByIssuer, ComesBackToPagesOfTheConsoleAlone) {
  for (const auto& [to, where] :
       {std::pair("/console/events", "/console/events"), std::pair("//evil.example", "/"),
        std::pair("https://evil.example/", "/"), std::pair("/console/%5Cevil", "/"),
        std::pair("/console/a%0D%0AX:1", "/"), std::pair("/api/v1/events", "/")}) {
    const std::string ticket = begin("?to=" + std::string(to));
    EXPECT_EQ(come_back(ticket, "code=good&state=" + issuer.begun.state).headers.get("Location"),
              where);
  }
}

TEST_F(SignInByIssuer, BehindAProxyThePublicAddressIsComeBackTo) {
  serve({.identities = &issuer, .public_url = "https://live.example.net"});
  const auto away = get("/api/v1/session/oidc/start");
  EXPECT_EQ(issuer.begun.return_to, "https://live.example.net/api/v1/session/oidc/callback");
  EXPECT_TRUE(std::string_view(away.headers.get("Set-Cookie")).ends_with("; Secure"));
}

TEST_F(SignInByIssuer, ThePageIsToldWhoVouches) {
  EXPECT_EQ(get("/api/v1/session").body,
            "{\"issuer\":{\"name\":\"Studio\",\"start\":\"/api/v1/session/oidc/start\"},"
            "\"problem\":null}\n");
  serve({});
  EXPECT_EQ(get("/api/v1/session").body, "{\"issuer\":null,\"problem\":null}\n");
  EXPECT_EQ(get("/api/v1/session/oidc/start").status, 404);
  EXPECT_EQ(get("/api/v1/session/oidc/callback?code=good").status, 404);
}

TEST(SignInTickets, AreReadByWhoSealedThemUntilTheyAreOver) {
  const SignInTickets ours, others;
  const Instant now = instant_ms(1'000);
  const SignInTicket ticket{new_sign_in_attempt("https://x"), "/console/events", "",
                            now + hours(1)};
  const std::string sealed = ours.seal(ticket);
  const auto read = ours.open(sealed, now);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->attempt.verifier, ticket.attempt.verifier);
  EXPECT_EQ(read->go_to, "/console/events");
  EXPECT_NE(ours.seal(ticket), sealed);
  EXPECT_FALSE(ours.open(sealed, now + hours(1)));
  EXPECT_FALSE(others.open(sealed, now));
  EXPECT_FALSE(ours.open("", now));
  EXPECT_FALSE(ours.open(sealed.substr(1), now));
}

}  // namespace
}  // namespace showcaller
