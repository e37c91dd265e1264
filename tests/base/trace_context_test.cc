// SPDX-License-Identifier: Apache-2.0
// Trace context by the standard's own rules: what is read, what is refused, what goes on.
#include "base/trace_context.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";

TEST(TraceContext, IsReadAsTheStandardSays) {
  const struct {
    std::string what, header;
    bool good, sampled;
  } kCases[] = {
      {"sampled", "00-" + kTrace + "-" + kSpan + "-01", true, true},
      {"not sampled", "00-" + kTrace + "-" + kSpan + "-00", true, false},
      {"other flags are not ours", "00-" + kTrace + "-" + kSpan + "-02", true, false},
      {"all flags", "00-" + kTrace + "-" + kSpan + "-ff", true, true},
      {"a later version", "cc-" + kTrace + "-" + kSpan + "-01", true, true},
      {"a later version with more", "cc-" + kTrace + "-" + kSpan + "-01-what", true, true},
      {"a later version, badly longer", "cc-" + kTrace + "-" + kSpan + "-01.what", false, false},
      {"version 00 with more", "00-" + kTrace + "-" + kSpan + "-01-what", false, false},
      {"version 00 with a dash", "00-" + kTrace + "-" + kSpan + "-01-", false, false},
      {"version ff", "ff-" + kTrace + "-" + kSpan + "-01", false, false},
      {"a version of letters", "zz-" + kTrace + "-" + kSpan + "-01", false, false},
      {"no trace", "00-" + std::string(32, '0') + "-" + kSpan + "-01", false, false},
      {"no span", "00-" + kTrace + "-" + std::string(16, '0') + "-01", false, false},
      {"capitals", "00-0AF7651916CD43DD8448EB211C80319C-" + kSpan + "-01", false, false},
      {"flags of letters", "00-" + kTrace + "-" + kSpan + "-0x", false, false},
      {"too short", "00-" + kTrace + "-" + kSpan + "-1", false, false},
      {"empty", "", false, false},
  };
  for (const auto& c : kCases) {
    const auto read = parse_traceparent(c.header);
    EXPECT_EQ(read.has_value(), c.good) << c.what;
    if (!read) continue;
    EXPECT_EQ(read->trace_id, kTrace) << c.what;
    EXPECT_EQ(read->parent_id, kSpan) << c.what;
    EXPECT_EQ(read->sampled, c.sampled) << c.what;
  }
}

TEST(TraceContext, GoesOnWithOurSpanOrAsItCame) {
  TraceContext context = parse_traceparent("cc-" + kTrace + "-" + kSpan + "-03-more").value();
  context.span_id = "00f067aa0ba902b7";
  EXPECT_EQ(context.traceparent(), "00-" + kTrace + "-00f067aa0ba902b7-01");
  EXPECT_EQ(context.callers_traceparent(), "00-" + kTrace + "-" + kSpan + "-01");
}

TEST(TraceContext, StatesOfVendorsAreHeldToTheirGrammar) {
  std::string members;
  for (int i = 0; i < 32; ++i) members += "k" + std::to_string(i) + "=1,";
  for (const std::string& good :
       {std::string("congo=t61rcWkgMzE"), std::string("rojo=00f067aa0ba902b7,congo=t61"),
        std::string("a=1, ,\tb=2,"), std::string("fw529a3039@dt=FfAxyz"), std::string("0vendor=1"),
        std::string("a=b c"), members}) {
    EXPECT_TRUE(is_tracestate(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string(","), std::string("a"), std::string("a="), std::string("=1"),
        std::string("A=1"), std::string("a=1,a=2"), std::string("a=b=c"), std::string("a=\x01"),
        std::string("a b=1"), "a=" + std::string(257, 'x'), "a=1," + std::string(600, 'b') + "=1",
        members + "more=1"}) {
    EXPECT_FALSE(is_tracestate(bad)) << bad;
  }
}

}  // namespace
}  // namespace showcaller
