// SPDX-License-Identifier: Apache-2.0
// A connection to SQLite and its statements as values that close themselves, with errors as Result.
//
// Threads: a connection and its statements belong to one thread at a time (they are opened without
// SQLite's mutex).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace showcaller {

class Statement {
 public:
  Statement() = default;

  // Positions count from 1. Text and blobs must live until step() or reset().
  void bind(int position, std::int64_t value);
  void bind_text(int position, std::string_view text);
  void bind_blob(int position, std::string_view bytes);

  // True: a row stands ready. False: done.
  [[nodiscard]] Result<bool> step();
  // Steps once, expects no row, resets.
  [[nodiscard]] Status run();
  void reset();

  // Columns count from 0. Views live until the next step or reset.
  std::int64_t column_int(int column) const;
  std::string_view column_bytes(int column) const;
  bool column_is_null(int column) const;

  explicit operator bool() const { return statement_ != nullptr; }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

enum class OpenMode { ReadOnly, ReadWrite, Create };

class Database {
 public:
  Database() = default;
  // vfs empty: the system's. A missing file is NotFound unless mode is Create.
  static Result<Database> open(const std::string& path, OpenMode mode, const std::string& vfs = {});

  Result<Statement> prepare(std::string_view sql) const;
  // Runs statements that give no rows, or whose rows do not matter.
  Status execute(const std::string& sql) const;
  // The first column of the first row; fallback when there is no row.
  Result<std::int64_t> query_int(std::string_view sql, std::int64_t fallback = 0) const;
  Result<std::string> query_text(std::string_view sql) const;
  bool in_transaction() const;
  sqlite3* handle() const { return handle_.get(); }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

// The last error of a connection. Limit: the disk (or the page limit) is full, or another
// connection writes; nothing was written, and the same may be tried again. Conflict: the row
// exists. Corrupt: not a database, or a damaged one. Unavailable: all else.
Error sqlite_error(sqlite3* handle, int code);

}  // namespace showcaller
