// SPDX-License-Identifier: Apache-2.0
// The client that follows the stream of changes.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "showcaller/client.h"
#include "tests/sdk/streaming_server.h"

namespace showcaller::sdk {
namespace {

using namespace std::chrono_literals;

std::string level(int value) {
  return R"("level":{"variants":{"a":)" + std::to_string(value) + R"(},"defaultVariant":"a"})";
}

class StreamTest : public ::testing::Test {
 protected:
  Options options() {
    Options out;
    out.name = "arena";
    out.transport = server;
    out.poll_every = 1h;
    return out;
  }
  // Waits for the n-th event of these kinds.
  struct Told {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<EventDetails> all;
    EventHandler handler() {
      return [this](const EventDetails& details) {
        const std::lock_guard lock(mutex);
        all.push_back(details);
        changed.notify_all();
      };
    }
    EventDetails nth(std::size_t n) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return all.size() > n; });
      return all[n];
    }
  };

  std::shared_ptr<StreamingServer> server = std::make_shared<StreamingServer>();
};

TEST_F(StreamTest, ASnapshotThenDeltasOfWhatChanged) {
  server->fail_with(503);  // Nothing comes but by the stream.
  Client client(options());
  Told changes, ready;
  client.on(Event::ConfigurationChanged, changes.handler());
  client.on(Event::Ready, ready.handler());
  server->snapshot(
      "{\"flags\":{" + level(1) + R"(,"text":{"variants":{"a":"x"},"defaultVariant":"a"}}})", "r1");
  EXPECT_EQ(ready.nth(0).client, "arena");
  EXPECT_EQ(changes.nth(0).flags_changed, (std::vector<std::string>{"level", "text"}));
  EXPECT_EQ(client.integer("level", 0), 1);
  server->delta("r1", "{\"flags\":{" + level(2) + "}}", "r2");
  EXPECT_EQ(changes.nth(1).flags_changed, (std::vector<std::string>{"level"}));
  EXPECT_EQ(client.integer("level", 0), 2);
  EXPECT_EQ(client.string("text", ""), "x");
  server->delta("r2", R"({"flags":{"text":null}})", "r3");
  EXPECT_EQ(changes.nth(2).flags_changed, (std::vector<std::string>{"text"}));
  EXPECT_EQ(client.string_details("text", "mine").error, ErrorCode::FlagNotFound);
}

TEST_F(StreamTest, ABrokenStreamIsResumedFromTheRevisionThatIsThere) {
  Client client(options());
  EXPECT_EQ(header_of(server->asked(0), "Last-Event-ID"), "");
  server->snapshot("{\"flags\":{" + level(1) + "}}", "r1");
  ASSERT_TRUE(client.wait_until_ready(10s));
  server->interrupt_stream();
  EXPECT_EQ(header_of(server->asked(1), "Last-Event-ID"), "r1");
  server->delta("r1", "{}", "r1");
  server->wait_until_heard(2);
  EXPECT_EQ(client.integer("level", 0), 1);
}

TEST_F(StreamTest, AChangeOfAnotherRevisionIsNotAppliedAndAllFlagsAreAskedFor) {
  Client client(options());
  server->snapshot("{\"flags\":{" + level(1) + "}}", "r1");
  server->delta("r7", "{\"flags\":{" + level(9) + "}}", "r8");
  EXPECT_EQ(header_of(server->asked(1), "Last-Event-ID"), "");
  EXPECT_EQ(client.integer("level", 0), 1);
  server->snapshot("{\"flags\":{" + level(9) + "}}", "r8");
  server->wait_until_heard(3);
  EXPECT_EQ(client.integer("level", 0), 9);
}

TEST_F(StreamTest, WhatTheStreamBroughtServesAnOfflineStart) {
  Options with_file = options();
  with_file.state_file = testing::TempDir() + "showcaller_sdk_stream_" + std::to_string(::getpid());
  {
    Client client(with_file);
    server->snapshot("{\"flags\":{" + level(1) + "}}", "r1");
    server->delta("r1", "{\"flags\":{" + level(2) + "}}", "r2");
    server->wait_until_heard(2);
  }
  Options offline;
  offline.state_file = with_file.state_file;
  EXPECT_EQ(Client(offline).integer("level", 0), 2);
  Client again(with_file);
  EXPECT_EQ(header_of(server->asked(1), "Last-Event-ID"), "r2");
  std::filesystem::remove(with_file.state_file);
}

TEST_F(StreamTest, WithoutAStreamAtTheServerItAsks) {
  server->refuse_streams(404);
  server->set_flags("{\"flags\":{" + level(5) + "}}");
  Client client(options());
  ASSERT_TRUE(client.wait_until_ready(10s));
  EXPECT_EQ(client.integer("level", 0), 5);
}

TEST_F(StreamTest, DecidedAtTheServerForTheClientsContextAndAgainWhenThatChanges) {
  Options at_server = options();
  at_server.rules = Rules::AtServer;
  at_server.context = Context("player-1");
  Client client(at_server);
  Told told;
  client.on(Event::Reconciling, told.handler());
  client.on(Event::ContextChanged, told.handler());
  const TransportRequest first = server->asked(0);
  EXPECT_EQ(first.method, "POST");
  EXPECT_EQ(first.body, R"({"context":{"targetingKey":"player-1"}})");
  server->snapshot("{\"flags\":{" + level(1) + "}}", "v1");
  ASSERT_TRUE(client.wait_until_ready(10s));
  client.set_context(Context("player-2"));
  EXPECT_EQ(told.nth(0).event, Event::Reconciling);
  EXPECT_EQ(server->asked(1).body, R"({"context":{"targetingKey":"player-2"}})");
  server->snapshot("{\"flags\":{" + level(2) + "}}", "v2");
  EXPECT_EQ(told.nth(1).event, Event::ContextChanged);
  EXPECT_EQ(client.integer("level", 0), 2);
  EXPECT_EQ(server->snapshots_sent(), 0);
}

TEST_F(StreamTest, WhoComesLateIsToldWhatIsSoAlreadyAndAHandlerMayThrow) {
  server->refuse_streams(403);
  server->fail_with(403);
  Client client(options());
  Told any;
  const HandlerId id = Client::on_any(Event::Error, any.handler());
  Told first;
  client.on(Event::Error, [](const EventDetails&) { throw 7; });
  client.on(Event::Error, first.handler());
  EXPECT_NE(first.nth(0).event, Event::Ready);
  EXPECT_EQ(client.status(), ClientStatus::Error);
  Told late;
  client.on(Event::Error, late.handler());
  EXPECT_EQ(late.nth(0).client, "arena");
  Client::off_any(id);
}

TEST_F(StreamTest, AfterShutdownFlagsAreAsTheyWereLast) {
  Client client(options());
  server->snapshot("{\"flags\":{" + level(1) + "}}", "r1");
  ASSERT_TRUE(client.wait_until_ready(10s));
  client.count("m", 3);
  client.shutdown();
  client.shutdown();
  EXPECT_EQ(client.integer("level", 0), 1);
  EXPECT_EQ(server->totals().at("m////").first, 3);
}

}  // namespace
}  // namespace showcaller::sdk
