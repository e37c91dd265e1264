// SPDX-License-Identifier: Apache-2.0
#include "adapters/evidence_files/evidence_files.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/evidence_files/evidence_lines.h"
#include "flow/port/evidence_rules.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".evidence";

Error system_error(const std::string& path) {
  const int error = errno;
  if (error == ENOSPC || error == EDQUOT) {
    return {ErrorCode::Limit,
            fmt::format("{}: the disk is full; nothing was written; free some space", path)};
  }
  return {ErrorCode::Unavailable, fmt::format("{}: {}", path, std::strerror(error))};
}

Status write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(system_error(path));
    bytes.remove_prefix(std::size_t(n));
  }
  return {};
}

// '/' parts the name of a stream and cannot be in the name of a file; '+' is in neither otherwise.
std::string swap_character(std::string_view text, char from, char to) {
  std::string out(text);
  std::replace(out.begin(), out.end(), from, to);
  return out;
}

std::string file_in(const std::string& folder, std::string_view stream) {
  return fmt::format("{}/{}{}", folder, swap_character(stream, '/', '+'), kSuffix);
}

}  // namespace

struct EvidenceFiles::File {
  int descriptor = -1;  // -1: there is no file yet
  EvidenceMark end;
  std::uint64_t size = 0;
  std::uint64_t lines = 0;
  bool dirty = false;
  bool broken =
      false;  // what the file ends with is not known: it is read again before it is written

  File() = default;
  File(const File&) = delete;
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

EvidenceFiles::EvidenceFiles(std::string folder, EvidenceFilesOptions options)
    : folder_(std::move(folder)), options_(options) {}

EvidenceFiles::~EvidenceFiles() {
  if (lock_ >= 0) ::close(lock_);
}

Result<std::unique_ptr<EvidenceFiles>> EvidenceFiles::open(const std::string& folder,
                                                           const EvidenceFilesOptions& options) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return fail(
        ErrorCode::Unavailable,
        fmt::format("{}: {}; check the owner and space of its folder", folder, error.message()));
  }
  std::unique_ptr<EvidenceFiles> store(new EvidenceFiles(folder, options));
  const std::string lock = folder + "/.lock";
  store->lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (store->lock_ < 0) return std::unexpected(system_error(lock));
  if (::flock(store->lock_, LOCK_EX | LOCK_NB) != 0) {
    return fail(
        ErrorCode::Conflict,
        fmt::format("{} is in use by another process; stop it, or choose another folder", folder));
  }
  TRY(const auto streams, store->list_locked());
  for (const EvidenceStream& stream : streams) store->total_bytes_ += stream.bytes;
  return store;
}

std::string EvidenceFiles::path_of(std::string_view stream) const {
  return file_in(folder_, stream);
}

Result<EvidenceFiles::File*> EvidenceFiles::file_of(std::string_view stream) {
  TRY(check_evidence(stream));
  const auto found = open_.find(stream);
  if (found != open_.end() && !found->second->broken) return found->second.get();
  auto file = std::make_unique<File>();
  const std::string path = path_of(stream);
  file->descriptor = ::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
  if (file->descriptor < 0 && errno != ENOENT) return std::unexpected(system_error(path));
  if (file->descriptor >= 0) {
    TRY(recover(path, file.get()));
  }
  return (open_[std::string(stream)] = std::move(file)).get();
}

Status EvidenceFiles::recover(const std::string& path, File* file) {
  struct stat facts{};
  if (::fstat(file->descriptor, &facts) != 0) return std::unexpected(system_error(path));
  EvidenceLines lines(file->descriptor);
  while (true) {
    TRY(const auto line, lines.next());
    if (!line) break;
  }
  file->end = lines.mark();
  file->size = lines.file_offset();
  file->lines = lines.lines();
  if (file->size == std::uint64_t(facts.st_size)) return {};
  return set_aside(path, file->size, std::uint64_t(facts.st_size), file);
}

