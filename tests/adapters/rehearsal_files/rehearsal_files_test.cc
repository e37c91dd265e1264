// SPDX-License-Identifier: Apache-2.0
// The shelf of rehearsals: what was put there is there, within its bounds.
#include "adapters/rehearsal_files/rehearsal_files.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/adapters/scratch_folder.h"

namespace showcaller {
namespace {

const Instant kNow = parse_instant("2026-12-01T12:00:00Z").value();

class RehearsalShelfTest : public testing::Test {
 protected:
  ScratchFolder folder_;
  std::unique_ptr<RehearsalFiles> shelf_ = RehearsalFiles::open(folder_.path()).value();
};

TEST_F(RehearsalShelfTest, GivesBackWhatWasPutThereTheNewestFirst) {
  const auto first = shelf_->put(kNow, "ann", {{"event", "gala"}});
  const auto second = shelf_->put(kNow, "ci", {{"event", "raid"}});  // the same millisecond
  ASSERT_TRUE(first && second);
  // Another opening finds them.
  shelf_ = RehearsalFiles::open(folder_.path()).value();
  const auto all = shelf_->all(kNow).value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id, *second);
  EXPECT_EQ(all[1].by, "ann");
  EXPECT_EQ(all[1].at, kNow);
  EXPECT_EQ(get_string(shelf_->one(*first)->report, "event"), "gala");
  EXPECT_EQ(shelf_->one("0000000000000001-0").error().code, ErrorCode::NotFound);
  EXPECT_EQ(shelf_->one("../journal").error().code, ErrorCode::NotFound);
  EXPECT_EQ(shelf_->one("").error().code, ErrorCode::NotFound);
}

TEST_F(RehearsalShelfTest, IsBoundedInSizeCountAndAge) {
  const json::object large{{"event", std::string(kRehearsalBytesMax, 'x')}};
  EXPECT_EQ(shelf_->put(kNow, "ann", large).error().code, ErrorCode::Limit);
  std::string first, last;
  for (std::size_t i = 0; i < kRehearsalsMax + 3; ++i) {
    last = shelf_->put(kNow + seconds(std::int64_t(i)), "ann", {{"event", "gala"}}).value();
    if (first.empty()) first = last;
  }
  EXPECT_EQ(shelf_->all(kNow)->size(), kRehearsalsMax);
  EXPECT_FALSE(shelf_->one(first));
  EXPECT_TRUE(shelf_->one(last));
  EXPECT_TRUE(shelf_->all(kNow + kRehearsalsKept + hours(1))->empty());
  ASSERT_TRUE(shelf_->put(kNow + kRehearsalsKept + hours(1), "ann", {{"event", "gala"}}));
  EXPECT_FALSE(shelf_->one(last));  // Too old: gone when the next one came.
}

TEST_F(RehearsalShelfTest, AFileThatIsNoReportIsPassedBy) {
  ASSERT_TRUE(shelf_->put(kNow, "ann", {{"event", "gala"}}));
  std::ofstream(folder_.file("0000000000000005-0.json")) << "{";
  std::ofstream(folder_.file("notes.txt")) << "mine";
  EXPECT_EQ(shelf_->all(kNow)->size(), 1u);
}

}  // namespace
}  // namespace showcaller
