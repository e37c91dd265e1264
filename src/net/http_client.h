// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP/1.1 client for the command line, the SDK and outgoing actions: keep-alive, time
// limits, TLS, Unix sockets, streamed answers.
//
// Threads: one at a time, but interrupt() may be called from any. Errors: Unavailable (no
// connection, it broke, time is up), Invalid (a bad URL, an answer that is not HTTP), Limit (an
// answer larger than allowed). A status of 400 or more is an answer, not an error.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http_message.h"

namespace showcaller {

struct TlsClientOptions {
  std::string ca_file;           // PEM; empty: the system's
  std::string certificate_file;  // PEM, to show to the server
  std::string key_file;
  std::string server_name;  // empty: the URL's host
};

struct HttpClientOptions {
  std::string base_url;  // "http://127.0.0.1:8080", "https://host", "unix:/path"
  HttpHeaders headers;   // sent with every request
  TlsClientOptions tls;
  Duration connect_timeout = seconds(5);
  Duration timeout = seconds(30);  // of a whole exchange; of a silence, when streaming
  std::size_t body_bytes_max = 64 << 20;
};

struct HttpClientRequest {
  std::string method = "GET";
  std::string target = "/";  // appended to the base URL's path
  HttpHeaders headers;
  std::string body;
};

class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // Retries once on a fresh connection when a kept one turns out closed and the request is
  // idempotent (by method, or by an Idempotency-Key).
  Result<HttpResponse> send(const HttpClientRequest& request);
  Result<HttpResponse> get(std::string_view target);
  Result<HttpResponse> post(std::string_view target, std::string body,
                            std::string_view content_type = "application/json");

  // Hands over the body piece by piece as it comes, until the end, a false from the callback,
  // interrupt(), or a silence longer than the timeout. The response has no body. A status of 400 or
  // more is read whole instead.
  using Chunk = std::function<bool(std::string_view)>;
  Result<HttpResponse> stream(const HttpClientRequest& request, const Chunk& on_chunk);

  // Makes the call under way, and every later one, fail at once.
  void interrupt();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
