// SPDX-License-Identifier: Apache-2.0
// What every evidence store checks and computes alike.
#pragma once

#include <string_view>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/result.h"
#include "flow/port/evidence_store.h"

namespace showcaller {

// The offset counts each line and one line break, whatever an implementation stores beside them.
inline EvidenceMark mark_after(const EvidenceMark& before, std::string_view line) {
  return {.offset = before.offset + std::int64_t(line.size()) + 1,
          .hash = sha256(as_bytes(before.hash), line)};
}

// A stream's name becomes the name of a file, a line becomes a line of it.
inline Status check_evidence(std::string_view stream, std::string_view line = "") {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_./";
  if (stream.empty() || stream.size() > 200 || stream.front() == '.' ||
      stream.find_first_not_of(kAllowed) != std::string_view::npos) {
    return fail(
        ErrorCode::Invalid,
        fmt::format("'{}' cannot name evidence; use a-z, 0-9, '-', '_', '.' and '/', at most 200",
                    stream));
  }
  if (line.find('\n') != std::string_view::npos)
    return fail(ErrorCode::Invalid, "a line of evidence has a line break");
  return {};
}

// Is the stream up to the mark what it was when the mark was made? Corrupt if not.
inline Status check_mark(EvidenceStore& store, std::string_view stream, const EvidenceMark& mark) {
  bool holds = mark.offset == 0;
  TRY(store.read(stream, [&](std::string_view, const EvidenceMark& at) {
    holds = holds || (at.offset == mark.offset && at.hash == mark.hash);
    return at.offset < mark.offset;
  }));
  if (holds) return {};
  return fail(ErrorCode::Corrupt,
              fmt::format("the evidence {} up to byte {} is not what the verdict rested on", stream,
                          mark.offset));
}

}  // namespace showcaller
