// SPDX-License-Identifier: Apache-2.0
// Reads an evidence file line by line and follows its chain (grammar in evidence_files.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "flow/port/evidence_store.h"

namespace showcaller {

// The stored line, its break included; `after` is the mark after it.
std::string make_evidence_line(std::string_view line, const EvidenceMark& after);

class EvidenceLines {
 public:
  // Reads with pread, so the descriptor's own position does not matter.
  explicit EvidenceLines(int descriptor) : descriptor_(descriptor) {}

  // The next line's JSON; nothing at the end, or where a line does not hold. The view lives until
  // the next call.
  Result<std::optional<std::string_view>> next();
  const EvidenceMark& mark() const { return mark_; }       // after the last line returned
  std::uint64_t file_offset() const { return consumed_; }  // the same place in the file
  std::uint64_t lines() const { return lines_; }

 private:
  Result<std::optional<std::string_view>> next_raw();

  int descriptor_;
  EvidenceMark mark_;
  std::uint64_t consumed_ = 0;
  std::uint64_t lines_ = 0;
  std::string buffer_;  // bytes of the file from consumed_ - taken_ on
  std::size_t taken_ = 0;
};

}  // namespace showcaller
