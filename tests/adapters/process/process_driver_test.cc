// SPDX-License-Identifier: Apache-2.0
// The process driver with real shims and real game servers.
#include "adapters/process/process_driver.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <set>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "adapters/process/file_handle.h"
#include "adapters/process/process_identity.h"
#include "adapters/process/shim_protocol.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class ProcessDriverTest : public ::testing::Test {
 protected:
  ProcessDriverTest() {
    char path[] = "/tmp/showcaller-test-XXXXXX";
    root_ = ::mkdtemp(path);
    self_ = fs::read_symlink("/proc/self/exe").string();
    open();
  }

  ~ProcessDriverTest() override {
    if (!driver_) open();
    for (const ObservedInstance& instance : all()) {
      apply(StopInstance{.id = instance.id, .grace = 0s, .reason = "the test is over"}, 100);
    }
    EXPECT_TRUE(wait([&] {
      const std::vector<ObservedInstance> left = all();
      return std::ranges::all_of(
          left, [](const auto& one) { return one.state == InstanceState::Exited; });
    }));
    EXPECT_TRUE(wait([] { return child_pids().empty(); })) << "a shim stays behind as a zombie";
    driver_.reset();
    fs::remove_all(root_);
  }

  void open() {
    auto driver = ProcessDriver::open(
        {.root = root_, .shim_command = {self_, "--role", "shim"}, .on_change = [this] {
           const std::lock_guard lock(mutex_);
           changed_.notify_all();
         }});
    ASSERT_TRUE(driver) << driver.error().message;
    driver_ = std::move(*driver);
  }

  InstanceSpec spec(const std::string& id, const std::string& role = "game") {
    return {.id = id,
            .fleet = "raid",
            .build = "2.4.0",
            .region = "eu",
            .host = "",
            .command = {self_, "--role", role},
            .env = {{"GREETING", "hello"}},
            .health_period = 100ms,
            .health_failures = 3,
            .start_timeout = 10s,
            .limits = {.open_files_max = 64, .log_bytes_max = 32 << 10}};
  }

  Status apply(FleetAction action, std::uint64_t epoch = 1) {
    return driver_->apply(epoch, std::span(&action, 1));
  }

  ObservedInstance see(const std::string& id) {
    for (const ObservedInstance& instance : all()) {
      if (instance.id == id) return instance;
    }
    return {.id = "none"};
  }

  std::vector<ObservedInstance> all() { return driver_->observe().value(); }

  bool wait(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex_);
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < end) {
      lock.unlock();
      if (holds()) return true;
      lock.lock();
      changed_.wait_for(lock, 5ms);
    }
    return false;
  }

  bool wait_for(const std::string& id, InstanceState state) {
    return wait([&] { return see(id).state == state; });
  }

  void start_ready(const std::string& id) {
    ASSERT_TRUE(apply(StartInstance{spec(id)}));
    ASSERT_TRUE(wait_for(id, InstanceState::Ready)) << log(id);
  }

  void order(const std::string& id, const std::string& what) {
    const FileHandle socket(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::uint16_t(see(id).ports.at(0)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::sendto(socket.get(), what.data(), what.size(), 0, reinterpret_cast<const sockaddr*>(&address),
             sizeof address);
  }

  ShimReport stored(const std::string& id) {
    return parse_report(
               read_file(driver_->instance_folder(id) + "/state.json", 1 << 20).value_or(""))
        .value_or(ShimReport{});
  }

  std::string log(const std::string& id) {
    return read_file(root_ + "/instances/" + id + "/log", 1 << 20).value_or("") +
           read_file(root_ + "/instances/" + id + "/shim.log", 1 << 20).value_or("");
  }

  std::string root_;
  std::string self_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<ProcessDriver> driver_;
};

TEST_F(ProcessDriverTest, StartsAGameServerThatBecomesReady) {
  start_ready("raid-1");
  const ObservedInstance seen = see("raid-1");
  EXPECT_EQ(seen.fleet, "raid");
  EXPECT_EQ(seen.build, "2.4.0");
  EXPECT_EQ(seen.region, "eu");
  EXPECT_EQ(seen.host, "local");
  EXPECT_EQ(seen.address, "127.0.0.1");
  EXPECT_EQ(seen.epoch, 1u);
  EXPECT_TRUE(seen.was_ready);
  EXPECT_EQ(seen.ports.size(), 1u);
  EXPECT_FALSE(seen.session);
  EXPECT_FALSE(seen.exit);
}

TEST_F(ProcessDriverTest, StartingAnInstanceTwiceStartsOne) {
  start_ready("raid-1");
  const pid_t pid = stored("raid-1").game.pid;
  ASSERT_TRUE(apply(StartInstance{spec("raid-1")}));
  ASSERT_TRUE(apply(StartInstance{spec("raid-2")}));
  ASSERT_TRUE(wait_for("raid-2", InstanceState::Ready));
  EXPECT_EQ(stored("raid-1").game.pid, pid);
  EXPECT_EQ(all().size(), 2u);
}

TEST_F(ProcessDriverTest, GivesACleanEnvironmentAndNoPrivileges) {
  ::setenv("SECRET_OF_THE_SERVER", "1", 1);
  start_ready("raid-1");
  const pid_t pid = stored("raid-1").game.pid;
  const std::string environment = *read_file(fmt::format("/proc/{}/environ", pid), 1 << 20);
  EXPECT_EQ(environment.find("SECRET"), std::string::npos);
  for (const char* wanted : {"GREETING=hello", "SHOWCALLER_INSTANCE=raid-1",
                             "SHOWCALLER_FLEET=raid", "SHOWCALLER_BUILD=2.4.0", "SHOWCALLER_PORT=",
                             "AGONES_SDK_HTTP_PORT=", "AGONES_SDK_GRPC_PORT="}) {
    EXPECT_NE(environment.find(wanted), std::string::npos) << wanted;
  }
  const std::string status = *read_file(fmt::format("/proc/{}/status", pid), 1 << 16);
  EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos);
  order("raid-1", "limits");
  EXPECT_TRUE(wait([&] { return log("raid-1").find("open files 64") != std::string::npos; }))
      << log("raid-1");
}

