// SPDX-License-Identifier: Apache-2.0
// The ledger in memory keeps the port's text.
#include "flow/memory_ledger.h"

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

}  // namespace
}  // namespace showcaller
