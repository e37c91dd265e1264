// SPDX-License-Identifier: Apache-2.0
#include "adapters/sqlite/sqlite_database.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

namespace showcaller {
namespace {

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::ReadOnly:
      return SQLITE_OPEN_READONLY;
    case OpenMode::ReadWrite:
      return SQLITE_OPEN_READWRITE;
    case OpenMode::Create:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return SQLITE_OPEN_READONLY;
}

constexpr int kBusyTimeoutMs = 2000;

bool is_full(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT;
}

}  // namespace

Error sqlite_error(sqlite3* handle, int code) {
  const char* path = handle != nullptr ? sqlite3_db_filename(handle, "main") : nullptr;
  const std::string file = path != nullptr && *path != 0 ? path : "the database";
  const std::string fact = fmt::format(
      "{}: {}", file, handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {ErrorCode::Limit,
              fmt::format("{}: the disk is full; nothing was written; free some space", file)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::Limit,
              fmt::format("{}: another program is writing to it; nothing was written; let that "
                          "program end its transaction",
                          file)};
    case SQLITE_CONSTRAINT:
      return {ErrorCode::Conflict, fact};
    case SQLITE_TOOBIG:
      return {ErrorCode::Limit, fact};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::Corrupt, fact + "; restore a backup"};
    case SQLITE_CANTOPEN:
      if (handle != nullptr && is_full(sqlite3_system_errno(handle)))
        return {ErrorCode::Unavailable, fact + "; the disk is full; free some space"};
      return {ErrorCode::Unavailable, fact + "; check that the folder exists and may be used"};
    case SQLITE_READONLY:
      return {ErrorCode::Unavailable, fact + "; check who may write to the file and its folder"};
    default:
      break;
  }
  // The system's own words tell an I/O error's cause.
  const int system = handle != nullptr ? sqlite3_system_errno(handle) : 0;
  if (system != 0) {
    return {ErrorCode::Unavailable,
            fmt::format("{} ({}); {}", fact, std::strerror(system),
                        is_full(system) ? "free some space" : "check the disk")};
  }
  return {ErrorCode::Unavailable, fact};
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}
void Database::Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

void Statement::bind(int position, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), position, value);
}

void Statement::bind_text(int position, std::string_view text) {
  // A null pointer would bind NULL.
  sqlite3_bind_text64(statement_.get(), position, text.data() != nullptr ? text.data() : "",
                      text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_blob(int position, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), position, bytes.data() != nullptr ? bytes.data() : "",
                      bytes.size(), SQLITE_STATIC);
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(sqlite_error(sqlite3_db_handle(statement_.get()), code));
}

Status Statement::run() {
  const auto row = step();
  reset();
  if (!row) return std::unexpected(row.error());
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
}

std::int64_t Statement::column_int(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::column_bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), std::size_t(size)};
}

bool Statement::column_is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& path, OpenMode mode, const std::string& vfs) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle,
                                   open_flags(mode) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   vfs.empty() ? nullptr : vfs.c_str());
  Database database;
  database.handle_.reset(handle);
  if (code != SQLITE_OK) {
    const int system = handle != nullptr ? sqlite3_system_errno(handle) : 0;
    if (system == ENOENT) {
      return fail(ErrorCode::NotFound,
                  fmt::format("{}: there is no such file; check the path", path));
    }
    const Error error = sqlite_error(handle, code);
    return fail(error.code, fmt::format("{}: {}", path, error.message));
  }
  // What it holds is its owner's matter; its log and index take their modes from the file's.
  if (mode == OpenMode::Create && vfs.empty()) ::chmod(path.c_str(), 0600);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  // Nothing in the file may run code of its own, whoever wrote it.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), int(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  Statement statement;
  statement.statement_.reset(raw);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(handle_.get(), code));
  return statement;
}

Status Database::execute(const std::string& sql) const {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(handle_.get(), code));
  return {};
}

Result<std::int64_t> Database::query_int(std::string_view sql, std::int64_t fallback) const {
  TRY(Statement statement, prepare(sql));
  TRY(const bool row, statement.step());
  return row ? statement.column_int(0) : fallback;
}

Result<std::string> Database::query_text(std::string_view sql) const {
  TRY(Statement statement, prepare(sql));
  TRY(const bool row, statement.step());
  return row ? std::string(statement.column_bytes(0)) : std::string();
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle_.get()) == 0;
}

}  // namespace showcaller