TEST_F(ProcessDriverTest, LeaksNoDescriptorIntoTheGameServer) {
  start_ready("raid-1");
  const std::string folder = fmt::format("/proc/{}/fd", stored("raid-1").game.pid);
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(fs::read_symlink(entry.path()).string());
  for (const std::string& name : names) {
    EXPECT_EQ(name.find("lock"), std::string::npos) << name;
    EXPECT_EQ(name.find(".sock"), std::string::npos) << name;
    EXPECT_EQ(name.find("eventfd"), std::string::npos) << name;
  }
}

TEST_F(ProcessDriverTest, StopsWithinTheGrace) {
  start_ready("raid-1");
  ASSERT_TRUE(apply(StopInstance{.id = "raid-1", .grace = 10s, .reason = "scaled down"}));
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Exited));
  const InstanceExit exit = *see("raid-1").exit;
  EXPECT_EQ(exit.signal, SIGTERM);
  EXPECT_TRUE(exit.wanted);
  EXPECT_NE(log("raid-1").find("scaled down"), std::string::npos);
}

TEST_F(ProcessDriverTest, KillsAGameServerThatDoesNotListen) {
  start_ready("raid-1");
  order("raid-1", "deaf");
  order("raid-1", "limits");
  ASSERT_TRUE(wait([&] { return log("raid-1").find("open files") != std::string::npos; }));
  ASSERT_TRUE(apply(StopInstance{.id = "raid-1", .grace = 50ms, .reason = "scaled down"}));
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Exited));
  EXPECT_EQ(see("raid-1").exit->signal, SIGKILL);
}

TEST_F(ProcessDriverTest, TellsACrashFromAnEndThatWasAskedFor) {
  start_ready("crashes");
  start_ready("leaves");
  start_ready("shuts-down");
  order("crashes", "crash");
  order("leaves", "leave");
  order("shuts-down", "shutdown");
  ASSERT_TRUE(wait_for("crashes", InstanceState::Exited));
  ASSERT_TRUE(wait_for("leaves", InstanceState::Exited));
  ASSERT_TRUE(wait_for("shuts-down", InstanceState::Exited));
  EXPECT_EQ(see("crashes").exit->signal, SIGABRT);
  EXPECT_FALSE(see("crashes").exit->wanted);
  EXPECT_EQ(see("leaves").exit->code, 7);
  EXPECT_FALSE(see("leaves").exit->wanted);
  EXPECT_EQ(see("shuts-down").exit->code, 0);
  EXPECT_TRUE(see("shuts-down").exit->wanted);
}

