// SPDX-License-Identifier: Apache-2.0
// Steps over real TCP and UDP sockets.
#include "adapters/probe_socket/probe_socket.h"

#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace showcaller {
namespace {

// A bound socket on a port that the system chose.
struct Bound {
  explicit Bound(int type) : fd(::socket(AF_INET, type, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    where = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
    if (type == SOCK_STREAM) ::listen(fd, 4);
  }
  ~Bound() { ::close(fd); }
  int fd;
  std::string where;
};

ProbeAnswer tcp(const std::string& address, const std::string& send,
                Duration timeout = seconds(10)) {
  ProbeStep step;
  step.what = TcpProbeStep{address, send};
  return ProbeSocket().exchange(step, {}, timeout);
}
ProbeAnswer udp(const std::string& address, const std::string& send,
                Duration timeout = seconds(10)) {
  ProbeStep step;
  step.what = UdpProbeStep{address, send};
  return ProbeSocket().exchange(step, {}, timeout);
}

TEST(ProbeSocket, ThatItAcceptsIsEnoughForSilentTcp) {
  Bound listener(SOCK_STREAM);
  EXPECT_EQ(tcp(listener.where, "").error, "");
}

TEST(ProbeSocket, TcpIsAskedAndAnswers) {
  Bound listener(SOCK_STREAM);
  std::jthread game([&] {
    const int fd = ::accept(listener.fd, nullptr, nullptr);
    char buffer[64];
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    EXPECT_EQ(std::string(buffer, std::size_t(got)), "PING");
    EXPECT_EQ(::send(fd, "PONG", 4, 0), 4);
    ::close(fd);
  });
  const ProbeAnswer answer = tcp(listener.where, "PING");
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.body, "PONG");
}

TEST(ProbeSocket, UdpIsAskedAndAnswers) {
  Bound game(SOCK_DGRAM);
  std::jthread thread([&] {
    char buffer[64];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        ::recvfrom(game.fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    EXPECT_EQ(
        ::sendto(game.fd, buffer, std::size_t(got), 0, reinterpret_cast<sockaddr*>(&from), size),
        got);
  });
  EXPECT_EQ(udp(game.where, "showcaller probe").body, "showcaller probe");
}

TEST(ProbeSocket, SaysWhyThereIsNoAnswer) {
  std::string gone;
  {
    Bound listener(SOCK_STREAM);
    gone = listener.where;
  }
  EXPECT_NE(tcp(gone, "").error.find("Connection refused"), std::string::npos);
  Bound silent(SOCK_DGRAM);
  EXPECT_EQ(udp(silent.where, "x", Duration(30)).error, "no answer in time");
  EXPECT_NE(udp(gone, "x", seconds(5)).error, "") << "nobody is there";
  EXPECT_EQ(tcp("nowhere", "").error, "'nowhere' is no address; write host:port");
  EXPECT_NE(tcp("no.such.host.invalid:1", "").error.find("is not known"), std::string::npos);
}

}  // namespace
}  // namespace showcaller
