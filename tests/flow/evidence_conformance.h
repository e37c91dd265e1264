// SPDX-License-Identifier: Apache-2.0
// The conformance suite of port flow/port/evidence_store.h. Include it in one source file of a test program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "flow/port/evidence_store.h"

namespace showcaller {

class EvidenceBench {
 public:
  virtual ~EvidenceBench() = default;
  virtual EvidenceStore& store() = 0;  // opens it when it is closed
  virtual void close() = 0;
};
using MakeEvidenceBench = std::function<std::unique_ptr<EvidenceBench>()>;

struct StoredTick {
  std::string bytes;
  EvidenceMark after;
};

inline std::vector<StoredTick> read_ticks(EvidenceStore& store, const EvidenceKey& key, std::uint64_t offset = 0) {
  std::vector<StoredTick> ticks;
  const Status read = store.read(key, offset, [&](std::string_view tick, const EvidenceMark& after) {
    ticks.push_back({std::string(tick), after});
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  return ticks;
}

class EvidenceConformance : public testing::TestWithParam<MakeEvidenceBench> {
 protected:
  void SetUp() override { bench_ = GetParam()(); }
  EvidenceStore& store() { return bench_->store(); }

  std::unique_ptr<EvidenceBench> bench_;
  const EvidenceKey key_{"winter-raid", 7, "canary", 1};
  const EvidenceKey other_{"winter-raid", 7, "canary", 2};
};

TEST_P(EvidenceConformance, TicksAreReadBackFromAnyMark) {
  std::vector<EvidenceMark> marks{store().end(key_).value()};
  EXPECT_EQ(marks[0].offset, 0u);
  for (int i = 0; i < 20; ++i) {
    const std::string tick(std::size_t(i * 37), char('a' + i));
    marks.push_back(store().append(key_, tick).value());
    ASSERT_TRUE(store().append(other_, "else"));
  }
  ASSERT_TRUE(store().flush());
  bench_->close();
  for (std::size_t from = 0; from < marks.size(); ++from) {
    const auto ticks = read_ticks(store(), key_, marks[from].offset);
    ASSERT_EQ(ticks.size(), 20 - from);
    for (std::size_t i = 0; i < ticks.size(); ++i) {
      EXPECT_EQ(ticks[i].bytes, std::string((from + i) * 37, char('a' + from + i)));
      EXPECT_EQ(ticks[i].after, marks[from + i + 1]);
    }
  }
  EXPECT_EQ(store().end(key_).value(), marks.back());
  EXPECT_EQ(marks.back().ticks, 20u);
}

TEST_P(EvidenceConformance, AppendingGoesOnWhereItEnded) {
  ASSERT_TRUE(store().append(key_, "one"));
  const auto two = store().append(key_, "two").value();
  ASSERT_TRUE(store().flush());
  bench_->close();
  const auto three = store().append(key_, "three").value();
  EXPECT_GT(three.offset, two.offset);
  EXPECT_EQ(three.ticks, 3u);
  EXPECT_EQ(three.hash, sha256(as_bytes(two.hash), "three"));
  EXPECT_EQ(read_ticks(store(), key_).size(), 3u);
}

TEST_P(EvidenceConformance, AMarkHoldsOnlyForItsOwnPast) {
  const auto one = store().append(key_, "one").value();
  const auto two = store().append(key_, "two").value();
  const auto other = store().append(other_, "one").value();
  EXPECT_TRUE(store().check(key_, {}));
  EXPECT_TRUE(store().check(key_, one));
  EXPECT_TRUE(store().check(key_, two));
  EXPECT_NE(one.hash, other.hash);  // The same ticks under another name are other evidence.
  EXPECT_EQ(store().check(key_, other).error().code, ErrorCode::Corrupt);
  EXPECT_EQ(store().check(other_, two).error().code, ErrorCode::Corrupt);
  EvidenceMark changed = two;
  changed.hash[0] ^= 1;
  EXPECT_EQ(store().check(key_, changed).error().code, ErrorCode::Corrupt);
}

TEST_P(EvidenceConformance, SheetsAreListedAndRemoved) {
  ASSERT_TRUE(store().append(other_, "x"));
  ASSERT_TRUE(store().append(key_, "x"));
  const auto sheets = store().list().value();
  ASSERT_EQ(sheets.size(), 2u);
  EXPECT_EQ(sheets[0].key, key_);
  EXPECT_EQ(sheets[1].key, other_);
  EXPECT_GT(sheets[0].bytes, 0u);
  ASSERT_TRUE(store().remove(key_));
  EXPECT_EQ(store().remove(key_).error().code, ErrorCode::NotFound);
  EXPECT_TRUE(read_ticks(store(), key_).empty());
  EXPECT_EQ(store().append(key_, "again").value().ticks, 1u);
}

TEST_P(EvidenceConformance, NamesThatCouldLeaveTheFolderAreRefused) {
  for (const char* name : {"", "../x", "a/b", "A", ".x", "a b", "a\n"}) {
    EXPECT_EQ(store().append({name, 1, "canary", 1}, "x").error().code, ErrorCode::Invalid) << name;
    EXPECT_EQ(store().append({"event", 1, name, 1}, "x").error().code, ErrorCode::Invalid) << name;
  }
}

}  // namespace showcaller
