// SPDX-License-Identifier: Apache-2.0
#include "bench/flag/flagd_core_peer.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace showcaller::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "build/peers";
// With what tools/flag_peers compares beside.
constexpr const char* kPackages =
    "@openfeature/flagd-core@4.0.1 @openfeature/core@1.12.0 json-logic-js@2.0.5";

Status install() {
  if (fs::exists(fs::path(kFolder) / "node_modules/@openfeature/flagd-core/package.json"))
    return {};
  fs::create_directories(kFolder);
  const std::string command = fmt::format(
      "npm install --prefix {} --no-audit --no-fund --loglevel=error {} >&2", kFolder, kPackages);
  if (std::system(command.c_str()) != 0)
    return fail(ErrorCode::Unavailable, "npm can't install it; are npm and the network there?");
  return {};
}

std::string write(const char* name, const std::string& text) {
  const std::string path = fmt::format("{}/{}", kFolder, name);
  std::ofstream(path) << text;
  return path;
}

}  // namespace

Result<std::unique_ptr<FlagdCorePeer>> FlagdCorePeer::start(const Workload& workload) {
  TRY(install());
  json::array questions;
  for (const Question& question : workload.questions)
    questions.push_back(json::array{question.flag, question.player});
  std::string arguments[]{"node",
                          "bench/flag/flagd_core.mjs",
                          kFolder,
                          write("definitions.json", workload.definitions),
                          write("players.json", to_json_text(workload.players_json())),
                          write("questions.json", to_json_text(questions))};
  char* argv[std::size(arguments) + 1] = {};
  for (std::size_t i = 0; i < std::size(arguments); ++i) argv[i] = arguments[i].data();
  int in[2], out[2];
  if (pipe(in) != 0 || pipe(out) != 0) return fail(ErrorCode::Unavailable, "there is no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_addclose(&actions, in[1]);
  posix_spawn_file_actions_addclose(&actions, out[0]);
  std::unique_ptr<FlagdCorePeer> peer(new FlagdCorePeer);
  const int failed = posix_spawnp(&peer->pid_, argv[0], &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  peer->to_ = in[1];
  peer->from_ = out[0];
  if (failed != 0) {
    peer->pid_ = -1;
    return fail(ErrorCode::Unavailable, "node can't be started; is it installed?");
  }
  return peer;
}

FlagdCorePeer::~FlagdCorePeer() {
  if (to_ >= 0) close(to_);
  if (from_ >= 0) close(from_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);  // It ends with its input.
}

Result<FlagdCorePeer::Answer> FlagdCorePeer::ask(FlagKind kind, int rounds) {
  const std::string line = fmt::format("raid-{} {}\n", to_string(kind), rounds);
  if (::write(to_, line.data(), line.size()) != ssize_t(line.size()))
    return fail(ErrorCode::Unavailable, "node takes no questions any more");
  std::string told;
  for (char c = 0; ::read(from_, &c, 1) == 1 && c != '\n';) told += c;
  TRY(const json::value answer, parse_json(told));
  if (!answer.is_object()) return fail(ErrorCode::Unavailable, "node gives no answers any more");
  return Answer{.ns = get_double(answer.get_object(), "ns"),
                .on = std::uint64_t(get_int(answer.get_object(), "on"))};
}

}  // namespace showcaller::bench
