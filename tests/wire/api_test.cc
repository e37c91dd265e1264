// SPDX-License-Identifier: Apache-2.0
// The API over real sockets, with a fake program behind it.
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "net/http_client.h"
#include "net/sse.h"
#include "tests/net/raw_socket.h"
#include "tests/wire/fake_backend.h"
#include "wire/api_routes.h"
#include "wire/api_server.h"
#include "wire/metric_table.h"
#include "wire/problem.h"

namespace showcaller {
namespace {

class Api : public testing::Test {
 protected:
  void SetUp() override {
    auto set =
        FlagSet::parse(R"({"flags":{"door":{"state":"ENABLED","variants":{"open":true,"shut":false},
        "defaultVariant":"open"}}})");
    ASSERT_TRUE(set) << set.error().message;
    backend.flag_set = std::make_shared<const FlagSet>(*std::move(set));
    auto started = ApiServer::start({.heartbeat = Duration(20)}, &backend, &metrics, &log);
    ASSERT_TRUE(started) << started.error().message;
    server = *std::move(started);
  }

  HttpResponse ask(std::string method, std::string target, std::string body = "",
                   HttpHeaders headers = {}, std::string_view token = "alice") {
    HttpClient client({.base_url = server->url()});
    if (!token.empty()) headers.add("Authorization", "Bearer " + std::string(token));
    const auto response =
        client.send({std::move(method), std::move(target), headers, std::move(body)});
    EXPECT_TRUE(response) << (response ? "" : response.error().message);
    return response.value_or(HttpResponse{});
  }
  static json::object object(const HttpResponse& response) {
    auto value = parse_json(response.body);
    return value && value->is_object() ? value->as_object() : json::object();
  }

  FakeBackend backend;
  MetricsRegistry metrics{kMetricTable};
  Log log{2, LogLevel::Off};
  std::unique_ptr<ApiServer> server;
};

TEST_F(Api, HealthNeedsNoTokenAndNothingElseIsOpen) {
  EXPECT_EQ(ask("GET", "/livez", "", {}, "").body, "ok\n");
  EXPECT_EQ(ask("GET", "/readyz", "", {}, "").status, 200);
  backend.is_ready = false;
  EXPECT_EQ(ask("GET", "/readyz", "", {}, "").status, 503);
  for (const auto* path :
       {"/metrics", "/api/v1/openapi.json", "/api/v1/events", "/api/v1/whoami"}) {
    const auto response = ask("GET", path, "", {}, "");
    EXPECT_EQ(response.status, 401) << path;
    EXPECT_EQ(response.headers.get("WWW-Authenticate"), "Bearer realm=\"showcaller\"");
  }
  EXPECT_EQ(ask("GET", "/api/v1/events", "", {}, "stranger").status, 401);
}

