// SPDX-License-Identifier: Apache-2.0
// Which spans a killed server may not have told.
#include "cli/serve/span_retelling.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/adapters/scratch_folder.h"

namespace showcaller {
namespace {

Span span_of_record(std::int64_t record) {
  Span span;
  span.name = "stage";
  span.attributes = {{"showcaller.event", std::string("raid")}, {"showcaller.record", record}};
  return span;
}

TEST(SpanMark, RemembersFromWhichRecordOnSpansMayBeUntold) {
  const ScratchFolder folder;
  const std::string file = folder.file("spans-untold");
  SpanMark mark(file, 40);
  EXPECT_EQ(mark.first_untold(), 41u) << "nothing is told again that was before the first start";
  ASSERT_TRUE(mark.told({span_of_record(42), span_of_record(45)}, 3));
  EXPECT_EQ(mark.first_untold(), 45u) << "another span of that record may be in the next batch";
  ASSERT_TRUE(mark.told({span_of_record(45)}, 0));
  EXPECT_EQ(mark.first_untold(), 46u);
  ASSERT_TRUE(mark.told({Span{}, span_of_record(44)}, 0)) << "told again, after a restart";
  ASSERT_TRUE(mark.told({Span{}}, 0)) << "of a request";
  EXPECT_EQ(SpanMark(file, 99).first_untold(), 46u);
  std::ofstream(file) << "many\n";
  EXPECT_EQ(SpanMark(file, 99).first_untold(), 100u);
}

}  // namespace
}  // namespace showcaller
