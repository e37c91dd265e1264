// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/process_driver.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/process/file_handle.h"
#include "adapters/process/line_link.h"
#include "adapters/process/network_faults.h"
#include "adapters/process/process_identity.h"
#include "adapters/process/shim_protocol.h"

namespace showcaller {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
constexpr auto kRetry = std::chrono::milliseconds(10);
// The shim finds them here, see start_shim().
constexpr int kControlFd = 3;
constexpr int kLockFd = 4;

bool is_instance_id(std::string_view id) {
  if (id.empty() || id.size() > 63) return false;
  return std::ranges::all_of(
      id, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

void raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

// A relative program or folder means the server's own folder, which the shim does not share.
Result<InstanceSpec> made_absolute(InstanceSpec spec) {
  if (!is_instance_id(spec.id)) {
    return fail(ErrorCode::Invalid,
                fmt::format("'{}' is no instance id; use [a-z0-9-], at most 63", spec.id));
  }
  if (spec.command.empty()) {
    return fail(ErrorCode::Invalid,
                fmt::format("instance {} has no command; add one to the Fleet", spec.id));
  }
  std::error_code ignored;
  if (spec.command.front().find('/') != std::string::npos) {
    spec.command.front() = std::filesystem::absolute(spec.command.front(), ignored).string();
  }
  if (!spec.work_folder.empty())
    spec.work_folder = std::filesystem::absolute(spec.work_folder, ignored).string();
  return spec;
}

ObservedInstance observed_from(const InstanceSpec& spec, const ProcessDriverOptions& options,
                               std::uint64_t epoch) {
  return {.id = spec.id,
          .fleet = spec.fleet,
          .build = spec.build,
          .region = spec.region,
          .host = spec.host.empty() ? options.host : spec.host,
          .epoch = epoch,
          .address = options.address,
          .started_at = std::chrono::floor<Duration>(std::chrono::system_clock::now()),
          .labels = spec.labels};
}

// Starts the shim in a session of its own, with the control socket as descriptor 3 and the lock as
// descriptor 4.
Result<pid_t> start_shim(const ProcessDriverOptions& options, const std::string& folder,
                         int control, int lock) {
  std::vector<std::string> words = options.shim_command;
  for (const char* word : {"--dir", folder.c_str(), "--address", options.address.c_str(),
                           "--control-fd", "3", "--lock-fd", "4"}) {
    words.emplace_back(word);
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
  char lang[] = "LANG=C.UTF-8";
  char* envp[] = {path, lang, nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  const std::string log = folder + "/shim.log";
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawn_file_actions_adddup2(&files, control, kControlFd);
  posix_spawn_file_actions_adddup2(&files, lock, kLockFd);
  posix_spawn_file_actions_addclosefrom_np(&files, kLockFd + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, argv[0], &files, &attributes, argv.data(), envp);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return fail(ErrorCode::Unavailable,
                fmt::format("cannot start the shim {}: {}", words[0], std::strerror(error)));
  }
  return pid;
}

// Above the numbers that start_shim() gives the shim, so that no dup2 there overwrites the other.
FileHandle moved_up(FileHandle handle) {
  FileHandle high(::fcntl(handle.get(), F_DUPFD_CLOEXEC, 10));
  return high ? std::move(high) : std::move(handle);
}

}  // namespace

// The driver's thread and all it knows. `observed_` and the queue are shared; the rest belongs to
// the thread.
class ProcessDriver::Loop {
 public:
  explicit Loop(ProcessDriverOptions options)
      : options_(std::move(options)), network_(options_.address, options_.tc) {}

  ~Loop() {
    if (thread_.joinable()) {
      ending_ = true;
      wake();
      thread_.join();
    }
  }

  Status open() {
    raise_file_limit();
    TRY(make_folder(options_.root, access_));
    TRY(make_folder(options_.root + "/instances", access_));
    TRY(make_folder(options_.root + "/ports"));
    wake_ = FileHandle(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) return fail_errno("eventfd for", options_.root);
    if (const auto text = read_file(options_.root + "/epoch", 64)) {
      std::uint64_t stored = 0;
      std::from_chars(text->data(), text->data() + text->size(), stored);
      epoch_ = stored;
    }
    epoll_ = FileHandle(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (!epoll_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
      return fail_errno("epoll for", options_.root);
    }
    adopt_all();
    commanding_epoch_ = epoch_;
    thread_ = std::thread([this] { run(); });
    std::unique_lock lock(mutex_);
    adopted_.wait_for(lock, options_.adopt_wait, [this] { return unanswered_ == 0; });
    return {};
  }

  std::vector<ObservedInstance> observe() {
    const std::lock_guard lock(mutex_);
    std::vector<ObservedInstance> out;
    out.reserve(observed_.size());
    for (const auto& [id, instance] : observed_) out.push_back(instance);
    return out;
  }

  std::uint64_t epoch() const {
    const std::lock_guard lock(mutex_);
    return epoch_;
  }

  Status apply(std::uint64_t epoch, std::span<const FleetAction> actions) {
    const std::lock_guard lock(mutex_);
    if (epoch < epoch_) {
      return fail(
          ErrorCode::Conflict,
          fmt::format("epoch {} is over; epoch {} leads these game servers", epoch, epoch_));
    }
    if (epoch > epoch_) {
      TRY(write_file_whole(options_.root + "/epoch", fmt::format("{}\n", epoch)));
      epoch_ = epoch;
      post([this, epoch] { tell_all(AdoptCommand{epoch}); });
    }
    commanding_epoch_ = epoch;
    for (const FleetAction& action : actions) {
      TRY(std::visit([this](const auto& one) { return accept(one); }, action));
    }
    return {};
  }

  Status may_disturb(Disturbance what) {
    return what == Disturbance::Network ? network_.may() : Status();
  }

  Status disturb(std::uint64_t epoch, const DisturbInstance& one) {
    TRY(apply(epoch, {}));
    if (one.what == Disturbance::Network) {
      return network_.set(one.id, ports_of(one.id), one.network);
    }
    const std::lock_guard lock(mutex_);
    post([this, id = one.id, command = DisturbCommand{epoch, one.what, one.lasts}] {
      tell(id, command);
    });
    return {};
  }

  std::vector<int> ports_of(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto at = observed_.find(id);
    return at == observed_.end() ? std::vector<int>{} : at->second.ports;
  }

  void allocate(const AllocateInstance& allocation) {
    const std::lock_guard lock(mutex_);
    post([this, command = AllocateCommand{commanding_epoch_, allocation}] {
      tell(command.allocation.id, command);
    });
  }

  std::string folder_of(const std::string& id) const { return options_.root + "/instances/" + id; }

 private:
  enum class Tie { Linked, Ending, Seeking, Gone };
  // What the thread keeps of one instance.
  struct Record {
    std::string id;
    Tie tie = Tie::Gone;
    std::optional<LineLink> link;  // Linked
    ProcessIdentity shim;
    SteadyTime retry_at{};   // Ending, Seeking
    bool awaited = false;    // open() waits for its first report
    bool forgotten = false;  // its folder goes as soon as its shim is gone
    bool unread = false;     // its shim has yet to say what it is
  };

  // --- by callers, the lock held ---

  void post(std::function<void()> work) {
    queue_.push_back(std::move(work));
    wake();
  }

  void wake() { ::eventfd_write(wake_.get(), 1); }

  Status accept(const StartInstance& action) {
    TRY(InstanceSpec spec, made_absolute(action.spec));
    if (observed_.contains(spec.id)) return {};
    observed_.emplace(spec.id, observed_from(spec, options_, commanding_epoch_));
    post([this, stored = StoredSpec{std::move(spec), commanding_epoch_}] { start(stored); });
    return {};
  }

  Status accept(const StopInstance& action) {
    post([this, id = action.id,
          command = StopCommand{commanding_epoch_, action.grace, action.reason}] {
      tell(id, command);
    });
    return {};
  }

  Status accept(const ForgetInstance& action) {
    const auto it = observed_.find(action.id);
    if (it == observed_.end()) return {};
    if (it->second.state != InstanceState::Exited) {
      return fail(ErrorCode::Conflict,
                  fmt::format("instance {} is {}; stop it before it is forgotten", action.id,
                              to_string(it->second.state)));
    }
    observed_.erase(it);
    post([this, id = action.id] { forget(id); });
    return {};
  }

  // --- by the thread (adopt_all(): before it starts) ---

  void adopt_all() {
    std::error_code ignored;
    std::vector<std::string> ids;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.root + "/instances", ignored)) {
      if (is_instance_id(entry.path().filename().string()))
        ids.push_back(entry.path().filename().string());
    }
    std::ranges::sort(ids);
    for (const std::string& id : ids) adopt(id);
  }

  void adopt(const std::string& id) {
    const auto text = read_file(folder_of(id) + "/spec.json", kLineBytesMax);
    const auto stored = text ? parse_stored_spec(*text) : std::unexpected(text.error());
    if (!stored) return adopt_unread(id);
    epoch_ = std::max(epoch_, stored->epoch);
    observed_.emplace(id, observed_from(stored->spec, options_, stored->epoch));
    Record& record = record_of(id);
    if (const auto report = stored_report(id)) {
      observed_.insert_or_assign(id, report->instance);
      record.shim = report->shim;
      if (report->instance.state == InstanceState::Exited && !is_held(record)) {
        reap(record.shim);
        return;
      }
    }
    record.awaited = true;
    ++unanswered_;
    seek(record);
  }

  // The server ended before the spec was whole, and nothing was ever started here. Or a shim lives
  // here whose spec cannot be read: it says itself what runs, and no match is cut.
  void adopt_unread(const std::string& id) {
    Record& record = record_of(id);
    if (!is_held(record)) {
      records_.erase(id);
      [[maybe_unused]] const Status removed = remove_folder(folder_of(id));
      return;
    }
    record.unread = true;
    record.awaited = true;
    ++unanswered_;
    seek(record);
  }

  Record& record_of(const std::string& id) {
    Record& record = records_[id];
    record.id = id;
    return record;
  }

  std::optional<ShimReport> stored_report(const std::string& id) const {
    const auto text = read_file(folder_of(id) + "/state.json", kLineBytesMax);
    if (!text) return std::nullopt;
    auto report = parse_report(*text);
    if (!report || report->instance.id != id) return std::nullopt;
    return *std::move(report);
  }

  void tie_to(Record& record, FileHandle socket) {
    record.link.emplace(std::move(socket));
    record.tie = Tie::Linked;
    waiting_.erase(&record);
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                      .data = {.ptr = &record}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, record.link->fd(), &event);
  }

  void wait_on(Record& record, Tie tie) {
    record.link.reset();
    record.tie = tie;
    record.retry_at = std::chrono::steady_clock::now() + kRetry;
    waiting_.insert(&record);
  }

  // Looks for a shim that this driver is not linked to.
  void seek(Record& record) {
    if (auto socket = connect_unix(folder_of(record.id), "control.sock")) {
      tie_to(record, std::move(*socket));
      return;
    }
    wait_on(record, Tie::Seeking);
    if (is_held(record)) return;  // A shim lives there: it has not opened its socket yet.
    const auto text = read_file(folder_of(record.id) + "/spec.json", kLineBytesMax);
    const auto stored = text ? parse_stored_spec(*text) : std::unexpected(text.error());
    if (record.shim.pid == 0 && stored && !stored_report(record.id)) {
      spawn(*stored, record);  // The server ended between writing the spec and starting the shim.
    } else {
      bury(record);
    }
  }

  // A shim lives in the folder.
  bool is_held(const Record& record) const {
    const auto lock = try_lock_file(folder_of(record.id) + "/lock");
    if (!lock) return lock.error().code != ErrorCode::NotFound;
    return !*lock;
  }

  void run() {
    std::array<epoll_event, 256> events;
    while (!ending_) {
      const int n = ::epoll_wait(epoll_.get(), events.data(), int(events.size()), timeout_ms());
      changed_ = false;
      for (int i = 0; i < n; ++i) {
        if (auto* record = static_cast<Record*>(events[std::size_t(i)].data.ptr)) serve(*record);
      }
      work();
      retry();
      if (changed_ && options_.on_change) options_.on_change();
    }
  }

  int timeout_ms() const {
    if (waiting_.empty()) return -1;
    SteadyTime next = (*waiting_.begin())->retry_at;
    for (const Record* record : waiting_) next = std::min(next, record->retry_at);
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
    return int(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }

  void work() {
    eventfd_t ignored = 0;
    ::eventfd_read(wake_.get(), &ignored);
    std::deque<std::function<void()>> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(queue_);
    }
    for (const auto& one : taken) one();
  }

  void retry() {
    const SteadyTime now = std::chrono::steady_clock::now();
    const std::vector<Record*> waiting(waiting_.begin(), waiting_.end());
    for (Record* record : waiting) {
      if (record->retry_at > now) continue;
      if (record->tie == Tie::Ending)
        end(*record);
      else if (record->tie == Tie::Seeking)
        seek(*record);
      if (record->tie == Tie::Gone && record->forgotten) forget(record->id);
    }
  }

  void start(const StoredSpec& stored) {
    Record& record = record_of(stored.spec.id);
    const std::string folder = folder_of(stored.spec.id);
    Status made = make_folder(folder, stored.spec.user.empty() ? FolderAccess::Owner : access_);
    if (made) made = write_file_whole(folder + "/spec.json", to_text(stored));
    if (!made) {
      start_failed(stored.spec.id, made.error());
      return;
    }
    spawn(stored, record);
  }

  void spawn(const StoredSpec& stored, Record& record) {
    const std::string& id = stored.spec.id;
    const std::string folder = folder_of(id);
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
      start_failed(id, fail_errno("socketpair for", id).error());
      return;
    }
    FileHandle ours(pair[0]);
    const FileHandle theirs = moved_up(FileHandle(pair[1]));
    auto locked = try_lock_file(folder + "/lock");
    if (!locked || !*locked) {
      start_failed(id, {ErrorCode::Conflict, fmt::format("{} is held by another shim", folder)});
      return;
    }
    const FileHandle lock = moved_up(*std::move(locked));
    const auto pid = start_shim(options_, folder, theirs.get(), lock.get());
    if (!pid) {
      start_failed(id, pid.error());
      return;
    }
    record.shim = identify(*pid).value_or(ProcessIdentity{.pid = *pid});
    tie_to(record, std::move(ours));
  }

