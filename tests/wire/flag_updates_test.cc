// SPDX-License-Identifier: Apache-2.0
// Flags by stream over real sockets: what whoever reads is told, also when he was away or is slow.
#include "wire/flag_updates.h"

#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "codec/flag_delta.h"
#include "net/http_client.h"
#include "net/sse.h"
#include "tests/net/raw_socket.h"
#include "tests/wire/fake_backend.h"
#include "wire/api_server.h"
#include "wire/flag_history.h"
#include "wire/metric_table.h"

namespace showcaller {
namespace {

std::shared_ptr<const FlagSet> flags_of(std::string_view flags) {
  return std::make_shared<const FlagSet>(*FlagSet::parse(fmt::format(R"({{"flags":{}}})", flags)));
}

std::string door(std::string_view variant) {
  return fmt::format(R"("door":{{"variants":{{"open":true,"shut":false}},"defaultVariant":"{}"}})",
                     variant);
}

const std::string kColour =
    R"("colour":{"variants":{"red":"r","blue":"b"},"defaultVariant":"red","targeting":{"if":[{"==":[{"var":"group"},"staff"]},"blue",null]}})";

// Tokens as FakeBackend has them; what is in force changes under its readers.
class ChangingBackend : public FakeBackend {
 public:
  FlagView flags(const Actor& actor) const override {
    const std::lock_guard lock(mutex_);
    return {flag_set, actor.name == "client"};
  }
  void put(std::shared_ptr<const FlagSet> flags) {
    const std::lock_guard lock(mutex_);
    flag_set = std::move(flags);
  }
  Result<Actor> authenticate(std::string_view token) const override {
    ++authentications;
    if (alice_revoked && token == "alice")
      return fail(ErrorCode::Unauthenticated, "the token is not good any more; ask for a new one");
    return FakeBackend::authenticate(token);
  }
  mutable std::atomic<int> authentications = 0;
  std::atomic<bool> alice_revoked = false;

 private:
  mutable std::mutex mutex_;
};

class FlagStreaming : public testing::Test {
 protected:
  void SetUp() override {
    put("{" + door("shut") + "," + kColour + "}");
    server = *ApiServer::start({.flag_streams = &streams}, &backend, &metrics, &log);
  }
  void TearDown() override { streams.stop(); }

  void put(const std::string& flags) {
    backend.put(flags_of(flags));
    streams.changed();
  }

  // Reads until `next` has no more to do: it is called once before each event that is wanted.
  std::vector<SseEvent> read(
      HttpClientRequest request, std::string_view token, std::size_t wanted,
      const std::function<void(std::size_t)>& before = [](std::size_t) {}) {
    request.target = "/api/v1/flags/stream";
    request.headers.add("Authorization", "Bearer " + std::string(token));
    HttpClient client({.base_url = server->url(), .timeout = seconds(10)});
    SseParser parser;
    std::vector<SseEvent> events;
    bool began = false;
    const auto response = client.stream(request, [&](std::string_view bytes) {
      if (!std::exchange(began, true)) before(0);
      for (SseEvent& event : parser.feed(bytes)) {
        events.push_back(std::move(event));
        if (events.size() < wanted) before(events.size());
      }
      return events.size() < wanted;
    });
    EXPECT_TRUE(response);
    if (response) status = response->status;
    return events;
  }

  ChangingBackend backend;
  MetricsRegistry metrics{kMetricTable};
  Log log{2, LogLevel::Off};
  FlagStreams streams;
  std::unique_ptr<ApiServer> server;
  int status = 0;
};

TEST_F(FlagStreaming, RulesAreToldWholeAndThenWhatChanges) {
  const auto events = read({}, "alice", 3, [&](std::size_t have) {
    if (have == 1) put("{" + door("open") + "," + kColour + "}");
    if (have == 2) put("{" + door("open") + "}");
  });
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].event, "snapshot");
  auto document = parse_json(events[0].data)->as_object();
  EXPECT_EQ(FlagSet::compile(document)->fingerprint(), events[0].id);
  for (std::size_t i = 1; i < events.size(); ++i) {
    EXPECT_EQ(events[i].event, "delta");
    const auto delta = decode_flag_delta(events[i].data);
    ASSERT_TRUE(delta);
    EXPECT_EQ(delta->from, events[i - 1].id);
    EXPECT_EQ(delta->patch.at("flags").as_object().size(), 1u);
    ASSERT_TRUE(apply_flag_patch(&document, delta->patch));
    EXPECT_EQ(FlagSet::compile(document)->fingerprint(), events[i].id);
  }
}