TEST_F(Api, ProblemsAreExact) {
  const auto response =
      ask("POST", "/api/v1/events/missing/hold", "",
          {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/problem+json");
  EXPECT_EQ(
      response.body,
      "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"code\":\"not_found\","
      "\"detail\":\"there is no event 'missing'\",\"instance\":\"/api/v1/events/missing/hold\","
      "\"remedies\":[\"see `showcaller get "
      "events`\"],\"trace\":\"0af7651916cd43dd8448eb211c80319c\"}\n");
  const auto error = error_from_problem(response.status, response.body);
  EXPECT_EQ(error.code, ErrorCode::NotFound);
  EXPECT_EQ(error.message, "there is no event 'missing'; see `showcaller get events`");
}

TEST_F(Api, CommandsCarryActorKeyTraceAndReason) {
  const auto response =
      ask("POST", "/api/v1/events/winter-raid/hold", R"({"reason":"lag","expected_revision":3})",
          {{"Idempotency-Key", "k1"},
           {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{\"seq\":1,\"repeated\":false,\"notes\":[\"noted\"]}\n");
  EXPECT_TRUE(
      response.headers.get("traceparent").starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
  const auto commands = backend.commands();
  ASSERT_EQ(commands.size(), 1u);
  const auto& body = std::get<EventCommand>(commands[0].body);
  EXPECT_EQ(body.verb, EventVerb::Hold);
  EXPECT_EQ(body.event, "winter-raid");
  EXPECT_EQ(body.expected_revision, 3);
  EXPECT_EQ(commands[0].actor.name, "alice");
  EXPECT_EQ(commands[0].key, "k1");
  EXPECT_EQ(commands[0].reason, "lag");
  EXPECT_EQ(commands[0].trace, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_TRUE(get_bool(
      object(ask("POST", "/api/v1/events/winter-raid/hold", "", {{"Idempotency-Key", "k1"}})),
      "repeated"));
}

TEST_F(Api, EveryEventVerbArrives) {
  const std::vector<std::pair<std::string, std::string>> verbs{
      {"hold", ""},     {"resume", ""},
      {"promote", ""},  {"step-back", ""},
      {"rollback", ""}, {"cancel", ""},
      {"retire", ""},   {"divert", ""},
      {"undivert", ""}, {"pace", R"({"pace_per_minute":100})"}};
  for (const auto& [verb, body] : verbs) {
    EXPECT_EQ(ask("POST", "/api/v1/events/winter-raid/" + verb, body).status, 200) << verb;
    EXPECT_EQ(EnumNames<EventVerb>::names[std::size_t(
                  std::get<EventCommand>(backend.commands().back().body).verb)],
              verb);
  }
  EXPECT_EQ(ask("POST", "/api/v1/events/winter-raid/approve", R"({"hash":"abc"})").status, 200);
  EXPECT_EQ(std::get<ApproveCommand>(backend.commands().back().body).hash, "abc");
  const std::string proof =
      R"({"gate":"session.crashed","hash":"abc","method":"backtest","runs":41,"verdict":"found"})";
  EXPECT_EQ(ask("POST", "/api/v1/events/winter-raid/prove", proof).status, 200);
  const auto proven = std::get<ProveGateCommand>(backend.commands().back().body);
  EXPECT_EQ(proven.event, "winter-raid");
  EXPECT_EQ(proven.method, ProofMethod::Backtest);
  EXPECT_EQ(proven.runs, 41);
  EXPECT_EQ(ask("POST", "/api/v1/events/winter-raid/prove", R"({"gate":"x","hash":"abc"})").status,
            400);
  EXPECT_EQ(ask("POST", "/api/v1/line/stop", R"({"scope":"fleet/raid"})").status, 200);
  EXPECT_EQ(std::get<LineCommand>(backend.commands().back().body).scope, "fleet/raid");
  EXPECT_EQ(ask("POST", "/api/v1/line/resume", "").status, 200);
  EXPECT_FALSE(std::get<LineCommand>(backend.commands().back().body).stop);
  EXPECT_EQ(ask("POST", "/api/v1/quarantines",
                R"({"scope":"instance","fleet":"raid","subject":"raid-7","for":"1h"})")
                .status,
            200);
  EXPECT_EQ(std::get<QuarantineCommand>(backend.commands().back().body).for_how_long, hours(1));
  EXPECT_EQ(ask("DELETE", "/api/v1/manifests/Flag/door").status, 200);
  EXPECT_EQ(std::get<RemoveCommand>(backend.commands().back().body).kind, Kind::Flag);
}

TEST_F(Api, WrongBodiesAreToldWhatIsWrong) {
  const auto detail = [&](std::string path, std::string body) {
    const auto response = ask("POST", path, body);
    EXPECT_GE(response.status, 400);
    return get_string(object(response), "detail");
  };
  EXPECT_EQ(detail("/api/v1/events/winter-raid/hold", R"({"resaon":"x"})"),
            "'resaon' is not a field of this request");
  EXPECT_EQ(detail("/api/v1/events/winter-raid/hold", R"({"reason":7})"), "'reason' is not a text");
  EXPECT_EQ(detail("/api/v1/events/winter-raid/hold", "[1]"), "the body is not a JSON object");
  EXPECT_EQ(detail("/api/v1/events/winter-raid/pace", "{}"),
            "'pace_per_minute' is missing or negative");
  EXPECT_EQ(detail("/api/v1/events/winter-raid/approve", "{}"), "'hash' is missing");
  EXPECT_EQ(detail("/api/v1/quarantines", R"({"scope":"moon","subject":"x"})"),
            "'moon' is no scope of a quarantine");
  EXPECT_TRUE(backend.commands().empty());
  EXPECT_EQ(ask("GET", "/api/v1/history?from=x").status, 400);
}

// One byte that is no text made the journal unreadable.
TEST_F(Api, WhatIsKeptIsText) {
  const auto hold = [&](std::string key) {
    return ask("POST", "/api/v1/events/winter-raid/hold", "", {{"Idempotency-Key", key}}).status;
  };
  EXPECT_EQ(hold("k\xff"), 400);
  EXPECT_EQ(hold("k\xc3\xa9"), 400);
  EXPECT_EQ(hold(std::string(256, 'k')), 400);
  EXPECT_EQ(hold(std::string(255, 'k')), 200);
  EXPECT_EQ(ask("POST", "/api/v1/events/winter-raid/hold", "{\"reason\":\"\xff\"}").status, 400);
  const auto batch = object(ask("POST", "/api/v1/batch",
                                R"({"commands":[{"do":"hold","event":"winter-raid","key":")" +
                                    std::string(256, 'k') + R"("}]})"));
  EXPECT_TRUE(batch.at("results").as_array()[0].as_object().contains("error"));
  EXPECT_EQ(backend.commands().size(), 1u);
  for (const auto* target : {"/api/v1/events/%ff", "/api/v1/events/a%C3", "/api/v1/events/\xff",
                             "/api/v1/history?event=%ED%A0%80", "/%FF?a=b"}) {
    const auto response = ask("GET", target);
    EXPECT_EQ(response.status, 400) << target;
    EXPECT_TRUE(parse_json(response.body)) << response.body;
  }
  EXPECT_EQ(ask("GET", "/api/v1/explain/f%C3%A9te").body, "{\"event\":\"f\xc3\xa9te\"}\n");
}

TEST_F(Api, EveryNamedThingMustBeAllowed) {
  const auto read = [&](std::string target) { return ask("GET", target, "", {}, "raider").status; };
  EXPECT_EQ(read("/api/v1/events/winter-raid"), 200);
  EXPECT_EQ(read("/api/v1/events/other?event=winter-raid"), 403);
  EXPECT_EQ(read("/api/v1/events/winter-raid?event=other"), 403);
  EXPECT_EQ(read("/api/v1/ledger/other?event=winter-raid"), 403);
  EXPECT_EQ(read("/api/v1/manifests/Fleet/other?fleet=raid"), 403);
  EXPECT_EQ(read("/api/v1/instances?fleet=raid"), 200);
  EXPECT_EQ(read("/api/v1/instances?fleet=other"), 403);
  EXPECT_EQ(read("/api/v1/instances"), 403);
}

TEST_F(Api, TheRouterSaysWhatIsNotThere) {
  EXPECT_EQ(ask("GET", "/nothing").status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/events/winter-raid/sing").status, 404);
  const auto wrong = ask("PUT", "/api/v1/events");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.get("Allow"), "OPTIONS, GET, HEAD");
  EXPECT_EQ(ask("OPTIONS", "/api/v1/manifests").headers.get("Allow"), "OPTIONS, GET, HEAD, POST");
  EXPECT_EQ(ask("HEAD", "/api/v1/events").status, 200);
  EXPECT_EQ(ask("POST", "/api/v1/plan", "x", {{"Content-Type", "image/png"}}).status, 415);
  EXPECT_EQ(ask("GET", "/api/v1/events", "", {{"Accept", "image/png"}}).status, 406);
  EXPECT_EQ(ask("GET", "/api/v1/events", "", {{"Accept", "text/html, */*;q=0.1"}}).status, 200);
}

TEST_F(Api, TheServerAsAWholeSaysWhatItCan) {
  RawSocket socket(server->port());
  socket.send("OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(socket.read_all().starts_with("HTTP/1.1 204 No Content\r\nAllow: OPTIONS, GET"));
}

// Nobody's sixteen megabytes were taken in before anybody asked who sends them.
TEST_F(Api, ARequestIsJudgedBeforeItsBodyIsRead) {
  const auto status_of_header = [&](std::string line, std::string more) {
    RawSocket socket(server->port());
    socket.send(line + " HTTP/1.1\r\nHost: h\r\n" + more + "\r\n");
    const auto text = socket.read_until("\r\n");
    return text.substr(9, 3);
  };
  const std::string large = "Content-Length: 9000000\r\n";
  const std::string alice = "Authorization: Bearer alice\r\n";
  EXPECT_EQ(status_of_header("POST /api/v1/manifests", large), "401");
  EXPECT_EQ(status_of_header("POST /api/v1/manifests", large + "Expect: 100-continue\r\n"), "401");
  EXPECT_EQ(status_of_header("POST /nothing", large), "404");
  EXPECT_EQ(status_of_header("PUT /api/v1/manifests", large), "405");
  EXPECT_EQ(status_of_header("POST /api/v1/privacy/erase", large + alice), "403");
  EXPECT_EQ(status_of_header("POST /api/v1/manifests", large + alice + "Content-Type: a/b\r\n"),
            "415");
  EXPECT_EQ(status_of_header("POST /api/v1/events/winter-raid/hold", large + alice), "413");
  EXPECT_EQ(status_of_header("POST /api/v1/manifests", large + alice + "Expect: 100-continue\r\n"),
            "100");
  EXPECT_EQ(ask("POST", "/api/v1/manifests", std::string(2 << 20, ' ')).status, 200);
  EXPECT_EQ(ask("POST", "/api/v1/line/stop", std::string(2 << 20, ' ')).status, 413);
}

// What was no request left no trace: in no log, in no metric.
TEST_F(Api, WhatIsNoRequestIsToldAndCounted) {
  RawSocket socket(server->port());
  socket.send("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto text = socket.read_all();
  EXPECT_TRUE(text.starts_with("HTTP/1.1 400 Bad Request\r\n")) << text;
  EXPECT_NE(text.find("\r\ntraceparent: 00-"), text.npos) << text;
  EXPECT_NE(text.find("\"detail\":\"the URL has a broken % escape\""), text.npos) << text;
  EXPECT_NE(text.find("\"trace\":\""), text.npos) << text;
  const auto metrics_text = ask("GET", "/metrics").body;
  EXPECT_NE(metrics_text.find(
                "showcaller_http_requests_total{route=\"none\",method=\"GET\",status=\"400\"} 1\n"),
            metrics_text.npos)
      << metrics_text;
}

TEST_F(Api, AFullMailboxPushesBack) {
  backend.full = true;
  const auto response = ask("POST", "/api/v1/events/winter-raid/promote");
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.get("Retry-After"), "1");
}

TEST_F(Api, AnswersWhenTheCommandIsDurable) {
  auto answer =
      std::async(std::launch::async, [&] { return ask("POST", "/api/v1/events/late/hold"); });
  while (backend.waiting() == 0) std::this_thread::yield();
  backend.flush();
  EXPECT_EQ(get_int(object(answer.get()), "seq"), 99);
}

TEST_F(Api, AppliesManifestsOrTellsTheFindings) {
  const auto good =
      ask("POST", "/api/v1/manifests", "kind: Team", {{"Content-Type", "application/yaml"}});
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body,
            "{\"seq\":1,\"repeated\":false,\"notes\":[\"noted\"],\"manifests\":[{\"kind\":\"Team\","
            "\"name\":\"crew\","
            "\"hash\":\"abc\"}],\"findings\":[]}\n");
  const auto bad = ask("POST", "/api/v1/manifests", "bad");
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(object(bad).at("findings").as_array().size(), 1u);
  EXPECT_EQ(ask("POST", "/api/v1/manifests?dry_run=true", "bad").body, "{\"by\":\"alice\"}\n");
  EXPECT_EQ(backend.commands().size(), 1u);
  EXPECT_EQ(ask("POST", "/api/v1/validate", "abc").body, "{\"ok\":true,\"manifests\":3}\n");
}

TEST_F(Api, ManifestFilesKeepTheirNames) {
  const std::string files =
      R"({"files":[{"name":"a.yaml","text":"abc"},{"name":"b.yaml","text":"bad"}]})";
  EXPECT_EQ(ask("POST", "/api/v1/validate", files).body,
            "{\"ok\":true,\"a.yaml\":3,\"b.yaml\":3}\n");
  const auto bad = ask("POST", "/api/v1/manifests", files);
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(get_string(object(bad).at("findings").as_array()[0].as_object(), "file"), "b.yaml");
  EXPECT_EQ(ask("POST", "/api/v1/plan", files).body, "{\"by\":\"alice\"}\n");
  for (const auto* wrong : {R"({"files":[]})", R"({"files":"a"})", R"({"files":[{"name":"a"}]})",
                            R"({"files":[{"name":"","text":"x"}]})",
                            R"({"files":[{"name":"a","text":"x"},{"name":"a","text":"y"}]})"}) {
    EXPECT_EQ(ask("POST", "/api/v1/plan", wrong).status, 400) << wrong;
  }
}

TEST_F(Api, BatchAnswersEachInItsPlace) {
  const auto response =
      ask("POST", "/api/v1/batch",
          R"({"commands":[{"do":"hold","event":"winter-raid","key":"a"},{"do":"sing"},
        {"do":"hold","event":"missing"},{"do":"apply","manifest":{"kind":"Team"}},{"do":"hold","event":"winter-raid","key":"a"}]})");
  ASSERT_EQ(response.status, 200);
  const auto body = object(response);
  const auto& results = body.at("results").as_array();
  ASSERT_EQ(results.size(), 5u);
  EXPECT_EQ(get_int(results[0].as_object(), "seq"), 1);
  EXPECT_EQ(get_string(results[1].as_object().at("error").as_object(), "code"), "invalid");
  EXPECT_EQ(get_string(results[2].as_object().at("error").as_object(), "code"), "not_found");
  EXPECT_EQ(get_int(results[3].as_object(), "seq"), 3);
  EXPECT_TRUE(get_bool(results[4].as_object(), "repeated"));
  std::string many = R"({"commands":[{"do":"hold","event":"x"})";
  for (std::size_t i = 0; i < kBatchCommandsMax; ++i) many += R"(,{"do":"hold","event":"x"})";
  EXPECT_EQ(ask("POST", "/api/v1/batch", many + "]}").status, 413);
}

// `?dry_run=true` on a route that did not know it did what was only asked about.
TEST_F(Api, ADryRunOfAnyCommandDoesNothing) {
  const std::vector<std::tuple<std::string, std::string, std::string>> commands{
      {"/api/v1/events/winter-raid/rollback", "", "rollback"},
      {"/api/v1/events/winter-raid/approve", R"({"hash":"abc"})", "approve"},
      {"/api/v1/line/stop", "", "stop-line"},
      {"/api/v1/line/resume", "", "resume-line"},
      {"/api/v1/quarantines", R"({"scope":"host","fleet":"raid","subject":"h"})", "quarantine"},
      {"/api/v1/quarantines/release", R"({"scope":"host","fleet":"raid","subject":"h"})",
       "release"},
      {"/api/v1/drills/kills/run", "", "drill"},
      {"/api/v1/drills/kills/stop", "", "drill"},
      {"/api/v1/flags/door/kill", "", "kill-flag"},
      {"/api/v1/flags/door/reopen", "", "reopen-flag"},
      {"/api/v1/configs/drops/undo", R"({"to":3})", "apply"},
      {"/api/v1/tokens", R"({"name":"bot","roles":["viewer"]})", "token"}};
  for (const auto& [path, body, verb] : commands) {
    const auto answer = ask("POST", path + "?dry_run=true", body, {{"Idempotency-Key", "k"}});
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.body, "{\"dry_run\":true,\"verb\":\"" + verb + "\"}\n") << path;
  }
  EXPECT_EQ(ask("DELETE", "/api/v1/manifests/Flag/door?dry_run=1").status, 200);
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/abc?dry_run=1", "", {}, "root").status, 200);
  EXPECT_EQ(ask("POST", "/api/v1/events/missing/hold?dry_run=true").status, 404);
  EXPECT_EQ(
      ask("POST", "/api/v1/privacy/erase?dry_run=true", R"({"player":"p"})", {}, "root").status,
      400);
  const auto batch = object(ask("POST", "/api/v1/batch?dry_run=true",
                                R"({"commands":[{"do":"hold","event":"missing"},{"do":"sing"},
                     {"do":"hold","event":"winter-raid"}]})"));
  const auto& results = batch.at("results").as_array();
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(get_string(results[0].as_object().at("error").as_object(), "code"), "not_found");
  EXPECT_EQ(get_string(results[1].as_object().at("error").as_object(), "code"), "invalid");
  EXPECT_TRUE(get_bool(results[2].as_object(), "dry_run"));
  EXPECT_TRUE(backend.commands().empty());
  // Whatever takes an idempotency key can be tried.
  const auto document = object(ask("GET", "/api/v1/openapi.json"));
  for (const auto& [path, methods] : document.at("paths").as_object()) {
    for (const auto& [method, route] : methods.as_object()) {
      const std::string text = to_json_text(route);
      EXPECT_EQ(text.find("Idempotency-Key") == text.npos, text.find("\"dry_run\"") == text.npos)
          << path << " " << method;
    }
  }
}

