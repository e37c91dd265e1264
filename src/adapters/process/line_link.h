// SPDX-License-Identifier: Apache-2.0
// One end of a socket that carries a message a line, never blocking.
//
// A report replaces the one before it that is still waiting to be sent: a slow reader misses steps
// between, never the last word. Threads: one.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "adapters/process/file_handle.h"

namespace showcaller {

class LineLink {
 public:
  explicit LineLink(FileHandle socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  bool has_output() const { return !sending_.empty() || !next_.empty(); }

  // Sends a report, or keeps it as the next one to send.
  void send(std::string_view report);
  // Sends a command: none is ever replaced. False: too much is waiting, or the link broke.
  bool send_command(std::string_view command);
  // Writes what fits. False: the link is broken.
  bool flush();
  // Reads what is there and hands on each whole line. False: the link ended or broke its bound.
  bool receive(const std::function<void(std::string_view line)>& on_line);
  // Waits up to so many milliseconds for all to be written.
  void drain(int timeout_ms);

 private:
  FileHandle socket_;
  std::string received_;
  std::string sending_;
  std::string next_;
};

}  // namespace showcaller