TEST_F(ProcessDriverTest, EndsAGameServerThatOnlySaysItShutsDown) {
  start_ready("raid-1");
  order("raid-1", "/shutdown");
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Shutdown));
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Exited));
  EXPECT_TRUE(see("raid-1").exit->wanted);
}

TEST_F(ProcessDriverTest, SeesAStall) {
  start_ready("raid-1");
  order("raid-1", "stall");
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Unhealthy));
  EXPECT_TRUE(see("raid-1").was_ready);
  EXPECT_FALSE(see("raid-1").exit) << "an unhealthy game server still runs";
}

TEST_F(ProcessDriverTest, SeesByProbeThatAGameServerIsSickThoughItPings) {
  InstanceSpec probed = spec("raid-1");
  probed.probe = HealthProbe{.kind = ProbeKind::Udp, .period = 50ms, .timeout = 2s, .failures = 2};
  ASSERT_TRUE(apply(StartInstance{probed}));
  ASSERT_TRUE(wait([&] { return log("raid-1").find("probed\nprobed") != std::string::npos; }))
      << log("raid-1");
  EXPECT_EQ(see("raid-1").state, InstanceState::Ready);
  order("raid-1", "mute");
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Unhealthy));
  EXPECT_NE(log("raid-1").find("unhealthy: probed in vain: no answer within 2s"), std::string::npos)
      << log("raid-1");
}

TEST_F(ProcessDriverTest, PortsHaveNamesAndTheWorkFolderIsChosen) {
  InstanceSpec two = spec("raid-1");
  two.ports = {"game", "query"};
  two.work_folder = "/usr";
  ASSERT_TRUE(apply(StartInstance{two}));
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Ready));
  const std::string process = fmt::format("/proc/{}", stored("raid-1").game.pid);
  EXPECT_EQ(fs::read_symlink(process + "/cwd"), "/usr");
  const std::string environment = *read_file(process + "/environ", 1 << 20);
  EXPECT_NE(environment.find(fmt::format("SHOWCALLER_PORT_2={}", see("raid-1").ports.at(1))),
            std::string::npos);
}

TEST_F(ProcessDriverTest, RunsAsAnotherUserWhoSeesNothingOfTheServer) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can run game servers as other users";
  ASSERT_TRUE(write_file_whole(root_ + "/admin.token", "secret"));
  InstanceSpec guest = spec("guest");
  guest.user = "nobody";
  guest.command = {
      "sh", "-c",
      "id -un; cat ../spec.json ../../../admin.token; ls ..; echo here > $HOME/file && "
      "cat $TMPDIR/file; pwd; sleep 60"};
  ASSERT_TRUE(apply(StartInstance{guest}));
  ASSERT_TRUE(wait([&] { return log("guest").find("/guest/home") != std::string::npos; }))
      << log("guest");
  const std::string told = log("guest");
  EXPECT_NE(told.find("nobody\n"), std::string::npos) << told;
  EXPECT_NE(told.find("here\n"), std::string::npos) << told;
  EXPECT_EQ(told.find("secret"), std::string::npos) << told;
  EXPECT_EQ(told.find("GREETING"), std::string::npos) << told;
  EXPECT_EQ(told.find("control.sock"), std::string::npos) << told;
  EXPECT_TRUE(is_alive(stored("guest").game));
  ASSERT_EQ(::kill(stored("guest").shim.pid, SIGKILL), 0);
  EXPECT_TRUE(wait([&] { return !is_alive(stored("guest").game); })) << "it outlives its shim";
}

TEST_F(ProcessDriverTest, AUserThatDoesNotExistIsAFailedStart) {
  InstanceSpec guest = spec("guest");
  guest.user = "no-such-user";
  ASSERT_TRUE(apply(StartInstance{guest}));
  ASSERT_TRUE(wait_for("guest", InstanceState::Exited));
  EXPECT_NE(log("guest").find("there is no user 'no-such-user' on this machine"), std::string::npos)
      << log("guest");
}

TEST_F(ProcessDriverTest, AnInstanceWhoseSpecCannotBeReadIsAdoptedAllTheSame) {
  start_ready("raid-1");
  driver_->allocate({.id = "raid-1", .session = "s-1"});
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Allocated));
  driver_.reset();
  ASSERT_TRUE(write_file_whole(root_ + "/instances/raid-1/spec.json", "{torn"));
  open();
  EXPECT_EQ(see("raid-1").state, InstanceState::Allocated);
  EXPECT_EQ(see("raid-1").session, "s-1");
  EXPECT_EQ(see("raid-1").fleet, "raid");
}

