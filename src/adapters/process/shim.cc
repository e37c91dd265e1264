// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/shim.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <list>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/process/bounded_log.h"
#include "adapters/process/file_handle.h"
#include "adapters/process/game_process.h"
#include "adapters/process/health_check.h"
#include "adapters/process/line_link.h"
#include "adapters/process/port_lease.h"
#include "adapters/process/process_identity.h"
#include "adapters/process/shim_protocol.h"
#include "adapters/process/sidecar_cell.h"

namespace showcaller {
namespace {

// After the game server asked to be shut down it has this long to end by itself.
constexpr Duration kShutdownNotice = seconds(1);
constexpr Duration kShutdownGrace = seconds(10);
constexpr std::size_t kLinksMax = 8;

// Wall time at the start, carried on by the monotonic clock: a step of the wall clock misses no
// ping.
class ShimClock {
 public:
  Instant now() const {
    return start_ +
           std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - steady_start_);
  }

 private:
  Instant start_ = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  std::chrono::steady_clock::time_point steady_start_ = std::chrono::steady_clock::now();
};

agones::GameServer game_server_for(const InstanceSpec& spec, const std::string& address,
                                   const std::vector<PortLease>& ports, Instant now) {
  agones::GameServer out;
  out.name = spec.id;
  out.name_space = spec.fleet;
  out.uid = spec.id;
  out.resource_version = "1";
  out.generation = 1;
  out.creation_timestamp = to_ms(now) / 1000;
  out.labels = spec.labels;
  out.labels.insert_or_assign("agones.dev/fleet", spec.fleet);
  out.labels.insert_or_assign("showcaller.dev/build", spec.build);
  out.labels.insert_or_assign("showcaller.dev/region", spec.region);
  out.health = {
      .disabled = spec.health_period <= Duration(0) || spec.health_failures <= 0,
      .period_seconds = std::int32_t(std::max<std::int64_t>(spec.health_period.count() / 1000, 1)),
      .failure_threshold = spec.health_failures,
      .initial_delay_seconds = std::int32_t(spec.start_timeout.count() / 1000)};
  out.address = address;
  out.addresses = {{"InternalIP", address}};
  for (std::size_t i = 0; i < ports.size(); ++i) {
    out.ports.push_back({spec.ports[i], ports[i].port});
  }
  for (const auto& [name, capacity] : spec.counters) out.counters[name].capacity = capacity;
  for (const auto& [name, capacity] : spec.lists) out.lists[name].capacity = capacity;
  return out;
}

std::map<std::string, std::string> environment_for(const InstanceSpec& spec,
                                                   const std::string& home,
                                                   const std::string& address,
                                                   const std::vector<PortLease>& ports,
                                                   const ServedSidecar& sidecar) {
  std::map<std::string, std::string> env{{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                         {"HOME", home},
                                         {"TMPDIR", home},
                                         {"LANG", "C.UTF-8"}};
  for (const auto& [name, value] : spec.env) env.insert_or_assign(name, value);
  env.insert_or_assign("SHOWCALLER_INSTANCE", spec.id);
  env.insert_or_assign("SHOWCALLER_FLEET", spec.fleet);
  env.insert_or_assign("SHOWCALLER_BUILD", spec.build);
  env.insert_or_assign("SHOWCALLER_REGION", spec.region);
  env.insert_or_assign("SHOWCALLER_ADDRESS", address);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    env.insert_or_assign(i == 0 ? "SHOWCALLER_PORT" : fmt::format("SHOWCALLER_PORT_{}", i + 1),
                         fmt::format("{}", ports[i].port));
  }
  env.insert_or_assign("AGONES_SDK_GRPC_PORT", fmt::format("{}", sidecar.grpc_port));
  env.insert_or_assign("AGONES_SDK_HTTP_PORT", fmt::format("{}", sidecar.http_port));
  return env;
}

InstanceState instance_state(agones::SidecarPhase phase) {
  switch (phase) {
    case agones::SidecarPhase::Scheduled:
      return InstanceState::Starting;
    case agones::SidecarPhase::Ready:
      return InstanceState::Ready;
    case agones::SidecarPhase::Reserved:
      return InstanceState::Reserved;
    case agones::SidecarPhase::Allocated:
      return InstanceState::Allocated;
    case agones::SidecarPhase::Unhealthy:
      return InstanceState::Unhealthy;
    case agones::SidecarPhase::Shutdown:
      return InstanceState::Shutdown;
  }
  return InstanceState::Starting;
}

class Shim {
 public:
  explicit Shim(const ShimOptions& options) : options_(options) {}

