// SPDX-License-Identifier: Apache-2.0
// The evidence store in memory: for golden conversations, the simulator, and tests. Threads: as the
// port says.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "flow/port/evidence_store.h"

namespace showcaller {

class MemoryEvidenceStore final : public EvidenceStore {
 public:
  Result<EvidenceMark> append(std::string_view stream, std::string_view line) override;
  Status flush() override { return {}; }
  Status read(std::string_view stream,
              const std::function<bool(std::string_view line, const EvidenceMark&)>& sink) override;
  void close(std::string_view) override {}
  // Lines in memory have no time: nothing is old.
  Result<std::size_t> remove_older(Instant) override { return std::size_t(0); }
  std::vector<Error> take_notes() override { return {}; }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::pair<std::string, EvidenceMark>>, std::less<>> streams_;
};

}  // namespace showcaller
