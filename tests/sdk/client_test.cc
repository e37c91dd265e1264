// SPDX-License-Identifier: Apache-2.0
// The client over a fake server and a clock of the test's own: flags, offline starts, delivery,
// back-off, bounds.
#include "showcaller/client.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "sdk/flag_store.h"
#include "showcaller/showcaller.h"
#include "tests/counted_allocations.h"
#include "tests/sdk/fake_server.h"

namespace showcaller::sdk {
namespace {

using showcaller::test::allocations;

using namespace std::chrono_literals;
using TimePoint = std::chrono::system_clock::time_point;

const char* kFlags = R"({"flags":{
  "door":{"state":"ENABLED","variants":{"open":true,"shut":false},"defaultVariant":"shut","metadata":{"v":3},
    "targeting":{"if":[{"in":[{"var":"group"},["staff","qa"]]},"open",null]}},
  "share":{"state":"ENABLED","variants":{"canary":true,"baseline":false},"defaultVariant":"baseline",
    "targeting":{"fractional":[{"cat":["salt",{"var":"party"}]},["canary",500000],["baseline",500000]]}},
  "level":{"state":"ENABLED","variants":{"a":42},"defaultVariant":"a"},
  "half":{"state":"ENABLED","variants":{"a":0.5},"defaultVariant":"a"},
  "text":{"state":"ENABLED","variants":{"a":"hello"},"defaultVariant":"a"},
  "table":{"state":"ENABLED","variants":{"a":{"drops":[1,2]}},"defaultVariant":"a"},
  "nothing":{"state":"ENABLED","variants":{"a":true}},
  "off":{"state":"DISABLED","variants":{"a":true},"defaultVariant":"a"}}})";

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() { server->set_flags(kFlags); }
  ~ClientTest() override { Client::set_global_context({}); }

  Options options() {
    Options out;
    out.transport = server;
    out.token = "secret";
    out.background = false;
    out.on_log = [this](std::string_view line) { log += std::string(line) + "\n"; };
    return out;
  }
  // Steps the client at its own deadlines until the time.
  void run_until(Client* client, TimePoint until) {
    while (now < until) now = std::min(until, client->step(now));
    client->step(now);
  }

  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  TimePoint now{1'760'000'000s};
  std::string log;
};

TEST_F(ClientTest, EveryTypeWithDetails) {
  Client client(options());
  client.step(now);
  EXPECT_EQ(client.status(), ClientStatus::Ready);
  EXPECT_EQ(client.integer("level", 1), 42);
  EXPECT_EQ(client.number("level", 1), 42.0);
  EXPECT_EQ(client.number("half", 1), 0.5);
  EXPECT_EQ(client.integer("half", 7), 7);
  EXPECT_EQ(client.string("text", "x"), "hello");
  EXPECT_EQ(client.object("table", "{}"), R"({"drops":[1,2]})");
  EXPECT_TRUE(client.boolean("nothing", true));
  EXPECT_TRUE(client.boolean("off", true));
  EXPECT_EQ(client.metadata("door"), R"({"v":3})");

  Context staff("p-1");
  staff.set("group", "staff");
  const auto open = client.boolean_details("door", false, staff);
  EXPECT_TRUE(open.value);
  EXPECT_EQ(open.variant, "open");
  EXPECT_EQ(open.reason, Reason::TargetingMatch);
  EXPECT_EQ(client.boolean_details("door", true).reason, Reason::Default);
  EXPECT_EQ(client.boolean_details("off", true).reason, Reason::Disabled);
  const auto missing = client.string_details("absent", "mine");
  EXPECT_EQ(missing.value, "mine");
  EXPECT_EQ(missing.error, ErrorCode::FlagNotFound);
  EXPECT_EQ(to_string(missing.error), "FLAG_NOT_FOUND");
  EXPECT_EQ(client.integer_details("text", 5).error, ErrorCode::TypeMismatch);
  EXPECT_EQ(client.integer_details("text", 5).value, 5);
  EXPECT_EQ(client.object_details("text", "[]").value, "[]");
}

TEST_F(ClientTest, ContextsLayCallOverClientOverGlobal) {
  Client client(options());
  client.step(now);
  Context global, own, call;
  global.set("group", "staff");
  Client::set_global_context(global);
  EXPECT_TRUE(client.boolean("door", false));
  own.set("group", "player");
  client.set_context(own);
  EXPECT_FALSE(client.boolean("door", false));
  call.set("group", "qa");
  EXPECT_TRUE(client.boolean("door", false, call));
  call.set("group", "nobody");
  EXPECT_FALSE(client.boolean("door", false, call));
  EXPECT_FALSE(Context().set_json("x", "{"));
}

