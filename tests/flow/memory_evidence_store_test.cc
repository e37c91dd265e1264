// SPDX-License-Identifier: Apache-2.0
// The evidence store in memory keeps the port's text.
#include "flow/memory_evidence_store.h"

#include "tests/flow/evidence_conformance.h"

namespace showcaller {
namespace {

class MemoryEvidenceBench final : public EvidenceBench {
 public:
  EvidenceStore& store() override { return store_; }
  void close() override {}

 private:
  MemoryEvidenceStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, EvidenceConformance,
                         testing::Values([] { return std::make_unique<MemoryEvidenceBench>(); }));

}  // namespace
}  // namespace showcaller
