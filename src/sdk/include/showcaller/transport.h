// SPDX-License-Identifier: Apache-2.0
// How the client reaches the server. The default speaks HTTP; engines and consoles with a network
// layer of their own bring theirs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace showcaller::sdk {

struct TransportRequest {
  std::string method{};
  std::string target{};  // "/api/v1/flags/snapshot"
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
};

struct TransportResponse {
  int status = 0;  // 0: no answer; `error` says why
  std::string body{};
  std::string etag{};
  std::int64_t retry_after_s = 0;  // 0: not told
  std::string error{};
};

using OnBytes = std::function<bool(std::string_view)>;

class Transport {
 public:
  virtual ~Transport() = default;
  // Blocks until the answer is there or time is up. Called from one background thread.
  virtual TransportResponse send(const TransportRequest& request) = 0;
  // From another thread, when the client closes: ends a send() under way.
  virtual void interrupt() {}

  // Whether there is stream(). Without, the client polls.
  virtual bool has_streams() const { return false; }
  // Hands over an answer's body as it comes, until it ends or on_bytes says false. The answer has
  // no body then, but of an error. Called from one background thread, beside send().
  virtual TransportResponse stream(const TransportRequest& request, const OnBytes& on_bytes);
  // From another thread: ends the stream() under way, if there is one.
  virtual void interrupt_stream() {}
};

struct HttpTransportOptions {
  std::string url{};      // "https://live.example.net", "unix:/run/showcaller.sock"
  std::string ca_file{};  // PEM; empty: the system's
  std::int64_t timeout_ms = 10'000;
  std::int64_t silence_ms = 40'000;  // of a stream, after which it is given up
};
std::unique_ptr<Transport> make_http_transport(const HttpTransportOptions& options);

}  // namespace showcaller::sdk
