// SPDX-License-Identifier: Apache-2.0
#include "adapters/sqlite/journal_backup.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include "adapters/sqlite/file_owner.h"
#include "adapters/sqlite/snapshot_files.h"
#include "adapters/sqlite/sqlite_copy.h"
#include "adapters/sqlite/sqlite_database.h"
#include "adapters/sqlite/sqlite_journal.h"
#include "flow/port/journal_rules.h"
#include "model/record.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLineageBytes = 3;

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

Result<JournalTail> copy_and_verify(const std::string& from, const std::string& to,
                                    const BackupProgress& progress) {
  remove_database(to);
  const auto run = [&]() -> Result<JournalTail> {
    TRY(copy_database(from, to));
    TRY(const auto copy, SqliteJournal::open(to, {.read_only = true, .verify_last = 1}));
    TRY(const JournalTail tail, copy->verify(progress));
    TRY(sync_path(to, 0));
    return tail;
  };
  auto tail = run();
  if (!tail) remove_database(to);
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

std::string new_lineage() {
  std::string bytes(kLineageBytes, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return to_hex(bytes);
}

// The copy's last record says that it was restored, under an epoch above that of the journal it
// replaces. Its time is that of the backup: what follows is downtime.
Result<JournalTail> mark_restored(const std::string& copy, const JournalTail& replaced) {
  TRY(const auto journal, SqliteJournal::open(copy, {.verify_last = 1}));
  TRY(const JournalTail tail, journal->tail());
  Record record;
  record.seq = tail.seq + 1;
  record.time = instant_ms(tail.time_ms);
  record.epoch = std::max(tail.epoch, replaced.epoch) + 1;
  record.actor = "restore";
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  record.payload = JournalRestored{new_lineage(), replaced.seq, now};
  StoredRecord stored{
      .kind = record.kind().number, .time_ms = tail.time_ms, .bytes = encode_record(record)};
  seal_batch(tail, std::span(&stored, 1));
  TRY(journal->append(record.epoch, tail.seq, std::span(&stored, 1)));
  return journal->tail();
}

JournalTail tail_of(const std::string& journal) {
  const auto opened = SqliteJournal::open(journal, {.read_only = true, .verify_last = 1});
  const auto tail = opened ? (*opened)->tail() : Result<JournalTail>();
  return tail ? *tail : JournalTail{};
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
    remove_database(part);
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
  TRY(JournalTail tail, copy_and_verify(backup, part, progress));
  const auto replace = [&]() -> Result<std::string> {
    if (exists(journal) && force == RestoreForce::No) {
      TRY(check_nothing_newer(journal, part));
    }
    TRY(tail, mark_restored(part, exists(journal) ? tail_of(journal) : JournalTail{}));
    TRY(make_one_file(part));
    TRY(sync_path(part, 0));
    return put_in_place(part, journal);
  };
  auto kept = replace();
  ::unlink((part + ".lock").c_str());
  if (!kept) {
    remove_database(part);
    return std::unexpected(kept.error());
  }
  return RestoreReport{tail, *std::move(kept)};
}

}  // namespace showcaller
