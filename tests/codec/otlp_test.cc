// SPDX-License-Identifier: Apache-2.0
// Exports as OpenTelemetry's own serializers wrote them (tests/opentelemetry/fixtures.mjs), and
// what breaks.
#include "codec/otlp.h"

#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "codec/gzip.h"

namespace showcaller {
namespace {

std::string otlp_file(const std::string& name) {
  std::ifstream file(std::string(SHOWCALLER_SOURCE_DIR) + "/tests/codec/otlp/" + name,
                     std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string told(const DataPoints& all, const Range32& range) {
  std::string out;
  for (std::uint32_t i = range.first; i < range.first + range.count; ++i) {
    const PointAttribute& a = all.attributes[i];
    const std::string value = a.kind == PointAttribute::Kind::Text    ? std::string(a.text)
                              : a.kind == PointAttribute::Kind::Real  ? fmt::format("{}", a.real)
                              : a.kind == PointAttribute::Kind::Other ? "?"
                                                                      : std::to_string(a.whole);
    out += fmt::format(" {}={}", a.key, value);
  }
  return out;
}

template <class T>
std::string run_of(const std::vector<T>& values, const Range32& range) {
  std::string out;
  for (std::uint32_t i = 0; i < range.count; ++i)
    out += fmt::format("{}{}", i > 0 ? "," : "", values[range.first + i]);
  return out;
}

std::string told(const DataPoints& all) {
  std::string out;
  for (const Range32& resource : all.resources) out += "resource" + told(all, resource) + "\n";
  for (const PointMetric& m : all.metrics) {
    out += fmt::format("{} {} kind {} temporality {}{}\n", m.name, m.unit, int(m.kind),
                       int(m.temporality), m.monotonic ? " monotonic" : "");
    const bool numbers = m.kind == PointKind::Gauge || m.kind == PointKind::Sum;
    for (std::uint32_t i = m.points.first; i < m.points.first + m.points.count; ++i) {
      if (numbers) {
        const NumberPoint& p = all.numbers[i];
        out += fmt::format("  {}..{} {}{}{}\n", p.start_ns, p.time_ns, p.value,
                           p.has_value ? "" : " (none)", told(all, p.attributes));
        continue;
      }
      const DistributionPoint& p = all.distributions[i];
      out += fmt::format(
          "  {}..{} count {} sum {} zero {} negative {} scale {} offset {} buckets {} "
          "bounds {}\n",
          p.start_ns, p.time_ns, p.count, p.sum, p.zero_count, p.negative_count, p.scale, p.offset,
          run_of(all.buckets, p.buckets), run_of(all.bounds, p.bounds));
    }
  }
  return out;
}

constexpr std::string_view kEveryKind =
    R"(resource service.instance.id=raid-7f showcaller.event=winter-raid cores=4 ratio=0.5 spot=1 zones=?
match.ended {match} kind 2 temporality 2 monotonic
  1760000000000000001..1760000010500000000 120 showcaller.arm=canary outcome=won
  1760000000000000001..1760000010500000000 -3.25 note=say "ü"
😀
queue.length 1 kind 2 temporality 1
  1760000000000000001..1760000010500000000 7
temperature Cel kind 1 temporality 0
  1760000000000000001..1760000010500000000 -12.5 showcaller.unit=p1
join.latency s kind 3 temporality 2
  1760000000000000001..1760000010500000000 count 11 sum 4.5 zero 0 negative 0 scale 0 offset 0 buckets 5,3,2,1 bounds 0.1,0.25,1
load.time ms kind 4 temporality 2
  1760000000000000001..1760000010500000000 count 9 sum 77.5 zero 2 negative 3 scale 3 offset -4 buckets 1,0,300 bounds 
)";

TEST(Otlp, ProtobufOfItsOwnSerializerIsRead) {
  const std::string bytes = otlp_file("every_kind.bin");
  DataPoints points;
  ASSERT_TRUE(decode_otlp_protobuf(bytes, {}, &points));
  EXPECT_EQ(told(points), kEveryKind);
  EXPECT_EQ(points.points, 6u);
}

TEST(Otlp, JsonOfItsOwnSerializerIsReadAlike) {
  const std::string text = otlp_file("every_kind.json");
  DataPoints points;
  ASSERT_TRUE(decode_otlp_json(text, {}, &points));
  EXPECT_EQ(told(points), kEveryKind);
}

TEST(Otlp, JsonMayHaveSpaceEscapesUnknownFieldsAndNumbersAsText) {
  constexpr std::string_view kText = R"( { "later" : [ { "x" : null } , true , -1.5e3 ],
    "resourceMetrics" : [ { "scopeMetrics" : [ { "metrics" : [ { "name" : "a\u00fc\ud83d\ude00\"" ,
      "sum" : { "dataPoints" : [ { "asInt" : "-9007199254740993", "timeUnixNano" : 5 , "flags" : 1 },
                                 { "asDouble" : "NaN", "timeUnixNano" : "6" } ],
                "aggregationTemporality" : "AGGREGATION_TEMPORALITY_DELTA" , "isMonotonic" : false } } ] } ] } ] } )";
  DataPoints points;
  const Status read = decode_otlp_json(kText, {}, &points);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(points.metrics.size(), 1u);
  EXPECT_EQ(points.metrics[0].name, "aü😀\"");
  EXPECT_EQ(points.metrics[0].temporality, Temporality::Delta);
  EXPECT_FALSE(points.numbers[0].has_value) << "its flag says that there is none";
  EXPECT_EQ(points.numbers[1].time_ns, 6u);
}

TEST(Otlp, WhatBreaksOffIsRefusedWithItsPlace) {
  const std::string text = otlp_file("every_kind.json");
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    DataPoints points;
    const Status read = decode_otlp_json(std::string_view(text).substr(0, cut), {}, &points);
    ASSERT_FALSE(read) << cut;
    EXPECT_EQ(read.error().code, ErrorCode::Invalid);
  }
  const std::string bytes = otlp_file("every_kind.bin");
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    DataPoints points;
    EXPECT_FALSE(decode_otlp_protobuf(std::string_view(bytes).substr(0, cut), {}, &points)) << cut;
  }
  DataPoints points;
  const Status read = decode_otlp_protobuf("\x0a\x05zz", {}, &points);
  EXPECT_NE(read.error().message.find("near byte"), std::string::npos) << read.error().message;
}

