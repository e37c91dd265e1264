// SPDX-License-Identifier: Apache-2.0
#include "adapters/sqlite/sqlite_copy.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/sqlite/sqlite_database.h"

namespace showcaller {
namespace {

constexpr int kPagesAStep = 1024;

Status make_one_file(const Database& database, const std::string& path) {
  TRY(const std::string mode, database.query_text("PRAGMA journal_mode=DELETE"));
  if (mode != "delete")
    return fail(ErrorCode::Unavailable, fmt::format("{}: cannot be made one file", path));
  return {};
}

}  // namespace

Status make_one_file(const std::string& path) {
  TRY(const Database database, Database::open(path, OpenMode::ReadWrite));
  return make_one_file(database, path);
}

void remove_database(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((path + suffix).c_str());
}

// Copies the pages inside one read transaction, so that appends in the meantime neither show nor
// start it over.
Status copy_database(const std::string& from, const std::string& to) {
  TRY(const Database source, Database::open(from, OpenMode::ReadOnly));
  TRY(const Database target, Database::open(to, OpenMode::Create));
  ::chmod(to.c_str(), 0600);
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
  return make_one_file(target, to);
}

}  // namespace showcaller
