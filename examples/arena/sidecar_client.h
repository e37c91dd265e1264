// SPDX-License-Identifier: Apache-2.0
// The arena's own small client of the Agones SDK, over REST. Nothing in it knows that the sidecar
// is ours.
//
// Threads: one. Calls wait for their answer, which over loopback takes less than a millisecond, at
// most two seconds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "http_text.h"

namespace arena {

class SidecarClient {
 public:
  explicit SidecarClient(int http_port) : port_(http_port) {}
  ~SidecarClient();
  SidecarClient(const SidecarClient&) = delete;
  SidecarClient& operator=(const SidecarClient&) = delete;

  // The answer's body, or nothing when there was none or it was an error.
  std::optional<std::string> call(std::string_view method, std::string_view path,
                                  std::string_view body = "{}");
  bool post(std::string_view path, std::string_view body = "{}") {
    return call("POST", path, body).has_value();
  }

  // Opens the stream of game server states. Poll watch_fd() for reading, then read_watch().
  bool open_watch();
  int watch_fd() const { return watch_fd_; }
  // The states that came, oldest first. A stream that broke is opened again.
  std::vector<showcaller::json::object> read_watch();

 private:
  int connect();
  std::optional<std::string> exchange(const std::string& request);

  int port_;
  int fd_ = -1;
  int watch_fd_ = -1;
  HttpReplyReader watch_reader_;
};

}  // namespace arena
