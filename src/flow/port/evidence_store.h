// SPDX-License-Identifier: Apache-2.0
// Port: the evidence store, where every tick that a gate has judged is kept, so that a verdict can be checked against it
// and a gate can go on after a crash.
//
// A sheet is one visit to a stage of a revision. It is a chain: hash_n = SHA-256(hash_{n-1} ‖ tick_n), hash_0 = SHA-256 of
// the sheet's name line (evidence_name_line), so that sheets cannot be exchanged. A verdict record in the journal carries
// the mark after the last tick it rests on. What is appended is durable after flush(); what a crash left torn at the end
// of a sheet is cut off when it is opened, kept aside, and told of in notes().
//
// Threads: any; calls do not overlap (the store has a lock of its own). Errors: Invalid (a name), Limit (the disk or a
// bound is full: nothing was written), Corrupt (the stored ticks are not those of a mark), NotFound, Unavailable.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/result.h"

namespace showcaller {

struct EvidenceKey {
  std::string event;
  std::int64_t revision = 0;
  std::string stage;
  std::int64_t visit = 0;
  friend auto operator<=>(const EvidenceKey&, const EvidenceKey&) = default;
};

// A place between two ticks of a sheet.
struct EvidenceMark {
  std::uint64_t offset = 0;  // where the next tick begins; opaque but for its order, and 0 before the first
  std::uint64_t ticks = 0;   // before this place
  Sha256 hash{};
  friend bool operator==(const EvidenceMark&, const EvidenceMark&) = default;
};

struct EvidenceSheet {
  EvidenceKey key;
  std::uint64_t bytes = 0;
};

class EvidenceStore {
 public:
  virtual ~EvidenceStore() = default;

  // tick: to_bytes(Tick) of evidence/tick.h, or any bytes. Returns the mark after it.
  [[nodiscard]] virtual Result<EvidenceMark> append(const EvidenceKey& key, std::string_view tick) = 0;
  // Makes all that was appended durable.
  [[nodiscard]] virtual Status flush() = 0;
  // Calls sink with each tick from `offset` (of a mark) on and the mark after it, until it returns false. A sheet that
  // does not exist has no ticks. The sink must not call the store.
  [[nodiscard]] virtual Status read(
      const EvidenceKey& key, std::uint64_t offset,
      const std::function<bool(std::string_view tick, const EvidenceMark& after)>& sink) = 0;
  // The mark after the last tick.
  [[nodiscard]] virtual Result<EvidenceMark> end(const EvidenceKey& key) = 0;
  // Is the sheet up to the mark what it was when the mark was made? Corrupt if not.
  [[nodiscard]] virtual Status check(const EvidenceKey& key, const EvidenceMark& mark) = 0;
  // In the order of their keys.
  [[nodiscard]] virtual Result<std::vector<EvidenceSheet>> list() = 0;
  [[nodiscard]] virtual Status remove(const EvidenceKey& key) = 0;
  // What opening sheets has cut off, and what the bounds have removed, since the last call.
  virtual std::vector<std::string> take_notes() = 0;
};

inline std::string evidence_name_line(const EvidenceKey& key) {
  return fmt::format("showcaller-evidence 1 {} r{} {} v{}\n", key.event, key.revision, key.stage, key.visit);
}

// Names become parts of file names.
inline Status check_evidence_key(const EvidenceKey& key) {
  for (const std::string* name : {&key.event, &key.stage}) {
    const bool clean = !name->empty() && name->size() <= 63 &&
                       name->find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos &&
                       name->front() != '.';
    if (!clean) {
      return fail(ErrorCode::Invalid, fmt::format("'{}' cannot name evidence; use a-z, 0-9, '-', '_' and '.', at most 63",
                                                  *name));
    }
  }
  if (key.revision < 0 || key.visit < 0) return fail(ErrorCode::Invalid, "a revision or visit is negative");
  return {};
}

}  // namespace showcaller
