// SPDX-License-Identifier: Apache-2.0
// flagd's services over real sockets: gRPC clients against a feed of sources.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "flagd_evaluation_v1.grpc.pb.h"
#include "flagd_evaluation_v2.grpc.pb.h"
#include "flagd_sync_v1.grpc.pb.h"
#include "tests/adapters/document_heard.h"
#include "tests/adapters/scratch_folder.h"
#include "wire/flagd/flagd_server.h"
#include "wire/flagd/sources_feed.h"
#include "wire/flagd/sync_client.h"

namespace showcaller {
namespace {

namespace v1 = ::flagd::evaluation::v1;
namespace v2 = ::flagd::evaluation::v2;
namespace sync = ::flagd::sync::v1;

constexpr std::string_view kRaid = R"({
  "metadata": {"team": "raids"},
  "$evaluators": {"staff": {"==": [{"var": "group"}, "staff"]}},
  "flags": {
    "door": {"state": "ENABLED", "variants": {"open": true, "shut": false}, "defaultVariant": "shut",
             "targeting": {"if": [{"$ref": "staff"}, "open", null]}},
    "name": {"state": "ENABLED", "variants": {"a": "red"}, "defaultVariant": "a"},
    "rate": {"state": "ENABLED", "variants": {"a": 0.5, "b": 3}, "defaultVariant": "a"},
    "level": {"state": "ENABLED", "variants": {"a": 9007199254740991}, "defaultVariant": "a"},
    "loot": {"state": "ENABLED", "variants": {"a": {"gold": 5, "items": ["x"]}}, "defaultVariant": "a"},
    "list": {"state": "ENABLED", "variants": {"a": [1]}, "defaultVariant": "a"},
    "off": {"state": "DISABLED", "variants": {"a": true}, "defaultVariant": "a"},
    "own": {"state": "ENABLED", "variants": {"a": true}},
    "broken": {"state": "ENABLED", "variants": {"a": true}, "defaultVariant": "a", "targeting": {"sqrt": [1]}},
    "lost": {"state": "ENABLED", "variants": {"a": true}, "defaultVariant": "a", "targeting": {"if": [true, "gone"]}}
  }})";
constexpr std::string_view kShop = R"({
  "metadata": {"flagSetId": "shop"},
  "flags": [{"key": "name", "state": "ENABLED", "variants": {"a": "blue"}, "defaultVariant": "a"}]})";

struct Server {
  explicit Server(FlagdServerOptions options = {}) {
    EXPECT_TRUE(feed.take(0, *parse_json(kRaid)));
    EXPECT_TRUE(feed.take(1, *parse_json(kShop)));
    if (!options.evaluation) options.evaluation.emplace();
    if (!options.sync) options.sync.emplace();
    auto started = FlagdServer::start(std::move(options), &feed, &streams);
    EXPECT_TRUE(started) << started.error().message;
    flagd = *std::move(started);
    const auto open = [](const std::string& address) {
      return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    };
    evaluation = v2::Evaluation::NewStub(open(flagd->evaluation_address()));
    old_evaluation = v1::Evaluation::NewStub(open(flagd->evaluation_address()));
    synced = sync::FlagSyncService::NewStub(open(flagd->sync_address()));
  }

  void replace(std::size_t source, std::string_view document) {
    EXPECT_TRUE(feed.take(source, *parse_json(document)));
    streams.changed();
  }

  SourcesFeed feed{{"raid.json", "shop.json"}, "source", [] { return instant_ms(0); }};
  FlagStreams streams;
  std::unique_ptr<FlagdServer> flagd;
  std::unique_ptr<v2::Evaluation::Stub> evaluation;
  std::unique_ptr<v1::Evaluation::Stub> old_evaluation;
  std::unique_ptr<sync::FlagSyncService::Stub> synced;
};

struct Call : grpc::ClientContext {
  explicit Call(const std::string& selector = "") {
    set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    if (!selector.empty()) AddMetadata("flagd-selector", selector);
  }
};

template <class Request>
Request ask(const std::string& key) {
  Request request;
  request.set_flag_key(key);
  return request;
}

// "false shut DEFAULT", or "NOT_FOUND Flag not found".
std::string told(const grpc::Status& status, const auto& reply) {
  if (!status.ok()) return fmt::format("{} {}", int(status.error_code()), status.error_message());
  const std::string value = [&]() -> std::string {
    if constexpr (requires { reply.value().fields(); })
      return reply.value().ShortDebugString();
    else
      return fmt::format("{}", reply.value());
  }();
  return fmt::format("{} {} {}", value, reply.variant(), reply.reason());
}