  void start_failed(const std::string& id, const Error& error) {
    if (FileHandle log{::open((folder_of(id) + "/shim.log").c_str(),
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)}) {
      const std::string line = fmt::format("driver: {}\n", error.message);
      [[maybe_unused]] const ssize_t n = ::write(log.get(), line.data(), line.size());
    }
    Record& record = record_of(id);
    record.tie = Tie::Gone;
    record.link.reset();
    waiting_.erase(&record);
    exited(record, {.code = 127});
    answered(record);
  }

  // The instance has ended and no shim is left to say so.
  void exited(const Record& record, InstanceExit how) {
    const std::string& id = record.id;
    ShimReport report;
    {
      const std::lock_guard lock(mutex_);
      const auto it = observed_.find(id);
      if (it == observed_.end()) return;
      it->second.state = InstanceState::Exited;
      it->second.exit = how;
      report.instance = it->second;
    }
    report.shim = record.shim;
    [[maybe_unused]] const Status stored =
        write_file_whole(folder_of(id) + "/state.json", to_text(report));
    changed_ = true;
  }

  void serve(Record& record) {
    if (record.tie != Tie::Linked) return;
    const bool open = record.link->receive([&](std::string_view line) { take(record, line); });
    if (open && record.link->flush()) return;
    wait_on(record, Tie::Ending);
    end(record);
  }