TEST_F(ClientTest, BeforeTheFirstFlagsTheFallbackIsGiven) {
  server->fail_with(0);
  Client client(options());
  EXPECT_EQ(client.status(), ClientStatus::NotReady);
  client.step(now);
  EXPECT_EQ(client.status(), ClientStatus::Error);
  EXPECT_TRUE(client.boolean("door", true));
  EXPECT_EQ(client.boolean_details("door", true).error, ErrorCode::ProviderNotReady);
  EXPECT_EQ(client.flags_fingerprint(), "");
}

TEST_F(ClientTest, UnchangedFlagsAreNotSentAgainAndChangesArrive) {
  Client client(options());
  run_until(&client, now + 60s);
  EXPECT_EQ(server->snapshots_sent(), 1);
  EXPECT_GE(server->requests(), 10);
  const std::string before = client.flags_fingerprint();
  server->set_flags(
      R"({"flags":{"level":{"state":"ENABLED","variants":{"a":43},"defaultVariant":"a"}}})");
  run_until(&client, now + 6s);
  EXPECT_EQ(client.integer("level", 0), 43);
  EXPECT_NE(client.flags_fingerprint(), before);
  EXPECT_EQ(client.boolean_details("door", false).error, ErrorCode::FlagNotFound);
}

TEST_F(ClientTest, BadDefinitionsDoNotReplaceGoodOnes) {
  Client client(options());
  client.step(now);
  server->set_flags(R"({"flags":{"level":{"variants":{"a":1},"defaultVariant":"zzz"}}})");
  run_until(&client, now + 20s);
  EXPECT_EQ(client.integer("level", 0), 42);
  EXPECT_NE(log.find("/flags/level/defaultVariant"), std::string::npos) << log;
}

TEST_F(ClientTest, TheLastGoodFlagsServeAnOfflineStart) {
  const std::string path =
      testing::TempDir() + "showcaller_sdk_state_" + std::to_string(::getpid());
  Options with_file = options();
  with_file.state_file = path;
  {
    Client client(with_file);
    client.step(now);
  }
  server->fail_with(0);
  {
    Client client(with_file);
    EXPECT_EQ(client.status(), ClientStatus::Stale);
    EXPECT_EQ(client.integer("level", 0), 42);
    client.step(now);
    EXPECT_EQ(client.integer("level", 0), 42);
  }
  // The saved tag is offered: an unchanged server sends nothing.
  server->fail_with(200);
  {
    Client client(with_file);
    client.step(now);
    EXPECT_EQ(client.status(), ClientStatus::Ready);
    EXPECT_EQ(server->snapshots_sent(), 1);
  }
  // Without any server at all.
  Options offline;
  offline.state_file = path;
  EXPECT_EQ(Client(offline).integer("level", 0), 42);
  // A damaged file is no harm.
  std::ofstream(path) << "{\"document\":";
  server->fail_with(0);
  Client client(with_file);
  EXPECT_EQ(client.status(), ClientStatus::NotReady);
  EXPECT_NE(log.find("holds no flags"), std::string::npos);
  std::filesystem::remove(path);
}

TEST_F(ClientTest, AServerThatFallsSilentMakesFlagsStale) {
  Client client(options());
  client.step(now);
  server->fail_with(503);
  run_until(&client, now + 59s);
  EXPECT_EQ(client.status(), ClientStatus::Ready);
  run_until(&client, now + 120s);
  EXPECT_EQ(client.status(), ClientStatus::Stale);
  EXPECT_EQ(client.integer("level", 0), 42);
  server->fail_with(200);
  run_until(&client, now + 120s);
  EXPECT_EQ(client.status(), ClientStatus::Ready);
}