TEST_F(ProcessDriverTest, ACrashTellsWhichSessionItEnded) {
  start_ready("raid-1");
  driver_->allocate({.id = "raid-1", .session = "s-1"});
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Allocated));
  order("raid-1", "crash");
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Exited));
  EXPECT_EQ(see("raid-1").session, "s-1");
}

TEST_F(ProcessDriverTest, SeesAStartThatTakesTooLong) {
  InstanceSpec slow = spec("slow", "never-ready");
  slow.start_timeout = 100ms;
  ASSERT_TRUE(apply(StartInstance{slow}));
  ASSERT_TRUE(wait_for("slow", InstanceState::Unhealthy));
  EXPECT_FALSE(see("slow").was_ready);
}

TEST_F(ProcessDriverTest, SaysWhyAProgramDidNotStart) {
  InstanceSpec missing = spec("missing");
  missing.command = {"/no/such/program"};
  ASSERT_TRUE(apply(StartInstance{missing}));
  ASSERT_TRUE(wait_for("missing", InstanceState::Exited));
  EXPECT_EQ(see("missing").exit->code, 127);
  EXPECT_FALSE(see("missing").exit->wanted);
  EXPECT_NE(log("missing").find("cannot start /no/such/program: No such file"), std::string::npos)
      << log("missing");
}

TEST_F(ProcessDriverTest, RefusesASpecThatCannotBeStarted) {
  InstanceSpec bad = spec("../../etc");
  EXPECT_EQ(apply(StartInstance{bad}).error().code, ErrorCode::Invalid);
  InstanceSpec empty = spec("empty");
  empty.command.clear();
  EXPECT_EQ(apply(StartInstance{empty}).error().code, ErrorCode::Invalid);
}

TEST_F(ProcessDriverTest, RunsAnyProgramThatKnowsNothingOfUs) {
  InstanceSpec plain = spec("plain");
  plain.command = {"sleep", "60"};
  plain.start_timeout = 0s;
  ASSERT_TRUE(apply(StartInstance{plain}));
  ASSERT_TRUE(wait([&] { return is_alive(stored("plain").game); }));
  EXPECT_EQ(see("plain").state, InstanceState::Starting);
}

TEST_F(ProcessDriverTest, AllocatesUntilTheGameServerIsReadyAgain) {
  start_ready("raid-1");
  driver_->allocate({.id = "raid-1",
                     .session = "s-1",
                     .labels = {{"mode", "ranked"}},
                     .annotations = {{"showcaller.dev/players", "4"}}});
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Allocated));
  EXPECT_EQ(see("raid-1").session, "s-1");
  EXPECT_EQ(see("raid-1").labels["mode"], "ranked");
  EXPECT_EQ(see("raid-1").annotations["showcaller.dev/session"], "s-1");
  EXPECT_EQ(see("raid-1").annotations["showcaller.dev/players"], "4");
  // Another session does not take it away.
  driver_->allocate({.id = "raid-1", .session = "s-2"});
  ASSERT_TRUE(wait([&] { return log("raid-1").find("s-2") != std::string::npos; }));
  EXPECT_EQ(see("raid-1").session, "s-1");
  order("raid-1", "/ready");
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Ready));
  EXPECT_FALSE(see("raid-1").session);
  EXPECT_EQ(see("raid-1").sessions_ended, 1);
  EXPECT_FALSE(see("raid-1").annotations.contains("showcaller.dev/session"));
  EXPECT_FALSE(see("raid-1").labels.contains("mode"));
}

TEST_F(ProcessDriverTest, AdoptsWhatLivesAfterARestart) {
  start_ready("raid-1");
  start_ready("raid-2");
  driver_->allocate({.id = "raid-2", .session = "s-1"});
  ASSERT_TRUE(wait_for("raid-2", InstanceState::Allocated));
  const ShimReport before = stored("raid-2");
  driver_.reset();
  open();
  EXPECT_EQ(see("raid-1").state, InstanceState::Ready);
  EXPECT_EQ(see("raid-2").state, InstanceState::Allocated);
  EXPECT_EQ(see("raid-2").session, "s-1");
  EXPECT_EQ(see("raid-2").started_at, before.instance.started_at);
  EXPECT_EQ(stored("raid-2").game, before.game);
  EXPECT_TRUE(is_alive(before.game)) << "a restart cut a match";
  ASSERT_TRUE(apply(StopInstance{.id = "raid-2", .grace = 5s, .reason = "again in command"}));
  ASSERT_TRUE(wait_for("raid-2", InstanceState::Exited));
  EXPECT_TRUE(see("raid-2").exit->wanted);
}

