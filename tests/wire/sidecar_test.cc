// SPDX-License-Identifier: Apache-2.0
// The Agones SDK over real sockets: a gRPC client and plain HTTP against one backend.
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agones_sdk.grpc.pb.h"
#include "agones_sdk_alpha.grpc.pb.h"
#include "agones_sdk_beta.grpc.pb.h"
#include "codec/agones_rest.h"
#include "codec/agones_sidecar_state.h"
#include "net/websocket.h"
#include "tests/net/raw_socket.h"
#include "wire/sidecar/grpc_sidecar.h"
#include "wire/sidecar/rest_sidecar.h"

namespace showcaller {
namespace {

namespace sdk = ::agones::dev::sdk;

// A backend with state: what the shim keeps, without the shim.
class Desk final : public agones::SidecarBackend {
 public:
  Desk() : state_(agones::local_game_server(7), {}, agones::SidecarPhase::Scheduled, Instant{}) {}

  agones::SdkResult call(const agones::SdkCall& call) override {
    if (std::holds_alternative<agones::HealthCall>(call)) ++pings;
    const std::lock_guard publishing(publish_mutex_);
    const std::uint64_t before = state_.version();
    agones::SdkResult result = state_.apply(call, Instant{});
    if (state_.version() != before) {
      const auto watchers = watchers_;
      for (const auto& [id, watcher] : watchers) {
        if (watchers_.contains(id)) watcher(state_.game_server());
      }
    }
    return result;
  }
  std::uint64_t watch(Watcher watcher) override {
    const std::lock_guard publishing(publish_mutex_);
    watcher(state_.game_server());
    watchers_.emplace(++next_, std::move(watcher));
    return next_;
  }
  void unwatch(std::uint64_t id) override {
    const std::lock_guard publishing(publish_mutex_);
    watchers_.erase(id);
  }
  std::size_t watchers() {
    const std::lock_guard publishing(publish_mutex_);
    return watchers_.size();
  }

  std::atomic<int> pings = 0;

 private:
  std::recursive_mutex publish_mutex_;
  agones::SidecarState state_;
  std::map<std::uint64_t, Watcher> watchers_;
  std::uint64_t next_ = 0;
};

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    if (holds()) return true;
    std::this_thread::yield();
  }
  return false;
}

class SidecarTest : public ::testing::Test {
 protected:
  SidecarTest() {
    auto grpc = GrpcSidecar::start(desk_, "127.0.0.1", 0);
    auto rest = RestSidecar::start(desk_, "127.0.0.1", 0);
    if (!grpc || !rest) throw std::runtime_error("the sidecar does not start");
    grpc_ = std::move(*grpc);
    rest_ = std::move(*rest);
    channel_ = grpc::CreateChannel(fmt::format("127.0.0.1:{}", grpc_->port()),
                                   grpc::InsecureChannelCredentials());
    stable_ = sdk::SDK::NewStub(channel_);
  }

  // The status line and body of one request on a connection of its own.
  std::string http(const std::string& method, const std::string& target,
                   const std::string& body = "{}") {
    const int fd = open_http(method, target, body);
    std::string reply;
    char buffer[8192];
    ssize_t n = 0;
    while ((n = ::recv(fd, buffer, sizeof buffer, 0)) > 0) reply.append(buffer, std::size_t(n));
    ::close(fd);
    return reply.substr(9, 3) + " " + reply.substr(reply.find("\r\n\r\n") + 4);
  }

  int open_http(const std::string& method, const std::string& target, const std::string& body) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(rest_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const std::string request = fmt::format(
        "{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        "Content-Length: {}\r\n\r\n{}",
        method, target, body.size(), body);
    EXPECT_EQ(::send(fd, request.data(), request.size(), 0), ssize_t(request.size()));
    return fd;
  }

  std::string state() {
    grpc::ClientContext context;
    sdk::GameServer reply;
    EXPECT_TRUE(stable_->GetGameServer(&context, {}, &reply).ok());
    return reply.status().state();
  }

  Desk desk_;
  std::unique_ptr<GrpcSidecar> grpc_;
  std::unique_ptr<RestSidecar> rest_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<sdk::SDK::Stub> stable_;
};

