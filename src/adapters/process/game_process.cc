// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/game_process.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace showcaller {
namespace {

// All that the child needs, made before the fork: after it nothing may allocate, for other threads'
// locks are gone.
struct Prepared {
  std::string program;
  std::vector<char*> argv;
  std::vector<char*> envp;
  const char* work_folder;
  const GameUser* user;  // null: stays who it is
  rlimit data;
  rlimit files;
  bool limit_data;
  bool limit_files;
  pid_t parent;
  int output_fd;
  int null_fd;
  int error_fd;
};

Result<std::string> find_program(const std::string& word,
                                 const std::map<std::string, std::string>& env) {
  if (word.find('/') != std::string::npos) return word;
  const auto it = env.find("PATH");
  std::string_view path =
      it == env.end() ? std::string_view("/usr/local/bin:/usr/bin:/bin") : it->second;
  while (!path.empty()) {
    const std::size_t colon = path.find(':');
    const std::string candidate = fmt::format("{}/{}", path.substr(0, colon), word);
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    path = colon == std::string_view::npos ? std::string_view() : path.substr(colon + 1);
  }
  return fail(ErrorCode::NotFound,
              fmt::format("no program '{}' in PATH; write its whole path", word));
}

[[noreturn]] void report_and_exit(int error_fd) {
  const int error = errno;
  [[maybe_unused]] const ssize_t n = ::write(error_fd, &error, sizeof error);
  ::_exit(127);
}

// In the child: system calls only.
void become(const GameUser& user, int error_fd) {
  const bool became = ::setgroups(user.groups.size(), user.groups.data()) == 0 &&
                      ::setresgid(user.gid, user.gid, user.gid) == 0 &&
                      ::setresuid(user.uid, user.uid, user.uid) == 0;
  if (!became) report_and_exit(error_fd);
}

// In the child: system calls only.
[[noreturn]] void become_game(const Prepared& prepared) {
  ::setsid();
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::umask(022);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (prepared.limit_data && ::setrlimit(RLIMIT_DATA, &prepared.data) != 0)
    report_and_exit(prepared.error_fd);
  if (prepared.limit_files && ::setrlimit(RLIMIT_NOFILE, &prepared.files) != 0)
    report_and_exit(prepared.error_fd);
  if (::chdir(prepared.work_folder) != 0) report_and_exit(prepared.error_fd);
  if (prepared.user != nullptr) become(*prepared.user, prepared.error_fd);
  // Now, for a change of user makes the kernel forget it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.parent) ::_exit(127);  // The shim died before the kernel watched it.
  ::dup2(prepared.null_fd, 0);
  ::dup2(prepared.output_fd, 1);
  ::dup2(prepared.output_fd, 2);
  ::dup2(prepared.error_fd, 3);
  ::syscall(SYS_close_range, 4, ~0U, 0);
  ::fcntl(3, F_SETFD, FD_CLOEXEC);
  for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(prepared.program.c_str(), prepared.argv.data(), prepared.envp.data());
  report_and_exit(3);
}

rlimit lowered(int resource, std::int64_t wanted) {
  rlimit now{};
  ::getrlimit(__rlimit_resource(resource), &now);
  const rlim_t value =
      now.rlim_max == RLIM_INFINITY ? rlim_t(wanted) : std::min(now.rlim_max, rlim_t(wanted));
  return {value, value};
}

// The child's errno when it could not become the game; 0 when it did.
int await_exec(const FileHandle& errors) {
  int error = 0;
  while (true) {
    const ssize_t n = ::read(errors.get(), &error, sizeof error);
    if (n < 0 && errno == EINTR) continue;
    return n == ssize_t(sizeof error) ? error : 0;
  }
}

}  // namespace

Result<std::optional<GameUser>> find_game_user(const std::string& name) {
  if (name.empty()) return std::nullopt;
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16 << 10);
  ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    return fail(ErrorCode::NotFound,
                fmt::format("there is no user '{}' on this machine; make it, or change the fleet's "
                            "`user`",
                            name));
  }
  if (entry.pw_uid == ::geteuid()) return std::nullopt;
  if (::geteuid() != 0) {
    return fail(ErrorCode::Forbidden,
                fmt::format("only root can run a game server as user '{}'; run the server as root "
                            "or as that user, or leave `user` out of the fleet",
                            name));
  }
  GameUser user{.name = name, .uid = entry.pw_uid, .gid = entry.pw_gid, .groups = {}};
  int count = 256;
  user.groups.resize(std::size_t(count));
  ::getgrouplist(name.c_str(), entry.pw_gid, user.groups.data(), &count);
  user.groups.resize(std::size_t(std::clamp(count, 0, 256)));
  return user;
}

Status make_folder_of(const std::string& path, const GameUser& user) {
  TRY(make_folder(path));
  if (::chown(path.c_str(), user.uid, user.gid) != 0) return fail_errno("chown", path);
  return {};
}

Result<GameProcess> start_game(const GameLaunch& launch) {
  if (launch.command.empty())
    return fail(ErrorCode::Invalid, "the build has no command; add one to the Fleet");
  Prepared prepared{};
  TRY(prepared.program, find_program(launch.command.front(), launch.env));
  std::vector<std::string> words = launch.command;
  for (std::string& word : words) prepared.argv.push_back(word.data());
  prepared.argv.push_back(nullptr);
  std::vector<std::string> variables;
  for (const auto& [name, value] : launch.env)
    variables.push_back(fmt::format("{}={}", name, value));
  for (std::string& variable : variables) prepared.envp.push_back(variable.data());
  prepared.envp.push_back(nullptr);
  prepared.work_folder = launch.work_folder.c_str();
  prepared.user = launch.user ? &*launch.user : nullptr;
  prepared.limit_data = launch.limits.memory_mib_max > 0;
  prepared.data = lowered(RLIMIT_DATA, launch.limits.memory_mib_max << 20);
  prepared.limit_files = launch.limits.open_files_max > 0;
  prepared.files = lowered(RLIMIT_NOFILE, launch.limits.open_files_max);
  prepared.parent = ::getpid();
  int output[2];
  int errors[2];
  if (::pipe2(output, O_CLOEXEC) != 0) return fail_errno("pipe for", launch.command.front());
  GameProcess game{.output = FileHandle(output[0])};
  const FileHandle output_end(output[1]);
  if (::pipe2(errors, O_CLOEXEC) != 0) return fail_errno("pipe for", launch.command.front());
  const FileHandle error_read(errors[0]);
  FileHandle error_end(errors[1]);
  const FileHandle null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  prepared.output_fd = output_end.get();
  prepared.error_fd = error_end.get();
  prepared.null_fd = null.get();
  game.pid = ::fork();
  if (game.pid < 0) return fail_errno("fork for", launch.command.front());
  if (game.pid == 0) become_game(prepared);
  error_end.reset();
  if (const int error = await_exec(error_read); error != 0) {
    ::waitpid(game.pid, nullptr, 0);
    return fail(ErrorCode::Invalid,
                fmt::format("cannot start {}: {}", prepared.program, std::strerror(error)));
  }
  ::fcntl(game.output.get(), F_SETFL, O_NONBLOCK);
  return game;
}

}  // namespace showcaller
