// SPDX-License-Identifier: Apache-2.0
// Spans in OTLP's protobuf, byte for byte. tests/e2e/trace_test.py has OpenTelemetry's own library
// read what the program sends.
#include "codec/otlp_spans.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace showcaller {
namespace {

Span small_span() {
  Span span;
  span.trace = "0102030405060708090a0b0c0d0e0f10";
  span.id = "1112131415161718";
  span.name = "n";
  span.start = instant_ms(1);
  span.end = instant_ms(2);
  return span;
}

// Both as OpenTelemetry's own library (otlp-transformer 0.57) writes them, but for the flags, which
// are newer than its schema.
TEST(OtlpSpans, AreWrittenAsTheSchemaSays) {
  EXPECT_EQ(to_hex(encode_otlp_spans({{"a", std::int64_t(5)}}, {"s", ""}, {{small_span()}})),
            "0a4d0a090a070a01611202180512400a030a0173"
            "12390a100102030405060708090a0b0c0d0e0f101208111213141516"
            "17182a016e30013940420f00000000004180841e0000000000"
            "850101010000");  // flags: recorded, and its parent is no remote one
}

TEST(OtlpSpans, ValuesOfAllTypes) {
  const std::string bytes = encode_otlp_spans({{"t", std::string("x")},
                                               {"b", true},
                                               {"i", std::int64_t(-1)},
                                               {"d", 0.5},
                                               {"e", false},
                                               {"z", std::int64_t(0)},
                                               {"n", std::string()}},
                                              {}, {});
  EXPECT_EQ(to_hex(bytes),
            "0a560a500a080a017412030a01780a070a0162120210010a100a0169120b18ffffffffffffffffff01"
            "0a0e0a0164120921000000000000e03f0a070a0165120210000a070a017a120218000a070a016e1202"
            "0a0012020a00");
}

TEST(OtlpSpans, LongTextsAreCutAtACharactersEnd) {
  Span span = small_span();
  span.name = std::string(kOtlpTextMax - 1, 'x') + "\xc3\xa9" + "more";
  const std::string bytes = encode_otlp_spans({}, {}, {{span}});
  EXPECT_NE(bytes.find(std::string(kOtlpTextMax - 1, 'x')), bytes.npos);
  EXPECT_EQ(bytes.find('\xc3'), bytes.npos);
}

TEST(OtlpAnswer, TellsWhatWasNotTaken) {
  EXPECT_EQ(decode_otlp_answer("").value().rejected, 0);
  const auto partial = decode_otlp_answer(std::string("\x0a\x06\x08\x03\x12\x02no", 8));
  ASSERT_TRUE(partial);
  EXPECT_EQ(partial->rejected, 3);
  EXPECT_EQ(partial->message, "no");
  // Fields of a later version are passed over.
  EXPECT_EQ(decode_otlp_answer(std::string("\x10\x01\x0a\x02\x08\x02", 6)).value().rejected, 2);
  for (const std::string& bad : {std::string("\x0a\x05\x08", 3), std::string("\x0a"),
                                 std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
                                 std::string("{\"partialSuccess\":{}}")}) {
    EXPECT_FALSE(decode_otlp_answer(bad)) << to_hex(bad);
  }
}

}  // namespace
}  // namespace showcaller