TEST_F(ClientTest, ReportsArriveMergedWithTheirLabels) {
  Options server_options = options();
  server_options.trust = "server";
  server_options.instance = "i-1";
  Client client(server_options);
  client.set_trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "congo=1");
  const Labels canary{.event = "raid", .arm = "canary"};
  for (int i = 0; i < 10; ++i) {
    client.session_started(canary);
    client.session_ended(i == 3  ? Outcome::Crashed
                         : i < 5 ? Outcome::Failed
                                 : Outcome::Completed,
                         canary);
    client.latency("join.latency", 20.0 + i, canary);
  }
  client.error({.instance = "i-2"});
  client.count("raid.completed", 7, 5);
  client.exposed({.event = "raid", .arm = "canary", .unit = "party:9"});
  client.step(now);
  const auto batches = server->batches();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].trust, Trust::Server);
  EXPECT_EQ(batches[0].sequence, 1);
  EXPECT_EQ(batches[0].trace, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  using Totals = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;
  EXPECT_EQ(server->totals(), (Totals{{"session.started/raid/canary/i-1/", {10, 0}},
                                      {"session.ended/raid/canary/i-1/", {10, 0}},
                                      {"session.crashed/raid/canary/i-1/", {10, 1}},
                                      {"session.error/raid/canary/i-1/", {10, 5}},
                                      {"join.latency/raid/canary/i-1/", {10, 0}},
                                      {"error///i-2/", {1, 0}},
                                      {"raid.completed///i-1/", {7, 5}},
                                      {"unit.exposed/raid/canary/i-1/party:9", {1, 0}}}));
  const TransportRequest sent = server->last();
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.target, "/api/v1/telemetry");
  EXPECT_EQ(sent.headers[0],
            (std::pair<std::string, std::string>("Authorization", "Bearer secret")));
  EXPECT_EQ(sent.headers[1].first, "traceparent");
  EXPECT_EQ(sent.headers[2], std::pair(std::string("tracestate"), std::string("congo=1")));
}

// "door=open" -> how often.
std::map<std::string, std::int64_t> evaluations(const std::vector<TelemetryBatch>& batches) {
  std::map<std::string, std::int64_t> out;
  for (const auto& batch : batches) {
    for (const auto& delta : batch.deltas) {
      if (delta.metric == metric::kFlagEvaluated) out[delta.stratum] += delta.n;
    }
  }
  return out;
}

TEST_F(ClientTest, TellsHowOftenEachAnswerWasGiven) {
  Client client(options());
  client.step(now);
  Context staff("p-1");
  staff.set("group", "staff");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(client.boolean("door", false, staff));
  EXPECT_FALSE(client.boolean("door", true));
  EXPECT_TRUE(client.boolean("off", true));
  EXPECT_TRUE(client.boolean("nothing", true));
  EXPECT_TRUE(client.boolean("absent", true));
  // Counted before the flags change, and told after.
  server->set_flags(
      R"({"flags":{"level":{"state":"ENABLED","variants":{"a":43},"defaultVariant":"a"}}})");
  run_until(&client, now + 12s);
  EXPECT_EQ(client.integer("level", 0), 43);
  EXPECT_EQ(client.string("level", "x"), "x");  // of another type, and asked for all the same
  run_until(&client, now + 6s);
  const std::map<std::string, std::int64_t> told{
      {"door=open", 3}, {"door=shut", 1}, {"level=a", 2}, {"nothing=", 1}, {"off=", 1}};
  EXPECT_EQ(evaluations(server->batches()), told);
  run_until(&client, now + 60s);
  EXPECT_EQ(evaluations(server->batches()), told);
}

TEST_F(ClientTest, TellsNothingOfEvaluationsWhenAskedNotTo) {
  Options quiet = options();
  quiet.report_evaluations = false;
  Client client(quiet);
  client.step(now);
  EXPECT_FALSE(client.boolean("door", true));
  run_until(&client, now + 30s);
  EXPECT_TRUE(server->batches().empty());
}

