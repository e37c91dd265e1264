// SPDX-License-Identifier: Apache-2.0
// Snapshots as files beside the journal: JOURNAL.snapshot-SEQ (20 digits). Files, so that writing a
// large world never stands in the way of an append. The two newest are kept.
//
//   snapshot = 'showcaller-snapshot 1 ' SEQ ' ' FORMAT ' ' CHAIN-HASH ' ' SIZE ' ' XXH64-OF-BYTES
//   '\n' bytes
//
// A file is written under another name, then renamed. It is not synced: a snapshot that a power cut
// spoils does not match its own sum, and a snapshot that does not match is no snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/port/journal.h"

namespace showcaller {

class SnapshotFiles {
 public:
  explicit SnapshotFiles(std::string journal_path)
      : prefix_(std::move(journal_path) + ".snapshot-") {}

  Status write(const JournalSnapshot& snapshot) const;
  // Newest first, by name alone.
  std::vector<std::uint64_t> seqs() const;
  // Nothing if the file is absent or not whole.
  std::optional<JournalSnapshot> read(std::uint64_t seq) const;
  void remove(std::uint64_t seq) const;
  // Half-written files of a process that died.
  void sweep() const;

 private:
  std::string file(std::uint64_t seq) const;

  std::string prefix_;
};

}  // namespace showcaller