Status EvidenceFiles::set_aside(const std::string& path, std::uint64_t good, std::uint64_t size,
                                File* file) {
  std::string rest(size - good, '\0');
  if (::pread(file->descriptor, rest.data(), rest.size(), off_t(good)) != ssize_t(rest.size())) {
    return std::unexpected(system_error(path));
  }
  std::string cut;
  for (int i = 1; cut.empty() || ::access(cut.c_str(), F_OK) == 0; ++i)
    cut = fmt::format("{}.cut-{}", path, i);
  const int descriptor = ::open(cut.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(system_error(cut));
  const Status written = write_all(descriptor, rest, cut);
  ::close(descriptor);
  TRY(written);
  if (::ftruncate(file->descriptor, off_t(good)) != 0) return std::unexpected(system_error(path));
  total_bytes_ -= std::min<std::uint64_t>(total_bytes_, rest.size());
  notes_.push_back({ErrorCode::Corrupt,
                    fmt::format("{}: {} bytes after line {} do not hold and were moved to {}", path,
                                rest.size(), file->lines, cut)});
  return {};
}

Status EvidenceFiles::make_file(std::string_view stream, File* file) {
  const std::string path = path_of(stream);
  file->descriptor = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file->descriptor < 0) return std::unexpected(system_error(path));
  // The folder's entry must be as durable as the lines.
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  const Error error = system_error(folder_);
  if (folder >= 0) ::close(folder);
  if (!synced) return std::unexpected(error);
  return {};
}

Result<EvidenceMark> EvidenceFiles::append(std::string_view stream, std::string_view line) {
  TRY(check_evidence(stream, line));
  const std::lock_guard lock(mutex_);
  TRY(File * file, file_of(stream));
  const EvidenceMark mark = mark_after(file->end, line);
  const std::string stored = make_evidence_line(line, mark);
  if (file->size + stored.size() > options_.stream_bytes_max) {
    return fail(ErrorCode::Limit, fmt::format("the evidence {} is over {} bytes; end the stage",
                                              stream, options_.stream_bytes_max));
  }
  TRY(make_room(stored.size()));
  if (file->descriptor < 0) {
    TRY(make_file(stream, file));
  }
  if (const Status written = write_all(file->descriptor, stored, path_of(stream)); !written) {
    file->broken = ::ftruncate(file->descriptor, off_t(file->size)) != 0;
    return std::unexpected(written.error());
  }
  total_bytes_ += stored.size();
  file->size += stored.size();
  file->lines += 1;
  file->end = mark;
  file->dirty = true;
  return mark;
}

Status EvidenceFiles::flush() {
  const std::lock_guard lock(mutex_);
  for (auto& [stream, file] : open_) {
    if (!file->dirty || file->descriptor < 0) continue;
    if (::fdatasync(file->descriptor) != 0) {
      // What the kernel could not write it may have dropped.
      file->broken = true;
      return std::unexpected(system_error(path_of(stream)));
    }
    file->dirty = false;
  }
  return {};
}

Status EvidenceFiles::read(std::string_view stream,
                           const std::function<bool(std::string_view, const EvidenceMark&)>& sink) {
  const std::string path = path_of(stream);
  std::uint64_t size = 0;
  {
    const std::lock_guard lock(mutex_);
    const bool was_open = open_.contains(stream);
    TRY(const File* file, file_of(stream));
    const bool is_there = file->descriptor >= 0;
    size = file->size;
    if (!was_open) open_.erase(open_.find(stream));  // Opened to be looked at, not to be written.
    if (!is_there) return {};
  }
  // A descriptor of its own: the sink may take its time, or append.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(system_error(path));
  EvidenceLines lines(descriptor);
  const auto run = [&]() -> Status {
    while (lines.file_offset() < size) {
      TRY(const auto line, lines.next());
      if (!line) {
        return fail(ErrorCode::Corrupt,
                    fmt::format("{}: line {} is not what was written", path, lines.lines() + 1));
      }
      if (!sink(*line, lines.mark())) break;
    }
    return {};
  };
  const Status status = run();
  ::close(descriptor);
  return status;
}

void EvidenceFiles::close(std::string_view stream) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(stream);
  if (found == open_.end()) return;
  if (found->second->dirty && found->second->descriptor >= 0)
    ::fdatasync(found->second->descriptor);
  open_.erase(found);
}

Result<std::size_t> EvidenceFiles::remove_older(Instant before) {
  const std::lock_guard lock(mutex_);
  TRY(const auto streams, list_locked());
  std::size_t removed = 0;
  for (const EvidenceStream& stream : streams) {
    if (open_.contains(stream.name)) continue;
    const std::string path = path_of(stream.name);
    std::error_code error;
    const auto touched = std::chrono::file_clock::to_sys(fs::last_write_time(path, error));
    if (error || touched >= before) continue;
    if (::unlink(path.c_str()) != 0) return std::unexpected(system_error(path));
    total_bytes_ -= std::min(total_bytes_, stream.bytes);
    ++removed;
  }
  return removed;
}

