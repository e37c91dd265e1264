// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/network_faults.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"

namespace showcaller {
namespace {

constexpr std::string_view kHandle = "5ca1:";  // by which we know our own
constexpr int kQueueMax = 100'000;             // packets under way
constexpr std::size_t kSaidMax = 64 << 10;

struct Spawned {
  int input = -1, output = -1;  // its descriptors 0, and 1 and 2; -1: /dev/null
  bool own_session = false;
};

Result<pid_t> spawn(std::vector<std::string> words, const Spawned& how) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  const auto give = [&](int fd, int as, int flags) {
    if (fd >= 0)
      posix_spawn_file_actions_adddup2(&files, fd, as);
    else
      posix_spawn_file_actions_addopen(&files, as, "/dev/null", flags, 0);
  };
  give(how.input, 0, O_RDONLY);
  give(how.output, 1, O_WRONLY);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, short(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              (how.own_session ? POSIX_SPAWN_SETSID : 0)));
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return pid;
  return fail(ErrorCode::Unsupported,
              fmt::format("cannot run {}: {}; install iproute2", words[0], std::strerror(error)));
}

bool ends_well(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// What went wrong, of all that tc says of it, in one line.
std::string complaint_of(std::string_view said) {
  std::string out;
  while (!said.empty()) {
    const std::size_t end = std::min(said.find('\n'), said.size());
    const std::string_view line = said.substr(0, end);
    said.remove_prefix(std::min(end + 1, said.size()));
    if (line.empty() || line.starts_with("Warning:") || line.starts_with("Command failed"))
      continue;
    out += (out.empty() ? "" : ", ") + std::string(line);
  }
  return out.empty() ? "tc does not say why" : out;
}

// What it says, of both outputs; it fails with that. `input`: what it reads.
Result<std::string> run(std::vector<std::string> words, std::string_view input = {}) {
  const FileHandle text(::memfd_create("tc", MFD_CLOEXEC));
  int ends[2];
  if (!text || ::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("a pipe for", words[0]);
  const FileHandle out(ends[0]);
  FileHandle told(ends[1]);
  if (::write(text.get(), input.data(), input.size()) != ssize_t(input.size()))
    return fail_errno("writing to", words[0]);
  ::lseek(text.get(), 0, SEEK_SET);
  TRY(const pid_t pid, spawn(std::move(words), {.input = text.get(), .output = told.get()}));
  told.reset();
  std::string said;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(out.get(), buffer, sizeof buffer)) > 0;) {
    if (said.size() < kSaidMax) said.append(buffer, std::size_t(n));
  }
  if (ends_well(pid)) return said;
  return fail(ErrorCode::Unsupported, complaint_of(said));
}

std::string percent(double share) {
  return fmt::format("{:.6g}%", share * 100);
}

}  // namespace

// The device that has the instances' address.
Status NetworkFaults::find_device() {
  if (!device_.empty()) return {};
  in_addr wanted{};
  ifaddrs* all = nullptr;
  if (::inet_pton(AF_INET, address_.c_str(), &wanted) != 1 || ::getifaddrs(&all) != 0) {
    return fail(ErrorCode::Unsupported,
                fmt::format("the network of instances at {} cannot be disturbed; give the server "
                            "an IPv4 address for them",
                            address_));
  }
  const bool is_loopback = (ntohl(wanted.s_addr) >> 24) == IN_LOOPBACKNET;
  for (const ifaddrs* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
    in_addr own{};
    std::memcpy(&own, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, sizeof own);
    if (own.s_addr == wanted.s_addr || (is_loopback && (one->ifa_flags & IFF_LOOPBACK)))
      device_ = one->ifa_name;
  }
  ::freeifaddrs(all);
  if (!device_.empty()) return {};
  return fail(ErrorCode::Unsupported,
              fmt::format("no network device of this machine has the address {}", address_));
}