TEST_F(Api, TokensAreShownOnce) {
  EXPECT_EQ(ask("GET", "/api/v1/tokens").status, 403);
  const auto made =
      object(ask("POST", "/api/v1/tokens", R"({"name":"bot","roles":["viewer"],"expires_in":"1h"})",
                 {}, "root"));
  const auto text = get_string(made, "token");
  EXPECT_EQ(text.size(), 67u);
  const auto command = std::get<CreateTokenCommand>(backend.commands().back().body);
  EXPECT_EQ(command.sha256, to_hex(sha256(text)));
  EXPECT_EQ(command.expires, backend.now() + hours(1));
  EXPECT_EQ(ask("POST", "/api/v1/tokens", R"({"name":"bot","roles":["viewer"]})",
                {{"Idempotency-Key", "t"}}, "root")
                .status,
            201);
  EXPECT_EQ(ask("POST", "/api/v1/tokens", R"({"name":"bot","roles":["viewer"]})",
                {{"Idempotency-Key", "t"}}, "root")
                .status,
            409);
  EXPECT_EQ(ask("DELETE", "/api/v1/tokens/abc", "", {}, "root").status, 200);
}

// {"expire_in":"1h"} made a token of ninety days.
TEST_F(Api, ATokenIsMadeAsAskedOrNot) {
  const auto detail = [&](std::string body) {
    const auto response = ask("POST", "/api/v1/tokens", std::move(body), {}, "root");
    EXPECT_EQ(response.status, 400);
    return get_string(object(response), "detail");
  };
  EXPECT_EQ(detail(R"({"name":"b","roles":["viewer"],"expire_in":"1h"})"),
            "'expire_in' is not a field of this request");
  EXPECT_EQ(detail(R"({"name":"b","roles":["viewer",7]})"), "'roles' is not a list of texts");
  EXPECT_EQ(detail(R"({"name":"b","roles":"viewer"})"), "'roles' is not a list");
  EXPECT_EQ(detail(R"({"name":"b","roles":[]})"), "a token needs a 'name' and a list of 'roles'");
  EXPECT_EQ(detail(R"({"name":7,"roles":["viewer"]})"), "'name' is not a text");
  EXPECT_EQ(detail(R"({"name":"b","roles":["viewer"],"expires_in":"0s"})"),
            "'expires_in' is over at once");
  EXPECT_EQ(detail(R"({"name":"b","roles":["viewer"],"expires_in":3600})"),
            "'expires_in' is not a text");
  EXPECT_TRUE(backend.commands().empty());
}

