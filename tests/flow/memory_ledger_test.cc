// SPDX-License-Identifier: Apache-2.0
// The ledger in memory keeps the port's text; the queue in front of it loses nothing and knows its
// bound.
#include "flow/memory_ledger.h"

#include "flow/ledger_queue.h"
#include "tests/flow/ledger_conformance.h"

namespace showcaller {
namespace {

class MemoryLedgerBench final : public LedgerBench {
 public:
  Ledger& ledger() override { return ledger_; }
  void close() override {}

 private:
  MemoryLedger ledger_;
};

INSTANTIATE_TEST_SUITE_P(Memory, LedgerConformance,
                         testing::Values([] { return std::make_unique<MemoryLedgerBench>(); }));

TEST(LedgerQueue, WhatItTookIsWrittenAndWhatItCannotTakeIsRefused) {
  MemoryLedger ledger;
  LedgerQueue queue(3);
  EXPECT_TRUE(queue.offer(entry("ada", 1)));
  EXPECT_TRUE(queue.offer(entry("bob", 2)));
  EXPECT_TRUE(queue.offer(entry("cy", 3)));
  EXPECT_FALSE(queue.offer(entry("di", 4)));
  EXPECT_EQ(queue.refused(), 1u);
  EXPECT_EQ(queue.drain(&ledger).value(), 3u);
  EXPECT_EQ(queue.drain(&ledger).value(), 0u);
  EXPECT_TRUE(queue.offer(entry("di", 4)));
  EXPECT_EQ(rows_of(ledger).size(), 3u);
}

TEST(LedgerQueue, ALedgerThatFailsLosesNothing) {
  MemoryLedger ledger;
  LedgerQueue queue(3);
  LedgerEntry bad = entry("ada", 1);
  bad.event = "NO";
  EXPECT_TRUE(queue.offer(bad));
  EXPECT_FALSE(queue.drain(&ledger));
  EXPECT_TRUE(queue.offer(entry("bob", 2)));
  EXPECT_FALSE(queue.drain(&ledger));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_TRUE(queue.offer(entry("cy", 2)));
  EXPECT_FALSE(queue.offer(entry("di", 2)));
}

}  // namespace
}  // namespace showcaller