TEST_F(ProcessDriverTest, LearnsHowAGameServerEndedWhileNobodyLooked) {
  start_ready("raid-1");
  const ProcessIdentity shim = stored("raid-1").shim;
  order("raid-1", "crash");
  driver_.reset();
  ASSERT_TRUE(wait([&] { return !is_alive(shim); }));
  open();
  ASSERT_EQ(see("raid-1").state, InstanceState::Exited);
  EXPECT_EQ(see("raid-1").exit->signal, SIGABRT);
  EXPECT_FALSE(see("raid-1").exit->wanted);
}

TEST_F(ProcessDriverTest, StartsWhatWasWrittenButNotStartedWhenTheServerEnded) {
  driver_.reset();
  ASSERT_TRUE(make_folder(root_ + "/instances/raid-9"));
  ASSERT_TRUE(write_file_whole(root_ + "/instances/raid-9/spec.json",
                               to_text(StoredSpec{spec("raid-9"), 4})));
  ASSERT_TRUE(make_folder(root_ + "/instances/raid-10"));  // Not even a spec.
  open();
  EXPECT_TRUE(wait_for("raid-9", InstanceState::Ready)) << log("raid-9");
  EXPECT_EQ(all().size(), 1u);
  EXPECT_EQ(apply(StopInstance{.id = "raid-9", .reason = "x"}, 3).error().code,
            ErrorCode::Conflict);
  ASSERT_TRUE(apply(StopInstance{.id = "raid-9", .grace = 1s, .reason = "x"}, 4));
  EXPECT_TRUE(wait_for("raid-9", InstanceState::Exited));
}

TEST_F(ProcessDriverTest, AKilledShimTakesItsGameServerAlong) {
  start_ready("raid-1");
  order("raid-1", "fork");
  order("raid-1", "limits");
  ASSERT_TRUE(wait([&] { return log("raid-1").find("open files") != std::string::npos; }));
  const ShimReport before = stored("raid-1");
  ASSERT_EQ(::kill(before.shim.pid, SIGKILL), 0);
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Exited));
  EXPECT_EQ(see("raid-1").exit->signal, SIGKILL);
  EXPECT_FALSE(see("raid-1").exit->wanted);
  EXPECT_TRUE(wait([&] { return !is_alive(before.game); }));
  EXPECT_EQ(kill_leftovers("raid-1"), 0) << "a process of the game server lives on";
  driver_.reset();
  open();
  EXPECT_EQ(see("raid-1").state, InstanceState::Exited);
}

TEST_F(ProcessDriverTest, NothingOfAGameServerOutlivesIt) {
  start_ready("raid-1");
  order("raid-1", "fork");
  order("raid-1", "limits");
  ASSERT_TRUE(wait([&] { return log("raid-1").find("open files") != std::string::npos; }));
  order("raid-1", "leave");
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Exited));
  EXPECT_EQ(kill_leftovers("raid-1"), 0);
}

TEST_F(ProcessDriverTest, ALowerEpochIsRefused) {
  start_ready("raid-1");
  ASSERT_TRUE(apply(StartInstance{spec("raid-2")}, 5));
  EXPECT_EQ(apply(StopInstance{.id = "raid-1", .reason = "old leader"}, 4).error().code,
            ErrorCode::Conflict);
  ASSERT_TRUE(wait([&] { return see("raid-1").epoch == 5; }));
  driver_.reset();
  open();
  EXPECT_EQ(apply(StopInstance{.id = "raid-1", .reason = "old leader"}, 4).error().code,
            ErrorCode::Conflict);
  EXPECT_EQ(see("raid-1").state, InstanceState::Ready);
}