TEST_F(SidecarTest, GrpcLeadsTheGameServerThroughItsStates) {
  const auto call = [&](auto method, const auto& request) {
    grpc::ClientContext context;
    sdk::Empty reply;
    return (stable_.get()->*method)(&context, request, &reply).ok();
  };
  EXPECT_TRUE(call(&sdk::SDK::Stub::Ready, sdk::Empty()));
  EXPECT_EQ(state(), "Ready");
  EXPECT_TRUE(call(&sdk::SDK::Stub::Allocate, sdk::Empty()));
  EXPECT_EQ(state(), "Allocated");
  sdk::Duration five;
  five.set_seconds(5);
  EXPECT_TRUE(call(&sdk::SDK::Stub::Reserve, five));
  EXPECT_EQ(state(), "Reserved");
  sdk::KeyValue pair;
  pair.set_key("map");
  pair.set_value("ice");
  EXPECT_TRUE(call(&sdk::SDK::Stub::SetLabel, pair));
  EXPECT_TRUE(call(&sdk::SDK::Stub::SetAnnotation, pair));
  EXPECT_TRUE(call(&sdk::SDK::Stub::Shutdown, sdk::Empty()));
  grpc::ClientContext context;
  sdk::GameServer known;
  ASSERT_TRUE(stable_->GetGameServer(&context, {}, &known).ok());
  EXPECT_EQ(known.status().state(), "Shutdown");
  EXPECT_EQ(known.object_meta().name(), "local");
  EXPECT_EQ(known.object_meta().labels().at("agones.dev/sdk-map"), "ice");
  EXPECT_EQ(known.object_meta().annotations().at("agones.dev/sdk-map"), "ice");
  EXPECT_EQ(known.spec().health().period_seconds(), 3);
  EXPECT_EQ(known.status().ports(0).port(), 7777);
  EXPECT_EQ(known.status().counters().at("rooms").capacity(), 10);
  EXPECT_EQ(known.status().lists().at("players").values_size(), 3);
}

TEST_F(SidecarTest, GrpcHealthIsAStreamOfPings) {
  grpc::ClientContext context;
  sdk::Empty reply;
  const auto writer = stable_->Health(&context, &reply);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(writer->Write({}));
  writer->WritesDone();
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_EQ(desk_.pings, 10);
}

TEST_F(SidecarTest, GrpcWatchTellsNowAndEveryChange) {
  grpc::ClientContext context;
  const auto reader = stable_->WatchGameServer(&context, {});
  sdk::GameServer seen;
  ASSERT_TRUE(reader->Read(&seen));
  EXPECT_EQ(seen.status().state(), "Ready");
  for (int i = 0; i < 200; ++i) {
    (void)desk_.call(agones::SetLabelCall{"step", std::to_string(i)});
    ASSERT_TRUE(reader->Read(&seen));
    EXPECT_EQ(seen.object_meta().labels().at("agones.dev/sdk-step"), std::to_string(i));
  }
  context.TryCancel();
  while (reader->Read(&seen)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(eventually([&] { return desk_.watchers() == 0; }));
}

TEST_F(SidecarTest, GrpcWatchersComeAndGoWhileMuchHappens) {
  std::atomic<bool> over = false;
  std::thread changes([&] {
    for (int i = 0; !over; ++i) (void)desk_.call(agones::SetLabelCall{"step", std::to_string(i)});
  });
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    const auto reader = stable_->WatchGameServer(&context, {});
    sdk::GameServer seen;
    for (int n = 0; n < 3; ++n) ASSERT_TRUE(reader->Read(&seen));
    context.TryCancel();
    while (reader->Read(&seen)) {
    }
    (void)reader->Finish();
  }
  over = true;
  changes.join();
  EXPECT_TRUE(eventually([&] { return desk_.watchers() == 0; }));
}

TEST_F(SidecarTest, GrpcCountersAndLists) {
  const auto beta = sdk::beta::SDK::NewStub(channel_);
  {
    grpc::ClientContext context;
    sdk::beta::UpdateCounterRequest request;
    request.mutable_counterupdaterequest()->set_name("rooms");
    request.mutable_counterupdaterequest()->mutable_count()->set_value(0);
    sdk::beta::Counter reply;
    ASSERT_TRUE(beta->UpdateCounter(&context, request, &reply).ok());
    EXPECT_EQ(reply.count(), 0);
    EXPECT_EQ(reply.capacity(), 10);
  }
  {
    grpc::ClientContext context;
    sdk::beta::GetCounterRequest request;
    request.set_name("nope");
    sdk::beta::Counter reply;
    EXPECT_EQ(beta->GetCounter(&context, request, &reply).error_code(),
              grpc::StatusCode::NOT_FOUND);
  }
  {
    grpc::ClientContext context;
    sdk::beta::UpdateListRequest request;
    request.mutable_list()->set_name("players");
    request.mutable_list()->set_capacity(2);
    request.mutable_update_mask()->add_paths("capacity");
    sdk::beta::List reply;
    ASSERT_TRUE(beta->UpdateList(&context, request, &reply).ok());
    EXPECT_EQ(reply.values_size(), 2);
  }
  {
    grpc::ClientContext context;
    sdk::beta::AddListValueRequest request;
    request.set_name("players");
    request.set_value("ann");
    sdk::beta::List reply;
    EXPECT_EQ(beta->AddListValue(&context, request, &reply).error_code(),
              grpc::StatusCode::OUT_OF_RANGE);
  }
}

