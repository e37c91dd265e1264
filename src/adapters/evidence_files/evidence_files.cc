// SPDX-License-Identifier: Apache-2.0
#include "adapters/evidence_files/evidence_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "adapters/evidence_files/evidence_frame.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".evidence";

Error system_error(const std::string& path) {
  const int error = errno;
  if (error == ENOSPC || error == EDQUOT) {
    return {ErrorCode::Limit, fmt::format("{}: the disk is full; nothing was written; free some space", path)};
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

std::optional<std::int64_t> number_after(std::string_view text, char letter) {
  std::int64_t value = 0;
  if (text.empty() || text[0] != letter) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Reads the name line, since names may contain the dots that a file name is parted with.
std::optional<EvidenceKey> key_of_file(const std::string& path) {
  char line[256];
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  const ssize_t got = ::read(descriptor, line, sizeof line);
  ::close(descriptor);
  std::string_view left(line, got > 0 ? std::size_t(got) : 0);
  left = left.substr(0, left.find('\n'));
  std::vector<std::string_view> words;
  while (!left.empty()) {
    const std::size_t space = left.find(' ');
    words.push_back(left.substr(0, space));
    left = space == std::string_view::npos ? std::string_view() : left.substr(space + 1);
  }
  if (words.size() != 6 || words[0] != "showcaller-evidence") return std::nullopt;
  const auto revision = number_after(words[3], 'r');
  const auto visit = number_after(words[5], 'v');
  if (!revision || !visit) return std::nullopt;
  return EvidenceKey{std::string(words[2]), *revision, std::string(words[4]), *visit};
}

}  // namespace

struct EvidenceFiles::Sheet {
  int descriptor = -1;  // -1: there is no file yet
  EvidenceMark end;
  bool dirty = false;
  bool broken = false;  // a failed write could not be taken back: what the file ends with is not known

  Sheet() = default;
  Sheet(const Sheet&) = delete;
  ~Sheet() {
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
  if (error) return fail(ErrorCode::Unavailable, fmt::format("{}: {}", folder, error.message()));
  std::unique_ptr<EvidenceFiles> store(new EvidenceFiles(folder, options));
  const std::string lock = folder + "/.lock";
  store->lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (store->lock_ < 0) return std::unexpected(system_error(lock));
  if (::flock(store->lock_, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::Conflict, fmt::format("{} is in use by another process; stop it, or choose another folder", folder));
  }
  TRY(const auto sheets, store->list_locked());
  for (const EvidenceSheet& sheet : sheets) store->total_bytes_ += sheet.bytes;
  return store;
}

std::string EvidenceFiles::path_of(const EvidenceKey& key) const {
  return fmt::format("{}/{}.r{}.{}.v{}{}", folder_, key.event, key.revision, key.stage, key.visit, kSuffix);
}

Result<EvidenceFiles::Sheet*> EvidenceFiles::sheet_of(const EvidenceKey& key) {
  TRY(check_evidence_key(key));
  const auto found = open_.find(key);
  if (found != open_.end() && !found->second->broken) return found->second.get();
  auto sheet = std::make_unique<Sheet>();
  sheet->end = {.hash = sha256(evidence_name_line(key))};
  const std::string path = path_of(key);
  sheet->descriptor = ::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
  if (sheet->descriptor < 0 && errno != ENOENT) return std::unexpected(system_error(path));
  if (sheet->descriptor >= 0) {
    TRY(recover(path, key, sheet.get()));
  }
  return (open_[key] = std::move(sheet)).get();
}

Status EvidenceFiles::recover(const std::string& path, const EvidenceKey& key, Sheet* sheet) {
  struct stat facts{};
  if (::fstat(sheet->descriptor, &facts) != 0) return std::unexpected(system_error(path));
  const std::string name = evidence_name_line(key);
  std::string head(name.size(), '\0');
  if (::pread(sheet->descriptor, head.data(), head.size(), 0) != ssize_t(head.size()) || head != name) {
    // Not even the first line was whole: the file begins anew.
    TRY(set_aside(path, 0, std::uint64_t(facts.st_size), sheet));
    TRY(write_all(sheet->descriptor, name, path));
    total_bytes_ += name.size();
    sheet->dirty = true;
    return {};
  }
  FrameReader reader(sheet->descriptor, name.size(), sheet->end);
  while (true) {
    TRY(const auto tick, reader.next());
    if (!tick) break;
  }
  sheet->end = reader.mark();
  const std::uint64_t good = name.size() + reader.mark().offset;
  if (good == std::uint64_t(facts.st_size)) return {};
  return set_aside(path, good, std::uint64_t(facts.st_size), sheet);
}

Status EvidenceFiles::set_aside(const std::string& path, std::uint64_t good, std::uint64_t size, Sheet* sheet) {
  std::string rest(size - good, '\0');
  if (::pread(sheet->descriptor, rest.data(), rest.size(), off_t(good)) != ssize_t(rest.size())) {
    return std::unexpected(system_error(path));
  }
  std::string cut;
  for (int i = 1; cut.empty() || ::access(cut.c_str(), F_OK) == 0; ++i) cut = fmt::format("{}.cut-{}", path, i);
  const int descriptor = ::open(cut.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(system_error(cut));
  const Status written = write_all(descriptor, rest, cut);
  ::close(descriptor);
  TRY(written);
  if (::ftruncate(sheet->descriptor, off_t(good)) != 0) return std::unexpected(system_error(path));
  total_bytes_ -= std::min<std::uint64_t>(total_bytes_, rest.size());
  notes_.push_back(fmt::format("{}: {} bytes after tick {} do not hold and were moved to {}", path, rest.size(),
                               sheet->end.ticks, cut));
  return {};
}

Status EvidenceFiles::make_file(const EvidenceKey& key, Sheet* sheet) {
  const std::string path = path_of(key);
  const std::string name = evidence_name_line(key);
  TRY(make_room(name.size()));
  sheet->descriptor = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (sheet->descriptor < 0) return std::unexpected(system_error(path));
  if (const Status written = write_all(sheet->descriptor, name, path); !written) {
    ::close(std::exchange(sheet->descriptor, -1));
    ::unlink(path.c_str());
    return written;
  }
  total_bytes_ += name.size();
  // The folder's entry must be as durable as the ticks.
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  return {};
}

Result<EvidenceMark> EvidenceFiles::append(const EvidenceKey& key, std::string_view tick) {
  const std::lock_guard lock(mutex_);
  TRY(Sheet* sheet, sheet_of(key));
  if (tick.size() > kTickBytesMax) return fail(ErrorCode::Limit, fmt::format("a tick of {} bytes is too large", tick.size()));
  EvidenceMark mark = sheet->end;
  const std::string frame = make_frame(mark.hash, tick, &mark.hash);
  mark.offset += frame.size();
  mark.ticks += 1;
  if (mark.offset > options_.sheet_bytes_max) {
    return fail(ErrorCode::Limit, fmt::format("the evidence of {} stage {} is over {} bytes; end the stage", key.event,
                                              key.stage, options_.sheet_bytes_max));
  }
  TRY(make_room(frame.size()));
  if (sheet->descriptor < 0) {
    TRY(make_file(key, sheet));
  }
  const std::string path = path_of(key);
  if (const Status written = write_all(sheet->descriptor, frame, path); !written) {
    const auto good = off_t(evidence_name_line(key).size() + sheet->end.offset);
    sheet->broken = ::ftruncate(sheet->descriptor, good) != 0;
    return std::unexpected(written.error());
  }
  total_bytes_ += frame.size();
  sheet->end = mark;
  sheet->dirty = true;
  return mark;
}

Status EvidenceFiles::flush() {
  const std::lock_guard lock(mutex_);
  for (auto& [key, sheet] : open_) {
    if (!sheet->dirty || sheet->descriptor < 0) continue;
    if (::fdatasync(sheet->descriptor) != 0) {
      // What the kernel could not write it may have dropped: the file must be read again.
      sheet->broken = true;
      return std::unexpected(system_error(path_of(key)));
    }
    sheet->dirty = false;
  }
  return {};
}

Status EvidenceFiles::read(const EvidenceKey& key, std::uint64_t offset,
                           const std::function<bool(std::string_view, const EvidenceMark&)>& sink) {
  const std::lock_guard lock(mutex_);
  TRY(Sheet* sheet, sheet_of(key));
  if (sheet->descriptor < 0) return {};
  const std::string name = evidence_name_line(key);
  FrameReader reader(sheet->descriptor, name.size(), {.hash = sha256(name)});
  while (reader.mark().offset < sheet->end.offset) {
    TRY(const auto tick, reader.next());
    if (!tick) {
      return fail(ErrorCode::Corrupt, fmt::format("{}: tick {} is not what was written", path_of(key),
                                                  reader.mark().ticks + 1));
    }
    if (reader.mark().offset > offset && !sink(*tick, reader.mark())) break;
  }
  return {};
}

Result<EvidenceMark> EvidenceFiles::end(const EvidenceKey& key) {
  const std::lock_guard lock(mutex_);
  TRY(const Sheet* sheet, sheet_of(key));
  return sheet->end;
}

Status EvidenceFiles::check(const EvidenceKey& key, const EvidenceMark& mark) {
  if (mark.offset == 0) return {};
  bool holds = false;
  TRY(read(key, mark.offset - 1, [&](std::string_view, const EvidenceMark& after) {
    holds = after == mark;
    return false;
  }));
  if (holds) return {};
  return fail(ErrorCode::Corrupt, fmt::format("{}: the evidence up to byte {} is not what the verdict rested on",
                                              path_of(key), mark.offset));
}

Result<std::vector<EvidenceSheet>> EvidenceFiles::list() {
  const std::lock_guard lock(mutex_);
  return list_locked();
}

Result<std::vector<EvidenceSheet>> EvidenceFiles::list_locked() const {
  std::vector<EvidenceSheet> sheets;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    const std::string path = at->path().string();
    if (!path.ends_with(kSuffix)) continue;
    std::error_code ignored;
    if (auto key = key_of_file(path)) sheets.push_back({*std::move(key), fs::file_size(path, ignored)});
  }
  if (error) return fail(ErrorCode::Unavailable, fmt::format("{}: {}", folder_, error.message()));
  std::sort(sheets.begin(), sheets.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return sheets;
}

Status EvidenceFiles::remove(const EvidenceKey& key) {
  TRY(check_evidence_key(key));
  const std::lock_guard lock(mutex_);
  const std::string path = path_of(key);
  std::error_code ignored;
  const auto size = fs::file_size(path, ignored);
  open_.erase(key);
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return fail(ErrorCode::NotFound, fmt::format("{}: there is no such evidence", path));
    return std::unexpected(system_error(path));
  }
  total_bytes_ -= std::min<std::uint64_t>(total_bytes_, size);
  return {};
}

Status EvidenceFiles::make_room(std::uint64_t more) {
  if (total_bytes_ + more <= options_.total_bytes_max) return {};
  TRY(const auto sheets, list_locked());
  std::vector<std::pair<fs::file_time_type, const EvidenceSheet*>> idle;
  for (const EvidenceSheet& sheet : sheets) {
    std::error_code ignored;
    if (!open_.contains(sheet.key)) idle.push_back({fs::last_write_time(path_of(sheet.key), ignored), &sheet});
  }
  std::sort(idle.begin(), idle.end());
  for (const auto& [touched, sheet] : idle) {
    if (total_bytes_ + more <= options_.total_bytes_max) return {};
    const std::string path = path_of(sheet->key);
    if (::unlink(path.c_str()) != 0) return std::unexpected(system_error(path));
    total_bytes_ -= std::min(total_bytes_, sheet->bytes);
    notes_.push_back(fmt::format("{}: removed to keep the evidence under {} bytes", path, options_.total_bytes_max));
  }
  if (total_bytes_ + more <= options_.total_bytes_max) return {};
  return fail(ErrorCode::Limit, fmt::format("{}: the evidence in use is over {} bytes; raise the limit", folder_,
                                            options_.total_bytes_max));
}

std::vector<std::string> EvidenceFiles::take_notes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notes_, {});
}

}  // namespace showcaller