TEST_F(FlagStreaming, WhoComesBackIsToldWhatHeMissedAndNoMore) {
  const std::string first(backend.flag_set->fingerprint());
  read({}, "alice", 1);
  put("{" + door("open") + "," + kColour + "}");
  read({}, "alice", 1);
  put("{" + door("open") + "," + kColour + R"(,"new":{"variants":{"a":1},"defaultVariant":"a"}})");
  const auto missed = read({.headers = {{"Last-Event-ID", first}}}, "alice", 1);
  ASSERT_EQ(missed.size(), 1u);
  EXPECT_EQ(missed[0].event, "delta");
  EXPECT_EQ(decode_flag_delta(missed[0].data)->patch.at("flags").as_object().size(), 2u);
  const auto nothing = read({.headers = {{"Last-Event-ID", missed[0].id}}}, "alice", 1);
  ASSERT_EQ(nothing.size(), 1u);
  EXPECT_TRUE(decode_flag_delta(nothing[0].data)->patch.empty());
  const auto unknown = read({.headers = {{"Last-Event-ID", "of another server"}}}, "alice", 1);
  ASSERT_EQ(unknown.size(), 1u);
  EXPECT_EQ(unknown[0].event, "snapshot");
}

TEST_F(FlagStreaming, ClientsGetValuesForTheirContextAndNeverARule) {
  read({}, "client", 1);
  EXPECT_EQ(status, 403);
  const HttpClientRequest staff{.method = "POST",
                                .body = R"({"context":{"targetingKey":"p-1","group":"staff"}})"};
  const auto events = read(staff, "client", 2, [&](std::size_t have) {
    if (have != 1) return;
    // What changes for others alone is not told.
    put("{" + door("shut") +
        R"(,"colour":{"variants":{"red":"r2","blue":"b"},"defaultVariant":"red","targeting":{"if":[{"==":[{"var":"group"},"staff"]},"blue",null]}}})");
    put("{" + door("open") + "}");
  });
  ASSERT_EQ(events.size(), 2u);
  for (const SseEvent& event : events) EXPECT_EQ(event.data.find("group"), std::string::npos);
  auto document = parse_json(events[0].data)->as_object();
  const auto before = *FlagSet::compile(document);
  EXPECT_EQ(before.evaluate("colour", {}, {}).value->as_string(), "b");
  EXPECT_EQ(before.evaluate("colour", {}, {}).reason, FlagReason::TargetingMatch);
  EXPECT_FALSE(before.evaluate("door", {}, {}).value->as_bool());
  const auto delta = decode_flag_delta(events[1].data);
  EXPECT_EQ(delta->from, events[0].id);
  ASSERT_TRUE(apply_flag_patch(&document, delta->patch));
  const auto after = *FlagSet::compile(document);
  EXPECT_TRUE(after.evaluate("door", {}, {}).value->as_bool());
  EXPECT_FALSE(after.contains("colour"));
  // Whom it exposed was noted: of all flags, then of each that was told anew.
  const std::lock_guard lock(backend.evaluations_mutex);
  EXPECT_EQ(backend.evaluations, (std::vector<std::string>{"p-1 ", "p-1 door"}));
}

TEST_F(FlagStreaming, WhoHasTheSameValuesIsNotSentThemAgain) {
  const HttpClientRequest player{.method = "POST", .body = R"({"context":{"group":"player"}})"};
  const auto first = read(player, "client", 1);
  HttpClientRequest again = player;
  again.headers.add("Last-Event-ID", first.at(0).id);
  const auto second = read(again, "client", 1);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].event, "delta");
  EXPECT_TRUE(decode_flag_delta(second[0].data)->patch.at("flags").as_object().empty());
}

