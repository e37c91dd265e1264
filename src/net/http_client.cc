// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <array>
#include <chrono>
#include <cstring>
#include <limits>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "net/http_parser.h"
#include "net/tls_context.h"

namespace showcaller {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kReadBytes = 16 << 10;

// A descriptor that closes itself.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

std::unexpected<Error> gone(std::string text) {
  return fail(ErrorCode::Unavailable, std::move(text));
}
std::unexpected<Error> out_of_time() {
  return gone("the server took too long; try again, or allow more time");
}

bool is_idempotent(const HttpClientRequest& request) {
  return request.method == "GET" || request.method == "HEAD" || request.method == "PUT" ||
         request.method == "DELETE" || request.headers.find("Idempotency-Key").has_value();
}

bool is_ip_address(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

struct HttpClient::State {
  HttpClientOptions options;
  HttpUrl url;
  Status valid;
  TlsContext tls_context;
  OwnedFd interrupted{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  OwnedFd socket;
  std::unique_ptr<SSL, SslFree> ssl;
  std::string received;  // beyond the last answer

  explicit State(HttpClientOptions given) : options(std::move(given)) {
    auto parsed = parse_url(options.base_url);
    if (!parsed) {
      valid = std::unexpected(parsed.error());
      return;
    }
    url = *std::move(parsed);
    if (!url.tls) return;
    auto context = make_client_tls(options.tls);
    if (context) {
      tls_context = *std::move(context);
    } else {
      valid = std::unexpected(context.error());
    }
  }

  void drop() {
    ssl.reset();
    socket = OwnedFd();
    received.clear();
  }

  // Waits for the socket or interrupt().
  Status wait(short events, Clock::time_point deadline) {
    while (true) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) return out_of_time();
      std::array<pollfd, 2> fds{{{socket.get(), events, 0}, {interrupted.get(), POLLIN, 0}}};
      const int ready =
          ::poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
      if (fds[1].revents != 0) return gone("the call was interrupted");
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return gone(std::strerror(errno));
    }
  }

  Status connect_to(const sockaddr* address, socklen_t size, Clock::time_point deadline) {
    socket = OwnedFd(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) return gone(std::strerror(errno));
    if (::connect(socket.get(), address, size) != 0) {
      if (errno != EINPROGRESS) return gone(std::strerror(errno));
      TRY(wait(POLLOUT, deadline));
      int error = 0;
      socklen_t error_size = sizeof error;
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
      if (error != 0) return gone(std::strerror(error));
    }
    const int on = 1;
    if (address->sa_family != AF_UNIX)
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return {};
  }

  Status connect_unix(Clock::time_point deadline) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (url.unix_path.size() >= sizeof address.sun_path) {
      return fail(ErrorCode::Invalid,
                  "the socket's path is longer than the system allows; choose a shorter one");
    }
    std::memcpy(address.sun_path, url.unix_path.data(), url.unix_path.size());
    return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, deadline);
  }

  Status connect_tcp(Clock::time_point deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    if (is_ip_address(url.host)) hints.ai_flags = AI_NUMERICHOST;
    addrinfo* found = nullptr;
    if (const int error =
            ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
        error != 0) {
      return gone(fmt::format("no address for '{}': {}", url.host, gai_strerror(error)));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
    Status last = gone("no address");
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      last = connect_to(at->ai_addr, at->ai_addrlen, deadline);
      if (last) return {};
    }
    return last;
  }

  Status connect() {
    drop();
    const auto deadline = Clock::now() + options.connect_timeout;
    auto connected = url.unix_path.empty() ? connect_tcp(deadline) : connect_unix(deadline);
    if (!connected) {
      drop();
      return gone(fmt::format("cannot reach {}: {}; is the server running there?", options.base_url,
                              connected.error().message));
    }
    if (url.tls) {
      if (auto shaken = handshake(deadline); !shaken) {
        drop();
        return shaken;
      }
    }
    return {};
  }

  // TLS runs over memory, so that writes go through send() with MSG_NOSIGNAL.
  Status handshake(Clock::time_point deadline) {
    ssl.reset(SSL_new(tls_context.get()));
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    const std::string& name = options.tls.server_name.empty() ? url.host : options.tls.server_name;
    if (is_ip_address(name)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str());
    } else {
      SSL_set_tlsext_host_name(ssl.get(), name.c_str());
      SSL_set1_host(ssl.get(), name.c_str());
    }
    SSL_set_connect_state(ssl.get());
    while (true) {
      const int done = SSL_do_handshake(ssl.get());
      const int why = SSL_get_error(ssl.get(), done);
      TRY(flush_tls(deadline));
      if (done == 1) return {};
      if (why != SSL_ERROR_WANT_READ) {
        const long verdict = SSL_get_verify_result(ssl.get());
        const std::string text =
            verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : tls_error_text();
        return gone(fmt::format("no TLS with {}: {}", options.base_url, text));
      }
      TRY(fill_tls(deadline));
    }
  }

  Status flush_tls(Clock::time_point deadline) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &data);
    if (size <= 0) return {};
    TRY(send_raw({data, static_cast<std::size_t>(size)}, deadline));
    (void)BIO_reset(SSL_get_wbio(ssl.get()));
    return {};
  }

  Status fill_tls(Clock::time_point deadline) {
    std::array<char, kReadBytes> buffer;
    TRY(const std::size_t size, receive_raw(buffer, deadline));
    if (size == 0) return gone("the server closed the connection");
    BIO_write(SSL_get_rbio(ssl.get()), buffer.data(), static_cast<int>(size));
    return {};
  }

  Status send_raw(std::string_view bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        TRY(wait(POLLOUT, deadline));
      } else if (errno != EINTR) {
        return gone(fmt::format("the connection broke: {}", std::strerror(errno)));
      }
    }
    return {};
  }

  // 0: the peer closed.
  Result<std::size_t> receive_raw(std::span<char> buffer, Clock::time_point deadline) {
    while (true) {
      TRY(wait(POLLIN, deadline));
      const auto size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
      if (size >= 0) return static_cast<std::size_t>(size);
      if (errno != EAGAIN && errno != EINTR)
        return gone(fmt::format("the connection broke: {}", std::strerror(errno)));
    }
  }

  Status send_bytes(std::string_view bytes, Clock::time_point deadline) {
    if (!ssl) return send_raw(bytes, deadline);
    while (!bytes.empty()) {
      const int written = SSL_write(ssl.get(), bytes.data(),
                                    static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 16)));
      if (written <= 0) return gone("the connection broke: " + tls_error_text());
      bytes.remove_prefix(static_cast<std::size_t>(written));
      TRY(flush_tls(deadline));
    }
    return {};
  }

  // Appends to received; false: the peer closed.
  Result<bool> receive(Clock::time_point deadline) {
    std::array<char, kReadBytes> buffer;
    if (!ssl) {
      TRY(const std::size_t size, receive_raw(buffer, deadline));
      received.append(buffer.data(), size);
      return size > 0;
    }
    while (true) {
      const int size = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (size > 0) {
        received.append(buffer.data(), static_cast<std::size_t>(size));
        return true;
      }
      const int why = SSL_get_error(ssl.get(), size);
      if (why == SSL_ERROR_ZERO_RETURN) return false;
      if (why != SSL_ERROR_WANT_READ) return gone("the connection broke: " + tls_error_text());
      TRY(flush_tls(deadline));
      TRY(fill_tls(deadline));
    }
  }

  // A kept connection that has become readable has been closed, or speaks out of turn.
  bool kept_is_usable() const {
    if (!socket.valid() || !received.empty()) return false;
    pollfd fd{socket.get(), POLLIN, 0};
    return ::poll(&fd, 1, 0) == 0;
  }

  std::string request_text(const HttpClientRequest& request) const {
    const bool six = url.host.find(':') != std::string::npos;
    const bool usual = url.port == (url.tls ? 443 : 80) || !url.unix_path.empty();
    std::string text = fmt::format("{} {}{} HTTP/1.1\r\nHost: {}{}{}", request.method, url.path,
                                   request.target, six ? "[" : "", url.host, six ? "]" : "");
    if (!usual) text += fmt::format(":{}", url.port);
    text += "\r\n";
    const auto append = [&text](const HttpHeaders& headers, const HttpHeaders* over) {
      for (std::size_t i = 0; i < headers.size(); ++i) {
        if (over != nullptr && over->find(headers.name(i))) continue;
        text.append(headers.name(i)).append(": ").append(headers.value(i)).append("\r\n");
      }
    };
    append(options.headers, &request.headers);
    append(request.headers, nullptr);
    const bool may_have_body = request.method != "GET" && request.method != "HEAD";
    if (may_have_body || !request.body.empty())
      text += fmt::format("Content-Length: {}\r\n", request.body.size());
    return text + "\r\n" + request.body;
  }

  Result<HttpResponse> exchange(const HttpClientRequest& request, const Chunk* on_chunk,
                                bool* heard);
  Result<HttpResponse> call(const HttpClientRequest& request, const Chunk* on_chunk);
};

