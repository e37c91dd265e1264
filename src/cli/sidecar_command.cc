// SPDX-License-Identifier: Apache-2.0
#include "cli/sidecar_command.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/clock/system_clock.h"
#include "adapters/process/file_handle.h"
#include "adapters/process/sidecar_cell.h"
#include "codec/agones_manifest.h"
#include "codec/agones_rest.h"
#include "model/manifest/document.h"

namespace showcaller {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr int kLookMs = 200;  // between two looks at the manifest's file

Result<agones::GameServer> initial_game_server(const std::string& file) {
  agones::GameServer local = agones::local_game_server(to_ms(SystemClock().wall()) / 1000);
  if (file.empty()) return local;
  TRY(std::string text, read_file(file, kFileBytesMax));
  std::vector<Finding> findings;
  const std::vector<manifest::Node> documents =
      manifest::parse_documents({.name = file, .text = std::move(text)}, 0, {}, &findings);
  if (documents.size() != 1) {
    return fail(ErrorCode::Invalid,
                fmt::format("{} does not hold one GameServer manifest{}", file,
                            findings.empty() ? "" : ": " + findings.front().message));
  }
  local.counters.clear();
  local.lists.clear();
  return agones::game_server_from_manifest(manifest::to_json(documents.front()), std::move(local));
}

// Tells when a file was written since the last look.
class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)) { (void)has_changed(); }

  bool is_watched() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  bool has_changed() {
    struct stat found{};
    if (path_.empty() || ::stat(path_.c_str(), &found) != 0) return false;
    const auto written = std::tuple(found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ino);
    return std::exchange(written_, written) != written;
  }

 private:
  std::string path_;
  std::tuple<time_t, long, ino_t> written_;
};

void reread(SidecarCell& cell, WatchedFile& file) {
  if (!file.has_changed()) return;
  auto game_server = initial_game_server(file.path());
  if (!game_server) {
    fmt::print(stderr, "sidecar: {}; the game server stays as it was\n",
               game_server.error().message);
    return;
  }
  cell.with([&](agones::SidecarState& state, Instant) { state.replace(*std::move(game_server)); });
  fmt::print("{}  {} was read again\n", format_instant(SystemClock().wall()), file.path());
  std::fflush(stdout);
}

void print_call(const agones::SdkCall& call, const agones::SdkResult& result) {
  fmt::print("{}  {}{}\n", format_instant(SystemClock().wall()), agones::describe(call),
             result ? "" : fmt::format("  refused: {}", result.error().message));
  std::fflush(stdout);
}

// Waits for a signal to end; meanwhile lets reservations run out, follows the manifest's file and
// writes the state file.
void serve_until_signal(SidecarCell& cell, int wake_fd, WatchedFile file,
                        const std::string& state_file) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  const FileHandle signals(::signalfd(-1, &ends, SFD_CLOEXEC));
  std::uint64_t written = 0;
  while (true) {
    cell.with([](agones::SidecarState& state, Instant now) { state.tick(now); });
    reread(cell, file);
    const int look_ms = file.is_watched() ? kLookMs : 60'000;
    int timeout_ms = file.is_watched() ? kLookMs : -1;
    std::string text;
    cell.with([&](agones::SidecarState& state, Instant now) {
      if (const auto at = state.deadline()) {
        timeout_ms = int(std::clamp<std::int64_t>((*at - now).count(), 0, look_ms));
      }
      if (!state_file.empty() && state.version() != written) {
        written = state.version();
        text = to_pretty_json_text(agones::to_json(state.game_server()));
      }
    });
    if (!text.empty()) {
      if (const Status status = write_file_whole(state_file, text + "\n"); !status) {
        fmt::print(stderr, "sidecar: {}\n", status.error().message);
      }
    }
    pollfd polled[2] = {{signals.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
    ::poll(polled, 2, timeout_ms);
    if (polled[0].revents != 0) return;
    eventfd_t ignored = 0;
    if (polled[1].revents != 0) ::eventfd_read(wake_fd, &ignored);
  }
}

}  // namespace

Result<std::shared_ptr<SidecarServers>> serve_sidecar(agones::SidecarBackend& backend,
                                                      const std::string& address,
                                                      std::uint16_t grpc_port,
                                                      std::uint16_t http_port) {
  auto servers = std::make_shared<SidecarServers>();
  TRY(servers->grpc, GrpcSidecar::start(backend, address, grpc_port));
  TRY(servers->rest, RestSidecar::start(backend, address, http_port));
  return servers;
}

int sidecar_command(const SidecarCommand& command) {
  WatchedFile file(command.file);  // Before it is read: what is written meanwhile is read again.
  auto game_server = initial_game_server(command.file);
  if (!game_server) {
    fmt::print(stderr, "sidecar: {}\n", game_server.error().message);
    return 2;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ends,
                    nullptr);  // Before the servers' threads start, so that they inherit it.
  const FileHandle wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  SidecarCell cell(agones::SidecarState(*std::move(game_server), {.lenient = true},
                                        agones::SidecarPhase::Scheduled, SystemClock().wall()),
                   {.now = [] { return SystemClock().wall(); },
                    .on_change = [fd = wake.get()] { ::eventfd_write(fd, 1); },
                    .on_call = print_call});
  const auto servers = serve_sidecar(cell, command.address, command.grpc_port, command.http_port);
  if (!servers) {
    fmt::print(stderr, "sidecar: {}\n", servers.error().message);
    return 1;
  }
  fmt::print(
      "Agones SDK for one local game server: gRPC on {0}:{1}, REST on http://{0}:{2}. Ctrl-C ends "
      "it.\n",
      command.address, (*servers)->grpc->port(), (*servers)->rest->port());
  std::fflush(stdout);
  serve_until_signal(cell, wake.get(), std::move(file), command.state_file);
  return 0;
}

}  // namespace showcaller
