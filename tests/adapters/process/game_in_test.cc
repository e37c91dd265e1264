// SPDX-License-Identifier: Apache-2.0
#include "tests/adapters/process/game_in_test.h"

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/process/file_handle.h"
#include "adapters/process/shim.h"
#include "codec/agones_rest.h"

namespace showcaller::testing {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(std::uint16_t(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Enough HTTP for the game below: a request a connection, whole in one read.
void answer(const FileHandle& socket, agones::SidecarBackend& backend) {
  char buffer[8192];
  const ssize_t n = ::recv(socket.get(), buffer, sizeof buffer, 0);
  const std::string_view request(buffer, std::size_t(n > 0 ? n : 0));
  const std::size_t method_end = request.find(' ');
  const std::size_t target_end = request.find(' ', method_end + 1);
  const std::size_t head_end = request.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return;
  const auto parsed = agones::parse_rest(
      {request.substr(0, method_end), request.substr(method_end + 1, target_end - method_end - 1),
       request.substr(head_end + 4)});
  const agones::RestReply reply =
      parsed ? agones::to_rest(backend.call(std::get<agones::SdkCall>(*parsed))) : parsed.error();
  const std::string text = fmt::format("HTTP/1.1 {} -\r\nContent-Length: {}\r\n\r\n{}",
                                       reply.status, reply.body.size(), reply.body);
  ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

Result<ServedSidecar> serve(agones::SidecarBackend& backend) {
  FileHandle listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(listener.get(), 16);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  std::thread([&backend, listener = std::move(listener)] {
    while (true) {
      const FileHandle socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) return;
      answer(socket, backend);
    }
  }).detach();
  return ServedSidecar{.http_port = ntohs(address.sin_port)};
}

void call_sdk(const std::string& path) {
  const FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(std::atoi(std::getenv("AGONES_SDK_HTTP_PORT")));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return;
  const std::string request =
      fmt::format("POST {} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}", path);
  ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
  char buffer[4096];
  while (::recv(socket.get(), buffer, sizeof buffer, 0) > 0) {
  }
}

// Waits for orders on its own port, one a datagram, and pings Health meanwhile.
int play(bool ready) {
  const FileHandle socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(std::atoi(std::getenv("SHOWCALLER_PORT")));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return 3;
  if (ready) call_sdk("/ready");
  bool stalled = false;
  bool mute = false;
  while (true) {
    pollfd polled{socket.get(), POLLIN, 0};
    ::poll(&polled, 1, 20);
    if (!stalled && ready) call_sdk("/health");
    if (polled.revents == 0) continue;
    char buffer[256];
    sockaddr_in from{};
    socklen_t from_size = sizeof from;
    const ssize_t n = ::recvfrom(socket.get(), buffer, sizeof buffer, 0,
                                 reinterpret_cast<sockaddr*>(&from), &from_size);
    const std::string order(buffer, std::size_t(n > 0 ? n : 0));
    if (order == "crash") std::abort();
    if (order == "stall") stalled = true;
    if (order == "mute") mute = true;
    if (order == "showcaller probe" && !mute) {
      fmt::print("probed\n");
      std::fflush(stdout);
      ::sendto(socket.get(), "well", 4, 0, reinterpret_cast<const sockaddr*>(&from), from_size);
    }
    if (order == "deaf") ::signal(SIGTERM, SIG_IGN);
    if (order == "leave") return 7;
    if (order.starts_with("/")) call_sdk(order);
    if (order == "shutdown") {
      call_sdk("/shutdown");
      return 0;
    }
    if (order == "shout") {
      for (int i = 0; i < 4096; ++i) fmt::print("line {:06} of a game server that says a lot\n", i);
      std::fflush(stdout);
    }
    if (order == "fork" && ::fork() == 0) {
      ::setsid();  // Flees the process group.
      while (true) ::pause();
    }
    if (order == "limits") {
      rlimit files{};
      ::getrlimit(RLIMIT_NOFILE, &files);
      fmt::print("open files {}\n", files.rlim_cur);
      std::fflush(stdout);
    }
  }
}

}  // namespace

std::optional<int> run_other_role(int argc, char** argv) {
  if (argc < 3 || std::string_view(argv[1]) != "--role") return std::nullopt;
  const std::string_view role = argv[2];
  if (role == "game") return play(true);
  if (role == "never-ready") return play(false);
  ShimOptions options{.serve = serve};
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--dir") options.folder = argv[i + 1];
    if (name == "--address") options.address = argv[i + 1];
    if (name == "--control-fd") options.control_fd = std::atoi(argv[i + 1]);
    if (name == "--lock-fd") options.lock_fd = std::atoi(argv[i + 1]);
  }
  return shim_main(options);
}

}  // namespace showcaller::testing

int main(int argc, char** argv) {
  if (const auto code = showcaller::testing::run_other_role(argc, argv)) return *code;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
