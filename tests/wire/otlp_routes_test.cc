// SPDX-License-Identifier: Apache-2.0
// OTLP/HTTP at the server: what is answered to exports, whatever they are.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "net/http_client.h"
#include "tests/wire/fake_backend.h"
#include "wire/api_server.h"
#include "wire/metric_table.h"
#include "wire/otlp_exports.h"

namespace showcaller {
namespace {

class OtlpRoutes : public testing::Test {
 protected:
  OtlpRoutes() {
    auto started = ApiServer::start({}, &backend, &metrics, &log);
    EXPECT_TRUE(started);
    server = *std::move(started);
  }
  ~OtlpRoutes() override { server->stop(Duration(0)); }

  HttpResponse send(std::string body, std::string_view type, std::string_view encoding = {}) {
    HttpClient client({.base_url = server->url()});
    HttpClientRequest request{.method = "POST", .target = "/v1/metrics", .headers = {}, .body = {}};
    request.headers.add("Authorization", "Bearer root");
    request.headers.add("Content-Type", type);
    if (!encoding.empty()) request.headers.add("Content-Encoding", encoding);
    request.body = std::move(body);
    auto answer = client.send(request);
    EXPECT_TRUE(answer);
    return answer ? *std::move(answer) : HttpResponse{};
  }
  std::string every_kind(const std::string& form) {
    std::ifstream file(std::string(SHOWCALLER_SOURCE_DIR) + "/tests/codec/otlp/every_kind." + form,
                       std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  FakeBackend backend;
  MetricsRegistry metrics{kMetricTable};
  Log log{-1, LogLevel::Off};
  std::unique_ptr<ApiServer> server;
};

constexpr std::string_view kProtobuf = "application/x-protobuf", kJson = "application/json";

TEST_F(OtlpRoutes, AnExportIsAnsweredInItsOwnEncoding) {
  HttpResponse answer = send(every_kind("bin"), kProtobuf);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("Content-Type"), kProtobuf);
  EXPECT_EQ(answer.body, "");
  answer = send(every_kind("json"), "application/json; charset=utf-8");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("Content-Type"), kJson);
  EXPECT_EQ(answer.body, "{}");
  EXPECT_EQ(backend.points_taken, 12u);
}

TEST_F(OtlpRoutes, ARelaySaysWhoSentWhatItHandsOn) {
  send(every_kind("bin"), kProtobuf);
  EXPECT_EQ(backend.sender_of_points().name, "");
  EXPECT_TRUE(backend.sender_of_points().server);
  HttpClient client({.base_url = server->url()});
  HttpClientRequest request{.method = "POST",
                            .target = std::string(kOtlpMetricsPath),
                            .headers = {{"Authorization", "Bearer root"},
                                        {"Content-Type", kProtobuf},
                                        {kOtlpSenderHeader, "games/s1"},
                                        {kOtlpTrustHeader, "client"}},
                            .body = every_kind("bin")};
  ASSERT_EQ(client.send(request)->status, 200);
  EXPECT_EQ(backend.sender_of_points().name, "games/s1");
  EXPECT_FALSE(backend.sender_of_points().server);
}

TEST_F(OtlpRoutes, WhatWasNotTakenIsToldAsPartialSuccess) {
  backend.points_receipt = {.points = {{"taken", 4}, {"refused", 2}},
                            .deltas = {{"taken", 1}},
                            .rejected = 2,
                            .why = "a: no"};
  EXPECT_EQ(send(every_kind("json"), kJson).body,
            R"({"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"a: no"}})");
  EXPECT_EQ(to_hex(send(every_kind("bin"), kProtobuf).body), "0a0908021205613a206e6f");
  const std::string text = metrics.text(false);
  EXPECT_NE(text.find("showcaller_otlp_points_total{outcome=\"refused\"} 4"), text.npos);
  EXPECT_NE(text.find("showcaller_otlp_exports_total{outcome=\"partial\"} 2"), text.npos);
}

TEST_F(OtlpRoutes, AFullTickPushesBackWithAStatus) {
  backend.push_back = true;
  const HttpResponse answer = send(every_kind("json"), kJson);
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers.get("Retry-After"), "10");
  EXPECT_EQ(answer.body, R"({"code":8,"message":"the evidence of this tick is full; wait"})");
  EXPECT_EQ(to_hex(send(every_kind("bin"), kProtobuf).body.substr(0, 2)), "0808");
}

TEST_F(OtlpRoutes, WhatIsNoExportIsRefusedForGood) {
  EXPECT_EQ(send("{", kJson).status, 400);
  EXPECT_EQ(send("\x0a\xff", kProtobuf).status, 400);
  EXPECT_EQ(send("no gzip", kJson, "gzip").status, 400);
  EXPECT_EQ(send("{}", kJson, "br").status, 400);
  EXPECT_EQ(send("a: b", "application/yaml").status, 415);
  EXPECT_EQ(send("{}", kJson, "identity").status, 200);
}

}  // namespace
}  // namespace showcaller
