// SPDX-License-Identifier: Apache-2.0
// The conformance suite of port flow/port/ledger.h. Include it in one source file of a test
// program.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "flow/port/ledger.h"

namespace showcaller {

class LedgerBench {
 public:
  virtual ~LedgerBench() = default;
  virtual Ledger& ledger() = 0;  // opens it when it is closed
  virtual void close() = 0;
};
using MakeLedgerBench = std::function<std::unique_ptr<LedgerBench>()>;

inline LedgerEntry entry(std::string player, std::int64_t at_ms, std::int64_t revision = 1,
                         std::string region = "eu") {
  return {.event = "winter-raid",
          .revision = revision,
          .visit = 2,
          .region = std::move(region),
          .player = player,
          .session = "s-" + player,
          .source = LedgerSource::Served,
          .at = instant_ms(at_ms)};
}

inline std::vector<LedgerRow> rows_of(Ledger& ledger, std::int64_t revision = 1) {
  std::vector<LedgerRow> rows;
  const Status read = ledger.read("winter-raid", revision, [&](const LedgerRow& row) {
    rows.push_back(row);
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  return rows;
}

inline std::vector<std::pair<std::int64_t, LedgerRow>> exported(Ledger& ledger,
                                                                std::string_view player) {
  std::vector<std::pair<std::int64_t, LedgerRow>> rows;
  const Status done = ledger.export_player(
      player, [&](std::string_view event, std::int64_t revision, const LedgerRow& row) {
        EXPECT_EQ(event, "winter-raid");
        rows.push_back({revision, row});
      });
  EXPECT_TRUE(done) << done.error().message;
  return rows;
}

class LedgerConformance : public testing::TestWithParam<MakeLedgerBench> {
 protected:
  void SetUp() override { bench_ = GetParam()(); }
  Ledger& ledger() { return bench_->ledger(); }

  std::unique_ptr<LedgerBench> bench_;
};

TEST_P(LedgerConformance, RowsComeBackByTimeUnderPseudonyms) {
  LedgerEntry reported = entry("ada", 500);
  reported.source = LedgerSource::Reported;
  ASSERT_TRUE(ledger().add(std::vector{entry("ada", 300), entry("bob", 100), reported}));
  bench_->close();
  const auto rows = rows_of(ledger());
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].session, "s-bob");
  EXPECT_EQ(rows[0].at, instant_ms(100));
  EXPECT_EQ(rows[1].source, LedgerSource::Served);
  EXPECT_EQ(rows[2].source, LedgerSource::Reported);
  EXPECT_EQ(rows[1].visit, 2);
  EXPECT_EQ(rows[1].region, "eu");
  EXPECT_EQ(rows[1].pseudonym, rows[2].pseudonym);
  EXPECT_NE(rows[0].pseudonym, rows[1].pseudonym);
  EXPECT_EQ(rows[0].pseudonym.size(), 64u);
  int seen = 0;
  ASSERT_TRUE(ledger().read("winter-raid", 1, [&](const auto&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST_P(LedgerConformance, AddingTwiceIsAddingOnceAndTheFirstTimeCounts) {
  ASSERT_TRUE(ledger().add(std::vector{entry("ada", 300), entry("ada", 200), entry("ada", 400)}));
  const LedgerSeal seal = ledger().seal("winter-raid", 1).value();
  bench_->close();
  ASSERT_TRUE(ledger().add(std::vector{entry("ada", 250)}));
  const auto rows = rows_of(ledger());
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at, instant_ms(200));
  EXPECT_EQ(ledger().seal("winter-raid", 1).value().root, seal.root);
}

TEST_P(LedgerConformance, TheRootDependsOnEveryRowAndNotOnTheirOrder) {
  EXPECT_EQ(ledger().seal("winter-raid", 1).value().rows, 0);
  std::vector<LedgerEntry> entries;
  for (int i = 0; i < 50; ++i)
    entries.push_back(entry(fmt::format("p{}", i), 1000 + i, 1, i % 2 ? "eu" : "us"));
  std::set<std::string> roots;
  Random random(3);
  for (std::size_t i = entries.size(); i > 1; --i)
    std::swap(entries[i - 1], entries[random.below(i)]);
  for (const LedgerEntry& one : entries) {
    ASSERT_TRUE(ledger().add(std::span(&one, 1)));
    roots.insert(ledger().seal("winter-raid", 1).value().root);
  }
  EXPECT_EQ(roots.size(), 50u);
  const LedgerSeal seal = ledger().seal("winter-raid", 1).value();
  EXPECT_EQ(seal.rows, 50);
  std::reverse(entries.begin(), entries.end());
  ASSERT_TRUE(ledger().add(entries));
  EXPECT_EQ(ledger().seal("winter-raid", 1).value().root, seal.root);
}

TEST_P(LedgerConformance, APlayersRowsAreFoundOverAllRevisionsAndRegions) {
  ASSERT_TRUE(ledger().add(std::vector{entry("ada", 1, 1), entry("ada", 2, 2, "us"),
                                       entry("ada", 3, 2, "ap"), entry("ada", 4, 12, ""),
                                       entry("bob", 5, 2)}));
  bench_->close();
  const auto rows = exported(ledger(), "ada");
  ASSERT_EQ(rows.size(), 4u);
  std::multiset<std::int64_t> revisions;
  std::set<std::string> pseudonyms;
  for (const auto& [revision, row] : rows) {
    revisions.insert(revision);
    pseudonyms.insert(row.pseudonym);
  }
  EXPECT_EQ(revisions, (std::multiset<std::int64_t>{1, 2, 2, 12}));
  EXPECT_EQ(pseudonyms.size(), 3u);  // Another one in each revision.
  EXPECT_TRUE(exported(ledger(), "nobody").empty());
}

TEST_P(LedgerConformance, ErasingAPlayerLeavesRowsThatAreNobodys) {
  ASSERT_TRUE(ledger().add(std::vector{entry("ada", 1), entry("bob", 2)}));
  const LedgerSeal seal = ledger().seal("winter-raid", 1).value();
  ASSERT_TRUE(ledger().erase_player("ada"));
  bench_->close();
  EXPECT_TRUE(exported(ledger(), "ada").empty());
  EXPECT_EQ(exported(ledger(), "bob").size(), 1u);
  EXPECT_EQ(rows_of(ledger()).size(), 2u);
  EXPECT_EQ(ledger().seal("winter-raid", 1).value().root, seal.root);
  EXPECT_EQ(ledger().erase_player("ada").error().code, ErrorCode::NotFound);
  // Who comes back is somebody new.
  ASSERT_TRUE(ledger().add(std::vector{entry("ada", 1)}));
  EXPECT_EQ(rows_of(ledger()).size(), 3u);
  EXPECT_EQ(exported(ledger(), "ada").size(), 1u);
}

TEST_P(LedgerConformance, WhatIsNotedIsSettledOnceAlsoAfterTheProcessDied) {
  ASSERT_TRUE(ledger().note(std::vector{entry("ada", 1), entry("bob", 2)}));
  EXPECT_EQ(ledger().noted(), 2u);
  ASSERT_TRUE(ledger().settle());
  EXPECT_EQ(ledger().noted(), 0u);
  EXPECT_EQ(rows_of(ledger()).size(), 2u);
  ASSERT_TRUE(ledger().note(std::vector{entry("cy", 3)}));
  ASSERT_TRUE(ledger().note(std::vector{entry("di", 4)}));
  bench_->close();
  ASSERT_TRUE(ledger().settle());
  EXPECT_EQ(rows_of(ledger()).size(), 4u);
  bench_->close();
  EXPECT_EQ(rows_of(ledger()).size(), 4u);
}

TEST_P(LedgerConformance, ASealCountsPlayersApartFromRows) {
  LedgerEntry again = entry("ada", 5, 1, "us");
  again.session = "another";
  ASSERT_TRUE(ledger().add(std::vector{entry("ada", 1), again, entry("bob", 2)}));
  const LedgerSeal seal = ledger().seal("winter-raid", 1).value();
  EXPECT_EQ(seal.rows, 3);
  EXPECT_EQ(seal.players, 2);
}

TEST_P(LedgerConformance, RevisionsAreKnownAndRemovedOneByOne) {
  EXPECT_TRUE(ledger().revisions().value().empty());
  ASSERT_TRUE(ledger().add(std::vector{entry("ada", 1, 1), entry("ada", 2, 12)}));
  bench_->close();
  EXPECT_EQ(ledger().revisions().value(),
            (std::vector<LedgerRevision>{{"winter-raid", 1}, {"winter-raid", 12}}));
  ASSERT_TRUE(ledger().remove("winter-raid", 1));
  EXPECT_EQ(ledger().remove("winter-raid", 1).error().code, ErrorCode::NotFound);
  EXPECT_TRUE(rows_of(ledger(), 1).empty());
  EXPECT_EQ(rows_of(ledger(), 12).size(), 1u);
}

TEST_P(LedgerConformance, BadEntriesAreRefusedWhole) {
  LedgerEntry nobody = entry("", 1);
  EXPECT_EQ(ledger().add(std::vector{entry("ada", 1), nobody}).error().code, ErrorCode::Invalid);
  LedgerEntry outside = entry("ada", 1);
  outside.event = "../x";
  EXPECT_EQ(ledger().add(std::vector{entry("ada", 1), outside}).error().code, ErrorCode::Invalid);
  EXPECT_TRUE(rows_of(ledger()).empty());
  EXPECT_TRUE(ledger().add({}));
}

}  // namespace showcaller
