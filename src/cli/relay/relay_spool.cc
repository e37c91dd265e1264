// SPDX-License-Identifier: Apache-2.0
#include "cli/relay/relay_spool.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace showcaller {
namespace {

// What is gone may take as much room as what is there, and this.
constexpr std::size_t kGoneBytesMax = 1 << 20;

Status write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return fail(ErrorCode::Unavailable, std::strerror(errno));
    text.remove_prefix(std::size_t(wrote));
  }
  return {};
}

}  // namespace

RelaySpool::~RelaySpool() {
  if (fd_ >= 0) ::close(fd_);
}

Status RelaySpool::keep_in(std::string file) {
  const std::lock_guard lock(mutex_);
  file_ = std::move(file);
  std::ifstream in(file_, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    if (in.eof()) break;  // A line that has no end was being written.
    read_line(line);
  }
  make_room();
  return trouble_ = write_anew();
}

void RelaySpool::read_line(std::string_view line) {
  if (line.starts_with('+')) {
    items_.emplace_back(line.substr(1));
    bytes_ += items_.back().size();
  } else if (line.starts_with('-')) {
    std::size_t gone = 0;
    std::from_chars(line.data() + 1, line.data() + line.size(), gone);
    for (; gone > 0 && !items_.empty(); --gone) forget_oldest();
  }
}

void RelaySpool::forget_oldest() {
  bytes_ -= items_.front().size();
  items_.pop_front();
  ++first_;
}

void RelaySpool::make_room() {
  std::size_t gone = 0;
  while (items_.size() > 1 && (bytes_ > bytes_max_ || items_.size() > items_max_)) {
    forget_oldest();
    ++gone;
  }
  dropped_ += gone;
  if (gone > 0) write(fmt::format("-{}\n", gone));
}

void RelaySpool::push(std::string item) {
  const std::lock_guard lock(mutex_);
  write(fmt::format("+{}\n", item));
  bytes_ += item.size();
  items_.push_back(std::move(item));
  make_room();
}

std::vector<RelaySpool::Item> RelaySpool::front(std::size_t count) const {
  const std::lock_guard lock(mutex_);
  std::vector<Item> out;
  for (std::size_t i = 0; i < std::min(count, items_.size()); ++i)
    out.push_back({first_ + i, items_[i]});
  return out;
}

void RelaySpool::done(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  std::size_t gone = 0;
  for (; !items_.empty() && first_ <= number; ++gone) forget_oldest();
  if (gone > 0) write(fmt::format("-{}\n", gone));
  if (!file_.empty() && (fd_ < 0 || written_ > 2 * bytes_ + kGoneBytesMax)) trouble_ = write_anew();
}

// With the lock. After an error nothing is added to a file whose last line may be half there.
void RelaySpool::write(const std::string& lines) {
  if (fd_ < 0) return;
  written_ += lines.size();
  if (Status wrote = write_all(fd_, lines); !wrote) {
    trouble_ = fail(wrote.error().code,
                    fmt::format("'{}' cannot be written, and what waits is in memory alone: {}; "
                                "free some space",
                                file_, wrote.error().message));
    ::close(std::exchange(fd_, -1));
  }
}

// With the lock. Replaced as a whole.
Status RelaySpool::write_anew() {
  const std::string next = file_ + ".new";
  const int fd = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  std::string lines;
  for (const std::string& item : items_) lines += fmt::format("+{}\n", item);
  Status wrote;
  if (fd < 0)
    wrote = fail(ErrorCode::Unavailable, std::strerror(errno));
  else
    wrote = write_all(fd, lines);
  if (wrote && std::rename(next.c_str(), file_.c_str()) != 0)
    wrote = fail(ErrorCode::Unavailable, std::strerror(errno));
  if (!wrote) {
    if (fd >= 0) ::close(fd);
    return fail(wrote.error().code,
                fmt::format("'{}' cannot be written, and what waits is in memory alone: {}; give "
                            "the relay a folder that it may write",
                            file_, wrote.error().message));
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  written_ = lines.size();
  return {};
}

std::size_t RelaySpool::size() const {
  const std::lock_guard lock(mutex_);
  return items_.size();
}
std::uint64_t RelaySpool::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}
Status RelaySpool::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace showcaller
