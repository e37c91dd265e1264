// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <array>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "net/connection_loop.h"

namespace showcaller {
namespace {

struct AnyAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Result<AnyAddress> tcp_address(const HttpServerOptions& options) {
  AnyAddress address;
  auto& four = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& six = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (::inet_pton(AF_INET, options.address.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(options.port);
    address.size = sizeof four;
  } else if (::inet_pton(AF_INET6, options.address.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(options.port);
    address.size = sizeof six;
  } else {
    return fail(
        ErrorCode::Invalid,
        fmt::format("'{}' is not an IP address; give one of this machine", options.address));
  }
  return address;
}

Result<AnyAddress> unix_address(const std::string& path) {
  AnyAddress address;
  auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
  local.sun_family = AF_UNIX;
  if (path.size() >= sizeof local.sun_path) {
    return fail(ErrorCode::Invalid,
                fmt::format("the path '{}' is too long for a socket; choose a shorter one", path));
  }
  std::memcpy(local.sun_path, path.data(), path.size());
  address.size = sizeof local;
  return address;
}

int open_socket(int family) {
  return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

// A socket nobody listens on is left over from a process that died.
Status clear_stale_socket(const std::string& path, AnyAddress address) {
  const int probe = open_socket(AF_UNIX);
  const int connected = ::connect(probe, address.get(), address.size);
  const int error = errno;
  ::close(probe);
  if (connected == 0 || error == EAGAIN) {
    return fail(ErrorCode::Unavailable,
                fmt::format("another process listens on '{}'; stop it first", path));
  }
  if (error == ECONNREFUSED) ::unlink(path.c_str());
  return {};
}

std::string describe_peer(int descriptor) {
  AnyAddress address;
  address.size = sizeof address.storage;
  ::getpeername(descriptor, address.get(), &address.size);
  const bool six = address.storage.ss_family == AF_INET6;
  if (!six && address.storage.ss_family != AF_INET) return "unix";
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = six ? static_cast<const void*>(&v6.sin6_addr) : &v4.sin_addr;
  ::inet_ntop(address.storage.ss_family, bytes, text.data(), text.size());
  return fmt::format("{}{}{}:{}", six ? "[" : "", text.data(), six ? "]" : "", ntohs(v4.sin_port));
}

// Refused connections get a word, if the socket takes it at once.
void refuse_connection(int descriptor, bool tls) {
  auto response = protocol_problem(503, "there are too many connections; try again later");
  response.headers.add("Content-Length", fmt::format_int(response.body.size()).c_str());
  response.headers.add("Connection", "close");
  response.headers.add("Retry-After", "1");
  std::string text;
  append_response_head(&text, response.status, response.headers);
  text += response.body;
  if (!tls) {
    [[maybe_unused]] const auto sent =
        ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(descriptor, SHUT_WR);
  }
  ::close(descriptor);
}

}  // namespace

struct HttpServer::State {
  ServerCore core;
  HttpServerOptions options;
  std::vector<std::unique_ptr<ConnectionLoop>> loops;
  std::uint16_t port = 0;
  std::size_t next_loop = 0;  // the listening loop's thread only
  bool stopped = true;

  Result<int> listen();
  void admit(int descriptor);
};

// The listening socket.
Result<int> HttpServer::State::listen() {
  const bool local = !options.unix_path.empty();
  TRY(auto address, local ? unix_address(options.unix_path) : tcp_address(options));
  if (local) TRY(clear_stale_socket(options.unix_path, address));
  const int descriptor = open_socket(address.storage.ss_family);
  const int on = 1;
  if (!local) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto old_mask = ::umask(0177);
  bool listening = ::bind(descriptor, address.get(), address.size) == 0;
  ::umask(old_mask);
  listening = listening && ::listen(descriptor, SOMAXCONN) == 0;
  if (!listening) {
    const std::string why = std::strerror(errno);
    ::close(descriptor);
    const auto where =
        local ? options.unix_path : fmt::format("{}:{}", options.address, options.port);
    return fail(ErrorCode::Unavailable,
                fmt::format("cannot listen on {}: {}; choose another place", where, why));
  }
  ::getsockname(descriptor, address.get(), &address.size);
  // In both families the port lies at the same place.
  if (!local) port = ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
  return descriptor;
}

void HttpServer::State::admit(int descriptor) {
  core.accepted.fetch_add(1, std::memory_order_relaxed);
  const int on = 1;
  if (options.unix_path.empty()) ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  {
    std::lock_guard lock(core.mutex);
    if (core.open < core.limits.connections && !core.stopping) {
      ++core.open;
      return loops[next_loop++ % loops.size()]->adopt(descriptor, describe_peer(descriptor));
    }
  }
  core.refused.fetch_add(1, std::memory_order_relaxed);
  refuse_connection(descriptor, core.tls != nullptr);
}

HttpServer::HttpServer() : state_(std::make_unique<State>()) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options,
                                                      HttpHandler handler) {
  CHECK(options.threads >= 1);
  std::unique_ptr<HttpServer> server(new HttpServer());
  State& state = *server->state_;
  state.core.limits = options.limits;
  state.core.handler = std::move(handler);
  state.core.admission = std::move(options.admission);
  if (options.refusal) state.core.refusal = std::move(options.refusal);
  state.core.after_round = std::move(options.after_round);
  state.options = std::move(options);
  if (state.options.tls) {
    TRY(state.core.tls, make_server_tls(*state.options.tls));
  }
  TRY(const int listening, state.listen());
  for (int i = 0; i < state.options.threads; ++i)
    state.loops.push_back(std::make_unique<ConnectionLoop>(&state.core));
  state.loops[0]->listen(listening, [&state](int descriptor) { state.admit(descriptor); });
  for (auto& loop : state.loops) loop->start();
  state.stopped = false;
  return server;
}

HttpServer::~HttpServer() {
  stop(Duration(0));
}

std::uint16_t HttpServer::port() const {
  return state_->port;
}

std::string HttpServer::url() const {
  const auto& options = state_->options;
  if (!options.unix_path.empty()) return "unix:" + options.unix_path;
  const bool six = options.address.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", options.tls ? "https" : "http", six ? "[" : "",
                     options.address, six ? "]" : "", state_->port);
}

void HttpServer::stop(Duration grace) {
  State& state = *state_;
  if (std::exchange(state.stopped, true)) return;
  state.core.stopping = true;
  if (!state.options.unix_path.empty()) ::unlink(state.options.unix_path.c_str());
  state.loops[0]->stop_listening();
  for (auto& loop : state.loops) loop->stop_gently();
  {
    std::unique_lock lock(state.core.mutex);
    const auto gone = [&state] { return state.core.open == 0; };
    if (!state.core.all_gone.wait_for(lock, grace, gone)) {
      lock.unlock();
      for (auto& loop : state.loops) loop->close_all();
      lock.lock();
      state.core.all_gone.wait(lock, gone);
    }
  }
  for (auto& loop : state.loops) loop->join();
}

HttpServerStats HttpServer::stats() const {
  auto& core = state_->core;
  std::lock_guard lock(core.mutex);
  return {core.accepted, core.open, core.requests, core.refused, core.timed_out, core.dropped};
}

}  // namespace showcaller
