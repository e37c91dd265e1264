// SPDX-License-Identifier: Apache-2.0
// `showcaller sidecar --local` as a developer has it at a desk: a process of its own, its ports on
// standard output, its game server in a file.
#include "cli/sidecar_command.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/process/file_handle.h"
#include "tests/net/raw_socket.h"

namespace showcaller {
namespace {

constexpr std::string_view kManifest =
    "apiVersion: agones.dev/v1\nkind: GameServer\nmetadata: {{ name: {} }}\n";

class SidecarAtADesk : public testing::Test {
 protected:
  SidecarAtADesk() {
    char path[] = "/tmp/showcaller-test-XXXXXX";
    folder_ = ::mkdtemp(path);
    write("first");
    int out[2];
    EXPECT_EQ(::pipe(out), 0);
    std::fflush(nullptr);  // Or the child says again what waits to be written.
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::_exit(sidecar_command({.grpc_port = 0,
                               .http_port = 0,
                               .file = folder_ + "/game.yaml",
                               .state_file = folder_ + "/state.json"}));
    }
    ::close(out[1]);
    said_ = FileHandle(out[0]);
    const std::string line = read_line();
    const std::size_t at = line.find("REST on http://127.0.0.1:");
    EXPECT_NE(at, std::string::npos) << line;
    EXPECT_NE(line.find("gRPC on 127.0.0.1:"), std::string::npos) << line;
    port_ = std::uint16_t(std::atoi(line.c_str() + at + 25));
  }
  ~SidecarAtADesk() override {
    ::kill(child_, SIGTERM);
    int status = -1;
    ::waitpid(child_, &status, 0);
    EXPECT_EQ(status, 0) << "it ends well when it is told to";
    std::filesystem::remove_all(folder_);
  }

  void write(const std::string& name) {
    ASSERT_TRUE(write_file_whole(folder_ + "/game.yaml", fmt::format(kManifest, name)));
  }
  std::string read_line() {
    std::string line;
    pollfd polled{said_.get(), POLLIN, 0};
    for (char c = 0; ::poll(&polled, 1, 10'000) == 1 && ::read(said_.get(), &c, 1) == 1;) {
      if (c == '\n') break;
      line += c;
    }
    return line;
  }
  std::string ask(const std::string& request, const std::string& body = "{}") {
    RawSocket socket(port_);
    socket.send(
        fmt::format("{} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: "
                    "{}\r\n\r\n{}",
                    request, body.size(), body));
    return socket.read_all();
  }

  std::string folder_;
  pid_t child_ = 0;
  FileHandle said_;
  std::uint16_t port_ = 0;
};

TEST_F(SidecarAtADesk, ShowsTheGameServerOfTheFileAndPrintsEachCall) {
  EXPECT_NE(ask("GET /gameserver").find(R"("name":"first")"), std::string::npos);
  EXPECT_NE(read_line().find("GetGameServer()"), std::string::npos);
  EXPECT_NE(ask("POST /allocate").find("200 OK"), std::string::npos);
  EXPECT_NE(read_line().find("Allocate()"), std::string::npos);
  EXPECT_NE(ask("GET /v1beta1/counters/none").find("404"), std::string::npos);
  EXPECT_NE(read_line().find("refused: counter not found: none"), std::string::npos);
}

TEST_F(SidecarAtADesk, FollowsItsFile) {
  RawSocket watcher(port_);
  watcher.send("GET /watch/gameserver HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(watcher.read_until("}}}}").find(R"("name":"first")"), std::string::npos);
  write("second");
  EXPECT_NE(watcher.read_until(R"("name":"second")").find(R"("name":"second")"), std::string::npos);
  EXPECT_NE(read_line().find("game.yaml was read again"), std::string::npos);
}

}  // namespace
}  // namespace showcaller