  int run() {
    if (const Status ready = prepare(); !ready) {
      fmt::print(stderr, "shim: {}\n", ready.error().message);
      return 1;
    }
    if (const Status started = start(); !started) {
      log(started.error().message);
      finish(InstanceExit{.code = 127});
      return 0;
    }
    while (!exited_) turn();
    // The last turn took over what the game server said before it ended.
    exited_->wanted = wanted_ || phase_ == agones::SidecarPhase::Shutdown;
    finish(*exited_);
    return 0;
  }

 private:
  Status prepare() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::signal(SIGPIPE, SIG_IGN);
    if (options_.lock_fd >= 0) {
      lock_ = FileHandle(options_.lock_fd);
    } else {
      TRY(lock_, try_lock_file(options_.folder + "/lock"));
      if (!lock_) return fail(ErrorCode::Conflict, "another shim holds this folder");
    }
    TRY(const std::string text, read_file(options_.folder + "/spec.json", kLineBytesMax));
    TRY(stored_, parse_stored_spec(text));
    if (options_.control_fd >= 0) links_.emplace_back(FileHandle(options_.control_fd));
    TRY(listener_, listen_unix(options_.folder, "control.sock"));
    TRY(auto opened, BoundedLog::open(options_.folder, stored_.spec.limits.log_bytes_max));
    log_.emplace(std::move(opened));
    wake_ = FileHandle(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    sigset_t watched;
    sigemptyset(&watched);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&watched, signal);
    ::pthread_sigmask(SIG_BLOCK, &watched, nullptr);
    signals_ = FileHandle(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!wake_ || !signals_) return fail_errno("eventfd or signalfd in", options_.folder);
    report_.shim = identify(::getpid()).value_or(ProcessIdentity{});
    const InstanceSpec& spec = stored_.spec;
    report_.instance = {.id = spec.id,
                        .fleet = spec.fleet,
                        .build = spec.build,
                        .region = spec.region,
                        .host = spec.host,
                        .epoch = stored_.epoch,
                        .address = options_.address,
                        .started_at = clock_.now(),
                        .labels = spec.labels};
    return {};
  }

  Status start() {
    const InstanceSpec& spec = stored_.spec;
    // The folder of the leases lies beside the folder of all instances.
    const std::filesystem::path folder(options_.folder);
    TRY(ports_, lease_ports((folder.parent_path().parent_path() / "ports").string(),
                            options_.address, int(spec.ports.size())));
    for (const PortLease& lease : ports_) report_.instance.ports.push_back(lease.port);
    agones::SidecarState state(game_server_for(spec, options_.address, ports_, clock_.now()),
                               {.start_timeout = spec.start_timeout,
                                .health_period = spec.health_period,
                                .health_failures = spec.health_failures},
                               agones::SidecarPhase::Scheduled, clock_.now());
    cell_ = std::make_unique<SidecarCell>(
        std::move(state),
        SidecarCell::Hooks{.now = [this] { return clock_.now(); },
                           .on_change = [fd = wake_.get()] { ::eventfd_write(fd, 1); }});
    if (options_.serve) {
      TRY(sidecar_, options_.serve(*cell_));
    }
    // The folder itself is not for another user: it holds what the server and the shim say.
    const std::string home = spec.user.empty() ? options_.folder : options_.folder + "/home";
    TRY(const auto user, find_game_user(spec.user));
    if (user) TRY(make_folder_of(home, *user));
    for (PortLease& lease : ports_) lease.release();
    TRY(game_, start_game({.command = spec.command,
                           .env = environment_for(spec, home, options_.address, ports_, sidecar_),
                           .work_folder = spec.work_folder.empty() ? home : spec.work_folder,
                           .user = user,
                           .limits = spec.limits}));
    report_.game = identify(game_.pid).value_or(ProcessIdentity{.pid = game_.pid});
    refresh();
    return {};
  }

  void log(std::string_view text) {
    if (log_) log_->write(fmt::format("showcaller: {}\n", text));
  }

  // One turn of the loop: sleeps until something happened or a deadline came.
  void turn() {
    std::vector<pollfd> polled{
        {signals_.get(), POLLIN, 0},
        {wake_.get(), POLLIN, 0},
        {links_.size() < kLinksMax ? listener_.get() : -1, POLLIN, 0},
        {game_.output.get(), POLLIN, 0},
        {check_ ? check_->fd() : -1, short(check_ && check_->wants_write() ? POLLOUT : POLLIN), 0}};
    for (const LineLink& link : links_) {
      polled.push_back({link.fd(), short(POLLIN | (link.has_output() ? POLLOUT : 0)), 0});
    }
    ::poll(polled.data(), polled.size(), timeout_ms());
    if (polled[1].revents != 0) {
      eventfd_t ignored = 0;
      ::eventfd_read(wake_.get(), &ignored);
    }
    if (polled[3].revents != 0) read_output();
    std::size_t at = 5;
    for (auto link = links_.begin(); link != links_.end(); ++at) {
      const bool open = polled[at].revents == 0 || serve_link(*link);
      link = open ? std::next(link) : links_.erase(link);
    }
    if (polled[2].revents != 0) accept_link();
    if (polled[0].revents != 0) read_signals();
    pass_deadlines();
    refresh();
  }

