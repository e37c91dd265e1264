// SPDX-License-Identifier: Apache-2.0
// The console as a browser meets it: the page and its files, signing in, and what a session's
// cookie may and may not do. Over real sockets, with a fake program behind.
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "tests/wire/fake_backend.h"
#include "wire/answer_cache.h"
#include "wire/api_server.h"
#include "wire/metric_table.h"
#include "wire/session_table.h"

namespace showcaller {
namespace {

// A pack as tools/pack_console.mjs writes it; what is compressed needs not be real.
const std::string kPack =
    R"({"files":[{"path":"index.html","type":"text/html; charset=utf-8","etag":"e1","size":6,"gzip":0},)"
    R"({"path":"assets/a.js","type":"text/javascript; charset=utf-8","etag":"e2","size":5,"gzip":3}]})"
    "\n<page>plainzip";

class Console : public testing::Test {
 protected:
  void SetUp() override { serve(kPack); }

  void serve(std::string_view packed) {
    pack = packed;
    auto opened = ConsoleFiles::open(pack);
    ASSERT_TRUE(opened) << opened.error().message;
    files = *std::move(opened);
    auto started = ApiServer::start({.console = &files}, &backend, &metrics, &log);
    ASSERT_TRUE(started) << started.error().message;
    server = *std::move(started);
  }

  HttpResponse ask(std::string method, std::string target, HttpHeaders headers = {},
                   std::string body = "") {
    HttpClient client({.base_url = server->url()});
    const auto response =
        client.send({std::move(method), std::move(target), std::move(headers), std::move(body)});
    EXPECT_TRUE(response) << (response ? "" : response.error().message);
    return response.value_or(HttpResponse{});
  }
  // The cookie of a session of this token, as a browser sends it back.
  std::string sign_in(std::string_view token) {
    const auto answer = ask("POST", "/api/v1/session", {{"Sec-Fetch-Site", "same-origin"}},
                            fmt::format(R"({{"token":"{}"}})", token));
    EXPECT_EQ(answer.status, 200) << answer.body;
    const std::string cookie(answer.headers.get("Set-Cookie"));
    return cookie.substr(0, cookie.find(';'));
  }

