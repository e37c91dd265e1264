// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/quantity.h"

#include <gtest/gtest.h>

namespace showcaller::manifest {
namespace {

TEST(Quantity, PercentIsExactToOnePpm) {
  EXPECT_EQ(parse_percent_ppm("5%"), 50'000);
  EXPECT_EQ(parse_percent_ppm("0%"), 0);
  EXPECT_EQ(parse_percent_ppm("100%"), 1'000'000);
  EXPECT_EQ(parse_percent_ppm("0.0001%"), 1);
  EXPECT_EQ(parse_percent_ppm("33.3333%"), 333'333);
  for (const char* bad :
       {"", "%", "5", "-1%", "100.1%", "0.00001%", ".5%", "5.%", "1e1%", "5 %", "nan%"}) {
    EXPECT_EQ(parse_percent_ppm(bad), std::nullopt) << bad;
  }
}

TEST(Quantity, EveryPpmIsReadBack) {
  for (int ppm = 0; ppm <= 1'000'000; ppm += 137) {
    const std::string text =
        std::to_string(ppm / 10'000) + "." + std::to_string(10'000 + ppm % 10'000).substr(1) + "%";
    ASSERT_EQ(parse_percent_ppm(text), ppm) << text;
  }
}

TEST(Quantity, Margins) {
  EXPECT_DOUBLE_EQ(std::get<Ratio>(*parse_margin("10%")).value, 0.10);
  EXPECT_DOUBLE_EQ(std::get<Ratio>(*parse_margin("250%")).value, 2.5);
  EXPECT_DOUBLE_EQ(std::get<Ratio>(*parse_margin("0")).value, 0);
  EXPECT_DOUBLE_EQ(std::get<Points>(*parse_margin("0.1pp")).value, 0.001);
  for (const char* bad : {"0.1", "pp", "101pp", "-1%", "10"})
    EXPECT_FALSE(parse_margin(bad)) << bad;
}

TEST(Quantity, Multiples) {
  EXPECT_DOUBLE_EQ(*parse_multiple("2x"), 2);
  EXPECT_DOUBLE_EQ(*parse_multiple("1.5x"), 1.5);
  for (const char* bad : {"1x", "0.5x", "x", "2", "2X"}) EXPECT_FALSE(parse_multiple(bad)) << bad;
}

TEST(Quantity, Rates) {
  EXPECT_EQ(parse_rate_per_minute("20k/min"), 20'000);
  EXPECT_EQ(parse_rate_per_minute("300/s"), 18'000);
  EXPECT_EQ(parse_rate_per_minute("6M/h"), 100'000);
  EXPECT_EQ(parse_rate_per_minute("1.5k/min"), 1'500);
  for (const char* bad : {"20k", "0/min", "1/h", "-5/s", "k/min", "1.5/min"})
    EXPECT_FALSE(parse_rate_per_minute(bad)) << bad;
}

TEST(Quantity, Bounds) {
  EXPECT_DOUBLE_EQ(*parse_bound("250ms"), 250);
  EXPECT_DOUBLE_EQ(*parse_bound("1.5s"), 1500);
  EXPECT_DOUBLE_EQ(*parse_bound("15%"), 0.15);
  EXPECT_DOUBLE_EQ(*parse_bound("3"), 3);
  for (const char* bad : {"", "fast", "-3", "3 ms"}) EXPECT_FALSE(parse_bound(bad)) << bad;
}

TEST(Quantity, Bytes) {
  EXPECT_EQ(parse_bytes("512MiB"), 512ll << 20);
  EXPECT_EQ(parse_bytes("1.5GiB"), 3ll << 29);
  EXPECT_EQ(parse_bytes("4KiB"), 4096);
  EXPECT_EQ(parse_bytes("10B"), 10);
  for (const char* bad : {"512", "512MB", "B", "99999999GiB"})
    EXPECT_FALSE(parse_bytes(bad)) << bad;
}

}  // namespace
}  // namespace showcaller::manifest