TEST(FlagStoreCounts, WhatDoesNotFitABatchGoesWithTheNext) {
  FlagStore store("", {});
  ASSERT_TRUE(store.replace(kFlags, "1"));
  const auto count_all = [&] {
    const auto live = store.flags().read();
    for (std::uint32_t i = 1; i <= live->set.answers(); ++i) live->counts->add(i);
  };
  std::map<std::string, std::int64_t> seen;
  for (int round = 0; round < 30; ++round) {
    count_all();
    const auto taken = store.take_counts(4);
    EXPECT_EQ(taken.size(), 4u);
    for (const CountedAnswer& answer : taken)
      seen[answer.key + "=" + answer.variant] += answer.times;
  }
  for (const CountedAnswer& answer : store.take_counts(1'000))
    seen[answer.key + "=" + answer.variant] += answer.times;
  EXPECT_EQ(seen.size(), store.flags().read()->set.answers());
  for (const auto& [name, times] : seen) EXPECT_EQ(times, 30) << name;
}

TEST_F(ClientTest, ALostAnswerCountsNothingTwice) {
  Client client(options());
  server->lose_answers(3);
  client.count("m", 5);
  run_until(&client, now + 2s);
  client.count("m", 2);
  run_until(&client, now + 60s);
  EXPECT_EQ(server->totals().at("m////").first, 7);
  EXPECT_EQ(server->batches().size(), 2u);
}

TEST_F(ClientTest, BackOffGrowsAndHeedsRetryAfter) {
  server->fail_with(503);
  Client client(options());
  client.count("m", 1);
  run_until(&client, now + 600s);
  // Two conversations, each 1 s, 2 s, … up to a minute with chance: far fewer than one a poll.
  EXPECT_LT(server->requests(), 60);
  EXPECT_GT(server->requests(), 16);

  server->fail_with(429, 300);
  run_until(&client, now + 61s);
  const int before = server->requests();
  run_until(&client, now + 200s);
  EXPECT_EQ(server->requests(), before);
  server->fail_with(200);
  run_until(&client, now + 200s);
  EXPECT_EQ(server->totals().at("m////").first, 1);
}

TEST_F(ClientTest, ABatchTheServerCannotReadIsNotSentForEver) {
  Client client(options());
  std::int64_t lost = 0;
  for (const int status : {400, 404, 413, 422}) {
    server->fail_with(status);
    client.count("m", 1);
    client.count("k", 1);
    run_until(&client, now + 70s);
    EXPECT_EQ(client.dropped(), lost += 2) << status;
  }
  server->fail_with(200);
  client.count("m", 2);
  run_until(&client, now + 70s);
  EXPECT_EQ(server->totals().at("m////").first, 2);
  EXPECT_EQ(server->batches().back().dropped, lost);  // The server learns of it.
}

TEST_F(ClientTest, MemoryIsBoundedWhileTheServerIsAway) {
  server->fail_with(0);
  Options bounded = options();
  bounded.series_max = 100;
  bounded.queue_max = 256;
  Client client(bounded);
  constexpr int kReports = 20'000;
  for (int i = 0; i < kReports; ++i) {
    client.count("m", 1, 0, {.unit = std::to_string(i)});
    if (i % 200 == 0) now = std::max(now, client.step(now));
  }
  client.step(now);
  EXPECT_EQ(client.dropped(), 0);
  server->fail_with(200);
  run_until(&client, now + 120s);
  std::int64_t total = 0;
  std::size_t series = 0;
  for (const auto& [key, counts] : server->totals()) {
    total += counts.first;
    ++series;
  }
  // Past a hundred series reports lose their unit, never their count.
  EXPECT_EQ(total, kReports);
  EXPECT_LE(series, 102u);  // the first batch held one, on its way when the server left
}

TEST_F(ClientTest, WhatDoesNotFitIsCountedAsDropped) {
  Options tiny = options();
  tiny.queue_max = 8;
  tiny.series_max = 2;
  Client client(tiny);
  for (int i = 0; i < 20; ++i) client.count("m", 1);
  EXPECT_EQ(client.dropped(), 12);
  client.step(now);
  client.count(std::string(300, 'x'), 1);
  client.count("", 1);
  client.count("negative", -1);
  for (const char* metric : {"a", "b", "c", "d", "e"}) client.count(metric, 1);
  run_until(&client, now + 10s);
  EXPECT_EQ(client.dropped(), 16);
  std::int64_t told = 0;
  for (const auto& batch : server->batches()) told += batch.dropped;
  EXPECT_EQ(told, 16);
}

TEST_F(ClientTest, EvaluatingAndReportingAllocateNothing) {
  Client client(options());
  client.step(now);
  Context context("player-1");
  context.set("group", "staff").set("party", "party-12").set("level", 7);
  const std::int64_t before = allocations;
  int sink = 0;
  for (int i = 0; i < 100; ++i) {
    sink += client.boolean("door", false, context);
    sink += client.boolean("share", false, context);
    sink += client.boolean("absent", false, context);
    sink += int(client.integer("level", 0, context));
    client.latency("join.latency", 5.0, {.event = "raid", .arm = "canary"});
    client.session_started();
  }
  EXPECT_EQ(allocations - before, 0);
  EXPECT_GT(sink, 0);
}

// Threads read while the definitions change under them; each answer is from one version or another,
// never a mixture.
TEST_F(ClientTest, ReadersSeeWholeVersionsWhileFlagsChange) {
  Options fast = options();
  fast.poll_every = 1ms;
  fast.flush_every = 1ms;
  fast.background = false;
  const auto version = [](int i) {
    return R"({"flags":{"pair":{"state":"ENABLED","variants":{"a":{"x":)" + std::to_string(i) +
           R"(,"y":)" + std::to_string(i) + R"(}},"defaultVariant":"a"}}})";
  };
  server->set_flags(version(0));
  Client client(fast);
  client.step(now);
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      while (!stop) {
        const std::string text = client.object("pair", "");
        const auto x = text.substr(5, text.find(',') - 5);
        torn += text != R"({"x":)" + x + R"(,"y":)" + x + "}";
        client.count("reads", 1);
      }
    });
  }
  for (int i = 1; i <= 300; ++i) {
    server->set_flags(version(i));
    now += 10ms;
    client.step(now);
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(client.object("pair", ""), R"({"x":300,"y":300})");
}

