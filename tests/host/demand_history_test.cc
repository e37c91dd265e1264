// SPDX-License-Identifier: Apache-2.0
#include "host/demand_history.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "flow/memory_evidence_store.h"

namespace showcaller {
namespace {

const Instant kBegin = parse_instant("2026-11-02T00:00:00Z").value();  // a Monday

// By the hour of the day, most at 18:00.
std::int64_t usual_at(Instant hour) {
  const double turn = double((hour - kBegin).count() % 86'400'000) / 86'400'000;
  return 100 + std::llround(60 * std::cos(2 * std::numbers::pi * (turn - 0.75)));
}

class DemandHistoryTest : public testing::Test {
 protected:
  // Looks twice an hour, at its begin and in its middle, when most are there.
  std::shared_ptr<const DemandOutlook> live(DemandHistory* history, Instant from, Instant until) {
    std::shared_ptr<const DemandOutlook> last;
    for (Instant hour = from; hour < until; hour += hours(1)) {
      (void)look(history, hour, usual_at(hour) - 10);
      last = look(history, hour + minutes(30), usual_at(hour));
    }
    return last;
  }
  std::shared_ptr<const DemandOutlook> look(DemandHistory* history, Instant wall,
                                            std::int64_t sessions) {
    return history->observe("raid", {{"eu", sessions}}, wall, &errors_);
  }

  MemoryEvidenceStore store_;
  std::vector<Error> errors_;
};

TEST_F(DemandHistoryTest, SaysNothingBeforeTwoDaysAndTheProfileAfterTwoWeeks) {
  DemandHistory history(&store_);
  EXPECT_EQ(live(&history, kBegin, kBegin + hours(48))->basis, ForecastBasis::None);
  const auto days = look(&history, kBegin + hours(48), 90);
  EXPECT_EQ(days->basis, ForecastBasis::Days);
  EXPECT_EQ(days->hours_known, 48);
  EXPECT_EQ(live(&history, kBegin + hours(48), kBegin + hours(336))->basis, ForecastBasis::Days);
  const auto weeks = look(&history, kBegin + hours(336), 90);
  EXPECT_EQ(weeks->basis, ForecastBasis::Weeks);
  ASSERT_EQ(weeks->sessions.at("eu").size(), std::size_t(kForecastHours));
  EXPECT_EQ(weeks->from, kBegin + hours(336));
  EXPECT_NEAR(weeks->sessions.at("eu")[18], 160, 10) << "the evening, and a little over";
  EXPECT_NEAR(weeks->sessions.at("eu")[6], 40, 10);
  EXPECT_TRUE(errors_.empty());
}

TEST_F(DemandHistoryTest, ARestartForgetsNothing) {
  const Instant now = kBegin + hours(400) + minutes(40);
  std::shared_ptr<const DemandOutlook> before;
  {
    DemandHistory history(&store_);
    live(&history, kBegin, kBegin + hours(400));
    (void)look(&history, kBegin + hours(400), 500);
    before = look(&history, now, 3);
  }
  DemandHistory again(&store_);
  const auto after = look(&again, now, 3);
  EXPECT_EQ(after->hours_known, before->hours_known);
  EXPECT_EQ(after->sessions, before->sessions);
  const auto next = look(&again, kBegin + hours(401), 3);
  EXPECT_EQ(next->hours_known, 401);
  EXPECT_GT(next->sessions.at("eu")[23], 400) << "the hour's peak came before the restart";
}

TEST_F(DemandHistoryTest, FiveWeeksAreKept) {
  DemandHistory history(&store_);
  live(&history, kBegin, kBegin + hours(24 * 7 * 7));
  EXPECT_EQ(look(&history, kBegin + hours(24 * 7 * 7), 9)->hours_known, 840);
  DemandHistory again(&store_);
  EXPECT_EQ(look(&again, kBegin + hours(24 * 7 * 7), 9)->hours_known, 840);
}

TEST_F(DemandHistoryTest, AfterALongAbsenceNothingIsConcludedFromOldHours) {
  DemandHistory history(&store_);
  live(&history, kBegin, kBegin + hours(400));
  EXPECT_EQ(look(&history, kBegin + hours(440), 90)->basis, ForecastBasis::None);
}

TEST_F(DemandHistoryTest, LinesThatCannotBeReadArePassedOverAndTold) {
  const Instant hour = kBegin + hours(10);
  for (const char* line : {"{}", "[1]", R"({"hour":"2026-11-02T10:30:00Z","sessions":{"eu":1}})",
                           R"({"hour":"2026-11-02T10:00:00Z","sessions":{"eu":-1}})"})
    ASSERT_TRUE(store_.append(demand_stream("raid", hour), line));
  ASSERT_TRUE(store_.append(demand_stream("raid", hour), demand_line(hour, {{"eu", 7}})));
  DemandHistory history(&store_);
  EXPECT_EQ(look(&history, hour + hours(1), 1)->hours_known, 1);
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_EQ(errors_[0].message,
            "4 lines of fleet/raid/demand/2026-11-02 can't be read and are passed over; the "
            "forecast of the fleet's demand goes without these hours");
}

TEST_F(DemandHistoryTest, AClockThatGoesBackTakesItsHoursWithIt) {
  DemandHistory history(&store_);
  live(&history, kBegin, kBegin + hours(60));
  EXPECT_EQ(look(&history, kBegin + hours(50), 90)->hours_known, 50);
}

}  // namespace
}  // namespace showcaller
