// SPDX-License-Identifier: Apache-2.0
#include "codec/telemetry.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "codec/telemetry_sequences.h"

namespace showcaller {
namespace {

std::string refusal(std::string_view body, const TelemetryLimits& limits = {}) {
  const auto batch = decode_telemetry(body, limits);
  return batch ? "accepted" : batch.error().message;
}

TEST(Telemetry, ReadsABatch) {
  std::set<std::string> ignored;
  const auto batch =
      decode_telemetry(R"({"source":"host-7/4242","sequence":17,"trust":"server","sent_ms":5,
    "dropped":2,"trace":"00-abc","from_the_future":{"x":1},"deltas":[
    {"metric":"session.crashed","event":"winter-raid","arm":"canary","instance":"i-3","unit":"party:1",
     "stratum":"eu","n":12,"x":1,"also_new":true},
    {"metric":"join.latency","arm":null,"histogram":{"scale":3,"zero":1,"offset":-2,"counts":[1,0,4]}}]})",
                       {}, &ignored);
  EXPECT_EQ(ignored, (std::set<std::string>{"also_new", "from_the_future"}));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->source, "host-7/4242");
  EXPECT_EQ(batch->sequence, 17);
  EXPECT_EQ(batch->trust, Trust::Server);
  EXPECT_EQ(batch->dropped, 2);
  ASSERT_EQ(batch->deltas.size(), 2u);
  EXPECT_EQ(batch->deltas[0].arm, Arm::Canary);
  EXPECT_EQ(batch->deltas[0].n, 12);
  EXPECT_EQ(batch->deltas[0].x, 1);
  EXPECT_EQ(batch->deltas[0].stratum, "eu");
  ASSERT_TRUE(batch->deltas[1].histogram);
  EXPECT_EQ(batch->deltas[1].histogram->count(), 6u);
  EXPECT_FALSE(batch->deltas[1].arm);
}

TEST(Telemetry, WhoDoesNotSayIsAClient) {
  const auto batch = decode_telemetry(R"({"source":"s","sequence":1,"deltas":[]})");
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->trust, Trust::Client);
}

TEST(Telemetry, ErrorsNameThePlace) {
  EXPECT_EQ(refusal("[]"), "a batch is a JSON object");
  EXPECT_EQ(refusal(R"({"sequence":1,"deltas":[]})"), "source: is missing");
  EXPECT_EQ(refusal(R"({"source":"","sequence":1,"deltas":[]})"), "source: is empty");
  EXPECT_EQ(refusal(R"({"source":"s","sequence":-1,"deltas":[]})"),
            "sequence: expected a whole number from 0 to 2^53");
  EXPECT_EQ(refusal(R"({"source":"s","sequence":1.5,"deltas":[]})"),
            "sequence: expected a whole number from 0 to 2^53");
  EXPECT_EQ(refusal(R"({"source":"s","sequence":1,"trust":"root","deltas":[]})"),
            "trust: expected server, probe or client");
  EXPECT_EQ(refusal(R"({"source":"s","sequence":1})"), "deltas: expected a list");
  EXPECT_EQ(refusal(R"({"source":"s","sequence":1,"deltas":[{"metric":"m","n":1},7]})"),
            "deltas[1]: expected an object");
  EXPECT_EQ(refusal(R"({"source":"s","sequence":1,"deltas":[{"n":1}]})"),
            "deltas[0].metric: is missing");
  EXPECT_EQ(refusal(R"({"source":"s","sequence":1,"deltas":[{"metric":"m"}]})"),
            "deltas[0].n: is missing");
  EXPECT_EQ(refusal(R"({"source":"s","sequence":1,"deltas":[{"metric":"m","n":"1"}]})"),
            "deltas[0].n: expected a whole number from 0 to 2^53");
  EXPECT_EQ(refusal(R"({"source":"s","sequence":1,"deltas":[{"metric":"m","arm":"left","n":1}]})"),
            "deltas[0].arm: expected canary or baseline");
  EXPECT_TRUE(
      refusal(R"({"source":"s","sequence":1,"deltas":[{"metric":"m","histogram":{"scale":99}}]})")
          .starts_with("deltas[0].histogram: "));
}

TEST(Telemetry, Limits) {
  EXPECT_EQ(
      refusal(R"({"source":"s","sequence":1,"deltas":[{"metric":"m","n":1},{"metric":"m","n":1}]})",
              {.deltas_max = 1}),
      "deltas: more than 1; send smaller batches");
  EXPECT_EQ(refusal(R"({"source":"long","sequence":1,"deltas":[]})", {.text_bytes_max = 3}),
            "source: longer than 3 bytes");
  EXPECT_NE(refusal(R"({"source":"s","sequence":1,"deltas":[]})", {.bytes_max = 10}), "accepted");
  EXPECT_NE(refusal(R"({"source":"s","sequence":1,"deltas":[],"x":[[[[[[[[[[1]]]]]]]]]]})"),
            "accepted");
}

TEST(Telemetry, WhatIsWrittenIsRead) {
  TelemetryBatch batch{
      .source = "a \"b\"", .sequence = 9, .trust = Trust::Probe, .sent_ms = 1, .trace = "00-x"};
  ExponentialHistogram histogram(4);
  for (const double ms : {0.0, 1.5, 20.0, 21.0, 400.0}) histogram.record(ms);
  batch.deltas.push_back({.metric = "m",
                          .event = "e",
                          .arm = Arm::Baseline,
                          .instance = "i",
                          .unit = "u",
                          .stratum = "eu",
                          .n = 3,
                          .x = 2,
                          .histogram = std::nullopt});
  batch.deltas.push_back({.metric = "l", .arm = std::nullopt, .histogram = histogram});
  const auto again = decode_telemetry(encode_telemetry(batch));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, batch);
}

TEST(TelemetrySequences, EachBatchCountsOnce) {
  TelemetrySequences sequences;
  EXPECT_TRUE(sequences.accept("a", 1));
  EXPECT_FALSE(sequences.accept("a", 1));
  EXPECT_TRUE(sequences.accept("b", 1));
  EXPECT_TRUE(sequences.accept("a", 3));
  EXPECT_TRUE(sequences.accept("a", 2));  // out of order
  EXPECT_FALSE(sequences.accept("a", 2));
  EXPECT_FALSE(sequences.accept("a", 3));
  EXPECT_TRUE(sequences.accept("a", 200));
  EXPECT_FALSE(sequences.accept("a", 136));  // older than the window
  EXPECT_TRUE(sequences.accept("a", 137));
  sequences.forget("a", 137);
  EXPECT_TRUE(sequences.accept("a", 137));
}

TEST(TelemetrySequences, RandomOrderAndRepetition) {
  Random random(7);
  TelemetrySequences sequences;
  std::set<std::int64_t> counted;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t sequence = std::max<std::int64_t>(1, i / 4 - std::int64_t(random.below(30)));
    EXPECT_EQ(sequences.accept("s", sequence), counted.insert(sequence).second) << sequence;
  }
}

TEST(TelemetrySequences, TheLongestSilentSourceIsForgotten) {
  TelemetrySequences sequences(2);
  EXPECT_TRUE(sequences.accept("a", 1));
  EXPECT_TRUE(sequences.accept("b", 1));
  EXPECT_FALSE(sequences.accept("a", 1));
  EXPECT_TRUE(sequences.accept("c", 1));  // b goes
  EXPECT_EQ(sequences.size(), 2u);
  EXPECT_FALSE(sequences.accept("a", 1));
  EXPECT_TRUE(sequences.accept("b", 1));
}

}  // namespace
}  // namespace showcaller
