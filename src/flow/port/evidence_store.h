// SPDX-License-Identifier: Apache-2.0
// Port: the evidence store. A stream of lines a judged stage visit ("winter-raid/r1/v3"), one line
// a tick, appended and never changed. What a verdict rests on is found again by the offset and hash
// that its record carries.
//
// Hash chain of a stream: hash_n = SHA-256(hash_{n-1} ‖ line_n), 32 zero bytes before the first
// line. A line that a crash left half written is cut off when the stream is next opened; whole
// lines stay.
//
// Threads: one writer; read() and close() by any. Errors: Limit (disk full), Corrupt, Unavailable.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"

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
  // No lines come to the stream for now: what is open for it is let go.
  virtual void close(std::string_view stream) = 0;
  // Removes streams that are closed and got their last line before `before`; returns how many.
  [[nodiscard]] virtual Result<std::size_t> remove_older(Instant before) = 0;
  // What happened to streams unasked since the last call: ends that did not hold and were set
  // aside, streams that went to keep a bound.
  virtual std::vector<Error> take_notes() = 0;
};

}  // namespace showcaller