// Takes away what is left of us, and keeps off what is another's.
Status NetworkFaults::check_device() {
  TRY(find_device());
  TRY(const std::string text, run({tc_, "-j", "qdisc", "show", "dev", device_}));
  const auto disciplines = parse_json(text);
  if (!disciplines || !disciplines->is_array()) {
    return fail(ErrorCode::Unsupported,
                fmt::format("cannot read what {} says of {}; install iproute2", tc_, device_));
  }
  for (const json::value& one : disciplines->get_array()) {
    if (!one.is_object() || !get_bool(one.get_object(), "root")) continue;
    const std::string handle = get_string(one.get_object(), "handle");
    if (handle == kHandle) {
      TRY(run({tc_, "qdisc", "del", "dev", device_, "root"}));
    } else if (handle != "0:") {
      return fail(ErrorCode::Unsupported,
                  fmt::format("{} has a queueing discipline of somebody else ({} {}), and drills "
                              "leave that alone; remove it with `tc qdisc del dev {} root`",
                              device_, get_string(one.get_object(), "kind"), handle, device_));
    }
  }
  return {};
}

Status NetworkFaults::may() {
  const std::lock_guard lock(mutex_);
  return disturbed_.empty() ? try_out() : Status();
}

Status NetworkFaults::try_out() {
  TRY(check_device());
  const std::string harmless = fmt::format(
      "qdisc add dev {0} root handle {1} htb\n"
      "class add dev {0} parent {1} classid {1}1 htb rate 10gbit quantum 60000\n"
      "qdisc add dev {0} parent {1}1 netem loss 0%\n",
      device_, kHandle);
  const auto tried = run({tc_, "-batch", "-"}, harmless);
  const auto undone = run({tc_, "qdisc", "del", "dev", device_, "root"});
  if (tried && undone) return {};
  return fail(ErrorCode::Unsupported,
              fmt::format("this machine does not let the server disturb the network of its "
                          "instances ({}); it takes the capability CAP_NET_ADMIN and a kernel with "
                          "netem and htb: run it as root and `modprobe -a sch_netem sch_htb`",
                          tried ? undone.error().message : tried.error().message));
}

// All of it anew. What is in no class passes as it always did.
std::string NetworkFaults::script() const {
  std::string out;
  const auto line = [&]<class... T>(fmt::format_string<T...> text, T&&... words) {
    fmt::format_to(std::back_inserter(out), text, std::forward<T>(words)...);
    out += '\n';
  };
  if (keeper_ != 0) line("qdisc del dev {} root", device_);
  line("qdisc add dev {} root handle {} htb", device_, kHandle);
  int number = 0;
  for (const auto& [instance, one] : disturbed_) {
    const std::string of = fmt::format("{}{:x}", kHandle, ++number);
    line("class add dev {} parent {} classid {} htb rate 10gbit quantum 60000", device_, kHandle,
         of);
    line("qdisc add dev {} parent {} netem limit {} delay {}ms loss {}", device_, of, kQueueMax,
         one.fault.delay.count(), percent(one.fault.loss));
    for (const int port : one.ports) {
      for (const char* side : {"dport", "sport"})
        line("filter add dev {} parent {} protocol ip prio 1 u32 match ip {} {} 0xffff flowid {}",
             device_, kHandle, side, port, of);
    }
  }
  return out;
}

Status NetworkFaults::set(const std::string& instance, std::span<const int> ports,
                          const NetworkFault& fault) {
  const std::lock_guard lock(mutex_);
  if (fault == NetworkFault{}) {
    if (disturbed_.erase(instance) == 0) return {};
  } else {
    disturbed_[instance] = {{ports.begin(), ports.end()}, fault};
  }
  const Status done = disturb();
  if (!done) {
    disturbed_.clear();
    restore();
  }
  return done;
}

Status NetworkFaults::disturb() {
  if (disturbed_.empty()) {
    restore();
    return {};
  }
  if (keeper_ == 0) TRY(check_device());
  const std::string all = script();
  if (keeper_ == 0) TRY(keep());
  TRY(run({tc_, "-batch", "-"}, all));
  return {};
}

// From here on it ends when we do.
Status NetworkFaults::keep() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("a pipe for", tc_);
  const FileHandle theirs(ends[0]);
  FileHandle ours(ends[1]);
  TRY(keeper_,
      spawn({"/bin/sh", "-c", "read -r end; exec \"$0\" qdisc del dev \"$1\" root", tc_, device_},
            {.input = theirs.get(), .own_session = true}));
  pipe_ = std::move(ours);
  return {};
}

void NetworkFaults::restore() {
  if (keeper_ == 0) return;
  pipe_.reset();
  if (!ends_well(keeper_)) (void)run({tc_, "qdisc", "del", "dev", device_, "root"});
  keeper_ = 0;
}

}  // namespace showcaller
