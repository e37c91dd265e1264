// SPDX-License-Identifier: Apache-2.0
#include "adapters/probe_socket/probe_socket.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace showcaller {
namespace {

using Deadline = std::chrono::steady_clock::time_point;
constexpr std::size_t kAnswerMax = 64 << 10;

struct Socket {
  int fd = -1;
  Socket() = default;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
};

ProbeAnswer no_answer(std::string why) {
  return {std::move(why), 0, {}};
}
std::string system_says(std::string_view what) {
  return fmt::format("{}: {}", what, std::strerror(errno));
}

// Until it can be read or written; false: time is up.
bool wait_until(int fd, short events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd one{fd, events, 0};
    const int ready = ::poll(&one, 1, int(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
    if (ready > 0) return true;
    if (ready == 0 && std::chrono::steady_clock::now() >= deadline) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// Connected; or why not.
std::string connect_to(const std::string& address, int type, Deadline deadline, Socket* out) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size())
    return fmt::format("'{}' is no address; write host:port", address);
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = type;
  addrinfo* found = nullptr;
  const int looked = ::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found);
  if (looked != 0) return fmt::format("{} is not known: {}", host, gai_strerror(looked));
  std::string why = "there is no address";
  for (const addrinfo* at = found; at != nullptr && out->fd < 0; at = at->ai_next) {
    const int fd = ::socket(at->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0) {
      why = system_says("no socket");
      continue;
    }
    int error = ::connect(fd, at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      socklen_t size = sizeof error;
      if (!wait_until(fd, POLLOUT, deadline))
        error = ETIMEDOUT;
      else
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) {
      out->fd = fd;
    } else {
      why = fmt::format("{} takes no connection: {}", address, std::strerror(error));
      ::close(fd);
    }
  }
  ::freeaddrinfo(found);
  return out->fd < 0 ? why : std::string();
}

ProbeAnswer say_and_hear(int fd, const std::string& words, Deadline deadline) {
  std::string_view rest = words;
  while (!rest.empty()) {
    const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      rest.remove_prefix(std::size_t(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      return no_answer(system_says("nothing could be sent"));
    } else if (!wait_until(fd, POLLOUT, deadline)) {
      return no_answer("nothing could be sent in time");
    }
  }
  std::string body(kAnswerMax, '\0');
  for (;;) {
    if (!wait_until(fd, POLLIN, deadline)) return no_answer("no answer in time");
    const ssize_t got = ::recv(fd, body.data(), body.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return no_answer(system_says("no answer"));
    if (got == 0) return no_answer("it hung up without an answer");
    body.resize(std::size_t(got));
    return {{}, 0, std::move(body)};
  }
}

}  // namespace

ProbeAnswer ProbeSocket::exchange(const ProbeStep& step, const ProbeContext&, Duration timeout) {
  const Deadline deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout.count());
  const auto* tcp = std::get_if<TcpProbeStep>(&step.what);
  const auto* udp = std::get_if<UdpProbeStep>(&step.what);
  Socket socket;
  const std::string& address = tcp ? tcp->address : udp->address;
  std::string why = connect_to(address, tcp ? SOCK_STREAM : SOCK_DGRAM, deadline, &socket);
  if (!why.empty()) return no_answer(std::move(why));
  if (tcp && tcp->send.empty()) return {};
  return say_and_hear(socket.fd, tcp ? tcp->send : udp->send, deadline);
}

}  // namespace showcaller
