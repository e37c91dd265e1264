// SPDX-License-Identifier: Apache-2.0
#include "flow/memory_evidence_store.h"

#include <algorithm>

#include "flow/port/evidence_rules.h"

namespace showcaller {
namespace {

constexpr std::size_t kBlockBytes = std::size_t(4) << 20;

}  // namespace

Result<EvidenceMark> MemoryEvidenceStore::append(std::string_view stream, std::string_view line) {
  TRY(check_evidence(stream, line));
  const std::lock_guard lock(mutex_);
  auto& lines = streams_[std::string(stream)];
  const EvidenceMark mark = mark_after(lines.empty() ? EvidenceMark{} : lines.back().second, line);
  lines.emplace_back(kept(line), mark);
  return mark;
}

std::string_view MemoryEvidenceStore::kept(std::string_view line) {
  if (line.size() > room_.size()) {
    const std::size_t size = std::max(kBlockBytes, line.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    room_ = {blocks_.back().get(), size};
  }
  const std::span<char> place = room_.first(line.size());
  std::ranges::copy(line, place.begin());
  room_ = room_.subspan(line.size());
  return {place.data(), place.size()};
}

Status MemoryEvidenceStore::read(
    std::string_view stream,
    const std::function<bool(std::string_view, const EvidenceMark&)>& sink) {
  std::vector<std::pair<std::string_view, EvidenceMark>> lines;
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