TEST(Otlp, LimitsHoldInBothEncodings) {
  for (const OtlpLimits limits : {OtlpLimits{.points_max = 5}, OtlpLimits{.attributes_max = 6},
                                  OtlpLimits{.buckets_max = 6}}) {
    DataPoints points;
    const std::string bytes = otlp_file("every_kind.bin"), text = otlp_file("every_kind.json");
    EXPECT_EQ(decode_otlp_protobuf(bytes, limits, &points).error().code, ErrorCode::Limit);
    EXPECT_EQ(decode_otlp_json(text, limits, &points).error().code, ErrorCode::Limit);
  }
  const std::string deep = R"({"x":)" + std::string(100, '[') + std::string(100, ']') + "}";
  DataPoints points;
  EXPECT_FALSE(decode_otlp_json(deep, {}, &points));
}

TEST(Otlp, AnswersAreWrittenInTheEncodingAsked) {
  EXPECT_EQ(encode_otlp_response({}, OtlpEncoding::Json), "{}");
  EXPECT_EQ(encode_otlp_response({}, OtlpEncoding::Protobuf), "");
  EXPECT_EQ(encode_otlp_response({300, "no"}, OtlpEncoding::Json),
            R"({"partialSuccess":{"rejectedDataPoints":"300","errorMessage":"no"}})");
  EXPECT_EQ(to_hex(encode_otlp_response({300, "no"}, OtlpEncoding::Protobuf)),
            "0a0708ac0212026e6f");
  EXPECT_EQ(to_hex(encode_rpc_status(RpcCode::InvalidArgument, "no", OtlpEncoding::Protobuf)),
            "080312026e6f");
  EXPECT_EQ(otlp_encoding("Application/JSON; charset=utf-8"), OtlpEncoding::Json);
  EXPECT_FALSE(otlp_encoding("text/plain"));
}

// 40 times "players come and go, ", packed by Python's gzip.
constexpr std::string_view kPacked =
    "1f8b08000000000002ff2bc849ac4c2d2a5648cecf4d5548cc4b5148cfd7512818151c151c15244510005026828348"
    "030000";

TEST(Gzip, IsUnpackedUpToALimit) {
  const std::string packed = from_hex(kPacked).value();
  const auto whole = gunzip(packed, 1 << 20);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->size(), 840u);
  EXPECT_TRUE(whole->starts_with("players come and go, players"));
  EXPECT_TRUE(gunzip(packed, 840));
  EXPECT_EQ(gunzip(packed, 839).error().code, ErrorCode::Limit);
  for (std::size_t cut = 0; cut < packed.size(); ++cut)
    EXPECT_EQ(gunzip(packed.substr(0, cut), 1 << 20).error().code, ErrorCode::Invalid) << cut;
  EXPECT_EQ(gunzip(packed + "x", 1 << 20).error().code, ErrorCode::Invalid);
}

}  // namespace
}  // namespace showcaller
