// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/process_identity.h"

#include <charconv>
#include <memory>
#include <sstream>

#include <dirent.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "adapters/process/file_handle.h"

namespace showcaller {
namespace {

constexpr int kLeftoverRoundsMax = 8;
constexpr int kDeathMsMax = 500;

struct Stat {
  char state = '?';
  pid_t parent = 0;
  std::uint64_t start_ticks = 0;
};

// "pid (name, which may hold anything) state ppid … starttime …", see proc(5).
std::optional<Stat> read_stat(pid_t pid) {
  const auto text = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!text) return std::nullopt;
  const std::size_t close = text->rfind(')');
  if (close == std::string::npos) return std::nullopt;
  std::istringstream fields(text->substr(close + 1));
  Stat stat;
  fields >> stat.state >> stat.parent;
  std::string skipped;
  for (int field = 5; field < 22; ++field) fields >> skipped;
  fields >> stat.start_ticks;
  if (!fields) return std::nullopt;
  return stat;
}

std::vector<pid_t> all_pids() {
  std::vector<pid_t> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
  if (!proc) return out;
  while (const dirent* entry = ::readdir(proc.get())) {
    pid_t pid = 0;
    const std::string_view name(entry->d_name);
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) out.push_back(pid);
  }
  return out;
}

bool has_variable(pid_t pid, std::string_view wanted) {
  const auto environment = read_file(fmt::format("/proc/{}/environ", pid), 1 << 20);
  if (!environment) return false;
  std::string_view rest = *environment;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    if (rest.substr(0, end) == wanted) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace

std::string boot_id() {
  auto text = read_file("/proc/sys/kernel/random/boot_id", 256);
  if (!text) return "unknown";
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *text;
}

std::optional<ProcessIdentity> identify(pid_t pid) {
  const auto stat = read_stat(pid);
  if (!stat) return std::nullopt;
  return ProcessIdentity{boot_id(), pid, stat->start_ticks};
}

bool is_alive(const ProcessIdentity& identity) {
  if (identity.pid <= 0) return false;
  const auto stat = read_stat(identity.pid);
  return stat && stat->state != 'Z' && stat->state != 'X' &&
         stat->start_ticks == identity.start_ticks && boot_id() == identity.boot_id;
}

int kill_leftovers(const std::string& instance_id) {
  const std::string wanted = fmt::format("SHOWCALLER_INSTANCE={}", instance_id);
  int killed = 0;
  // A process may fork while it is looked for: look until none is found.
  for (int round = 0; round < kLeftoverRoundsMax; ++round) {
    const int before = killed;
    for (const pid_t pid : all_pids()) {
      if (pid == ::getpid()) continue;
      // The descriptor pins the process, so that what is read is of the one that is killed.
      const FileHandle pinned(int(::syscall(SYS_pidfd_open, pid, 0)));
      if (!pinned || !has_variable(pid, wanted)) continue;
      if (::syscall(SYS_pidfd_send_signal, pinned.get(), SIGKILL, nullptr, 0) != 0) continue;
      ++killed;
      pollfd gone{pinned.get(), POLLIN, 0};
      ::poll(&gone, 1, kDeathMsMax);
    }
    if (killed == before) break;
  }
  return killed;
}

std::vector<pid_t> child_pids() {
  std::vector<pid_t> out;
  for (const pid_t pid : all_pids()) {
    const auto stat = read_stat(pid);
    if (stat && stat->parent == ::getpid()) out.push_back(pid);
  }
  return out;
}

}  // namespace showcaller
