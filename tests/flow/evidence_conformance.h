// SPDX-License-Identifier: Apache-2.0
// The conformance suite of port flow/port/evidence_store.h. Include it in one source file of a test
// program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "flow/port/evidence_rules.h"
#include "flow/port/evidence_store.h"

namespace showcaller {

class EvidenceBench {
 public:
  virtual ~EvidenceBench() = default;
  virtual EvidenceStore& store() = 0;  // opens it when it is closed
  virtual void close() = 0;
};
using MakeEvidenceBench = std::function<std::unique_ptr<EvidenceBench>()>;

using StoredLine = std::pair<std::string, EvidenceMark>;

inline std::vector<StoredLine> read_lines(EvidenceStore& store, std::string_view stream) {
  std::vector<StoredLine> lines;
  const Status read = store.read(stream, [&](std::string_view line, const EvidenceMark& mark) {
    lines.push_back({std::string(line), mark});
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  return lines;
}

inline std::string some_line(int i) {
  return fmt::format("{{\"t\":{},\"x\":\"{}\"}}", i, std::string(std::size_t(i * 37), 'a'));
}

class EvidenceConformance : public testing::TestWithParam<MakeEvidenceBench> {
 protected:
  void SetUp() override { bench_ = GetParam()(); }
  EvidenceStore& store() { return bench_->store(); }

  std::unique_ptr<EvidenceBench> bench_;
  const std::string stream_ = "winter-raid/r7/v1";
  const std::string other_ = "winter-raid/r7/v2";
};

TEST_P(EvidenceConformance, LinesAreReadBackWithTheirMarks) {
  EXPECT_TRUE(read_lines(store(), stream_).empty());
  std::vector<EvidenceMark> marks;
  EvidenceMark expected;
  for (int i = 0; i < 20; ++i) {
    marks.push_back(store().append(stream_, some_line(i)).value());
    expected = mark_after(expected, some_line(i));
    EXPECT_EQ(marks.back().offset, expected.offset);
    EXPECT_EQ(marks.back().hash, expected.hash);
    ASSERT_TRUE(store().append(other_, "{}"));
  }
  ASSERT_TRUE(store().flush());
  bench_->close();
  const auto lines = read_lines(store(), stream_);
  ASSERT_EQ(lines.size(), 20u);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(lines[i].first, some_line(i));
    EXPECT_EQ(lines[i].second.offset, marks[i].offset);
    EXPECT_EQ(lines[i].second.hash, marks[i].hash);
  }
  int seen = 0;
  ASSERT_TRUE(store().read(stream_, [&](auto, const auto&) { return ++seen < 5; }));
  EXPECT_EQ(seen, 5);
}

TEST_P(EvidenceConformance, AppendingGoesOnWhereItEnded) {
  ASSERT_TRUE(store().append(stream_, "1"));
  const auto two = store().append(stream_, "2").value();
  ASSERT_TRUE(store().flush());
  bench_->close();
  const auto three = store().append(stream_, "3").value();
  EXPECT_EQ(three.offset, mark_after(two, "3").offset);
  EXPECT_EQ(three.hash, mark_after(two, "3").hash);
  EXPECT_EQ(read_lines(store(), stream_).size(), 3u);
}

TEST_P(EvidenceConformance, AMarkHoldsOnlyForItsOwnPast) {
  const auto one = store().append(stream_, "1").value();
  const auto two = store().append(stream_, "2").value();
  ASSERT_TRUE(store().append(other_, "1"));
  const auto other = store().append(other_, "3").value();
  EXPECT_TRUE(check_mark(store(), stream_, {}));
  EXPECT_TRUE(check_mark(store(), stream_, one));
  EXPECT_TRUE(check_mark(store(), stream_, two));
  EXPECT_EQ(check_mark(store(), stream_, other).error().code, ErrorCode::Corrupt);
  EXPECT_EQ(check_mark(store(), "nothing/r1/v1", two).error().code, ErrorCode::Corrupt);
  EvidenceMark changed = two;
  changed.hash[0] ^= 1;
  EXPECT_EQ(check_mark(store(), stream_, changed).error().code, ErrorCode::Corrupt);
}

TEST_P(EvidenceConformance, TheSinkMayAppend) {
  ASSERT_TRUE(store().append(stream_, "1"));
  int seen = 0;
  ASSERT_TRUE(store().read(stream_, [&](auto, const auto&) {
    EXPECT_TRUE(store().append(stream_, "2"));
    return ++seen < 10;
  }));
  EXPECT_EQ(seen, 1);
}

TEST_P(EvidenceConformance, NamesThatCouldLeaveTheFolderAndBrokenLinesAreRefused) {
  for (const char* name : {"", "../x", ".x", "A", "a b", "a\n", "a+b"}) {
    EXPECT_EQ(store().append(name, "{}").error().code, ErrorCode::Invalid) << name;
  }
  EXPECT_EQ(store().append(stream_, "{\n}").error().code, ErrorCode::Invalid);
  EXPECT_TRUE(read_lines(store(), stream_).empty());
}

}  // namespace showcaller
