// SPDX-License-Identifier: Apache-2.0
#include "adapters/probe_script/probe_script.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace showcaller {
namespace {

using Deadline = std::chrono::steady_clock::time_point;
constexpr std::size_t kPrintedMax = 64 << 10;
constexpr rlim_t kMemoryMax = rlim_t(2) << 30;
constexpr rlim_t kFilesMax = 256;
constexpr rlim_t kFileBytesMax = 16 << 20;
constexpr int kCannotRun = 127;  // as a shell says it
constexpr auto kLookEvery = std::chrono::milliseconds(20);

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read = ends[0];
    write = ends[1];
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    if (read >= 0) ::close(read);
    close_write();
  }
  void close_write() {
    if (write >= 0) ::close(write);
    write = -1;
  }
};

// Texts as execve wants them. Made before the fork: after it nothing may be allocated.
class Words {
 public:
  explicit Words(std::vector<std::string> texts) : texts_(std::move(texts)) {
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  char** data() { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

std::vector<std::string> environment_of(const ScriptProbeStep& script,
                                        const ProbeContext& context) {
  std::map<std::string, std::string> all{{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                         {"LANG", "C.UTF-8"}};
  if (!context.traceparent.empty()) all["TRACEPARENT"] = context.traceparent;
  for (const auto& [name, value] : script.env) all[name] = value;
  std::vector<std::string> out;
  for (const auto& [name, value] : all) out.push_back(name + "=" + value);
  return out;
}

void limit(int what, rlim_t most) {
  const rlimit both{most, most};
  ::setrlimit(__rlimit_resource(what), &both);
}

// In the child: nothing here allocates, locks or returns.
[[noreturn]] void become(char** argv, char** envp, int out, rlim_t cpu_seconds) {
  ::setsid();
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit(RLIMIT_AS, kMemoryMax);
  limit(RLIMIT_NOFILE, kFilesMax);
  limit(RLIMIT_FSIZE, kFileBytesMax);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, cpu_seconds);
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::close_range(3, ~0u, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (::chdir("/") == 0) ::execvpe(argv[0], argv, envp);
  ::_exit(kCannotRun);
}

// Not yet reaped: until it is, its number is nobody else's.
bool has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, id_t(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == child;
}

// What it prints until it ends; false: its time is up.
bool follow(pid_t child, int out, Deadline deadline, std::string* printed) {
  for (bool ended = false;;) {
    char buffer[4096];
    ssize_t got = 0;
    while ((got = ::read(out, buffer, sizeof buffer)) > 0) {
      const std::size_t room = kPrintedMax - printed->size();
      printed->append(buffer, std::min(room, std::size_t(got)));
    }
    if (ended) return true;
    ended = has_ended(child);
    if (ended) continue;  // What it printed last may still be in the pipe.
    if (std::chrono::steady_clock::now() >= deadline) return false;
    pollfd one{out, POLLIN, 0};
    if (got == 0) one.fd = -1;  // It has closed its output and goes on.
    ::poll(&one, 1, int(kLookEvery.count()));
  }
}

}  // namespace

ProbeAnswer ProbeScript::exchange(const ProbeStep& step, const ProbeContext& context,
                                  Duration timeout) {
  const auto& script = std::get<ScriptProbeStep>(step.what);
  const Deadline deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout.count());
  Words argv(script.command), envp(environment_of(script, context));
  Pipe out;
  if (out.read < 0) return {fmt::format("there is no pipe: {}", std::strerror(errno)), 0, {}};
  ::fcntl(out.read, F_SETFL, O_NONBLOCK);
  const auto cpu_seconds = rlim_t(timeout.count() / 1'000 + 1);
  const pid_t child = ::fork();
  if (child < 0) return {fmt::format("it cannot be started: {}", std::strerror(errno)), 0, {}};
  if (child == 0) become(argv.data(), envp.data(), out.write, cpu_seconds);
  out.close_write();
  std::string printed;
  const bool in_time = follow(child, out.read, deadline, &printed);
  ::kill(-child, SIGKILL);  // With whatever it started and left.
  if (!in_time) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return {fmt::format("it did not end within {}", format_duration(timeout)), 0, {}};
  if (WIFSIGNALED(status))
    return {fmt::format("it was ended by signal {}", WTERMSIG(status)), 0, {}};
  if (WEXITSTATUS(status) == kCannotRun && printed.empty())
    return {fmt::format("'{}' cannot be run", script.command.front()), 0, {}};
  return {{}, WEXITSTATUS(status), std::move(printed)};
}

}  // namespace showcaller