  FakeBackend backend;
  MetricsRegistry metrics{kMetricTable};
  Log log{2, LogLevel::Off};
  std::string pack;
  ConsoleFiles files;
  std::unique_ptr<ApiServer> server;
};

TEST_F(Console, EveryAddressOfThePageGivesThePage) {
  for (const auto* address : {"/", "/console", "/console/", "/console/events/winter-raid?x=1"}) {
    const auto page = ask("GET", address);
    EXPECT_EQ(page.status, 200) << address;
    EXPECT_EQ(page.body, "<page>");
    EXPECT_EQ(page.headers.get("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(page.headers.get("Cache-Control"), "no-cache");
    EXPECT_EQ(page.headers.get("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(page.headers.get("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(page.headers.get("Content-Security-Policy"),
              "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
              "frame-ancestors 'none'");
  }
}

TEST_F(Console, TheApiKeepsItsOwnNotFound) {
  for (const auto* address :
       {"/api/v1/nothing", "/nothing", "/assets/nothing.js", "/consolation"}) {
    const auto answer = ask("GET", address);
    EXPECT_EQ(answer.status, 404) << address;
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json");
  }
}

TEST_F(Console, FilesAreCompressedAndKeptForEver) {
  const auto plain = ask("GET", "/assets/a.js");
  EXPECT_EQ(plain.body, "plain");
  EXPECT_EQ(plain.headers.get("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(plain.headers.get("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(plain.headers.get("ETag"), "\"e2\"");
  const auto gzip = ask("GET", "/assets/a.js", {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(gzip.body, "zip");
  EXPECT_EQ(gzip.headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(gzip.headers.get("Vary"), "Accept-Encoding");
  EXPECT_EQ(gzip.headers.get("ETag"), "\"e2-gzip\"");
  const auto known = ask("GET", "/", {{"If-None-Match", "\"e1\""}});
  EXPECT_EQ(known.status, 304);
  EXPECT_TRUE(known.body.empty());
  EXPECT_EQ(ask("GET", "/", {{"If-None-Match", "\"e0\""}}).status, 200);
}

TEST_F(Console, AProgramBuiltWithoutItSaysSo) {
  serve("");
  const auto page = ask("GET", "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("The console is not in this program"), std::string::npos);
  EXPECT_EQ(ask("GET", "/assets/a.js").status, 404);
}

TEST(ConsolePack, ABrokenOneIsToldApart) {
  for (const std::string_view pack :
       {"no list", "{}\n", "{\"files\":[7]}\n",
        "{\"files\":[{\"path\":\"index.html\",\"size\":9,\"gzip\":0}]}\nshort"}) {
    const auto opened = ConsoleFiles::open(pack);
    ASSERT_FALSE(opened) << pack;
    EXPECT_EQ(opened.error().code, ErrorCode::Corrupt);
  }
}

TEST_F(Console, ASessionStandsForItsToken) {
  EXPECT_EQ(ask("POST", "/api/v1/session", {}, R"({"token":"stranger"})").status, 401);
  const auto answer = ask("POST", "/api/v1/session", {}, R"({"token":"viewer"})");
  const auto cookie = answer.headers.get("Set-Cookie");
  EXPECT_TRUE(cookie.starts_with("showcaller_session="));
  EXPECT_TRUE(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200")) << cookie;
  EXPECT_EQ(cookie.find("viewer"), std::string::npos);
  const std::string session = "theme=dark; " + sign_in("viewer");
  EXPECT_EQ(ask("GET", "/api/v1/events", {{"Cookie", session}}).status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/tokens", {{"Cookie", session}}).status, 403);
  EXPECT_EQ(ask("GET", "/api/v1/events", {{"Cookie", "showcaller_session=made-up"}}).status, 401);
  // A token that is sent counts, whatever the cookie says.
  EXPECT_EQ(
      ask("GET", "/api/v1/tokens", {{"Cookie", session}, {"Authorization", "Bearer root"}}).status,
      200);
  backend.viewer_revoked = true;
  EXPECT_EQ(ask("GET", "/api/v1/events", {{"Cookie", session}}).status, 401);
}

TEST(SessionCookie, IsForTlsAloneWhereThereIsTls) {
  EXPECT_EQ(session_cookie("x", false).find("Secure"), std::string::npos);
  EXPECT_TRUE(session_cookie("x", true).ends_with("; Secure"));
}

TEST_F(Console, SigningOutEndsTheSession) {
  const std::string session = sign_in("viewer");
  const auto out =
      ask("DELETE", "/api/v1/session", {{"Cookie", session}, {"Sec-Fetch-Site", "same-origin"}});
  EXPECT_EQ(out.status, 204);
  EXPECT_TRUE(out.headers.get("Set-Cookie").ends_with("Max-Age=0"));
  EXPECT_EQ(ask("GET", "/api/v1/events", {{"Cookie", session}}).status, 401);
}

TEST_F(Console, AnotherSiteChangesNothingWithASession) {
  const HttpHeaders session{{"Cookie", sign_in("root")}};
  const std::string host = server->url().substr(7);
  const auto hold = [&](std::string_view name, std::string_view value) {
    HttpHeaders headers = session;
    if (!name.empty()) headers.add(name, value);
    return ask("POST", "/api/v1/events/winter-raid/hold", headers).status;
  };
  EXPECT_EQ(hold("", ""), 403);
  EXPECT_EQ(hold("Origin", "https://evil.example"), 403);
  EXPECT_EQ(hold("Origin", "null"), 403);
  EXPECT_EQ(hold("Sec-Fetch-Site", "cross-site"), 403);
  EXPECT_EQ(hold("Sec-Fetch-Site", "same-site"), 403);
  EXPECT_EQ(hold("Sec-Fetch-Site", "none"), 403);
  EXPECT_TRUE(backend.commands().empty());
  EXPECT_EQ(hold("Origin", "http://" + host), 200);
  EXPECT_EQ(hold("Sec-Fetch-Site", "same-origin"), 200);
  // Nor does it sign anybody in.
  EXPECT_EQ(
      ask("POST", "/api/v1/session", {{"Sec-Fetch-Site", "cross-site"}}, R"({"token":"viewer"})")
          .status,
      403);
}

TEST_F(Console, WhoAsksIsToldWhatTheRolesAllow) {
  const auto may = [&](std::string_view token, std::string query) {
    return ask("GET", "/api/v1/whoami" + query,
               {{"Authorization", fmt::format("Bearer {}", token)}})
        .body;
  };
  EXPECT_EQ(may("viewer", ""), "{\"name\":\"viewer\",\"roles\":[\"viewer\"],\"may\":[\"read\"]}\n");
  EXPECT_EQ(may("raider", "?owner=team-raids"),
            "{\"name\":\"raider\",\"roles\":[\"raid-reader\"],\"may\":[\"read\"]}\n");
  EXPECT_EQ(may("raider", "?owner=team-other"),
            "{\"name\":\"raider\",\"roles\":[\"raid-reader\"],\"may\":[]}\n");
}

TEST_F(Console, PicturesTakeTheirQueries) {
  const HttpHeaders root{{"Authorization", "Bearer root"}};
  EXPECT_EQ(ask("GET", "/api/v1/calendar", root).body, "{}\n");
  EXPECT_EQ(ask("GET", "/api/v1/fleets/raid/map", root).body, "{\"fleet\":\"raid\"}\n");
  EXPECT_EQ(ask("GET", "/api/v1/fleets/raid/demand", root).body, "{\"fleet\":\"raid\"}\n");
  EXPECT_EQ(
      ask("GET", "/api/v1/events/winter-raid/evidence?revision=2&visit=3&live=true", root).body,
      "{\"event\":\"winter-raid\",\"revision\":2,\"visit\":3,\"live\":true}\n");
  EXPECT_EQ(ask("GET", "/api/v1/events/winter-raid/evidence?visit=last", root).status, 400);
  EXPECT_EQ(ask("GET", "/api/v1/calendar").status, 401);
}

TEST(AnswerCache, OneAnswerDoesForAMoment) {
  AnswerCache::Clock::time_point now{};
  AnswerCache cache(std::chrono::seconds(1), [&now] { return now; });
  int made = 0;
  const auto count = [&made]() -> Result<json::value> { return json::value(++made); };
  EXPECT_EQ(**cache.get("a", count), "1\n");
  EXPECT_EQ(**cache.get("a", count), "1\n");
  EXPECT_EQ(**cache.get("b", count), "2\n");
  now += std::chrono::seconds(1);
  EXPECT_EQ(**cache.get("a", count), "3\n");
  const auto fails = []() -> Result<json::value> { return fail(ErrorCode::NotFound, "no; go"); };
  now += std::chrono::seconds(1);
  EXPECT_FALSE(cache.get("a", fails));
  EXPECT_EQ(**cache.get("a", count), "4\n");
  for (int i = 0; i < 1000; ++i) (void)cache.get(std::to_string(i), count);
  EXPECT_EQ(**cache.get("a", count), "1005\n");
}

TEST(SessionTable, SessionsEndAndAreBounded) {
  SessionTable sessions;
  const Instant start = instant_ms(1'000);
  const std::string first = sessions.open("first", start);
  EXPECT_EQ(first.size(), 64u);
  const auto token_of = [&](const std::string& id, Instant now) {
    const auto holder = sessions.holder(id, now);
    return holder ? std::get<std::string>(*holder) : std::string();
  };
  EXPECT_EQ(token_of(first, start + SessionTable::kLife - Duration(1)), "first");
  EXPECT_FALSE(sessions.holder(first, start + SessionTable::kLife));
  for (std::size_t i = 1; i < SessionTable::kSessionsMax; ++i)
    sessions.open("more", start + seconds(1));
  EXPECT_EQ(sessions.size(), SessionTable::kSessionsMax);
  // The one that would end first gives its place.
  const std::string last = sessions.open("last", start + seconds(2));
  EXPECT_EQ(sessions.size(), SessionTable::kSessionsMax);
  EXPECT_FALSE(sessions.holder(first, start + seconds(2)));
  EXPECT_EQ(token_of(last, start + seconds(2)), "last");
}

TEST(SessionTable, APersonsSessionEndsWhenTheIssuerIsToBeAskedAgain) {
  SessionTable sessions;
  const Instant start = instant_ms(1'000);
  const std::string id = sessions.open(Identity{"ann", {}, start + hours(1)}, start);
  EXPECT_TRUE(sessions.holder(id, start + hours(1) - Duration(1)));
  EXPECT_FALSE(sessions.holder(id, start + hours(1)));
  const std::string longer = sessions.open(Identity{"ann", {}, start + hours(100)}, start);
  EXPECT_FALSE(sessions.holder(longer, start + SessionTable::kLife));
}

}  // namespace
}  // namespace showcaller