TEST_F(Api, EveryCommandIsCounted) {
  ask("POST", "/api/v1/tokens", R"({"name":"b","roles":["viewer"]})", {}, "root");
  ask("POST", "/api/v1/privacy/erase", R"({"player":"p"})", {}, "root");
  ask("POST", "/api/v1/privacy/export", R"({"player":"p"})", {}, "root");
  ask("DELETE", "/api/v1/tokens/abc?reason=lost", "", {{"Idempotency-Key", "r1"}}, "root");
  EXPECT_EQ(backend.commands().back().reason, "lost");
  EXPECT_EQ(backend.commands().back().key, "r1");
  const auto text = ask("GET", "/metrics").body;
  for (const auto* line :
       {R"({verb="token",outcome="ok"} 2)", R"({verb="privacy-erase",outcome="ok"} 1)",
        R"({verb="privacy-export",outcome="ok"} 1)"}) {
    EXPECT_NE(text.find(std::string("showcaller_commands_total") + line), text.npos)
        << line << text;
  }
}

TEST_F(Api, ASenderOfTelemetryIsToldWhatBecameOfEachDelta) {
  const auto batch = [](std::string_view source) {
    return fmt::format(
        R"({{"source":"{}","sequence":1,"deltas":[{{"metric":"m","n":1,"sesion":"s1"}}]}})",
        source);
  };
  const auto taken = ask("POST", "/api/v1/telemetry", batch("phone"));
  EXPECT_EQ(taken.status, 202);
  EXPECT_EQ(taken.body,
            "{\"accepted\":1,\"dropped\":{\"no_stage\":2},\"ignored_fields\":[\"sesion\"],"
            "\"report_every_ms\":1000}\n");
  EXPECT_NE(
      ask("GET", "/metrics").body.find("showcaller_telemetry_deltas_total{outcome=\"no_stage\"} 2"),
      std::string::npos);
  const auto pushed = ask("POST", "/api/v1/telemetry", batch("too much"));
  EXPECT_EQ(pushed.status, 429);
  EXPECT_EQ(pushed.headers.get("Retry-After"), "1");
}

