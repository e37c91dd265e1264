// SPDX-License-Identifier: Apache-2.0
#include "adapters/sqlite/journal_backup.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include "adapters/sqlite/file_owner.h"
#include "adapters/sqlite/snapshot_files.h"
#include "adapters/sqlite/sqlite_database.h"
#include "adapters/sqlite/sqlite_journal.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr int kPagesAStep = 1024;

Error system_error(const std::string& path) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  return {full ? ErrorCode::Limit : ErrorCode::Unavailable,
          fmt::format("{}: {}", path, std::strerror(error))};
}

Status sync_path(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(system_error(path));
  const bool synced = ::fsync(descriptor) == 0;
  const Error error = system_error(path);
  ::close(descriptor);
  if (!synced) return std::unexpected(error);
  return {};
}

Status sync_folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return sync_path(folder.empty() ? "." : folder, O_DIRECTORY);
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

void remove_with_companions(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((path + suffix).c_str());
}

// Copies the pages inside one read transaction, so that appends in the meantime neither show nor
// start it over.
Status copy_database(const std::string& from, const std::string& to) {
  TRY(const Database source, Database::open(from, OpenMode::ReadOnly));
  TRY(const Database target, Database::open(to, OpenMode::Create));
  TRY(source.execute("BEGIN; SELECT count(*) FROM sqlite_schema"));
  sqlite3_backup* backup = sqlite3_backup_init(target.handle(), "main", source.handle(), "main");
  if (backup == nullptr)
    return std::unexpected(sqlite_error(target.handle(), sqlite3_errcode(target.handle())));
  int code = SQLITE_OK;
  while (code == SQLITE_OK) code = sqlite3_backup_step(backup, kPagesAStep);
  sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) {
    const Error error = sqlite_error(target.handle(), code);
    return fail(error.code, fmt::format("{}: copying {}: {}", to, from, error.message));
  }
  // One plain file, that can be read where nothing may be written.
  TRY(const std::string mode, target.query_text("PRAGMA journal_mode=DELETE"));
  if (mode != "delete")
    return fail(ErrorCode::Unavailable, fmt::format("{}: cannot be made one file", to));
  return {};
}

Result<JournalTail> copy_and_verify(const std::string& from, const std::string& to,
                                    const BackupProgress& progress) {
  remove_with_companions(to);
  const auto run = [&]() -> Result<JournalTail> {
    TRY(copy_database(from, to));
    TRY(const auto copy, SqliteJournal::open(to, {.read_only = true, .verify_last = 1}));
    TRY(const JournalTail tail, copy->verify(progress));
    TRY(sync_path(to, 0));
    return tail;
  };
  auto tail = run();
  if (!tail) remove_with_companions(to);
  return tail;
}

// Does every record of the journal stand in the copy too?
Status check_nothing_newer(const std::string& journal, const std::string& copy) {
  const auto old = SqliteJournal::open(journal, {.read_only = true});
  const auto old_tail = old ? (*old)->tail() : Result<JournalTail>(std::unexpected(old.error()));
  if (!old_tail) {
    return fail(ErrorCode::Conflict,
                fmt::format("{} cannot be read ({}) and may hold records that the backup does not; "
                            "force the restore to put it aside",
                            journal, old_tail.error().message));
  }
  if (old_tail->seq == 0) return {};
  TRY(const auto fresh, SqliteJournal::open(copy, {.read_only = true, .verify_last = 1}));
  TRY(const JournalTail fresh_tail, fresh->tail());
  Sha256 hash{};
  if (fresh_tail.seq >= old_tail->seq) {
    TRY(fresh->read(old_tail->seq, [&](const StoredRecord& record) {
      hash = record.hash;
      return false;
    }));
  }
  if (hash == old_tail->hash) return {};
  return fail(ErrorCode::Conflict, fmt::format("{} ends at record {}, the backup at record {}, and "
                                               "the journal holds records that the backup "
                                               "does not; force the restore to put it aside",
                                               journal, old_tail->seq, fresh_tail.seq));
}

std::string unused_name(const std::string& journal) {
  for (int i = 1;; ++i) {
    std::string name = fmt::format("{}.before-restore-{}", journal, i);
    if (!exists(name)) return name;
  }
}

// The old file gets a second name before the first is taken from it: whenever the power goes, a
// journal is there.
Result<std::string> put_in_place(const std::string& copy, const std::string& journal) {
  std::string kept;
  if (exists(journal)) {
    {
      // Write the log into the file, so that the file alone is the journal. A damaged one keeps its
      // log beside it.
      const auto old = Database::open(journal, OpenMode::ReadWrite);
      if (old) (void)old->execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    kept = unused_name(journal);
    if (::link(journal.c_str(), kept.c_str()) != 0) return std::unexpected(system_error(kept));
    if (exists(journal + "-wal") &&
        std::rename((journal + "-wal").c_str(), (kept + "-wal").c_str()) != 0) {
      return std::unexpected(system_error(kept));
    }
  }
  ::unlink((journal + "-wal").c_str());
  ::unlink((journal + "-shm").c_str());
  const SnapshotFiles snapshots(journal);
  for (const std::uint64_t seq : snapshots.seqs()) snapshots.remove(seq);
  if (std::rename(copy.c_str(), journal.c_str()) != 0)
    return std::unexpected(system_error(journal));
  TRY(sync_folder_of(journal));
  return kept;
}

}  // namespace

Result<BackupReport> backup_journal(const std::string& journal, const std::string& to,
                                    const BackupProgress& progress) {
  if (exists(to))
    return fail(ErrorCode::Conflict,
                fmt::format("{} exists; choose another name for the backup", to));
  // Opening checks that it is a journal, and one that this version understands.
  TRY(SqliteJournal::open(journal, {.read_only = true, .verify_last = 1}));
  const std::string part = to + ".part";
  TRY(const JournalTail tail, copy_and_verify(journal, part, progress));
  if (::link(part.c_str(), to.c_str()) != 0) {
    const Error error = system_error(to);
    remove_with_companions(part);
    return std::unexpected(error);
  }
  ::unlink(part.c_str());
  TRY(sync_folder_of(to));
  std::error_code ignored;
  return BackupReport{tail, fs::file_size(to, ignored)};
}

Result<RestoreReport> restore_journal(const std::string& backup, const std::string& journal,
                                      RestoreForce force, const BackupProgress& progress) {
  TRY(const FileOwner owner, FileOwner::take(journal));
  TRY(SqliteJournal::open(backup, {.read_only = true, .verify_last = 1}));
  const std::string part = journal + ".restore";
  TRY(const JournalTail tail, copy_and_verify(backup, part, progress));
  const auto replace = [&]() -> Result<std::string> {
    if (exists(journal) && force == RestoreForce::No) {
      TRY(check_nothing_newer(journal, part));
    }
    return put_in_place(part, journal);
  };
  auto kept = replace();
  if (!kept) {
    remove_with_companions(part);
    return std::unexpected(kept.error());
  }
  return RestoreReport{tail, *std::move(kept)};
}

}  // namespace showcaller
