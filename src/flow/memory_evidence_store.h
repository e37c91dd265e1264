// SPDX-License-Identifier: Apache-2.0
// The evidence store in memory: for golden conversations, the simulator, and tests.
#pragma once

#include <map>
#include <mutex>

#include "flow/port/evidence_store.h"

namespace showcaller {

class MemoryEvidenceStore final : public EvidenceStore {
 public:
  Result<EvidenceMark> append(const EvidenceKey& key, std::string_view tick) override;
  Status flush() override { return {}; }
  Status read(const EvidenceKey& key, std::uint64_t offset,
              const std::function<bool(std::string_view, const EvidenceMark&)>& sink) override;
  Result<EvidenceMark> end(const EvidenceKey& key) override;
  Status check(const EvidenceKey& key, const EvidenceMark& mark) override;
  Result<std::vector<EvidenceSheet>> list() override;
  Status remove(const EvidenceKey& key) override;
  std::vector<std::string> take_notes() override { return {}; }

 private:
  struct Entry {
    std::string tick;
    EvidenceMark after;
  };
  static EvidenceMark start_of(const EvidenceKey& key) { return {.hash = sha256(evidence_name_line(key))}; }

  std::mutex mutex_;
  std::map<EvidenceKey, std::vector<Entry>> sheets_;
};

}  // namespace showcaller