TEST_F(Api, ABatchThatIsTooLargeIsRefusedForGood) {
  std::string many = R"({"source":"s","sequence":1,"deltas":[)";
  for (int i = 0; i <= 10'000; ++i)
    many += std::string(i == 0 ? "" : ",") + R"({"metric":"m","n":1})";
  for (const std::string& body : {many + "]}", std::string(5u << 20, ' ')}) {
    const auto refused = ask("POST", "/api/v1/telemetry", body);
    EXPECT_EQ(refused.status, 413) << refused.body;
    EXPECT_EQ(refused.headers.get("Retry-After"), "");
  }
}

TEST_F(Api, SessionsAreServed) {
  EXPECT_EQ(ask("POST", "/api/v1/allocations", R"({"session":"s1"})").body,
            "{\"session\":\"s1\",\"instance\":\"raid-1\"}\n");
  EXPECT_EQ(ask("POST", "/api/v1/allocations", "").status, 400);
  EXPECT_EQ(ask("DELETE", "/api/v1/allocations/s1").status, 204);
  EXPECT_EQ(ask("DELETE", "/api/v1/allocations/gone").status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/telemetry", "{}", {}, "viewer").status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/privacy/erase", R"({"player":"p"})").status, 403);
  const std::string list = R"({"players":["p","q"]})";
  EXPECT_EQ(ask("POST", "/api/v1/ledger/winter-raid/admitted", list).status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/ledger/winter-raid/admitted", list, {}, "root").body,
            "{\"event\":\"winter-raid\",\"asked\":2}\n");
  EXPECT_EQ(ask("POST", "/api/v1/privacy/erase", R"({"player":"p"})", {}, "root").body,
            "{\"erased\":\"p\"}\n");
}

