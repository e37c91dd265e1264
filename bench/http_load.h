// SPDX-License-Identifier: Apache-2.0
// Servers in processes of their own, so that only their processor time counts, and a load of many
// connections, each of which sends its next request when it has its answer.
#pragma once

#include <csignal>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/figure.h"

namespace showcaller::bench {

// A server in a process of its own, ended with this one. It writes its port to the descriptor that
// it is given.
struct ServerProcess {
  pid_t pid = 0;
  std::uint16_t port = 0;
  clockid_t clock{};

  explicit ServerProcess(const std::function<void(int ready)>& run) {
    int ends[2];
    if (::pipe(ends) != 0) return;
    pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      run(ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    (void)!::read(ends[0], &port, sizeof port);
    ::close(ends[0]);
    ::clock_getcpuclockid(pid, &clock);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
};

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

inline int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

inline void watch(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

struct HttpLoad {
  std::string_view request;
  int connections = 64;
  int requests = 40'000;
};

inline void send_load(std::uint16_t port, const HttpLoad& load) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<int> sockets;
  for (int i = 0; i < load.connections; ++i) {
    sockets.push_back(connect_to(port));
    watch(epoll, sockets.back());
  }
  int sent = 0, answered = 0;
  const auto ask = [&](int fd) {
    const bool more = sent < load.requests;
    if (more && ::send(fd, load.request.data(), load.request.size(), MSG_NOSIGNAL) > 0) ++sent;
  };
  for (const int fd : sockets) ask(fd);
  std::vector<epoll_event> events(256);
  char buffer[4096];
  while (answered < load.requests) {
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

struct LoadFigures {
  double cpu_us = 0;  // of the server, a request
  double rate = 0;
};

inline LoadFigures measure_load(const ServerProcess& server, const HttpLoad& load) {
  const double cpu = now_s(server.clock);
  const double wall = now_s(CLOCK_MONOTONIC);
  send_load(server.port, load);
  const double elapsed = now_s(CLOCK_MONOTONIC) - wall;
  return {(now_s(server.clock) - cpu) * 1e6 / load.requests, load.requests / elapsed};
}

// Ours and a reference in turn, after one warm-up round each.
struct LoadRounds {
  std::vector<double> our_cpu, our_rate, their_cpu, their_rate;
};

inline LoadRounds compare_loads(const ServerProcess& ours, const HttpLoad& our_load,
                                const ServerProcess& theirs, const HttpLoad& their_load) {
  LoadRounds all;
  for (int round = -1; round < 7; ++round) {
    const bool ours_first = round % 2 == 0;
    LoadFigures a = ours_first ? measure_load(ours, our_load) : LoadFigures{};
    const LoadFigures b = measure_load(theirs, their_load);
    if (!ours_first) a = measure_load(ours, our_load);
    if (round < 0) continue;
    all.our_cpu.push_back(a.cpu_us);
    all.our_rate.push_back(a.rate);
    all.their_cpu.push_back(b.cpu_us);
    all.their_rate.push_back(b.rate);
  }
  return all;
}

inline Figure figure_of_rounds(std::string name, std::string unit, const std::vector<double>& ours,
                               const std::vector<double>& theirs, std::string reference) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
  return {std::move(name),      std::move(unit), median(ours),     median(theirs),
          std::move(reference), median(ratios),  spread_of(ratios)};
}

}  // namespace showcaller::bench
