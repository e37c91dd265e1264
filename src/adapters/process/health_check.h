// SPDX-License-Identifier: Apache-2.0
// Asks a game server from outside whether it is well, again and again: a TCP connection, a UDP
// datagram that is answered, or an HTTP GET.
//
// Never blocks: the caller polls fd() and calls turn() when it is ready or deadline() has come.
// Threads: one.
#pragma once

#include <optional>
#include <string>

#include <netinet/in.h>

#include "adapters/process/file_handle.h"
#include "base/time.h"
#include "model/spec/health_probe.h"

namespace showcaller {

class HealthCheck {
 public:
  // Asks for the first time after a period.
  HealthCheck(HealthProbe probe, sockaddr_in address, Instant now)
      : probe_(std::move(probe)), address_(address), next_(now + probe_.period) {}

  // What to poll, for writing too where `wants_write()`; -1: nothing.
  int fd() const { return socket_.get(); }
  bool wants_write() const { return stage_ == Stage::Connecting; }
  Instant deadline() const { return stage_ == Stage::Waiting ? next_ : give_up_; }
  void turn(Instant now);

  // So many in a row went without an answer that it is sick.
  bool is_sick() const { return failures_ >= probe_.failures; }
  // What was wrong the last time.
  const std::string& reason() const { return reason_; }

 private:
  enum class Stage { Waiting, Connecting, Asked };
  void ask(Instant now);
  void connected();
  void hear();
  void done(std::optional<std::string> failure);

  HealthProbe probe_;
  sockaddr_in address_;
  Instant next_, give_up_{};
  Stage stage_ = Stage::Waiting;
  FileHandle socket_;
  std::string heard_;
  int failures_ = 0;
  std::string reason_;
};

}  // namespace showcaller
