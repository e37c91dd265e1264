// SPDX-License-Identifier: Apache-2.0
// The arena as fleets run it: the process driver, the program's own shim with its sidecar, the game
// server, a client.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "adapters/process/file_handle.h"
#include "adapters/process/process_driver.h"
#include "adapters/process/shim_protocol.h"
#include "agones_sdk.grpc.pb.h"
#include "examples/arena/match.h"
#include "examples/arena/packets.h"
#include "tests/adapters/scratch_folder.h"

namespace showcaller {
namespace {

using namespace std::chrono_literals;
namespace sdk = ::agones::dev::sdk;

// A player's client: joins, plays, reads what comes.
class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }

  void send(const arena::Packet& packet) {
    const std::string bytes = arena::encode(packet);
    ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  // The next packet of a kind, sending `meanwhile` until it is there.
  template <class Wanted>
  std::optional<Wanted> await(const arena::Packet& meanwhile) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < end) {
      send(meanwhile);
      pollfd polled{socket_.get(), POLLIN, 0};
      ::poll(&polled, 1, 50);
      char buffer[2048];
      const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      const auto packet = n > 0 ? arena::decode({buffer, std::size_t(n)}) : std::nullopt;
      if (packet && std::holds_alternative<Wanted>(*packet)) return std::get<Wanted>(*packet);
    }
    return std::nullopt;
  }

 private:
  FileHandle socket_;
};

class ArenaTest : public ::testing::Test {
 protected:
  ArenaTest() {
    auto driver =
        ProcessDriver::open({.root = folder_.path(),
                             .shim_command = {SHOWCALLER_BINARY_DIR "/showcaller", "shim"},
                             .on_change = [this] {
                               const std::lock_guard lock(mutex_);
                               changed_.notify_all();
                             }});
    if (!driver) throw std::runtime_error(driver.error().message);
    driver_ = std::move(*driver);
  }
  ~ArenaTest() override {
    apply(StopInstance{.id = "arena-1", .grace = 0s, .reason = "the test is over"});
    EXPECT_TRUE(wait_for(InstanceState::Exited));
  }

  Status apply(const FleetAction& action) { return driver_->apply(1, std::span(&action, 1)); }

  void start(std::vector<std::string> command, InstanceState until = InstanceState::Ready) {
    InstanceSpec spec{.id = "arena-1",
                      .fleet = "arena",
                      .build = "1.0.0",
                      .region = "local",
                      .host = "",
                      .command = std::move(command),
                      .health_period = 1s,
                      .health_failures = 1,
                      .counters = {{"rooms", 4}}};
    ASSERT_TRUE(apply(StartInstance{spec}));
    ASSERT_TRUE(wait_for(until)) << log();
  }

  void start_arena(const std::vector<std::string>& options) {
    std::vector<std::string> command{SHOWCALLER_BINARY_DIR "/arena"};
    command.insert(command.end(), options.begin(), options.end());
    start(std::move(command));
  }

  void allocate(const std::string& session) {
    driver_->allocate(
        {.id = "arena-1", .session = session, .annotations = {{"showcaller.dev/party", "p"}}});
    ASSERT_TRUE(wait_for(InstanceState::Allocated)) << log();
  }

  ObservedInstance see() {
    const std::vector<ObservedInstance> all = driver_->observe().value();
    return all.empty() ? ObservedInstance{.state = InstanceState::Exited} : all.front();
  }

  bool wait(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    std::unique_lock lock(mutex_);
    while (std::chrono::steady_clock::now() < end) {
      lock.unlock();
      if (holds()) return true;
      lock.lock();
      changed_.wait_for(lock, 10ms);
    }
    return false;
  }
  bool wait_for(InstanceState state) {
    return wait([&] { return see().state == state; });
  }

  std::string log() {
    return read_file(driver_->instance_folder("arena-1") + "/log", 1 << 20).value_or("");
  }

  // Plays a session with one client until something ends it.
  void join(Client* client, const std::string& session) {
    ASSERT_TRUE(client->await<arena::Welcome>(arena::Join{47, session, "ann"})) << log();
  }

  ScratchFolder folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<ProcessDriver> driver_;
};

TEST_F(ArenaTest, PlaysASessionAndIsReadyForTheNext) {
  start_arena({"--match-seconds", "0.5", "--gather-seconds", "0.1"});
  EXPECT_EQ(see().capacity, 4);
  for (int round = 1; round <= 2; ++round) {
    const std::string session = fmt::format("s-{}", round);
    allocate(session);
    Client stranger(see().ports.at(0));
    const auto refused = stranger.await<arena::Refuse>(arena::Join{47, "another", "bob"});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->reason, arena::RefuseReason::WrongSession);
    Client ann(see().ports.at(0));
    join(&ann, session);
    EXPECT_TRUE(wait([&] { return see().players == 1; }));
    const auto snapshot = ann.await<arena::Snapshot>(arena::Input{.fire = true});
    ASSERT_TRUE(snapshot);
    EXPECT_EQ(snapshot->players.size(), 1u);
    EXPECT_TRUE(ann.await<arena::End>(arena::Input{}));
    ASSERT_TRUE(wait([&] {
      return see().state == InstanceState::Ready && see().sessions_ended == round;
    })) << log();
    EXPECT_EQ(see().players, 0);
  }
}

