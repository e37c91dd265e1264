// SPDX-License-Identifier: Apache-2.0
// The frame of one tick in an evidence file (grammar in evidence_files.h), and a reader that follows the chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "flow/port/evidence_store.h"

namespace showcaller {

constexpr std::uint32_t kTickBytesMax = 16u << 20;

// The frame of `tick` after a sheet whose last hash is `previous`; hash receives the new one.
std::string make_frame(const Sha256& previous, std::string_view tick, Sha256* hash);

// Reads frames from an open file. Offsets of marks count from the end of the name line.
class FrameReader {
 public:
  FrameReader(int descriptor, std::uint64_t name_bytes, const EvidenceMark& start)
      : descriptor_(descriptor), name_bytes_(name_bytes), mark_(start) {}

  // The next tick; nothing at the end or where a frame does not hold (then the mark stays before it). The view lives
  // until the next call.
  Result<std::optional<std::string_view>> next();
  const EvidenceMark& mark() const { return mark_; }

 private:
  Result<bool> fill(std::uint64_t offset, std::size_t size);

  int descriptor_;
  std::uint64_t name_bytes_;
  EvidenceMark mark_;
  std::string buffer_;
};

}  // namespace showcaller