Result<std::vector<EvidenceStream>> EvidenceFiles::list() {
  const std::lock_guard lock(mutex_);
  return list_locked();
}

Result<std::vector<EvidenceStream>> EvidenceFiles::list_locked() const {
  std::vector<EvidenceStream> streams;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename().string();
    if (!name.ends_with(kSuffix)) continue;
    name.resize(name.size() - kSuffix.size());
    std::error_code ignored;
    streams.push_back({swap_character(name, '+', '/'), at->file_size(ignored)});
  }
  if (error) return fail(ErrorCode::Unavailable, fmt::format("{}: {}", folder_, error.message()));
  std::sort(streams.begin(), streams.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return streams;
}

Status EvidenceFiles::remove(std::string_view stream) {
  TRY(check_evidence(stream));
  const std::lock_guard lock(mutex_);
  const std::string path = path_of(stream);
  std::error_code ignored;
  const auto size = fs::file_size(path, ignored);
  if (const auto found = open_.find(stream); found != open_.end()) open_.erase(found);
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT)
      return fail(ErrorCode::NotFound, fmt::format("{}: there is no such evidence", path));
    return std::unexpected(system_error(path));
  }
  total_bytes_ -= std::min<std::uint64_t>(total_bytes_, size);
  return {};
}

Status EvidenceFiles::make_room(std::uint64_t more) {
  if (total_bytes_ + more <= options_.total_bytes_max) return {};
  TRY(const auto streams, list_locked());
  std::vector<std::pair<fs::file_time_type, const EvidenceStream*>> idle;
  for (const EvidenceStream& stream : streams) {
    std::error_code ignored;
    if (!open_.contains(stream.name))
      idle.push_back({fs::last_write_time(path_of(stream.name), ignored), &stream});
  }
  std::sort(idle.begin(), idle.end());
  for (const auto& [touched, stream] : idle) {
    if (total_bytes_ + more <= options_.total_bytes_max) return {};
    const std::string path = path_of(stream->name);
    if (::unlink(path.c_str()) != 0) return std::unexpected(system_error(path));
    total_bytes_ -= std::min(total_bytes_, stream->bytes);
    notes_.push_back(
        {ErrorCode::Limit, fmt::format("{}: removed to keep the evidence under {} bytes", path,
                                       options_.total_bytes_max)});
  }
  if (total_bytes_ + more <= options_.total_bytes_max) return {};
  return fail(ErrorCode::Limit,
              fmt::format("{}: the evidence in use is over {} bytes; raise the limit", folder_,
                          options_.total_bytes_max));
}

namespace {

// The line that is being written while we look is not part of the copy.
Status cut_to_whole_lines(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(system_error(path));
  EvidenceLines lines(descriptor);
  const auto run = [&]() -> Status {
    while (true) {
      TRY(const auto line, lines.next());
      if (line) continue;
      if (::ftruncate(descriptor, off_t(lines.file_offset())) != 0 || ::fsync(descriptor) != 0)
        return std::unexpected(system_error(path));
      return {};
    }
  };
  const Status cut = run();
  ::close(descriptor);
  return cut;
}

}  // namespace

Status read_evidence(const std::string& folder, std::string_view stream,
                     const std::function<bool(std::string_view, const EvidenceMark&)>& sink) {
  TRY(check_evidence(stream));
  const std::string path = file_in(folder, stream);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT) return fail(ErrorCode::NotFound, path + ": there is no such evidence");
    return std::unexpected(system_error(path));
  }
  EvidenceLines lines(descriptor);
  const auto run = [&]() -> Status {
    while (true) {
      TRY(const auto line, lines.next());
      if (!line || !sink(*line, lines.mark())) return {};
    }
  };
  const Status read = run();
  ::close(descriptor);
  return read;
}

Status copy_evidence(const std::string& folder, const std::string& to) {
  std::error_code error;
  fs::create_directories(to, error);
  if (!error) ::chmod(to.c_str(), 0700);
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(kSuffix)) continue;
    const std::string copy = to + "/" + name;
    fs::copy_file(at->path(), copy, error);
    if (error) break;
    ::chmod(copy.c_str(), 0600);
    TRY(cut_to_whole_lines(copy));
  }
  if (error) {
    return fail(error == std::errc::no_space_on_device ? ErrorCode::Limit : ErrorCode::Unavailable,
                fmt::format("copying {} to {}: {}", folder, to, error.message()));
  }
  return {};
}

std::vector<Error> EvidenceFiles::take_notes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notes_, {});
}

}  // namespace showcaller
