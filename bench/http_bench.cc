// SPDX-License-Identifier: Apache-2.0
// Requests a second, and processor time a request, of the HTTP server against a bare epoll loop
// that answers the same bytes to whatever ends in an empty line. Servers run in processes of their
// own, so only their time counts.
#include <csignal>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/figure.h"
#include "net/http_server.h"

namespace {

using namespace showcaller;

constexpr std::string_view kRequest =
    "GET /api/v1/status HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\nUser-Agent: bench/1\r\n\r\n";
constexpr std::string_view kBody = "{\"seq\":1234567}\n\n";
constexpr int kConnections = 64;
constexpr int kRequests = 40'000;

int listen_anywhere(std::uint16_t* port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(fd, 512);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  return fd;
}

void watch(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// The least that answers HTTP: no parsing, no limits, no time-outs.
[[noreturn]] void run_bare_loop(int ready) {
  std::uint16_t port = 0;
  const int listening = listen_anywhere(&port);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listening);
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
        watch(epoll, connection);
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

// A server in a process of its own, ended with this one.
struct ServerProcess {
  pid_t pid = 0;
  std::uint16_t port = 0;
  clockid_t clock{};

  explicit ServerProcess(const std::function<void(int)>& run) {
    int ends[2];
    if (::pipe(ends) != 0) return;
    pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      run(ends[1]);
      ::_exit(0);
    }
    (void)!::read(ends[0], &port, sizeof port);
    ::close(ends[0]);
    ::close(ends[1]);
    ::clock_getcpuclockid(pid, &clock);
  }
  ~ServerProcess() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
};

// Each connection sends its next request when it has its answer.
void load(std::uint16_t port) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<int> sockets;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  for (int i = 0; i < kConnections; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, fd);
    sockets.push_back(fd);
  }
  int sent = 0, answered = 0;
  const auto ask = [&](int fd) {
    if (sent < kRequests && ::send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0) ++sent;
  };
  for (const int fd : sockets) ask(fd);
  std::vector<epoll_event> events(256);
  char buffer[4096];
  while (answered < kRequests) {
    const int count = ::epoll_wait(epoll, events.data(), int(events.size()), 5000);
    if (count <= 0) std::abort();
    for (int i = 0; i < count; ++i) {
      const int fd = events[std::size_t(i)].data.fd;
      if (::recv(fd, buffer, sizeof buffer, 0) <= 0) std::abort();
      ++answered;
      ask(fd);
    }
  }
  for (const int fd : sockets) ::close(fd);
  ::close(epoll);
}

struct Round {
  double cpu_us = 0;  // of the server, a request
  double rate = 0;
};

Round measure(const ServerProcess& server) {
  const double cpu = bench::now_s(server.clock);
  const double wall = bench::now_s(CLOCK_MONOTONIC);
  load(server.port);
  const double elapsed = bench::now_s(CLOCK_MONOTONIC) - wall;
  return {(bench::now_s(server.clock) - cpu) * 1e6 / kRequests, kRequests / elapsed};
}

bench::Figure figure(std::string name, std::string unit, const std::vector<double>& ours,
                     const std::vector<double>& bare) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / bare[i]);
  return {std::move(name),   std::move(unit),       bench::median(ours),     bench::median(bare),
          "bare epoll loop", bench::median(ratios), bench::spread_of(ratios)};
}

}  // namespace

int main(int argc, char** argv) {
  const ServerProcess ours(run_ours);
  const ServerProcess bare(run_bare_loop);
  std::vector<double> our_cpu, our_rate, bare_cpu, bare_rate;
  for (int round = -1; round < 7; ++round) {
    const bool ours_first = round % 2 == 0;
    Round a = ours_first ? measure(ours) : Round{};
    const Round b = measure(bare);
    if (!ours_first) a = measure(ours);
    if (round < 0) continue;
    our_cpu.push_back(a.cpu_us);
    our_rate.push_back(a.rate);
    bare_cpu.push_back(b.cpu_us);
    bare_rate.push_back(b.rate);
  }
  bench::print_figures(argc, argv,
                       {figure("http_get_cpu", "us/op", our_cpu, bare_cpu),
                        figure("http_get_rate", "op/s", our_rate, bare_rate)});
}
