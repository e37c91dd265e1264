// SPDX-License-Identifier: Apache-2.0
#include "sim/said_log.h"

#include <gtest/gtest.h>

namespace showcaller::sim {
namespace {

constexpr Instant kStart{hours(24)};

SaidLog hour_long() {
  return {2, minutes(5), minutes(60)};
}

void say(SaidLog* log, std::uint32_t place) {
  const auto said = log->add({place, 1, 2, false});
  said[0] = SaidLog::Said::counted(1, std::int32_t(place));
  said[1] = SaidLog::Said::measured(double(place) / 2);
}

std::vector<std::uint32_t> places_from(const SaidLog& log, std::uint64_t from,
                                       std::vector<Instant>* chapters = nullptr) {
  std::vector<std::uint32_t> out;
  log.read(
      from,
      [&](const SaidLog::Row& row, std::span<const SaidLog::Said> said) {
        EXPECT_EQ(said[0].x(), std::int32_t(row.place));
        EXPECT_EQ(said[1].value(), double(row.place) / 2);
        out.push_back(row.place);
      },
      [&](Instant at) {
        if (chapters) chapters->push_back(at);
      });
  return out;
}

TEST(SaidLog, EachReaderGoesOnFromWhereItWas) {
  SaidLog log = hour_long();
  log.turn_to(kStart, 0);
  say(&log, 1);
  say(&log, 2);
  const std::uint64_t slow = 0, quick = log.end();
  log.turn_to(kStart + minutes(6), 0);
  say(&log, 3);
  std::vector<Instant> chapters;
  EXPECT_EQ(places_from(log, slow, &chapters), (std::vector<std::uint32_t>{1, 2, 3}));
  EXPECT_EQ(chapters, (std::vector{kStart, kStart + minutes(6)}));
  EXPECT_EQ(places_from(log, quick), (std::vector<std::uint32_t>{3}));
  EXPECT_TRUE(places_from(log, log.end()).empty());
}

TEST(SaidLog, WhatIsOldGoesOnceItIsRead) {
  SaidLog log = hour_long();
  log.turn_to(kStart, 0);
  say(&log, 1);
  say(&log, 2);
  const std::uint64_t unread = 1;
  log.turn_to(kStart + minutes(59), unread);
  say(&log, 3);
  log.turn_to(kStart + minutes(60), unread);
  EXPECT_EQ(places_from(log, unread), (std::vector<std::uint32_t>{2, 3}));
  log.turn_to(kStart + minutes(60), log.end());
  EXPECT_EQ(places_from(log, 0), (std::vector<std::uint32_t>{3}));
  say(&log, 4);
  EXPECT_EQ(log.end(), 4u);
  EXPECT_EQ(places_from(log, 3), (std::vector<std::uint32_t>{4}));
}

TEST(SaidLog, NothingIsNoCountAndNoValue) {
  EXPECT_TRUE(SaidLog::Said().is_nothing());
  EXPECT_FALSE(SaidLog::Said::counted(1, 0).is_nothing());
  EXPECT_FALSE(SaidLog::Said::measured(1e-9).is_nothing());
  EXPECT_EQ(SaidLog::Said::counted(7, 3).n(), 7);
  EXPECT_EQ(SaidLog::Said::counted(7, 3).x(), 3);
}

}  // namespace
}  // namespace showcaller::sim
