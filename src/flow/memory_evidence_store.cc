// SPDX-License-Identifier: Apache-2.0
#include "flow/memory_evidence_store.h"

namespace showcaller {

Result<EvidenceMark> MemoryEvidenceStore::append(const EvidenceKey& key, std::string_view tick) {
  TRY(check_evidence_key(key));
  const std::lock_guard lock(mutex_);
  std::vector<Entry>& sheet = sheets_[key];
  EvidenceMark mark = sheet.empty() ? start_of(key) : sheet.back().after;
  mark.offset += tick.size() + 1;
  mark.ticks += 1;
  mark.hash = sha256(as_bytes(mark.hash), tick);
  sheet.push_back({std::string(tick), mark});
  return mark;
}

Status MemoryEvidenceStore::read(const EvidenceKey& key, std::uint64_t offset,
                                 const std::function<bool(std::string_view, const EvidenceMark&)>& sink) {
  std::vector<Entry> sheet;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = sheets_.find(key); found != sheets_.end()) sheet = found->second;
  }
  for (const Entry& entry : sheet) {
    if (entry.after.offset <= offset) continue;
    if (!sink(entry.tick, entry.after)) break;
  }
  return {};
}

Result<EvidenceMark> MemoryEvidenceStore::end(const EvidenceKey& key) {
  TRY(check_evidence_key(key));
  const std::lock_guard lock(mutex_);
  const auto found = sheets_.find(key);
  return found == sheets_.end() ? start_of(key) : found->second.back().after;
}

Status MemoryEvidenceStore::check(const EvidenceKey& key, const EvidenceMark& mark) {
  const std::lock_guard lock(mutex_);
  if (mark.offset == 0) return {};
  if (const auto found = sheets_.find(key); found != sheets_.end()) {
    for (const Entry& entry : found->second) {
      if (entry.after == mark) return {};
    }
  }
  return fail(ErrorCode::Corrupt, fmt::format("the evidence of {} stage {} is not what the verdict rested on", key.event,
                                              key.stage));
}

Result<std::vector<EvidenceSheet>> MemoryEvidenceStore::list() {
  const std::lock_guard lock(mutex_);
  std::vector<EvidenceSheet> all;
  for (const auto& [key, sheet] : sheets_) all.push_back({key, sheet.back().after.offset});
  return all;
}

Status MemoryEvidenceStore::remove(const EvidenceKey& key) {
  const std::lock_guard lock(mutex_);
  if (sheets_.erase(key) == 0) return fail(ErrorCode::NotFound, "there is no such evidence");
  return {};
}

}  // namespace showcaller