  int timeout_ms() {
    std::optional<Instant> at =
        cell_->with([](agones::SidecarState& state, Instant) { return state.deadline(); });
    const auto check_at = check_ ? std::optional(check_->deadline()) : std::nullopt;
    for (const auto& other : {term_at_, kill_at_, resume_at_, check_at}) {
      if (other && (!at || *other < *at)) at = other;
    }
    if (!at) return -1;
    const std::int64_t left = (*at - clock_.now()).count();
    return int(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void read_output() {
    char buffer[16384];
    for (int i = 0; i < 64 && game_.output; ++i) {
      const ssize_t n = ::read(game_.output.get(), buffer, sizeof buffer);
      if (n > 0) {
        log_->write({buffer, std::size_t(n)});
        continue;
      }
      if (n < 0 && (errno == EINTR)) continue;
      if (n == 0) game_.output.reset();  // It closed its output; it may live on.
      return;
    }
  }

  void accept_link() {
    FileHandle socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    links_.emplace_back(std::move(socket));
    links_.back().send(to_text(report_));
  }

  // False: the link is over.
  bool serve_link(LineLink& link) {
    const bool open = link.receive([this](std::string_view line) {
      const auto command = parse_command(line);
      if (!command) {
        log(fmt::format("passed over a command: {}", command.error().message));
        return;
      }
      std::visit(
          [this](const auto& one) {
            if (one.epoch < report_.instance.epoch) {
              log(fmt::format("passed over a command of epoch {}; epoch {} leads", one.epoch,
                              report_.instance.epoch));
              return;
            }
            report_.instance.epoch = one.epoch;
            obey(one);
          },
          *command);
    });
    return open && link.flush();
  }

  void obey(const AdoptCommand&) {}

  void obey(const StopCommand& command) {
    log(fmt::format("told to stop within {}: {}", format_duration(command.grace), command.reason));
    stop(command.grace);
  }

  void obey(const AllocateCommand& command) {
    const AllocateInstance& allocation = command.allocation;
    const Status given = cell_->with([&](agones::SidecarState& state, Instant now) {
      return state.assign(allocation.session, allocation.labels, allocation.annotations, now);
    });
    if (!given) log(given.error().message);
  }

  void obey(const DisturbCommand& command) {
    if (game_.pid <= 0 || exited_) return;
    switch (command.what) {
      case Disturbance::Kill:
        log("killed by a drill");
        ::kill(-game_.pid, SIGKILL);
        break;
      case Disturbance::Pause:
        log(fmt::format("paused by a drill for {}", format_duration(command.lasts)));
        ::kill(-game_.pid, SIGSTOP);
        resume_at_ = clock_.now() + std::max(command.lasts, Duration(0));
        break;
      case Disturbance::Resume:
        resume();
        break;
      case Disturbance::Network:  // The driver's to do: it knows of all instances.
        break;
    }
  }

  void resume() {
    if (!resume_at_) return;
    resume_at_.reset();
    ::kill(-game_.pid, SIGCONT);
    log("goes on after a pause");
  }

  void stop(Duration grace) {
    resume();  // Who is stopped hears no signal.
    wanted_ = true;
    cell_->with([](agones::SidecarState& state, Instant now) { state.shut_down(now); });
    const Instant kill_at = clock_.now() + std::max(grace, Duration(0));
    if (!kill_at_ || kill_at < *kill_at_) kill_at_ = kill_at;
    term_at_.reset();
    if (!term_sent_) ::kill(-game_.pid, SIGTERM);
    term_sent_ = true;
  }

  void read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == ssize_t(sizeof info)) {
      if (info.ssi_signo != SIGCHLD) {
        log("the shim was told to end");
        stop(kShutdownGrace);
      }
    }
    int status = 0;
    while (true) {
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid <= 0) return;
      if (pid != game_.pid) continue;  // A grandchild that was left to us.
      exited_ = InstanceExit{.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                             .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0};
    }
  }

  void pass_deadlines() {
    cell_->with([](agones::SidecarState& state, Instant now) { state.tick(now); });
    const Instant now = clock_.now();
    check_health(now);
    if (resume_at_ && *resume_at_ <= now) resume();
    if (term_at_ && *term_at_ <= now) stop(kShutdownGrace);
    if (kill_at_ && *kill_at_ <= now) {
      ::kill(-game_.pid, SIGKILL);
      kill_at_ = now + seconds(1);
    }
  }

  // From its first Ready on: until then the time to start is what counts.
  void check_health(Instant now) {
    const auto& probe = stored_.spec.probe;
    if (!probe || !report_.instance.was_ready || term_sent_) return check_.reset();
    if (!check_) {
      const auto named = std::ranges::find(stored_.spec.ports, probe->port);
      const auto index = std::size_t(named - stored_.spec.ports.begin());
      sockaddr_in where{.sin_family = AF_INET};
      ::inet_pton(AF_INET, options_.address.c_str(), &where.sin_addr);
      where.sin_port = htons(std::uint16_t(ports_.at(index < ports_.size() ? index : 0).port));
      check_.emplace(*probe, where, now);
    }
    check_->turn(now);
    if (check_->is_sick())
      cell_->with([](agones::SidecarState& state, Instant at) { state.sick(at); });
  }

  // Brings the report up to the sidecar's state; tells and stores it when it changed.
  void refresh() {
    const auto phase_before = phase_;
    ObservedInstance& instance = report_.instance;
    cell_->with([&](agones::SidecarState& state, Instant) {
      phase_ = state.phase();
      instance.state = instance_state(phase_);
      instance.was_ready = state.was_ready();
      instance.session = state.session();
      instance.players = state.player_count();
      instance.capacity = state.player_capacity();
      instance.sessions_ended = state.sessions_ended();
      instance.labels = state.game_server().labels;
      instance.annotations = state.game_server().annotations;
    });
    if (phase_ == agones::SidecarPhase::Shutdown && phase_before != phase_ && !wanted_) {
      log("the game server asked to be shut down");
      term_at_ = clock_.now() + kShutdownNotice;
    }
    if (phase_ == agones::SidecarPhase::Unhealthy && phase_before != phase_) {
      const bool by_probe = check_ && check_->is_sick();
      log(by_probe             ? fmt::format("unhealthy: probed in vain: {}", check_->reason())
          : instance.was_ready ? "unhealthy: health pings are missing"
                               : "unhealthy: not Ready in time");
    }
    publish();
  }

  void publish() {
    std::string text = to_text(report_);
    if (text == last_told_) return;
    if (const Status stored = write_file_whole(options_.folder + "/state.json", text); !stored) {
      log(stored.error().message);
    }
    for (LineLink& link : links_) link.send(text);
    last_told_ = std::move(text);
  }

  // The game server is gone: nothing of it stays, and the report says how it ended.
  void finish(InstanceExit exit) {
    if (game_.pid > 0) {
      ::kill(-game_.pid, SIGKILL);
      read_output();
      for (int rounds = 0; rounds < 100; ++rounds) {
        const std::vector<pid_t> left = child_pids();
        for (const pid_t pid : left) ::kill(pid, SIGKILL);
        int status = 0;
        pid_t reaped = 0;
        while ((reaped = ::waitpid(-1, &status, WNOHANG)) > 0) {
        }
        if (reaped < 0) break;  // No child is left.
        ::poll(nullptr, 0, 5);
      }
    }
    log(exit.signal != 0 ? fmt::format("the game server was ended by signal {}", exit.signal)
                         : fmt::format("the game server ended with code {}", exit.code));
    report_.instance.state = InstanceState::Exited;
    report_.instance.exit = exit;
    publish();
    for (LineLink& link : links_) link.drain(200);
  }

  const ShimOptions& options_;
  ShimClock clock_;
  FileHandle lock_;
  StoredSpec stored_;
  FileHandle listener_;
  FileHandle signals_;
  FileHandle wake_;
  std::list<LineLink> links_;
  std::optional<BoundedLog> log_;
  std::vector<PortLease> ports_;
  std::unique_ptr<SidecarCell> cell_;
  ServedSidecar sidecar_;
  GameProcess game_;
  std::optional<HealthCheck> check_;
  ShimReport report_;
  std::string last_told_;
  agones::SidecarPhase phase_ = agones::SidecarPhase::Scheduled;
  bool wanted_ = false;
  bool term_sent_ = false;
  std::optional<Instant> term_at_;
  std::optional<Instant> kill_at_;
  std::optional<Instant> resume_at_;  // the game server is paused
  std::optional<InstanceExit> exited_;
};

}  // namespace

int shim_main(const ShimOptions& options) {
  Shim shim(options);
  const int code = shim.run();
  ::_exit(code);  // Nothing is left to tell; the sidecar's threads need no farewell.
}

}  // namespace showcaller