TEST_F(Api, FlagsAreServedAndRulesAreNotForClients) {
  const auto snapshot = ask("GET", "/api/v1/flags/snapshot");
  EXPECT_EQ(snapshot.status, 200);
  EXPECT_EQ(
      ask("GET", "/api/v1/flags/snapshot", "", {{"If-None-Match", snapshot.headers.get("ETag")}})
          .status,
      304);
  EXPECT_EQ(ask("GET", "/api/v1/flags/snapshot", "", {}, "client").status, 403);
  const auto one =
      object(ask("POST", "/ofrep/v1/evaluate/flags/door", R"({"context":{"targetingKey":"u"}})"));
  EXPECT_TRUE(get_bool(one, "value"));
  EXPECT_EQ(ask("POST", "/ofrep/v1/evaluate/flags/none", R"({"context":{}})").status, 404);
  EXPECT_EQ(ask("POST", "/ofrep/v1/evaluate/flags", R"({"context":{}})").status, 200);
  EXPECT_EQ(ask("GET", "/ofrep/v1/configuration").status, 200);
  const std::lock_guard lock(backend.evaluations_mutex);
  EXPECT_EQ(backend.evaluations, (std::vector<std::string>{"u door", " none", " "}));
  // Each as it was answered, once; of what is not there nothing.
  EXPECT_EQ(backend.answers_given, (std::vector<std::string>{"door=open", "door=open"}));
}

TEST_F(Api, ReadingsTakeTheirQueries) {
  const auto history = object(ask("GET", "/api/v1/history?from=5&limit=20&event=winter-raid"));
  EXPECT_EQ(get_int(history, "from"), 5);
  EXPECT_EQ(get_int(history, "limit"), 20);
  EXPECT_EQ(get_string(history, "event"), "winter-raid");
  EXPECT_EQ(ask("GET", "/api/v1/ledger/winter-raid?revision=2").body,
            "{\"event\":\"winter-raid\",\"revision\":2}\n");
  EXPECT_EQ(ask("GET", "/api/v1/events/winter-raid").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/events/other").status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/manifests/Flag/a%2Fb").body,
            "{\"kind\":\"Flag\",\"name\":\"a/b\"}\n");
}

