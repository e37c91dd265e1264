// SPDX-License-Identifier: Apache-2.0
// Backup and restore of a SQLite journal. A backup is one plain file, taken beside a running
// server, whose chain was verified after it was written. Restore verifies before it replaces
// anything and keeps what it replaces. It ends what it puts in place with a record of its own
// (JournalRestored), of a higher epoch than either had: whoever followed the lost records sees a
// new leader, and names given from then on differ from those that were given before.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "flow/port/journal.h"

namespace showcaller {

using BackupProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct BackupReport {
  JournalTail tail;
  std::uint64_t bytes = 0;
};

// Conflict: `to` exists. Limit: its disk is full. Corrupt: the journal's chain does not hold.
Result<BackupReport> backup_journal(const std::string& journal, const std::string& to,
                                    const BackupProgress& progress = {});

struct RestoreReport {
  JournalTail tail;  // the record of the restore included
  std::string kept;  // where the journal that was replaced lies now; empty: there was none
};

enum class RestoreForce { No, Yes };

// Corrupt, Unsupported: the backup is not good; nothing was changed. Conflict: a server has the
// journal (force changes nothing about that); or, without force, the journal holds records that the
// backup does not, or cannot be read.
Result<RestoreReport> restore_journal(const std::string& backup, const std::string& journal,
                                      RestoreForce force = RestoreForce::No,
                                      const BackupProgress& progress = {});

}  // namespace showcaller