TEST_F(ArenaTest, IsReadyAgainWhenNobodyComes) {
  start_arena({"--claim-seconds", "0.1"});
  driver_->allocate({.id = "arena-1", .session = "s-1"});
  EXPECT_TRUE(wait([&] {
    return see().sessions_ended == 1 && see().state == InstanceState::Ready;
  })) << log();
}

TEST_F(ArenaTest, ADefectiveBuildCrashesUnderItsSession) {
  start_arena({"--match-seconds", "0.5", "--gather-seconds", "0", "--crash-rate", "1"});
  allocate("s-1");
  Client ann(see().ports.at(0));
  join(&ann, "s-1");
  ASSERT_TRUE(wait_for(InstanceState::Exited)) << log();
  EXPECT_EQ(see().exit->signal, SIGABRT);
  EXPECT_FALSE(see().exit->wanted);
  EXPECT_EQ(see().annotations.at("showcaller.dev/session"), "s-1") << "whose session was lost";
}

TEST_F(ArenaTest, ADefectiveBuildStallsUnderItsSession) {
  start_arena({"--match-seconds", "0.5", "--gather-seconds", "0", "--stall-rate", "1"});
  allocate("s-1");
  Client ann(see().ports.at(0));
  join(&ann, "s-1");
  ASSERT_TRUE(wait_for(InstanceState::Unhealthy)) << log();
  ASSERT_TRUE(apply(StopInstance{.id = "arena-1", .grace = 50ms, .reason = "unhealthy"}));
  ASSERT_TRUE(wait_for(InstanceState::Exited));
  EXPECT_EQ(see().exit->signal, SIGKILL) << "a stalled game server does not listen";
}

// A game server that speaks gRPC, played by the test: the ports stand in the process's environment.
TEST_F(ArenaTest, TheShimSpeaksGrpcToo) {
  start({"sleep", "60"}, InstanceState::Starting);
  pid_t pid = 0;
  ASSERT_TRUE(wait([&] {
    const auto report = parse_report(
        read_file(driver_->instance_folder("arena-1") + "/state.json", 1 << 20).value_or(""));
    pid = report ? report->game.pid : 0;
    return pid > 0;
  }));
  const std::string environment =
      read_file(fmt::format("/proc/{}/environ", pid), 1 << 20).value_or("");
  const std::string name = "AGONES_SDK_GRPC_PORT=";
  const int port = std::atoi(environment.c_str() + environment.find(name) + name.size());
  const auto stub = sdk::SDK::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", port), grpc::InsecureChannelCredentials()));
  grpc::ClientContext ready, get;
  sdk::Empty empty;
  ASSERT_TRUE(stub->Ready(&ready, {}, &empty).ok());
  ASSERT_TRUE(wait_for(InstanceState::Ready));
  grpc::ClientContext watching;
  const auto watch = stub->WatchGameServer(&watching, {});
  sdk::GameServer seen;
  ASSERT_TRUE(watch->Read(&seen));
  EXPECT_EQ(seen.object_meta().name(), "arena-1");
  EXPECT_EQ(seen.object_meta().labels().at("showcaller.dev/build"), "1.0.0");
  EXPECT_EQ(seen.status().counters().at("rooms").capacity(), 4);
  EXPECT_EQ(seen.status().ports(0).port(), see().ports.at(0));
  driver_->allocate({.id = "arena-1", .session = "s-1"});
  ASSERT_TRUE(watch->Read(&seen));
  EXPECT_EQ(seen.status().state(), "Allocated");
  EXPECT_EQ(seen.object_meta().annotations().at("showcaller.dev/session"), "s-1");
  watching.TryCancel();
}

TEST(ArenaPackets, ComeBackAsTheyWere) {
  for (const arena::Packet& packet :
       {arena::Packet(arena::Join{47, "s", "ann"}), arena::Packet(arena::Welcome{3}),
        arena::Packet(arena::Refuse{arena::RefuseReason::Full}),
        arena::Packet(arena::Input{7, -5, 100, 65535, true}),
        arena::Packet(arena::Snapshot{9, {{1, 2, 100, 4}, {5, 6, 0, 8}}}),
        arena::Packet(arena::End{{1, 2}}), arena::Packet(arena::Leave{})}) {
    const std::string bytes = arena::encode(packet);
    const auto back = arena::decode(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(arena::encode(*back), bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(arena::decode(bytes.substr(0, size)));
    EXPECT_FALSE(arena::decode(bytes + "x"));
  }
}

TEST(ArenaMatch, TheSameSeedAndInputsGiveTheSameMatch) {
  const auto play = [](arena::MatchRules rules) {
    arena::Match match(41, rules);
    for (const char* player : {"ann", "bob", "cyd", "dan"}) match.join(player);
    Random random(7);
    for (int tick = 0; tick < 3000; ++tick) {
      for (int slot = 0; slot < 4; ++slot) {
        match.set_input(slot, {.move_x = std::int8_t(random.below(200)),
                               .move_y = std::int8_t(random.below(200)),
                               .aim = std::uint16_t(random.below(65536)),
                               .fire = true});
      }
      match.step();
    }
    return std::pair(match.end().scores, match.falls());
  };
  const auto once = play({});
  EXPECT_EQ(once, play({}));
  EXPECT_GT(once.second, 0) << "somebody falls in 100 seconds of shooting";
  const auto twice = play({.double_score = true});
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(twice.first[i], 2 * once.first[i]);
}

}  // namespace
}  // namespace showcaller