std::string boolean(Server& server, const std::string& key, const std::string& group = "",
                    const std::string& selector = "") {
  auto request = ask<v2::ResolveBooleanRequest>(key);
  if (!group.empty())
    (*request.mutable_context()->mutable_fields())["group"].set_string_value(group);
  v2::ResolveBooleanResponse reply;
  Call call(selector);
  return told(server.evaluation->ResolveBoolean(&call, request, &reply), reply);
}

TEST(FlagdEvaluation, EachType) {
  Server server;
  EXPECT_EQ(boolean(server, "door"), "false shut DEFAULT");
  EXPECT_EQ(boolean(server, "door", "staff"), "true open TARGETING_MATCH");
  {
    v2::ResolveStringResponse reply;
    Call call("raid.json");
    const auto status =
        server.evaluation->ResolveString(&call, ask<v2::ResolveStringRequest>("name"), &reply);
    EXPECT_EQ(told(status, reply), "red a STATIC");
    EXPECT_EQ(reply.metadata().fields().at("team").string_value(), "raids");
  }
  {
    v2::ResolveFloatResponse reply;
    Call call;
    const auto status =
        server.evaluation->ResolveFloat(&call, ask<v2::ResolveFloatRequest>("rate"), &reply);
    EXPECT_EQ(told(status, reply), "0.5 a STATIC");
  }
  {
    v2::ResolveIntResponse reply;
    Call call;
    const auto status =
        server.evaluation->ResolveInt(&call, ask<v2::ResolveIntRequest>("level"), &reply);
    EXPECT_EQ(told(status, reply), "9007199254740991 a STATIC");
  }
  {
    v2::ResolveObjectResponse reply;
    Call call;
    ASSERT_TRUE(
        server.evaluation->ResolveObject(&call, ask<v2::ResolveObjectRequest>("loot"), &reply)
            .ok());
    EXPECT_EQ(reply.value().fields().at("gold").number_value(), 5);
    EXPECT_EQ(reply.value().fields().at("items").list_value().values(0).string_value(), "x");
  }
}