Result<HttpResponse> HttpClient::State::exchange(const HttpClientRequest& request,
                                                 const Chunk* on_chunk, bool* heard) {
  auto deadline = Clock::now() + options.timeout;
  TRY(send_bytes(request_text(request), deadline));
  HttpParserLimits limits{.target_bytes = 0, .header_bytes = 256 << 10, .header_count = 1000};
  limits.body_bytes =
      on_chunk != nullptr ? std::numeric_limits<std::size_t>::max() : options.body_bytes_max;
  std::optional<HttpResponseParser> parser(std::in_place, limits, request.method == "HEAD");
  bool header_done = false;
  bool passing_on = false;
  auto progress = ParseProgress::NeedMore;
  while (true) {
    std::size_t consumed = 0;
    progress = parser->feed(received, &consumed);
    received.erase(0, consumed);
    if (progress == ParseProgress::HeaderDone) {
      header_done = true;
      passing_on = on_chunk != nullptr && parser->response().status < 400;
      continue;
    }
    if (progress == ParseProgress::Done &&
        parser->response().status < 200) {  // 100 Continue and its like
      parser.emplace(limits, request.method == "HEAD");
      header_done = false;
      continue;
    }
    if (passing_on) {
      const auto piece = parser->take_body();
      if (!piece.empty() && !(*on_chunk)(piece)) {
        drop();
        return std::move(parser->response());
      }
      deadline = Clock::now() + options.timeout;
    }
    if (progress == ParseProgress::Done || progress == ParseProgress::Failed) break;
    TRY(const bool more, receive(deadline));
    *heard = *heard || more;
    if (more) continue;
    progress = parser->feed_end();
    if (progress == ParseProgress::Done && passing_on) {
      if (const auto piece = parser->take_body(); !piece.empty()) (*on_chunk)(piece);
    }
    break;
  }
  if (progress == ParseProgress::Failed) {
    if (!header_done && parser->failure().status == 502)
      return gone("the server closed the connection without an answer");
    if (parser->failure().status == 413)
      return fail(ErrorCode::Limit, "the answer is larger than allowed");
    return fail(parser->failure().status == 502 ? ErrorCode::Unavailable : ErrorCode::Invalid,
                fmt::format("the server's answer is broken: {}", parser->failure().reason));
  }
  auto response = std::move(parser->response());
  if (!passing_on) response.body = parser->take_body();
  if (!parser->keep_alive()) drop();
  return response;
}