TEST_F(ClientTest, InTheBackgroundItRunsByItselfAndDeliversTheRestOnClosing) {
  Options background = options();
  background.background = true;
  background.on_log = nullptr;
  {
    Client client(background);
    ASSERT_TRUE(client.wait_until_ready(10s));
    EXPECT_EQ(client.integer("level", 0), 42);
    client.count("m", 3);
  }
  EXPECT_EQ(server->totals().at("m////").first, 3);
}

TEST_F(ClientTest, ClosingDoesNotWaitForADeadServer) {
  Options dead;
  dead.url = "http://127.0.0.1:9";  // discard: nobody listens
  const auto began = std::chrono::steady_clock::now();
  {
    Client client(dead);
    client.count("m", 1);
    EXPECT_TRUE(client.boolean("x", true));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST(CInterface, WorksWithoutAServer) {
  const std::string path = testing::TempDir() + "showcaller_c_state_" + std::to_string(::getpid());
  std::ofstream(path) << R"({"etag":"x","document":)" << kFlags << "}";
  const showcaller_options options{.url = nullptr, .token = nullptr, .state_file = path.c_str()};
  showcaller_client* client = showcaller_client_new(&options);
  EXPECT_EQ(showcaller_client_status(client), SHOWCALLER_STALE);
  showcaller_context* context = showcaller_context_new("p-1");
  showcaller_context_text(context, "group", "staff");
  showcaller_context_number(context, "level", 3);
  showcaller_context_flag(context, "beta", 1);
  EXPECT_EQ(showcaller_context_json(context, "account", R"({"a":1})"), 1);
  EXPECT_EQ(showcaller_context_json(context, "account", "{"), 0);
  EXPECT_EQ(showcaller_boolean(client, "door", 0, context), 1);
  EXPECT_EQ(showcaller_boolean(client, "door", 1, nullptr), 0);
  EXPECT_EQ(showcaller_integer(client, "level", 0, nullptr), 42);
  EXPECT_EQ(showcaller_number(client, "half", 0, nullptr), 0.5);
  char buffer[4];
  EXPECT_EQ(showcaller_string(client, "text", "", nullptr, buffer, sizeof buffer), 5u);
  EXPECT_STREQ(buffer, "hel");
  EXPECT_EQ(showcaller_object(client, "table", "", nullptr, nullptr, 0), 15u);
  char metadata[16];
  EXPECT_EQ(showcaller_metadata(client, "door", metadata, sizeof metadata), 7u);
  EXPECT_STREQ(metadata, R"({"v":3})");
  const showcaller_labels labels{.event = "raid", .arm = "canary"};
  showcaller_session_started(client, &labels);
  showcaller_session_ended(client, SHOWCALLER_CRASHED, nullptr);
  showcaller_latency(client, "l", 3, nullptr);
  showcaller_count(client, "c", 1, 0, &labels);
  showcaller_error(client, nullptr);
  showcaller_exposed(client, &labels);
  EXPECT_EQ(showcaller_dropped(client), 0);
  showcaller_context_free(context);
  showcaller_client_free(client);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace showcaller::sdk