// ---- watching ----

// Reads `count` events (comments do not count), starting when the server has the reader.
std::vector<SseEvent> read_events(const ApiServer& server, std::string target, std::size_t count,
                                  HttpHeaders headers = {}) {
  headers.add("Authorization", "Bearer viewer");
  HttpClient client({.base_url = server.url(), .timeout = seconds(10)});
  SseParser parser;
  std::vector<SseEvent> events;
  EXPECT_TRUE(
      client.stream({.target = std::move(target), .headers = headers}, [&](std::string_view bytes) {
        for (auto& event : parser.feed(bytes)) events.push_back(std::move(event));
        return events.size() < count;
      }));
  return events;
}

class OneRecord final : public WatchBatch {
 public:
  OneRecord(std::uint64_t seq, std::string kind, std::string event, std::string json)
      : seq_(seq), kind_(std::move(kind)), event_(std::move(event)), json_(std::move(json)) {}
  std::size_t size() const override { return 1; }
  Item item(std::size_t) const override { return {seq_, kind_, event_}; }
  std::string json(std::size_t) const override { return json_; }

 private:
  std::uint64_t seq_;
  std::string kind_, event_, json_;
};

void publish(WatchHub& hub, std::uint64_t seq, std::string kind, std::string event,
             std::string json) {
  hub.publish(
      std::make_shared<const OneRecord>(seq, std::move(kind), std::move(event), std::move(json)));
}

TEST_F(Api, LookingBackTakesItsQueries) {
  EXPECT_EQ(ask("GET",
                "/api/v1/decisions?text=lag%20in&actor=ann&kind=hold_set,phase_changed&"
                "subject=event/gala&since=2026-12-01T12:00:00Z&before=41&limit=7")
                .status,
            200);
  const DecisionSearch& search = backend.reviews.searched;
  EXPECT_EQ(search.text, "lag in");
  EXPECT_EQ(search.actor, "ann");
  EXPECT_EQ(search.kinds, (std::set<std::string>{"hold_set", "phase_changed"}));
  EXPECT_EQ(search.subject, "event/gala");
  EXPECT_EQ(search.since, parse_instant("2026-12-01T12:00:00Z").value());
  EXPECT_FALSE(search.until);
  EXPECT_EQ(search.before_seq, 41u);
  EXPECT_EQ(search.limit, 7u);
  for (const auto* wrong : {"/api/v1/decisions?since=yesterday", "/api/v1/decisions?before=x",
                            "/api/v1/decisions/x", "/api/v1/incidents/-1"})
    EXPECT_EQ(ask("GET", wrong).status, 400) << wrong;
  EXPECT_EQ(ask("GET", "/api/v1/decisions/41").body, "{\"seq\":41}\n");
  EXPECT_EQ(ask("GET", "/api/v1/incidents/41").body, "{\"id\":41}\n");
  EXPECT_EQ(ask("GET", "/api/v1/rehearsals/17-0").body, "{\"id\":\"17-0\"}\n");
  EXPECT_EQ(ask("POST", "/api/v1/rehearsals", R"({"event":"gala"})").status, 201);
  EXPECT_EQ(ask("POST", "/api/v1/rehearsals", R"({"event":"gala"})", {}, "client").status, 403);
}

TEST_F(Api, WatchersSeeEachRecord) {
  auto reading =
      std::async(std::launch::async, [&] { return read_events(*server, "/api/v1/watch", 2); });
  while (server->hub().watchers() == 0) std::this_thread::yield();
  publish(server->hub(), 1, "event_held", "winter-raid", "{\"a\":1}");
  publish(server->hub(), 2, "flag_applied", "", "{}");
  EXPECT_EQ(reading.get(),
            (std::vector<SseEvent>{{"1", "event_held", "{\"a\":1}"}, {"2", "flag_applied", "{}"}}));
}

TEST_F(Api, WatchersFilterAndComeBack) {
  backend.seq = 20;
  for (int i = 1; i <= 6; ++i) {
    publish(server->hub(), i, i % 2 == 0 ? "even" : "odd", i > 3 ? "late" : "early",
            std::to_string(i));
  }
  EXPECT_EQ(read_events(*server, "/api/v1/watch?after=3&kind=even", 2),
            (std::vector<SseEvent>{{"4", "even", "4"}, {"6", "even", "6"}}));
  EXPECT_EQ(read_events(*server, "/api/v1/watch?event=early", 1, {{"Last-Event-ID", "2"}}),
            (std::vector<SseEvent>{{"3", "odd", "3"}}));
}

