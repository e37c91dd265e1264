// SPDX-License-Identifier: Apache-2.0
// The evidence store in memory: for golden conversations, the simulator, and tests. Lines stay for
// ever, one behind the other in large blocks: strewn between what comes and goes they would make
// all other memory slow. Threads: as the port says.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
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
  std::string_view kept(std::string_view line);

  std::mutex mutex_;
  std::map<std::string, std::vector<std::pair<std::string_view, EvidenceMark>>, std::less<>>
      streams_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::span<char> room_;  // in the last block
};

}  // namespace showcaller
