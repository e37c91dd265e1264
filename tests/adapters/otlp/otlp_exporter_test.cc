// SPDX-License-Identifier: Apache-2.0
// Spans to a collector over real HTTP: batches, retries, what is dropped and told.
#include "adapters/otlp/otlp_exporter.h"

#include <gtest/gtest.h>

#include "tests/adapters/otlp/otlp_sink.h"

namespace showcaller {
namespace {

using std::chrono::milliseconds;

std::vector<Span> spans(std::size_t count, const std::string& name = "work") {
  Span span;
  span.trace = "0102030405060708090a0b0c0d0e0f10";
  span.id = "1112131415161718";
  span.name = name;
  return std::vector<Span>(count, span);
}

std::size_t count_in(const std::string& body, std::string_view name) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = body.find(name, at)) != body.npos; at += name.size()) ++count;
  return count;
}

class OtlpExporterTest : public testing::Test {
 protected:
  OtlpExporterOptions options() {
    OtlpExporterOptions out;
    out.url = sink_.url() + "/v1/traces";
    out.headers.add("api-key", "secret");
    out.batch_every = milliseconds(1);
    out.retry_first = milliseconds(1);
    out.retry_max = milliseconds(2);
    out.on_change = [this](const Status& reached) {
      std::lock_guard lock(mutex_);
      told_.push_back(reached ? "well" : reached.error().message);
    };
    return out;
  }
  std::vector<std::string> told() {
    std::lock_guard lock(mutex_);
    return told_;
  }

  OtlpSink sink_;
  std::mutex mutex_;
  std::vector<std::string> told_;
};

TEST_F(OtlpExporterTest, SendsBatchesWithItsHeaders) {
  OtlpExporterOptions with = options();
  with.batch_max = 2;
  with.batch_every = seconds(30);
  {
    OtlpExporter exporter(with);
    exporter.take(spans(2));
    const auto heard = sink_.wait_for(1);
    EXPECT_EQ(heard[0].path, "/v1/traces");
    EXPECT_EQ(heard[0].content_type, "application/x-protobuf");
    EXPECT_EQ(heard[0].key, "secret");
    EXPECT_EQ(count_in(heard[0].body, "work"), 2u);
    exporter.take(spans(1, "last"));
  }
  const auto heard = sink_.wait_for(2);
  EXPECT_EQ(count_in(heard[1].body, "last"), 1u) << "what waits is sent at the end";
  EXPECT_TRUE(told().empty());
}

TEST_F(OtlpExporterTest, TriesAgainWithTheSameBatchAndTellsItOnce) {
  sink_.answer_first({503, {}, "starting\n"});
  sink_.answer_first({429, {{"Retry-After", "0"}}, ""});
  OtlpExporter exporter(options());
  exporter.take(spans(1));
  const auto heard = sink_.wait_for(3);
  EXPECT_EQ(heard[0].body, heard[2].body);
  exporter.take(spans(1, "next"));
  sink_.wait_for(4);
  const auto said = told();
  ASSERT_EQ(said.size(), 2u);
  EXPECT_NE(said[0].find("503 Service Unavailable: starting"), said[0].npos) << said[0];
  EXPECT_EQ(said[1], "well");
  EXPECT_EQ(exporter.stats().retries, 2u);
}

TEST_F(OtlpExporterTest, WaitsAsLongAsItIsAskedTo) {
  EXPECT_EQ(retry_after_of("120", instant_ms(0)), seconds(120));
  EXPECT_EQ(retry_after_of("Thu, 26 Nov 2026 07:00:30 GMT",
                           parse_instant("2026-11-26T07:00:00Z").value()),
            seconds(30));
  EXPECT_EQ(retry_after_of("Thu, 26 Nov 2026 06:00:00 GMT",
                           parse_instant("2026-11-26T07:00:00Z").value()),
            seconds(0));
  EXPECT_EQ(retry_after_of("soon", instant_ms(0)), std::nullopt);
  EXPECT_EQ(retry_after_of("", instant_ms(0)), std::nullopt);
  sink_.answer_first({503, {{"Retry-After", "3600"}}, ""});
  OtlpExporterOptions with = options();
  with.retry_after_max = milliseconds(1);  // Else this test would take an hour.
  OtlpExporter exporter(with);
  exporter.take(spans(1));
  sink_.wait_for(2);
}

TEST_F(OtlpExporterTest, WhatIsRefusedForGoodIsCountedAndDropped) {
  sink_.answer_first({401, {}, "who are you"});
  OtlpExporter exporter(options());
  exporter.take(spans(3));
  sink_.wait_for(1);
  exporter.take(spans(1));
  sink_.wait_for(2);
  EXPECT_EQ(exporter.stats().refused, 3u);
  EXPECT_NE(told()[0].find("refuses spans"), std::string::npos) << told()[0];
}

TEST_F(OtlpExporterTest, WhatACollectorTookInPartIsCounted) {
  sink_.answer_first({200, {}, std::string("\x0a\x06\x08\x02\x12\x02no", 8)});
  OtlpExporter exporter(options());
  exporter.take(spans(5));
  sink_.wait_for(1);
  exporter.take(spans(1));
  sink_.wait_for(2);
  EXPECT_EQ(exporter.stats().refused, 2u);
  EXPECT_GE(exporter.stats().sent, 3u);
}

// A collector that is away holds nobody up, and costs a bounded amount of memory.
TEST_F(OtlpExporterTest, WhileTheCollectorIsAwayTheOldestMakeRoom) {
  OtlpExporterOptions with = options();
  with.url = "http://127.0.0.1:1/v1/traces";  // Nobody listens there.
  with.waiting_max = 10;
  with.batch_max = 4;
  with.retry_first = with.retry_max = seconds(60);
  with.end_within = milliseconds(50);
  OtlpExporter exporter(with);
  for (int i = 0; i < 100; ++i) exporter.take(spans(1));
  const OtlpStats stats = exporter.stats();
  EXPECT_LE(stats.waiting, 14u);
  EXPECT_GE(stats.dropped, 86u);
  EXPECT_EQ(stats.sent, 0u);
}

TEST_F(OtlpExporterTest, EndsInTimeThoughTheCollectorNeverAnswers) {
  std::mutex mutex;
  std::vector<Responder> kept;
  auto silent = HttpServer::start({}, [&](HttpRequest&&, Responder responder) {
    std::lock_guard lock(mutex);
    kept.push_back(std::move(responder));
  });
  ASSERT_TRUE(silent);
  const auto began = std::chrono::steady_clock::now();
  {
    OtlpExporterOptions with = options();
    with.url = (*silent)->url() + "/v1/traces";
    with.timeout = seconds(60);
    with.end_within = milliseconds(50);
    OtlpExporter exporter(with);
    exporter.take(spans(1));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(20));
  std::lock_guard lock(mutex);
  kept.clear();
}

}  // namespace
}  // namespace showcaller