TEST_F(Api, AWatcherThatWasAwayTooLongIsToldWhatItMissed) {
  backend.seq = 11;
  for (std::uint64_t i = 10; i < 12; ++i) publish(server->hub(), i, "k", "", "{}");
  const auto events = read_events(*server, "/api/v1/watch?after=3", 2);
  EXPECT_EQ(events[0], (SseEvent{"9", "missed", "{\"after\":3,\"before\":10}"}));
  EXPECT_EQ(events[1].id, "10");
}

// A server that has just started has told nothing yet, and had a past all the same.
TEST_F(Api, AWatcherThatComesBackAfterARestartIsToldWhatItMissed) {
  FakeBackend restarted;
  restarted.seq = 9;
  MetricsRegistry own_metrics(kMetricTable);
  const auto again = *ApiServer::start({}, &restarted, &own_metrics, &log);
  auto reading = std::async(std::launch::async, [&] {
    return read_events(*again, "/api/v1/watch", 2, {{"Last-Event-ID", "4"}});
  });
  while (again->hub().watchers() == 0) std::this_thread::yield();
  publish(again->hub(), 10, "k", "", "{}");
  EXPECT_EQ(reading.get(), (std::vector<SseEvent>{{"9", "missed", "{\"after\":4,\"before\":10}"},
                                                  {"10", "k", "{}"}}));
}

// A browser's EventSource asks for its first address again and says in the header where it is.
TEST_F(Api, TheHeaderSaysWhereAWatcherIsRatherThanItsFirstAddress) {
  backend.seq = 3;
  for (std::uint64_t i = 1; i < 4; ++i) publish(server->hub(), i, "k", "", "{}");
  EXPECT_EQ(read_events(*server, "/api/v1/watch?after=0", 1, {{"Last-Event-ID", "2"}}),
            (std::vector<SseEvent>{{"3", "k", "{}"}}));
}

// The world is published before the watchers are told of it.
TEST_F(Api, AWatcherIsNotToldWhatItHas) {
  backend.seq = 2;
  auto reading = std::async(std::launch::async,
                            [&] { return read_events(*server, "/api/v1/watch?after=2", 1); });
  while (server->hub().watchers() == 0) std::this_thread::yield();
  for (std::uint64_t i = 1; i < 4; ++i) publish(server->hub(), i, "k", "", "{}");
  EXPECT_EQ(reading.get(), (std::vector<SseEvent>{{"3", "k", "{}"}}));
}

TEST_F(Api, AWatcherOfAnotherJournalIsToldSo) {
  backend.seq = 5;
  EXPECT_EQ(ask("GET", "/api/v1/watch?after=6").status, 409);
}

TEST_F(Api, AWatcherGoesWithItsToken) {
  auto reading =
      std::async(std::launch::async, [&] { return read_events(*server, "/api/v1/watch", 1'000); });
  while (server->hub().watchers() == 0) std::this_thread::yield();
  backend.viewer_revoked = true;
  EXPECT_TRUE(reading.get().empty());
  EXPECT_EQ(server->hub().watchers(), 0u);
}

TEST_F(Api, WatchersAreToldWhatTheServerLeftOut) {
  auto reading =
      std::async(std::launch::async, [&] { return read_events(*server, "/api/v1/watch", 3); });
  while (server->hub().watchers() == 0) std::this_thread::yield();
  publish(server->hub(), 4, "k", "", "{}");
  publish(server->hub(), 9, "k", "", "{}");
  EXPECT_EQ(reading.get(), (std::vector<SseEvent>{{"4", "k", "{}"},
                                                  {"8", "missed", "{\"after\":4,\"before\":9}"},
                                                  {"9", "k", "{}"}}));
}

TEST_F(Api, StreamsBeatAndEnd) {
  HttpClient client({.base_url = server->url()});
  std::string text;
  const auto response =
      client.stream({.target = "/api/v1/watch", .headers = {{"Authorization", "Bearer viewer"}}},
                    [&](std::string_view bytes) {
                      text += bytes;
                      return text.size() < 3 * kSseHeartbeat.size();
                    });
  ASSERT_TRUE(response);
  EXPECT_EQ(response->headers.get("Content-Type"), "text/event-stream");
  EXPECT_TRUE(text.starts_with(": \n\n: \n\n"));
}

TEST_F(Api, MetricsCountWhatHappened) {
  ask("GET", "/api/v1/events");
  ask("POST", "/api/v1/events/winter-raid/hold");
  const auto text = ask("GET", "/metrics").body;
  EXPECT_NE(text.find("showcaller_http_requests_total{route=\"/api/v1/"
                      "events\",method=\"GET\",status=\"200\"} 1\n"),
            text.npos)
      << text;
  EXPECT_NE(text.find("showcaller_commands_total{verb=\"hold\",outcome=\"ok\"} 1\n"), text.npos);
  const auto open =
      ask("GET", "/metrics", "", {{"Accept", "application/openmetrics-text; version=1.0.0"}});
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
  EXPECT_TRUE(open.headers.get("Content-Type").starts_with("application/openmetrics-text"));
}

}  // namespace
}  // namespace showcaller
