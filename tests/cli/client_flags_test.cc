// SPDX-License-Identifier: Apache-2.0
// What a game client with a token of its own gets over HTTP: values of the flags that are meant for
// it, and never a rule.
#include <gtest/gtest.h>

#include "base/hash.h"
#include "cli/serve/host_backend.h"
#include "net/http_client.h"
#include "tests/host/theatre.h"
#include "wire/api_server.h"
#include "wire/metric_table.h"

namespace showcaller::test {
namespace {

constexpr const char* kFlags = R"(
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: door, owner: team-raids }
spec:
  visibility: client
  variants: { open: true, shut: false }
  defaultVariant: shut
  targeting: { if: [ { "==": [ { var: group }, staff ] }, open, null ] }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: drop-rate, owner: team-raids }
spec: { variants: { high: 2 }, defaultVariant: high }
)";

class ClientFlags : public testing::Test {
 protected:
  ClientFlags() {
    const auto applied = theatre_.apply("flags.yaml", kFlags);
    EXPECT_TRUE(applied) << applied.error().message;
    EXPECT_TRUE(theatre_.command(
        CreateTokenCommand{"id", "phone", to_hex(sha256("phone-token")), {"client"}, {}}));
    auto started = ApiServer::start({}, &backend_, &metrics_, &log_);
    EXPECT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  HttpResponse ask(std::string method, std::string path, std::string body = "{}",
                   HttpHeaders headers = {{"Authorization", "Bearer phone-token"}}) {
    HttpClient client({.base_url = server_->url()});
    return client.send({std::move(method), std::move(path), std::move(headers), std::move(body)})
        .value_or(HttpResponse{});
  }

  Theatre theatre_;
  MemoryJournal journal_{theatre_.disk};
  HostBackend backend_{&theatre_.host(), &journal_, {"test", "test"}};
  MetricsRegistry metrics_{kMetricTable};
  Log log_{2, LogLevel::Off};
  std::unique_ptr<ApiServer> server_;
};

TEST_F(ClientFlags, AFlagThatIsVisibleToClientsHasItsValueForThem) {
  const auto staff =
      ask("POST", "/ofrep/v1/evaluate/flags/door", R"({"context":{"group":"staff"}})");
  EXPECT_EQ(staff.status, 200);
  EXPECT_EQ(
      staff.body,
      R"({"key":"door","reason":"TARGETING_MATCH","value":true,"variant":"open","metadata":{}})");
  EXPECT_EQ(ask("POST", "/ofrep/v1/evaluate/flags/drop-rate").status, 404);
  EXPECT_EQ(
      ask("POST", "/ofrep/v1/evaluate/flags/door", "{}", {{"X-API-Key", "phone-token"}}).status,
      200);
}

TEST_F(ClientFlags, AllOfThemComeTogetherAndOnlyWhenTheyChanged) {
  const auto all = ask("POST", "/ofrep/v1/evaluate/flags");
  EXPECT_EQ(all.status, 200);
  EXPECT_NE(all.body.find(R"("key":"door")"), std::string::npos) << all.body;
  EXPECT_EQ(all.body.find("drop-rate"), std::string::npos) << all.body;
  const HttpHeaders known{{"Authorization", "Bearer phone-token"},
                          {"If-None-Match", std::string(all.headers.get("ETag"))}};
  EXPECT_EQ(ask("POST", "/ofrep/v1/evaluate/flags", "{}", known).status, 304);
}

TEST_F(ClientFlags, RulesAndEverythingElseAreNotForThem) {
  EXPECT_EQ(ask("GET", "/api/v1/flags/snapshot", "").status, 403);
  EXPECT_EQ(ask("GET", "/api/v1/events", "").status, 403);
}

TEST_F(ClientFlags, AKeyThatIsMissingIsToldAsTheProtocolDoes) {
  const auto nothing = ask("POST", "/ofrep/v1/evaluate/flags/");
  EXPECT_EQ(nothing.status, 404);
  EXPECT_NE(nothing.body.find("FLAG_NOT_FOUND"), std::string::npos) << nothing.body;
}

}  // namespace
}  // namespace showcaller::test
