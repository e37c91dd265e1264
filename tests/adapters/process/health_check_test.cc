// SPDX-License-Identifier: Apache-2.0
// Probes against real sockets, by a clock that the test turns.
#include "adapters/process/health_check.h"

#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

namespace showcaller {
namespace {

constexpr Instant kStart = instant_ms(1'000'000);

// A socket on loopback of the kernel's choice.
struct Bound {
  explicit Bound(int type) : socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  }
  sockaddr_in address{};
  FileHandle socket;
};

HealthProbe probe_of(ProbeKind kind) {
  return {.kind = kind, .period = seconds(5), .timeout = seconds(1), .failures = 2};
}

// One probe: when its time has come, until it is over. Who answers is waited for, however busy the
// machine; of who does not (a short wait), half a second passes each time.
void probe_once(HealthCheck* check, int wait_ms = 10'000) {
  Instant now = check->deadline();
  check->turn(now);
  for (int i = 0; i < 100 && check->fd() >= 0; ++i) {
    pollfd polled{check->fd(), short(check->wants_write() ? POLLOUT : POLLIN), 0};
    if (::poll(&polled, 1, wait_ms) == 0) now += Duration(500);
    check->turn(now);
  }
}

// Answers one connection with the text.
std::thread answer_once(Bound* listener, std::string text) {
  ::listen(listener->socket.get(), 4);
  return std::thread([listener, text = std::move(text)] {
    const FileHandle peer(::accept4(listener->socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char buffer[1024];
    const ssize_t n = ::recv(peer.get(), buffer, sizeof buffer, 0);
    EXPECT_TRUE(std::string_view(buffer, std::size_t(n > 0 ? n : 0)).starts_with("GET /well HTTP"));
    ::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL);
  });
}

TEST(HealthCheck, AsksOnceAPeriod) {
  Bound listener(SOCK_STREAM);
  ::listen(listener.socket.get(), 4);
  HealthCheck check(probe_of(ProbeKind::Tcp), listener.address, kStart);
  EXPECT_EQ(check.deadline(), kStart + seconds(5));
  check.turn(kStart + seconds(4));
  EXPECT_LT(check.fd(), 0);
  probe_once(&check);
  EXPECT_EQ(check.deadline(), kStart + seconds(10));
  EXPECT_FALSE(check.is_sick());
}

TEST(HealthCheck, WhoTakesNoConnectionIsSickAfterAsManyAsAreGranted) {
  Bound closed(SOCK_STREAM);  // Bound, but nobody listens.
  HealthCheck check(probe_of(ProbeKind::Tcp), closed.address, kStart);
  probe_once(&check);
  EXPECT_FALSE(check.is_sick());
  probe_once(&check);
  EXPECT_TRUE(check.is_sick());
  EXPECT_EQ(check.reason(), "Connection refused");
}

TEST(HealthCheck, ADatagramIsToBeAnswered) {
  Bound game(SOCK_DGRAM);
  HealthCheck check(probe_of(ProbeKind::Udp), game.address, kStart);
  check.turn(check.deadline());
  char buffer[64];
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const ssize_t n = ::recvfrom(game.socket.get(), buffer, sizeof buffer, 0,
                               reinterpret_cast<sockaddr*>(&from), &size);
  EXPECT_EQ(std::string(buffer, std::size_t(n)), "showcaller probe");
  ::sendto(game.socket.get(), "well", 4, 0, reinterpret_cast<sockaddr*>(&from), size);
  probe_once(&check);
  EXPECT_LT(check.fd(), 0);
  EXPECT_EQ(check.reason(), "");
  probe_once(&check, 1);  // Nobody reads it.
  probe_once(&check, 1);
  EXPECT_TRUE(check.is_sick());
  EXPECT_EQ(check.reason(), "no answer within 1s");
}

TEST(HealthCheck, AStatusOfHttpSaysHowItIs) {
  struct Case {
    const char* answer;
    const char* reason;
  };
  for (const Case& c :
       {Case{"HTTP/1.1 200 OK\r\n\r\n", ""}, Case{"HTTP/1.0 302 Found\r\n\r\n", ""},
        Case{"HTTP/1.1 503 Service Unavailable\r\n\r\n", "it answered with status 503"},
        Case{"SSH-2.0-OpenSSH_9.2", "its answer is no HTTP"}, Case{"", "its answer is no HTTP"}}) {
    Bound listener(SOCK_STREAM);
    std::thread server = answer_once(&listener, c.answer);
    HealthProbe probe = probe_of(ProbeKind::Http);
    probe.path = "/well";
    HealthCheck check(probe, listener.address, kStart);
    probe_once(&check);
    server.join();
    EXPECT_EQ(check.reason(), c.reason) << c.answer;
  }
}

TEST(HealthCheck, OneAnswerForgivesAllThatWereMissed) {
  Bound listener(SOCK_STREAM);
  HealthCheck check(probe_of(ProbeKind::Tcp), listener.address, kStart);
  probe_once(&check);
  ::listen(listener.socket.get(), 4);
  probe_once(&check);
  EXPECT_FALSE(check.is_sick());
  listener.socket.reset();
  probe_once(&check);
  EXPECT_FALSE(check.is_sick());
  probe_once(&check);
  EXPECT_TRUE(check.is_sick());
}

}  // namespace
}  // namespace showcaller
