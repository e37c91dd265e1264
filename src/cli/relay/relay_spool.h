// SPDX-License-Identifier: Apache-2.0
// What waits at a relay for the line upstream, in the order it came. When there is no room the
// oldest makes room, and is counted. With a file it outlasts the process, whatever ends it; a power
// cut may lose the last moment.
//
//   file = (("+" item | "-" whole) "\n")*      an item that came; how many of the oldest are gone
//
// It is written anew once most of it is gone. Threads: any. Errors of the disk do not lose what is
// in memory; trouble() tells the last one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace showcaller {

class RelaySpool {
 public:
  struct Item {
    std::uint64_t number;
    std::string text;
  };

  RelaySpool(std::size_t bytes_max, std::size_t items_max)
      : bytes_max_(bytes_max), items_max_(items_max) {}
  ~RelaySpool();
  RelaySpool(const RelaySpool&) = delete;
  RelaySpool& operator=(const RelaySpool&) = delete;

  // Takes what an earlier process left there, and keeps what comes there. Before anything comes.
  Status keep_in(std::string file);
  // One line of text.
  void push(std::string item);
  // The oldest so many; they stay until they are done with.
  std::vector<Item> front(std::size_t count) const;
  // This one and all before it.
  void done(std::uint64_t number);

  std::size_t size() const;
  std::uint64_t dropped() const;
  Status trouble() const;

 private:
  void read_line(std::string_view line);
  void forget_oldest();
  void make_room();
  void write(const std::string& lines);
  Status write_anew();

  const std::size_t bytes_max_, items_max_;
  mutable std::mutex mutex_;  // what follows
  std::deque<std::string> items_;
  std::size_t bytes_ = 0;
  std::uint64_t first_ = 1, dropped_ = 0;
  std::string file_;  // empty: in memory alone
  int fd_ = -1;       // of the file; -1: it has to be written anew
  std::size_t written_ = 0;
  Status trouble_;
};

}  // namespace showcaller