TEST_F(SidecarTest, GrpcPlayers) {
  const auto alpha = sdk::alpha::SDK::NewStub(channel_);
  sdk::alpha::PlayerID ann;
  ann.set_playerid("ann");
  sdk::alpha::Bool yes;
  {
    grpc::ClientContext context;
    EXPECT_FALSE(alpha->PlayerConnect(&context, ann, &yes).ok()) << "no capacity";
  }
  {
    grpc::ClientContext context;
    sdk::alpha::Count three;
    three.set_count(3);
    sdk::alpha::Empty reply;
    EXPECT_TRUE(alpha->SetPlayerCapacity(&context, three, &reply).ok());
  }
  {
    grpc::ClientContext context;
    ASSERT_TRUE(alpha->PlayerConnect(&context, ann, &yes).ok());
    EXPECT_TRUE(yes.bool_());
  }
  grpc::ClientContext context;
  sdk::alpha::PlayerIDList list;
  ASSERT_TRUE(alpha->GetConnectedPlayers(&context, {}, &list).ok());
  ASSERT_EQ(list.list_size(), 1);
  EXPECT_EQ(list.list(0), "ann");
}

TEST_F(SidecarTest, RestAndGrpcShowTheSameGameServer) {
  EXPECT_EQ(http("POST", "/ready"), "200 {}");
  EXPECT_EQ(http("POST", "/health", ""), "200 {}");
  EXPECT_EQ(desk_.pings, 1);
  EXPECT_EQ(http("POST", "/allocate"), "200 {}");
  EXPECT_EQ(state(), "Allocated");
  EXPECT_EQ(http("PATCH", "/v1beta1/counters/rooms", R"({"countDiff":"2"})"),
            R"(200 {"name":"rooms","count":"3","capacity":"10"})");
  EXPECT_EQ(http("GET", "/v1beta1/lists/nope", ""),
            R"(404 {"code":5,"message":"list not found: nope","details":[]})");
  EXPECT_TRUE(http("GET", "/gameserver", "").starts_with(R"(200 {"object_meta":{"name":"local")"));
}

TEST_F(SidecarTest, RestWatchIsALineAChange) {
  const int fd = open_http("GET", "/watch/gameserver", "");
  std::string text;
  const auto read_until = [&](std::string_view wanted) {
    char buffer[8192];
    while (text.find(wanted) == std::string::npos) {
      const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) return false;
      text.append(buffer, std::size_t(n));
    }
    return true;
  };
  ASSERT_TRUE(read_until(R"({"result":{"object_meta")"));
  (void)desk_.call(agones::AllocateCall{});
  EXPECT_TRUE(read_until(R"("state":"Allocated")"));
  ::close(fd);
  (void)desk_.call(agones::ReadyCall{});
  EXPECT_TRUE(eventually([&] {
    (void)desk_.call(agones::SetLabelCall{"x", "y"});
    return desk_.watchers() == 0;
  }));
}

// Agones's Unreal SDK watches by WebSocket only.
TEST_F(SidecarTest, RestWatchByWebSocketIsAMessageAChange) {
  RawSocket socket(rest_->port());
  socket.send(
      "GET /watch/gameserver HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  const auto message = [](const agones::GameServer& game_server) {
    std::string line = agones::watch_line(game_server);
    line.pop_back();
    return websocket_frame(WebSocketOpcode::Text, line);
  };
  agones::GameServer shown = agones::local_game_server(7);
  ASSERT_TRUE(socket.read_until(message(shown)).ends_with("\r\n\r\n" + message(shown)));
  socket.send(std::string_view("\x89\x80\x00\x00\x00\x00", 6));
  EXPECT_EQ(socket.read_until(std::string_view("\x8a\x00", 2)), std::string("\x8a\x00", 2));
  (void)desk_.call(agones::AllocateCall{});
  EXPECT_NE(socket.read_until("}}}}").find(R"("state":"Allocated")"), std::string::npos);
  socket.send(std::string_view("\x88\x82\x00\x00\x00\x00\x03\xe8", 8));
  EXPECT_EQ(socket.read_all(), "\x88\x02\x03\xe8");
  EXPECT_TRUE(eventually([&] { return desk_.watchers() == 0; }));
}

TEST_F(SidecarTest, EndsWhileStreamsAreOpen) {
  grpc::ClientContext context;
  const auto reader = stable_->WatchGameServer(&context, {});
  sdk::GameServer seen;
  ASSERT_TRUE(reader->Read(&seen));
  const int fd = open_http("GET", "/watch/gameserver", "");
  ASSERT_TRUE(eventually([&] { return desk_.watchers() == 2; }));
  grpc_.reset();
  rest_.reset();
  EXPECT_EQ(desk_.watchers(), 0u);
  EXPECT_FALSE(reader->Read(&seen));
  (void)reader->Finish();
  ::close(fd);
}

}  // namespace
}  // namespace showcaller