  void take(Record& record, std::string_view line) {
    auto report = parse_report(line);
    if (!report || report->instance.id != record.id) return;
    record.shim = report->shim;
    const std::uint64_t told = report->instance.epoch;
    std::uint64_t leading = 0;
    {
      const std::lock_guard lock(mutex_);
      epoch_ = std::max(epoch_, told);
      leading = epoch_;
      auto it = observed_.find(record.id);
      if (std::exchange(record.unread, false))
        it = observed_.emplace(record.id, report->instance).first;
      if (it != observed_.end()) {
        if (report->instance.host.empty()) report->instance.host = options_.host;
        it->second = std::move(report->instance);
      }
    }
    if (told < leading) record.link->send_command(to_text(ShimCommand(AdoptCommand{leading})));
    changed_ = true;
    answered(record);
  }

  void answered(Record& record) {
    if (!record.awaited) return;
    record.awaited = false;
    {
      const std::lock_guard lock(mutex_);
      --unanswered_;
    }
    adopted_.notify_all();
  }

  // The link broke: waits until the shim is gone, then tells how the game server ended.
  void end(Record& record) {
    if (!is_held(record)) {
      bury(record);
    } else if (has_exited(record.id)) {
      wait_on(record, Tie::Ending);
    } else {
      seek(record);  // It lives and only the link broke.
    }
  }