TEST_F(ProcessDriverTest, AServerThatLostItsLeadershipLearnsIt) {
  start_ready("raid-1");
  auto next = ProcessDriver::open({.root = root_, .shim_command = {self_, "--role", "shim"}});
  ASSERT_TRUE(next) << next.error().message;
  ASSERT_TRUE((*next)->apply(2, {}));
  ASSERT_TRUE(wait([&] { return see("raid-1").epoch == 2; }));
  EXPECT_EQ(apply(StopInstance{.id = "raid-1", .reason = "old leader"}, 1).error().code,
            ErrorCode::Conflict);
  // Its allocations are fenced by the shim itself.
  driver_->allocate({.id = "raid-1", .session = "of-the-old-leader"});
  ASSERT_TRUE(wait([&] { return log("raid-1").find("epoch 1") != std::string::npos; }))
      << log("raid-1");
  EXPECT_EQ(see("raid-1").state, InstanceState::Ready);
  driver_ = std::move(*next);
  EXPECT_TRUE(apply(StopInstance{.id = "raid-1", .reason = "new leader"}, 2));
}

TEST_F(ProcessDriverTest, TheLogIsBounded) {
  start_ready("raid-1");
  for (int i = 0; i < 4; ++i) order("raid-1", "shout");
  order("raid-1", "limits");
  ASSERT_TRUE(wait([&] { return log("raid-1").find("open files") != std::string::npos; }));
  const std::string folder = driver_->instance_folder("raid-1");
  EXPECT_LE(fs::file_size(folder + "/log") + fs::file_size(folder + "/log.1"),
            std::uintmax_t(32 << 10));
}

TEST_F(ProcessDriverTest, ForgetsWhatHasExitedAndNothingElse) {
  start_ready("raid-1");
  EXPECT_EQ(apply(ForgetInstance{"raid-1"}).error().code, ErrorCode::Conflict);
  order("raid-1", "crash");
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Exited));
  ASSERT_TRUE(apply(ForgetInstance{"raid-1"}));
  EXPECT_TRUE(all().empty());
  EXPECT_TRUE(wait([&] { return !fs::exists(driver_->instance_folder("raid-1")); }));
  EXPECT_TRUE(apply(ForgetInstance{"raid-1"}));
  EXPECT_TRUE(apply(StopInstance{.id = "raid-1", .reason = "gone already"}));
}

TEST_F(ProcessDriverTest, PortsAreNeverHandedOutTwice) {
  for (int i = 0; i < 8; ++i) {
    InstanceSpec two = spec(fmt::format("raid-{}", i));
    two.ports = {"game", "query"};
    ASSERT_TRUE(apply(StartInstance{two}));
  }
  std::set<int> ports;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(wait_for(fmt::format("raid-{}", i), InstanceState::Ready))
        << log(fmt::format("raid-{}", i));
    for (const int port : see(fmt::format("raid-{}", i)).ports)
      EXPECT_TRUE(ports.insert(port).second);
  }
  EXPECT_EQ(ports.size(), 16u);
}

TEST_F(ProcessDriverTest, LookingAtAThousandInstancesTakesNoTime) {
  driver_.reset();
  for (int i = 0; i < 1000; ++i) {
    const std::string id = fmt::format("raid-{}", i);
    ShimReport report;
    report.instance = {.id = id,
                       .fleet = "raid",
                       .state = InstanceState::Exited,
                       .ports = {7000},
                       .exit = InstanceExit{}};
    report.instance.labels = {{"agones.dev/fleet", "raid"}, {"showcaller.dev/build", "2.4.0"}};
    ASSERT_TRUE(make_folder(root_ + "/instances/" + id));
    ASSERT_TRUE(write_file_whole(root_ + "/instances/" + id + "/spec.json",
                                 to_text(StoredSpec{spec(id), 1})));
    ASSERT_TRUE(write_file_whole(root_ + "/instances/" + id + "/state.json", to_text(report)));
  }
  open();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(all().size(), 1000u);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 100ms);
}

TEST_F(ProcessDriverTest, AShimThatCannotRunIsAFailedStart) {
  driver_.reset();
  auto broken = ProcessDriver::open({.root = root_, .shim_command = {"/no/such/shim"}});
  ASSERT_TRUE(broken);
  driver_ = std::move(*broken);
  ASSERT_TRUE(apply(StartInstance{spec("raid-1")}));
  ASSERT_TRUE(wait_for("raid-1", InstanceState::Exited));
  EXPECT_EQ(see("raid-1").exit->code, 127);
}

}  // namespace
}  // namespace showcaller
