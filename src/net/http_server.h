// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server: keep-alive, pipelining, chunked bodies, TLS and client certificates, Unix
// sockets, streams.
//
// Threads: the handler runs on a thread of the server and must not block. A Responder may be kept,
// moved to another thread and answered there; one that is dropped unanswered answers 500.
// Responders and streams may outlive the server. Limits: all of HttpLimits; each has a test. A
// reader too slow for its stream is disconnected, never waited for.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/http_message.h"
#include "net/responder.h"

namespace showcaller {

struct HttpLimits {
  std::size_t target_bytes = 8 << 10;               // 414
  std::size_t header_bytes = 32 << 10;              // request line and fields: 431
  std::size_t header_count = 100;                   // 431
  std::size_t body_bytes = 16 << 20;                // 413
  std::size_t bodies_bytes = 256 << 20;             // of all that are being read together: 503
  std::size_t connections = 10'000;                 // 503 and closed
  std::size_t requests_per_connection = 1'000'000;  // then Connection: close
  std::size_t stream_buffer_bytes = 1
                                    << 20;  // unread bytes after which a stream's reader is dropped
  Duration idle_timeout = seconds(75);      // between requests: closed without a word
  Duration header_timeout =
      seconds(10);  // from the first byte (or the TLS hello) to the empty line: 408
  Duration body_timeout = seconds(60);   // from the empty line to the last byte of the body: 408
  Duration write_timeout = seconds(30);  // without a byte taken by the peer: closed
};

struct TlsServerOptions {
  std::string certificate_file;  // PEM, the chain
  std::string key_file;          // PEM
  std::string
      client_ca_file;  // PEM; when set, a client without a certificate of this CA is refused
  bool client_certificate_optional = false;  // verified when sent, not asked for
};

// What is thought of a request whose body has not come yet.
struct Admission {
  std::optional<HttpResponse> refusal;  // sent at once, and the connection closed
  std::size_t body_bytes_max = 0;       // of a body in chunks: 413
};
using HttpAdmission = std::function<Admission(const HttpRequest& without_body)>;
// The answer to what is no request, or came too slowly; `read` is what could be read of it.
using HttpRefusal =
    std::function<HttpResponse(const HttpRequest& read, int status, const std::string& reason)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system chooses; see HttpServer::port()
  std::string unix_path;   // when set, listens there (mode 0600) instead of on TCP
  std::optional<TlsServerOptions> tls;
  HttpLimits limits;
  int threads = 1;
  // Asked before a body is waited for, and before 100-continue. A request that comes whole at once
  // is not asked about: its handler may refuse it as well. Absent: everybody may send.
  HttpAdmission admission;
  HttpRefusal refusal;  // absent: protocol_problem()
  // Called by a thread of the server when the handler has had all requests that the thread found
  // together: what they asked for can be done together too.
  std::function<void()> after_round = [] {};
};

struct HttpServerStats {
  std::uint64_t accepted = 0;
  std::uint64_t open = 0;
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;  // over the limit of connections
  std::uint64_t timed_out = 0;
  std::uint64_t slow_readers_dropped = 0;
};

using HttpHandler = std::function<void(HttpRequest&&, Responder)>;

class HttpServer {
 public:
  // Listens and serves until stop() or destruction. Unavailable when the address cannot be had;
  // Invalid on TLS files.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, HttpHandler handler);
  ~HttpServer();

  std::uint16_t port() const;
  // "http://127.0.0.1:43211", "https://...", "unix:/path".
  std::string url() const;
  // No new connections; idle ones close; requests under way may answer until the grace is over;
  // streams end. Returns when every connection is gone. Not to be called from a handler.
  void stop(Duration grace = seconds(5));
  HttpServerStats stats() const;

 private:
  HttpServer();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