TEST_F(FlagStreaming, AStreamEndsWithItsToken) {
  const auto events = read({}, "alice", 2, [&](std::size_t have) {
    if (have != 1) return;
    backend.alice_revoked = true;
    put("{" + door("open") + "}");
  });
  EXPECT_EQ(events.size(), 1u);
}

// Many large changes while one does not read: he has an event under way, which the system's buffers
// may hold, and no more of them. Then he gets what tells him all that he missed.
TEST_F(FlagStreaming, AReaderWhoDoesNotReadCostsOneEventAndGetsASnapshotLater) {
  const auto large = [](int i) {
    return fmt::format(R"({{"text":{{"variants":{{"a":"{}","b":{}}},"defaultVariant":"a"}}}})",
                       std::string(1 << 20, 'x'), i);
  };
  put(large(0));
  RawSocket socket(server->port(), 4096);
  socket.send(
      "GET /api/v1/flags/stream HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer alice\r\n\r\n");
  while (streams.size() == 0) std::this_thread::yield();
  constexpr int kChanges = 40;
  for (int i = 1; i <= kChanges; ++i) {
    put(large(i));
    read({}, "alice", 1);  // Others are told all the while.
  }
  const std::string last(backend.flag_set->fingerprint());
  SseParser parser;
  std::vector<SseEvent> events;
  std::string text;
  while (events.empty() || events.back().id != last) {
    const std::string piece = socket.read_some(64 << 10);
    ASSERT_FALSE(piece.empty()) << events.size();
    for (SseEvent& event : parser.feed(piece)) events.push_back(std::move(event));
  }
  EXPECT_LE(events.size(), 10u);
  EXPECT_EQ(events.back().event, "snapshot");
}

TEST_F(FlagStreaming, ATokenIsAskedForOnceARoundHoweverManyReadWithIt) {
  constexpr int kReaders = 200;
  std::vector<RawSocket> sockets;
  for (int i = 0; i < kReaders; ++i) {
    sockets.emplace_back(server->port());
    sockets.back().send(
        "GET /api/v1/flags/stream HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer alice\r\n\r\n");
    EXPECT_NE(sockets.back().read_until("event: snapshot").find("snapshot"), std::string::npos);
  }
  const int asked = backend.authentications;
  put("{" + door("open") + "}");
  for (RawSocket& socket : sockets)
    EXPECT_NE(socket.read_until("event: ").find("event: "), std::string::npos);
  EXPECT_LE(backend.authentications - asked, 2);
}

TEST(FlagHistory, ForgetsWhatIsTooMany) {
  FlagHistory history;
  std::vector<std::string> revisions;
  for (int i = 0; i < 300; ++i) {
    const auto flags = flags_of(fmt::format(
        R"({{"a":{{"variants":{{"x":{}}},"defaultVariant":"x"}},"b":{{"variants":{{"x":"{}"}}}}}})",
        i, std::string(500, 'b')));
    revisions.emplace_back(flags->fingerprint());
    history.advance(flags);
  }
  EXPECT_FALSE(history.patch_since(revisions[0]));
  EXPECT_EQ(history.delta_since(revisions[0]), nullptr);
  ASSERT_TRUE(history.patch_since(revisions[290]));
  EXPECT_EQ(history.patch_since(revisions[290])->at("flags").as_object().size(), 1u);
  EXPECT_LT(history.delta_since(revisions[290])->size(), history.snapshot()->size());
  // One text for all.
  EXPECT_EQ(history.delta_since(revisions[290]), history.delta_since(revisions[290]));
}

TEST(FlagHistory, KnowsWhetherRulesReadTheTime) {
  FlagHistory history;
  history.advance(flags_of("{" + kColour + "}"));
  EXPECT_FALSE(history.moves_with_time());
  history.advance(flags_of(
      R"({"a":{"variants":{"x":1},"targeting":{"if":[{">":[{"var":"$flagd.timestamp"},5]},"x",null]}}})"));
  EXPECT_TRUE(history.moves_with_time());
  history.advance(flags_of(R"({"a":{"variants":{"x":1},"targeting":{"rollout":[1,2,"x","x"]}}})"));
  EXPECT_TRUE(history.moves_with_time());
}

}  // namespace
}  // namespace showcaller