  bool has_exited(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto it = observed_.find(id);
    return it == observed_.end() || it->second.state == InstanceState::Exited;
  }

  void bury(Record& record) {
    record.tie = Tie::Gone;
    record.link.reset();
    waiting_.erase(&record);
    reap(record.shim);
    if (auto report = stored_report(record.id);
        report && report->instance.state == InstanceState::Exited) {
      const std::lock_guard lock(mutex_);
      const auto it = observed_.find(record.id);
      if (it != observed_.end()) it->second = std::move(report->instance);
      changed_ = true;
    } else {
      kill_leftovers(record.id);
      exited(record, {.signal = SIGKILL});
    }
    answered(record);
    if (record.forgotten) waiting_.insert(&record);
  }

  // A child of ours that has let go of its lock is at its very end: waiting does not block for
  // long. A shim of an earlier server is the child of init.
  static void reap(const ProcessIdentity& shim) {
    if (shim.pid <= 0) return;
    const auto now = identify(shim.pid);
    if (now && now->start_ticks == shim.start_ticks) ::waitpid(shim.pid, nullptr, 0);
  }

  void tell(const std::string& id, const ShimCommand& command) {
    const auto it = records_.find(id);
    if (it == records_.end() || it->second.tie != Tie::Linked)
      return;  // Wanted again if it still matters.
    it->second.link->send_command(to_text(command));
  }