TEST(FlagdEvaluation, ErrorsAsFlagdTellsThem) {
  Server server;
  EXPECT_EQ(boolean(server, "absent"), "5 Flag not found");
  EXPECT_EQ(boolean(server, "name"), "3 Type mismatch error");
  EXPECT_EQ(boolean(server, "broken"), "15 Error parsing input or configuration");
  EXPECT_EQ(boolean(server, "lost"), "2 General error");
  EXPECT_TRUE(boolean(server, "door", "", "team=raids").starts_with("3 a selector has no key"));
  v2::ResolveObjectResponse reply;
  Call call;
  const auto status =
      server.evaluation->ResolveObject(&call, ask<v2::ResolveObjectRequest>("list"), &reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(FlagdEvaluation, ValuesLeftToTheCaller) {
  Server server;
  for (const auto& [key, reason] : {std::pair("off", "DISABLED"), std::pair("own", "DEFAULT")}) {
    v2::ResolveBooleanResponse reply;
    Call call;
    ASSERT_TRUE(
        server.evaluation->ResolveBoolean(&call, ask<v2::ResolveBooleanRequest>(key), &reply).ok());
    EXPECT_FALSE(reply.has_value());
    EXPECT_FALSE(reply.has_variant());
    EXPECT_EQ(reply.reason(), reason);
    v1::ResolveBooleanResponse old;
    Call old_call;
    const auto status =
        server.old_evaluation->ResolveBoolean(&old_call, ask<v1::ResolveBooleanRequest>(key), &old);
    EXPECT_EQ(told(status, old), fmt::format("false  {}", reason));
  }
}

TEST(FlagdEvaluation, AllFlagsAndSelectors) {
  Server server;
  const auto all = [&](const std::string& selector) {
    v2::ResolveAllResponse reply;
    Call call(selector);
    EXPECT_TRUE(server.evaluation->ResolveAll(&call, {}, &reply).ok());
    return reply;
  };
  const auto everything = all("");
  // Not the list, and not what cannot be evaluated.
  EXPECT_EQ(everything.flags_size(), 7);
  EXPECT_EQ(everything.flags().at("name").string_value(), "blue");  // The later source's.
  EXPECT_EQ(everything.flags().at("rate").double_value(), 0.5);
  EXPECT_EQ(everything.flags().at("off").reason(), "DISABLED");
  const auto shop = all("flagSetId=shop");
  EXPECT_EQ(shop.flags_size(), 1);
  EXPECT_EQ(shop.metadata().fields().at("flagSetId").string_value(), "shop");
  const auto raid = all("source=raid.json");
  EXPECT_EQ(raid.flags().at("name").string_value(), "red");
  EXPECT_EQ(all("flagSetId=").flags_size(), 7);
  EXPECT_EQ(all("flagSetId=nothing").flags_size(), 0);
}

TEST(FlagdEvaluation, TheServersOwnAttributesHideTheRequests) {
  FlagdServerOptions options;
  options.services.context.values["group"] = "staff";
  options.services.context.from_header["x-group"] = "group";
  Server server(std::move(options));
  EXPECT_EQ(boolean(server, "door", "guest"), "true open TARGETING_MATCH");
  v2::ResolveBooleanResponse reply;
  Call call;
  call.AddMetadata("x-group", "guest");
  const auto status =
      server.evaluation->ResolveBoolean(&call, ask<v2::ResolveBooleanRequest>("door"), &reply);
  EXPECT_EQ(told(status, reply), "false shut DEFAULT");
}

TEST(FlagdEvaluation, AContextOfManyAttributesIsOneToo) {
  Server server;
  auto request = ask<v2::ResolveBooleanRequest>("door");
  auto& fields = *request.mutable_context()->mutable_fields();
  for (int i = 0; i < 100; ++i) fields[fmt::format("n{}", i)].set_number_value(i);
  fields["group"].set_string_value("staff");
  v2::ResolveBooleanResponse reply;
  Call call;
  EXPECT_EQ(told(server.evaluation->ResolveBoolean(&call, request, &reply), reply),
            "true open TARGETING_MATCH");
}

TEST(FlagdEvaluation, AStreamTellsWhichFlagsChanged) {
  Server server;
  Call call("raid.json");
  const auto stream = server.evaluation->EventStream(&call, {});
  v2::EventStreamResponse event;
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.type(), "provider_ready");
  server.replace(1, R"({"flags":{}})");  // Not selected.
  server.replace(0, R"({"flags":{
    "name": {"state": "ENABLED", "variants": {"a": "green"}, "defaultVariant": "a"},
    "new": {"state": "ENABLED", "variants": {"a": true}, "defaultVariant": "a"}}})");
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.type(), "configuration_change");
  const auto& changed = event.data().fields().at("flags").struct_value().fields();
  const auto kind = [&](const std::string& key) {
    return changed.at(key).struct_value().fields().at("type").string_value();
  };
  EXPECT_EQ(kind("name"), "update");
  EXPECT_EQ(kind("new"), "write");
  EXPECT_EQ(kind("door"), "delete");
  call.TryCancel();
  while (stream->Read(&event)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST(FlagdSync, TheDocumentNowAndAfterEachChange) {
  FlagdServerOptions options;
  options.services.context.values["region"] = "eu";
  Server server(std::move(options));
  Call call;
  sync::SyncFlagsRequest request;
  request.set_selector("flagSetId=shop");
  const auto stream = server.synced->SyncFlags(&call, request);
  sync::SyncFlagsResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(
      *parse_json(message.flag_configuration()),
      *parse_json(
          R"({"metadata":{"flagSetId":"shop"},"flags":{"name":{"state":"ENABLED","variants":{"a":"blue"},"defaultVariant":"a","metadata":{"flagSetId":"shop"}}}})"));
  EXPECT_EQ(message.sync_context().fields().at("region").string_value(), "eu");
  server.replace(1, R"({"metadata":{"flagSetId":"shop"},"flags":{}})");
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.flag_configuration(), R"({"metadata":{"flagSetId":"shop"},"flags":{}})");
  server.flagd.reset();
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(FlagdSync, WhatIsFetchedEvaluatesAlike) {
  Server server;
  sync::FetchAllFlagsResponse reply;
  Call call;
  ASSERT_TRUE(server.synced->FetchAllFlags(&call, {}, &reply).ok());
  const auto set = FlagSet::parse(reply.flag_configuration());
  ASSERT_TRUE(set) << set.error().message;
  EvaluationContext staff;
  staff.set("group", "staff");
  EXPECT_EQ(set->evaluate("door", staff, instant_ms(0)).variant, "open");
}

TEST(FlagdSync, MetadataCanBeLeftOut) {
  FlagdServerOptions options;
  options.services.metadata_endpoint = false;
  Server server(std::move(options));
  sync::GetMetadataResponse reply;
  Call call;
  const auto status = server.synced->GetMetadata(&call, {}, &reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(FlagdStreams, EndAtTheirDeadline) {
  FlagdServerOptions options;
  options.services.stream_deadline = std::chrono::milliseconds(50);
  Server server(std::move(options));
  Call call;
  const auto stream = server.evaluation->EventStream(&call, {});
  v2::EventStreamResponse event;
  while (stream->Read(&event)) {
  }
  const auto status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(status.error_message(), "stream closed due to server-side timeout");
}

TEST(FlagdStreams, StayAliveWhenThereIsNothingToTell) {
  FlagdServerOptions options;
  options.services.keep_alive_every = std::chrono::milliseconds(10);
  Server server(std::move(options));
  Call call;
  const auto stream = server.evaluation->EventStream(&call, {});
  v2::EventStreamResponse event;
  std::vector<std::string> types;
  for (int i = 0; i < 3 && stream->Read(&event); ++i) types.push_back(event.type());
  EXPECT_EQ(types, (std::vector<std::string>{"provider_ready", "keep_alive", "keep_alive"}));
  call.TryCancel();
  (void)stream->Finish();
}

TEST(FlagdStreams, ManyComeAndGo) {
  Server server;
  for (int round = 0; round < 50; ++round) {
    Call call;
    const auto stream = server.evaluation->EventStream(&call, {});
    v2::EventStreamResponse event;
    if (round % 2 == 0) {
      ASSERT_TRUE(stream->Read(&event));
    }
    server.streams.changed();
    call.TryCancel();
    (void)stream->Finish();
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (server.streams.size() > 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  EXPECT_EQ(server.streams.size(), 0u);
}

TEST(FlagdServer, AUnixSocketInsteadOfAPort) {
  const ScratchFolder folder;
  FlagdServerOptions options;
  options.evaluation.emplace().unix_path = folder.file("socket");
  Server server(std::move(options));
  EXPECT_EQ(server.flagd->evaluation_address(), "unix:" + folder.file("socket"));
  EXPECT_EQ(boolean(server, "door"), "false shut DEFAULT");
}

TEST(FlagdServer, TlsAndNothingElse) {
  const ScratchFolder folder;
  const std::string certificate = folder.file("cert.pem"), key = folder.file("key.pem");
  ASSERT_EQ(std::system(fmt::format("openssl req -x509 -newkey ec -pkeyopt "
                                    "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
                                    "-addext subjectAltName=DNS:localhost -keyout {} -out {} "
                                    ">/dev/null 2>&1",
                                    key, certificate)
                            .c_str()),
            0);
  FlagdServerOptions options;
  options.certificate_file = certificate;
  options.key_file = key;
  Server server(options);
  EXPECT_TRUE(boolean(server, "door").starts_with("14 "));  // In clear text.
  std::ifstream file(certificate);
  grpc::SslCredentialsOptions trust{.pem_root_certs = {std::istreambuf_iterator<char>(file), {}}};
  grpc::ChannelArguments named;
  named.SetSslTargetNameOverride("localhost");
  server.evaluation = v2::Evaluation::NewStub(grpc::CreateCustomChannel(
      server.flagd->evaluation_address(), grpc::SslCredentials(trust), named));
  EXPECT_EQ(boolean(server, "door"), "false shut DEFAULT");
  options.key_file.clear();
  EXPECT_FALSE(FlagdServer::start(options, &server.feed, &server.streams));
}

TEST(FlagdServer, APortThatIsTakenIsSaid) {
  Server server;
  FlagdServerOptions options;
  const std::string address = server.flagd->evaluation_address();
  options.evaluation.emplace().port =
      std::uint16_t(std::stoi(address.substr(address.find(':') + 1)));
  const auto second = FlagdServer::start(std::move(options), &server.feed, &server.streams);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
}

TEST(SyncClient, FollowsAnotherServer) {
  auto server = std::make_unique<Server>();
  DocumentHeard heard;
  SyncClient client({.kind = FlagSourceKind::Grpc,
                     .name = server->flagd->sync_address(),
                     .selector = "flagSetId=shop"});
  client.start(heard.sink());
  EXPECT_TRUE(heard.next().find("blue") != std::string::npos);
  server->replace(1, R"({"metadata":{"flagSetId":"shop"},"flags":{}})");
  EXPECT_EQ(heard.next(), R"({"metadata":{"flagSetId":"shop"},"flags":{}})");
  server.reset();
  EXPECT_EQ(heard.next(), "error unavailable");
}

TEST(SourcesFeed, ABadDocumentChangesNothing) {
  SourcesFeed feed({"a"}, "source", [] { return instant_ms(0); });
  ASSERT_TRUE(feed.take(0, *parse_json(kRaid)));
  const auto before = *feed.flags({});
  EXPECT_FALSE(feed.take(0, *parse_json(R"({"flags":{"x":{"defaultVariant":"none"}}})")));
  EXPECT_EQ(*feed.flags({}), before);
}

}  // namespace
}  // namespace showcaller
