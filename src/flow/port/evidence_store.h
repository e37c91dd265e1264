// SPDX-License-Identifier: Apache-2.0
// Port: the evidence store. A stream of lines a judged stage visit ("winter-raid/r1/v3"), one line
// a tick, appended and never changed. What a verdict rests on is found again by the offset and hash
// that its record carries.
//
// Hash chain of a stream: hash_n = SHA-256(hash_{n-1} ‖ line_n), 32 zero bytes before the first
// line. A line that a crash left half written is cut off when the stream is next opened; whole
// lines stay.
//
// Threads: one writer; read() by any. Errors: Limit (disk full), Corrupt, Unavailable.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"

namespace showcaller {

struct EvidenceMark {
  std::int64_t offset = 0;  // bytes of the stream, this line included
  Sha256 hash{};
};

class EvidenceStore {
 public:
  virtual ~EvidenceStore() = default;

  // The line is one JSON object without line breaks. Durable after flush().
  [[nodiscard]] virtual Result<EvidenceMark> append(std::string_view stream,
                                                    std::string_view line) = 0;
  [[nodiscard]] virtual Status flush() = 0;
  // Every whole line of a stream in order, until sink returns false. A stream that is not there is
  // empty.
  [[nodiscard]] virtual Status read(
      std::string_view stream,
      const std::function<bool(std::string_view line, const EvidenceMark&)>& sink) = 0;
};

}  // namespace showcaller