  void tell_all(const ShimCommand& command) {
    const std::string text = to_text(command);
    for (auto& [id, record] : records_) {
      if (record.tie == Tie::Linked) record.link->send_command(text);
    }
  }

  void forget(const std::string& id) {
    const std::string folder =
        folder_of(id);  // Now: the id may be the record's own, and goes with it.
    const auto it = records_.find(id);
    if (it != records_.end()) {
      if (it->second.tie != Tie::Gone) {
        it->second.forgotten = true;
        return;
      }
      waiting_.erase(&it->second);
      records_.erase(it);
    }
    [[maybe_unused]] const Status removed = remove_folder(folder);
  }

  const ProcessDriverOptions options_;
  NetworkFaults network_;
  // Root may run game servers as other users, who then have a folder below.
  const FolderAccess access_ = ::geteuid() == 0 ? FolderAccess::Passage : FolderAccess::Owner;
  FileHandle wake_;
  FileHandle epoll_;
  std::thread thread_;
  std::atomic<bool> ending_ = false;

  mutable std::mutex mutex_;            // of what follows, up to the records
  std::uint64_t epoch_ = 0;             // the highest seen, of whichever server
  std::uint64_t commanding_epoch_ = 0;  // of the last apply() here
  std::map<std::string, ObservedInstance> observed_;
  std::deque<std::function<void()>> queue_;
  int unanswered_ = 0;
  std::condition_variable adopted_;

  std::map<std::string, Record> records_;
  std::set<Record*> waiting_;  // Ending or Seeking, or Gone and forgotten
  bool changed_ = false;
};

ProcessDriver::ProcessDriver(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
ProcessDriver::~ProcessDriver() = default;

Result<std::unique_ptr<ProcessDriver>> ProcessDriver::open(ProcessDriverOptions options) {
  if (options.shim_command.empty())
    return fail(ErrorCode::Invalid, "the process driver needs a shim command");
  std::error_code error;
  options.root = std::filesystem::absolute(options.root, error).lexically_normal().string();
  auto loop = std::make_unique<Loop>(std::move(options));
  TRY(loop->open());
  return std::unique_ptr<ProcessDriver>(new ProcessDriver(std::move(loop)));
}

Result<std::vector<ObservedInstance>> ProcessDriver::observe() {
  return loop_->observe();
}

std::uint64_t ProcessDriver::epoch() const {
  return loop_->epoch();
}

Status ProcessDriver::apply(std::uint64_t epoch, std::span<const FleetAction> actions) {
  return loop_->apply(epoch, actions);
}

Status ProcessDriver::may_disturb(Disturbance what) {
  return loop_->may_disturb(what);
}

Status ProcessDriver::disturb(std::uint64_t epoch, const DisturbInstance& disturbance) {
  return loop_->disturb(epoch, disturbance);
}

void ProcessDriver::allocate(const AllocateInstance& allocation) {
  loop_->allocate(allocation);
}

std::string ProcessDriver::instance_folder(const std::string& id) const {
  return loop_->folder_of(id);
}

}  // namespace showcaller
