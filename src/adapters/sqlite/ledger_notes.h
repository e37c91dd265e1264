// SPDX-License-Identifier: Apache-2.0
// Ledger entries on their way into the database: appended to a file with one write each, so that
// they survive the death of the process, and kept in memory until they are settled.
//
//   file  = note*
//   note  = SIZE NONCE BOX      SIZE: of what follows, 4 bytes, little-endian; NONCE: 24 bytes;
//                               BOX: XSalsa20-Poly1305 of one JSON object, under the ledger's key
//
// take() renames the file to FILE.settling, and later notes begin a new one; drop() removes it. A
// note that is not whole ends its file: whoever it was about was not told. Players' names are in
// the boxes for as long as they wait; no file keeps them after that. Threads: any.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "flow/port/ledger.h"

namespace showcaller {

class LedgerNotes {
 public:
  LedgerNotes() = default;
  LedgerNotes(const LedgerNotes&) = delete;
  ~LedgerNotes();

  // Reads what a process that died has left; take() gives it first.
  Status open(std::string path, const Sha256& key);
  // On an error the entries wait in memory alone.
  Status append(std::span<const LedgerEntry> entries);
  std::size_t size() const;
  // Not twice at a time. What an earlier take() gave and nobody dropped comes again.
  Result<std::vector<LedgerEntry>> take();
  // What take() gave is in the ledger.
  Status drop();

 private:
  Status read_file(const std::string& path);
  std::string make_note(const LedgerEntry& entry) const;
  Status write(const std::string& notes);

  std::string path_;
  Sha256 key_{};
  mutable std::mutex mutex_;
  int descriptor_ = -1;
  std::vector<LedgerEntry> waiting_, settling_;
};

}  // namespace showcaller
