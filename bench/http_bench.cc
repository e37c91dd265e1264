// SPDX-License-Identifier: Apache-2.0
// Requests a second, and processor time a request, of the HTTP server against a bare epoll loop
// that answers the same bytes to whatever ends in an empty line.
#include <string>

#include "bench/http_load.h"
#include "net/http_server.h"

namespace {

using namespace showcaller;

constexpr std::string_view kRequest =
    "GET /api/v1/status HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\nUser-Agent: bench/1\r\n\r\n";
constexpr std::string_view kBody = "{\"seq\":1234567}\n\n";

int listen_anywhere(std::uint16_t* port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = bench::loopback(0);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(fd, 512);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  return fd;
}

// The least that answers HTTP: no parsing, no limits, no time-outs.
[[noreturn]] void run_bare_loop(int ready) {
  std::uint16_t port = 0;
  const int listening = listen_anywhere(&port);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  bench::watch(epoll, listening);
  (void)!::write(ready, &port, sizeof port);
  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Content-Length: " +
      std::to_string(kBody.size()) + "\r\n\r\n" + std::string(kBody);
  std::vector<epoll_event> events(256);
  std::vector<char> buffer(64 << 10);
  while (true) {
    const int count = ::epoll_wait(epoll, events.data(), int(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[std::size_t(i)].data.fd;
      if (fd == listening) {
        const int connection = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        const int on = 1;
        ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        bench::watch(epoll, connection);
        continue;
      }
      const auto size = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (size <= 0) {
        ::close(fd);
      } else if (std::string_view(buffer.data(), std::size_t(size)).ends_with("\r\n\r\n")) {
        (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
    }
  }
}

[[noreturn]] void run_ours(int ready) {
  auto server = HttpServer::start({}, [](HttpRequest&&, Responder responder) {
    responder.send(json_response(200, std::string(kBody)));
  });
  const std::uint16_t port = server ? (*server)->port() : 0;
  (void)!::write(ready, &port, sizeof port);
  while (true) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  const bench::ServerProcess ours(run_ours);
  const bench::ServerProcess bare(run_bare_loop);
  const bench::HttpLoad load{.request = kRequest};
  const auto rounds = bench::compare_loads(ours, load, bare, load);
  constexpr const char* kBare = "bare epoll loop";
  bench::print_figures(
      argc, argv,
      {bench::figure_of_rounds("http_get_cpu", "us/op", rounds.our_cpu, rounds.their_cpu, kBare),
       bench::figure_of_rounds("http_get_rate", "op/s", rounds.our_rate, rounds.their_rate,
                               kBare)});
}