Result<HttpResponse> HttpClient::State::call(const HttpClientRequest& request,
                                             const Chunk* on_chunk) {
  TRY(valid);
  bool kept = kept_is_usable();
  if (!kept) TRY(connect());
  bool heard = false;
  auto response = exchange(request, on_chunk, &heard);
  if (response) return response;
  drop();
  // A server may close a kept connection at the moment we use it: then nothing has come back.
  const bool may_retry =
      kept && !heard && is_idempotent(request) && response.error().code == ErrorCode::Unavailable;
  if (!may_retry) return response;
  pollfd stop{interrupted.get(), POLLIN, 0};
  if (::poll(&stop, 1, 0) > 0) return response;
  TRY(connect());
  response = exchange(request, on_chunk, &heard);
  if (!response) drop();
  return response;
}

HttpClient::HttpClient(HttpClientOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpResponse> HttpClient::send(const HttpClientRequest& request) {
  return state_->call(request, nullptr);
}

Result<HttpResponse> HttpClient::get(std::string_view target) {
  return send({.target = std::string(target)});
}

Result<HttpResponse> HttpClient::post(std::string_view target, std::string body,
                                      std::string_view content_type) {
  return send({.method = "POST",
               .target = std::string(target),
               .headers = {{"Content-Type", content_type}},
               .body = std::move(body)});
}

Result<HttpResponse> HttpClient::stream(const HttpClientRequest& request, const Chunk& on_chunk) {
  return state_->call(request, &on_chunk);
}

void HttpClient::interrupt() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(state_->interrupted.get(), &one, sizeof one);
}

}  // namespace showcaller
