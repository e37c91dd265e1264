// SPDX-License-Identifier: Apache-2.0
// Backup and restore of all that a server keeps: journal, secret, tokens of its own, ledger,
// evidence. A backup is a folder that only its owner may read, taken beside a running server. The
// journal comes first, so that all that its records rest on is in the copies that follow.
//
// Restore puts back the journal (journal_backup.h), and what belongs to it. Evidence that was there
// is set aside, for the names of its streams are used again. A ledger that is there stays: it knows
// of exposures after the backup, and of players erased since.
#pragma once

#include <string>
#include <vector>

#include "adapters/sqlite/journal_backup.h"
#include "base/result.h"

namespace showcaller {

struct StateBackupReport {
  BackupReport journal;
  std::vector<std::string> holds;  // "journal.db", "ledger": what is in the folder
};
// Conflict: `to` exists. NotFound: no server's folder, or one without its secret.
Result<StateBackupReport> backup_state(const std::string& data, const std::string& to,
                                       const BackupProgress& progress = {});

struct StateRestoreReport {
  RestoreReport journal;
  std::vector<std::string> kept;   // what was set aside lies there
  std::vector<std::string> notes;  // what was not put back, and why
};
// `from`: such a folder, or a journal alone; then DATA must have the secret of that journal. DATA
// is made if it is not there. Errors as restore_journal().
Result<StateRestoreReport> restore_state(const std::string& from, const std::string& data,
                                         RestoreForce force, const BackupProgress& progress = {});

}  // namespace showcaller
