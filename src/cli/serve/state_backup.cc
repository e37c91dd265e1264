// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/state_backup.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>

#include "adapters/evidence_files/evidence_files.h"
#include "adapters/sqlite/sqlite_ledger.h"
#include "cli/private_file.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

// Small files that only the server's owner may read. The secret is never absent.
constexpr const char* kPrivateFiles[] = {"secret", "admin.token", "game-servers.token"};

Error file_error(const fs::path& path, const std::error_code& error) {
  const bool full = error == std::errc::no_space_on_device;
  return {
      full ? ErrorCode::Limit : ErrorCode::Unavailable,
      fmt::format("{}: {}; check the folder's owner and space", path.string(), error.message())};
}

std::optional<std::string> text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

fs::path unused_name(const fs::path& path) {
  for (int i = 1;; ++i) {
    fs::path name = fmt::format("{}.before-restore-{}", path.string(), i);
    std::error_code ignored;
    if (!fs::exists(name, ignored)) return name;
  }
}

Status set_aside(const fs::path& path, std::vector<std::string>* kept) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  const fs::path aside = unused_name(path);
  fs::rename(path, aside, error);
  if (error) return std::unexpected(file_error(path, error));
  kept->push_back(aside.string());
  return {};
}

Status fill_backup(const fs::path& data, const fs::path& folder, const BackupProgress& progress,
                   StateBackupReport* report) {
  TRY(report->journal,
      backup_journal((data / "journal.db").string(), (folder / "journal.db").string(), progress));
  report->holds.push_back("journal.db");
  for (const char* name : kPrivateFiles) {
    const auto text = text_of(data / name);
    if (!text) continue;
    TRY(write_private(folder / name, *text));
    report->holds.push_back(name);
  }
  if (fs::exists(data / "ledger" / "keys.db")) {
    TRY(copy_ledger((data / "ledger").string(), (folder / "ledger").string()));
    report->holds.push_back("ledger");
  }
  if (fs::exists(data / "evidence")) {
    TRY(copy_evidence((data / "evidence").string(), (folder / "evidence").string()));
    report->holds.push_back("evidence");
  }
  return {};
}

// The journal belongs to one secret: units would be assigned anew under another.
Status put_private_files(const fs::path& from, const fs::path& data, StateRestoreReport* report) {
  for (const char* name : kPrivateFiles) {
    const auto text = text_of(from / name);
    if (!text || text == text_of(data / name)) continue;
    TRY(set_aside(data / name, &report->kept));
    TRY(write_private(data / name, *text));
  }
  return {};
}

Status put_ledger(const fs::path& from, const fs::path& data, StateRestoreReport* report) {
  if (!fs::exists(from / "ledger")) return {};
  if (fs::exists(data / "ledger" / "keys.db")) {
    report->notes.push_back(
        "the ledger that is there stays: it knows of exposures and erasures after the backup");
    return {};
  }
  return copy_ledger((from / "ledger").string(), (data / "ledger").string());
}

}  // namespace

Result<StateBackupReport> backup_state(const std::string& data, const std::string& to,
                                       const BackupProgress& progress) {
  if (fs::exists(to)) {
    return fail(ErrorCode::Conflict,
                fmt::format("{} exists; choose another name for the backup", to));
  }
  if (!fs::exists(fs::path(data) / "secret")) {
    return fail(ErrorCode::NotFound,
                fmt::format("{} has no secret, so a backup of it could not be started from; check "
                            "the folder, or give --data its journal.db to copy that alone",
                            data));
  }
  const fs::path part = to + ".part";
  std::error_code error;
  fs::remove_all(part, error);
  TRY(make_private_folder(part));
  StateBackupReport report;
  const auto run = [&]() -> Status {
    TRY(fill_backup(data, part, progress, &report));
    fs::rename(part, to, error);
    if (error) return std::unexpected(file_error(to, error));
    return {};
  };
  const Status made = run();
  if (!made) fs::remove_all(part, error);
  TRY(made);
  return report;
}

Result<StateRestoreReport> restore_state(const std::string& from, const std::string& data,
                                         RestoreForce force, const BackupProgress& progress) {
  const fs::path source(from), target(data);
  const bool whole = fs::is_directory(source);
  if (fs::exists(target) && !fs::is_directory(target)) {
    return fail(ErrorCode::Invalid,
                fmt::format("{} is a file; give --data the server's folder", data));
  }
  const fs::path holder = whole ? source : target;
  if (!fs::exists(holder / "secret")) {
    return fail(
        ErrorCode::NotFound,
        whole ? fmt::format("{} has no secret: it is no backup of a server", from)
              : fmt::format("{} is a journal alone, and {} has no secret: with another one every "
                            "player would be assigned anew; put the file `secret` of that "
                            "server there first, or restore a folder made by `showcaller backup`",
                            from, data));
  }
  TRY(make_private_folder(target));
  StateRestoreReport report;
  TRY(report.journal, restore_journal(whole ? (source / "journal.db").string() : from,
                                      (target / "journal.db").string(), force, progress));
  if (!report.journal.kept.empty()) report.kept.push_back(report.journal.kept);
  TRY(set_aside(target / "evidence", &report.kept));
  if (!whole) return report;
  TRY(put_private_files(source, target, &report));
  TRY(put_ledger(source, target, &report));
  if (fs::exists(source / "evidence"))
    TRY(copy_evidence((source / "evidence").string(), (target / "evidence").string()));
  return report;
}

}  // namespace showcaller
