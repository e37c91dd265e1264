// SPDX-License-Identifier: Apache-2.0
#include "adapters/sqlite/snapshot_files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSnapshotsKept = 2;
constexpr std::string_view kUnfinished = ".part";
constexpr std::size_t kHeaderMax = 256;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// Calls visit with what follows the prefix in each file name.
template <class Visit>
void for_each_suffix(const std::string& prefix, Visit visit) {
  const fs::path path(prefix);
  const std::string start = path.filename().string();
  std::error_code error;
  for (fs::directory_iterator at(path.parent_path().empty() ? "." : path.parent_path(), error), end;
       !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(start)) visit(name.substr(start.size()));
  }
}

std::string header_of(const JournalSnapshot& snapshot) {
  return fmt::format("showcaller-snapshot 1 {} {} {} {} {:016x}\n", snapshot.seq, snapshot.format,
                     to_hex(snapshot.hash), snapshot.bytes.size(), hash64(snapshot.bytes));
}

Status write_file(const std::string& path, std::string_view head, std::string_view body) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const File file(descriptor < 0 ? nullptr : ::fdopen(descriptor, "wb"));
  const bool written = file &&
                       std::fwrite(head.data(), 1, head.size(), file.get()) == head.size() &&
                       std::fwrite(body.data(), 1, body.size(), file.get()) == body.size() &&
                       std::fflush(file.get()) == 0;
  if (written) return {};
  const int error = errno;
  ::unlink(path.c_str());
  return fail(error == ENOSPC || error == EDQUOT ? ErrorCode::Limit : ErrorCode::Unavailable,
              fmt::format("{}: the snapshot cannot be written: {}", path, std::strerror(error)));
}

}  // namespace

std::string SnapshotFiles::file(std::uint64_t seq) const {
  return fmt::format("{}{:020}", prefix_, seq);
}

Status SnapshotFiles::write(const JournalSnapshot& snapshot) const {
  const std::string path = file(snapshot.seq);
  const std::string part = path + std::string(kUnfinished);
  TRY(write_file(part, header_of(snapshot), snapshot.bytes));
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    return fail(ErrorCode::Unavailable, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  const auto all = seqs();
  for (std::size_t i = kSnapshotsKept; i < all.size(); ++i) remove(all[i]);
  return {};
}

std::vector<std::uint64_t> SnapshotFiles::seqs() const {
  std::vector<std::uint64_t> found;
  for_each_suffix(prefix_, [&](const std::string& suffix) {
    std::uint64_t seq = 0;
    const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), seq);
    if (error == std::errc() && end == suffix.data() + suffix.size()) found.push_back(seq);
  });
  std::sort(found.rbegin(), found.rend());
  return found;
}

std::optional<JournalSnapshot> SnapshotFiles::read(std::uint64_t seq) const {
  const File input(std::fopen(file(seq).c_str(), "rbe"));
  char head[kHeaderMax];
  if (!input || std::fgets(head, sizeof head, input.get()) == nullptr) return std::nullopt;
  JournalSnapshot snapshot;
  unsigned long long stored_seq = 0, size = 0, sum = 0;
  char hash[65];
  if (std::sscanf(head, "showcaller-snapshot 1 %llu %u %64s %llu %llx\n", &stored_seq,
                  &snapshot.format, hash, &size, &sum) != 5) {
    return std::nullopt;
  }
  const auto chain = from_hex(hash);
  std::error_code error;
  const auto file_size = fs::file_size(file(seq), error);
  if (error || stored_seq != seq || !chain || chain->size() != snapshot.hash.size() ||
      file_size != std::strlen(head) + size) {
    return std::nullopt;
  }
  std::copy(chain->begin(), chain->end(), snapshot.hash.begin());
  snapshot.seq = seq;
  snapshot.bytes.resize(size);
  if (std::fread(snapshot.bytes.data(), 1, size, input.get()) != size) return std::nullopt;
  if (hash64(snapshot.bytes) != sum) return std::nullopt;
  return snapshot;
}

void SnapshotFiles::remove(std::uint64_t seq) const {
  ::unlink(file(seq).c_str());
}

void SnapshotFiles::sweep() const {
  std::vector<std::string> parts;
  for_each_suffix(prefix_, [&](const std::string& suffix) {
    if (suffix.ends_with(kUnfinished)) parts.push_back(prefix_ + suffix);
  });
  for (const std::string& part : parts) ::unlink(part.c_str());
}

}  // namespace showcaller
