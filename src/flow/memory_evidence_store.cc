// SPDX-License-Identifier: Apache-2.0
#include "flow/memory_evidence_store.h"

#include "flow/port/evidence_rules.h"

namespace showcaller {

Result<EvidenceMark> MemoryEvidenceStore::append(std::string_view stream, std::string_view line) {
  TRY(check_evidence(stream, line));
  const std::lock_guard lock(mutex_);
  auto& lines = streams_[std::string(stream)];
  const EvidenceMark mark = mark_after(lines.empty() ? EvidenceMark{} : lines.back().second, line);
  lines.push_back({std::string(line), mark});
  return mark;
}

Status MemoryEvidenceStore::read(
    std::string_view stream,
    const std::function<bool(std::string_view, const EvidenceMark&)>& sink) {
  std::vector<std::pair<std::string, EvidenceMark>> lines;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = streams_.find(stream); found != streams_.end()) lines = found->second;
  }
  for (const auto& [line, mark] : lines) {
    if (!sink(line, mark)) break;
  }
  return {};
}

}  // namespace showcaller
