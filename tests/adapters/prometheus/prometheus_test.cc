// SPDX-License-Identifier: Apache-2.0
// What Prometheus may answer; tests/e2e/metrics_in_test.py asks a real one.
#include "adapters/prometheus/prometheus.h"

#include <atomic>
#include <cmath>
#include <fstream>
#include <future>

#include <gtest/gtest.h>

#include "net/http_server.h"
#include "tests/adapters/scratch_folder.h"

namespace showcaller {
namespace {

constexpr std::string_view kVector =
    R"({"status":"success","data":{"resultType":"vector","result":[
      {"metric":{"__name__":"a","job":"x","instance":"h1:1"},"value":[1.5,"42.5"]},
      {"metric":{},"value":[1.5,"NaN"]},{"metric":{"instance":"h2"},"value":[1.5,"+Inf"]}]}})";

TEST(PrometheusSamples, AVectorIsReadWithItsLabelsInOrder) {
  const auto samples = prometheus_samples(200, kVector, 10);
  ASSERT_TRUE(samples) << samples.error().message;
  ASSERT_EQ(samples->size(), 3u);
  EXPECT_EQ((*samples)[0].series, "__name__=a\ninstance=h1:1\njob=x\n");
  EXPECT_EQ((*samples)[0].group, "h1:1");
  EXPECT_EQ((*samples)[0].value, 42.5);
  EXPECT_TRUE(std::isnan((*samples)[1].value));
  EXPECT_TRUE(std::isinf((*samples)[2].value));
}

TEST(PrometheusSamples, AScalarIsOneSeriesAndNoSeriesAreAnAnswer) {
  const auto scalar = prometheus_samples(
      200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"7"]}})", 10);
  ASSERT_TRUE(scalar);
  EXPECT_EQ(scalar->at(0).value, 7);
  EXPECT_TRUE(prometheus_samples(
                  200, R"({"status":"success","data":{"resultType":"vector","result":[]}})", 10)
                  ->empty());
}

TEST(PrometheusSamples, WhatIsNoneSaysWhy) {
  const auto bad = prometheus_samples(
      400, R"({"status":"error","errorType":"bad_data","error":"parse error: x"})", 10);
  EXPECT_EQ(bad.error().code, ErrorCode::Invalid);
  EXPECT_EQ(bad.error().message, "it answers 400 Bad Request: parse error: x");
  EXPECT_EQ(prometheus_samples(503, "down", 10).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(prometheus_samples(200, "<html>", 10).error().code, ErrorCode::Unavailable);
  EXPECT_EQ(prometheus_samples(200, kVector, 2).error().code, ErrorCode::Limit);
  EXPECT_EQ(prometheus_samples(
                200, R"({"status":"success","data":{"resultType":"matrix","result":[]}})", 10)
                .error()
                .message,
            "the query gives a matrix; write one that gives an instant vector");
}

// One that tells what it was asked.
class Asked {
 public:
  Asked() {
    server_ = *HttpServer::start({}, [this](HttpRequest&& request, Responder responder) {
      query = std::string(request.query_value("query").value_or(""));
      token = std::string(request.headers.get("Authorization"));
      responder.send(json_response(200, std::string(kVector)));
    });
  }
  ~Asked() { server_->stop(Duration(0)); }
  std::string url() const { return server_->url() + "/prom"; }
  std::string query, token;

 private:
  std::unique_ptr<HttpServer> server_;
};

Result<std::vector<QuerySample>> ask(Prometheus* prometheus, const std::string& query) {
  std::promise<Result<std::vector<QuerySample>>> promise;
  auto answer = promise.get_future();
  prometheus->ask(
      query, [&](Result<std::vector<QuerySample>> said) { promise.set_value(std::move(said)); });
  return answer.get();
}

TEST(PrometheusAdapter, AsksWithItsTokenAndTheWholeQuery) {
  Asked server;
  const ScratchFolder folder;
  std::ofstream(folder.path() + "/token") << "secret\n";
  Prometheus prometheus({.url = server.url(), .token_file = folder.path() + "/token"});
  const std::string query = "sum by (instance) (a{b=\"c d\"}) + 1 & x";
  EXPECT_EQ(ask(&prometheus, query)->size(), 3u);
  EXPECT_EQ(server.query, query);
  EXPECT_EQ(server.token, "Bearer secret");
}

TEST(PrometheusAdapter, NobodyThereSaysWho) {
  Prometheus prometheus({.url = "http://127.0.0.1:1"});
  const auto answer = ask(&prometheus, "up");
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().message.starts_with("Prometheus at http://127.0.0.1:1: "))
      << answer.error().message;
}

TEST(PrometheusAdapter, WhatWaitsWhenItClosesIsToldOnce) {
  std::atomic<int> told = 0;
  {
    Prometheus prometheus({.url = "http://127.0.0.1:1"});
    for (int i = 0; i < 50; ++i) prometheus.ask("up", [&](const auto&) { ++told; });
  }
  EXPECT_EQ(told.load(), 50);
}

}  // namespace
}  // namespace showcaller
