// SPDX-License-Identifier: Apache-2.0
#include "adapters/watched_file/watched_file.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace showcaller {
namespace {

namespace fs = std::filesystem;

// Those that say that something is complete.
constexpr std::uint32_t kNotices = IN_CLOSE_WRITE | IN_MOVED_TO;

// Differs when the file was written, or is another. Absent: there is none.
using Stamp = std::optional<std::tuple<dev_t, ino_t, off_t, time_t, long, time_t, long>>;

Stamp stamp_of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return std::tuple(found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                    found.st_mtim.tv_nsec, found.st_ctim.tv_sec, found.st_ctim.tv_nsec);
}

std::unexpected<Error> cannot_read(const std::string& path, const char* why) {
  return fail(ErrorCode::Unavailable,
              fmt::format("cannot read '{}': {}; put a file there that may be read", path, why));
}

Result<std::string> read_whole(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return cannot_read(path, std::strerror(errno));
  std::string text;
  std::array<char, 1 << 16> piece;
  ssize_t size = 0;
  while (text.size() <= WatchedFile::kBytesMax &&
         (size = ::read(fd, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), std::size_t(size));
  }
  const int trouble = size < 0 ? errno : 0;
  ::close(fd);
  if (trouble != 0) return cannot_read(path, std::strerror(trouble));
  if (text.size() > WatchedFile::kBytesMax) {
    return fail(ErrorCode::Limit,
                fmt::format("'{}' has more than {} bytes", path, WatchedFile::kBytesMax));
  }
  return text;
}

}  // namespace

struct WatchedFile::State {
  explicit State(std::string of) : path(std::move(of)) {
    notices = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    stop = ::eventfd(0, EFD_CLOEXEC);
  }
  ~State() {
    if (thread.joinable()) {
      ::eventfd_write(stop, 1);
      thread.join();
    }
    if (notices >= 0) ::close(notices);
    if (stop >= 0) ::close(stop);
  }

  void run() {
    read_again();
    while (true) {
      watch_folders();
      pollfd polled[2] = {{notices, POLLIN, 0}, {stop, POLLIN, 0}};
      ::poll(polled, 2, int(kLookEvery.count()));
      if (polled[1].revents != 0) return;
      const bool complete = polled[0].revents != 0 && take_notices();
      const Stamp now = stamp_of(path);
      // Without a notice nobody says that the writer is done: it is when nothing changes any more.
      const bool rests = complete || now == looked_at;
      looked_at = now;
      if (now != read_at && rests) read_again();
    }
  }

  // A folder that is watched already stays so under the same number.
  void watch_folders() {
    std::error_code ignored;
    for (const fs::path& each : {fs::absolute(path, ignored), fs::canonical(path, ignored)}) {
      if (!each.empty()) ::inotify_add_watch(notices, each.parent_path().c_str(), kNotices);
    }
  }

  // Whether the file may be complete: it was closed, or something (a folder on its way too) was put
  // in the place of something else.
  bool take_notices() {
    std::error_code ignored;
    const std::string name = fs::path(path).filename();
    const std::string resolved = fs::canonical(path, ignored).filename();
    alignas(inotify_event) std::array<char, 8192> buffer;
    bool complete = false;
    for (ssize_t size; (size = ::read(notices, buffer.data(), buffer.size())) > 0;) {
      for (ssize_t at = 0; at < size;) {
        const auto* notice = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        const std::string_view about = notice->len > 0 ? notice->name : "";
        complete =
            complete || (notice->mask & IN_MOVED_TO) != 0 || about == name || about == resolved;
        at += ssize_t(sizeof(inotify_event)) + notice->len;
      }
    }
    return complete;
  }

  void read_again() {
    read_at = looked_at = stamp_of(path);
    auto read = read_whole(path);
    if (told && (*told == read || (!*told && !read))) return;
    told = read;
    sink(std::move(read));
  }

  const std::string path;
  DocumentSink sink;
  int notices = -1, stop = -1;
  Stamp read_at, looked_at;
  std::optional<Result<std::string>> told;
  std::thread thread;
};

WatchedFile::WatchedFile(std::string path) : state_(std::make_unique<State>(std::move(path))) {}
WatchedFile::~WatchedFile() = default;

void WatchedFile::start(DocumentSink sink) {
  state_->sink = std::move(sink);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

}  // namespace showcaller
