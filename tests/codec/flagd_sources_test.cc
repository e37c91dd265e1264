// SPDX-License-Identifier: Apache-2.0
#include "codec/flagd_sources.h"

#include <gtest/gtest.h>

namespace showcaller {
namespace {

std::string uri(std::string_view text) {
  const auto source = parse_flag_source_uri(text);
  if (!source) return std::string(to_string(source.error().code));
  static constexpr std::string_view kKinds[] = {"file", "http", "grpc"};
  return std::string(kKinds[std::size_t(source->kind)]) + " " + source->name +
         (source->tls ? " tls" : "");
}

std::string sources(std::string_view text) {
  const auto read = parse_flag_sources(text);
  return read ? std::to_string(read->size()) : read.error().message;
}

TEST(FlagdSources, Uris) {
  EXPECT_EQ(uri("file:etc/flags.json"), "file etc/flags.json");
  EXPECT_EQ(uri("file:/etc/flags.yml"), "file /etc/flags.yml");
  EXPECT_EQ(uri("https://host/flags"), "http https://host/flags");
  EXPECT_EQ(uri("grpc://host:8015"), "grpc host:8015");
  EXPECT_EQ(uri("grpcs://host:8015"), "grpc host:8015 tls");
  EXPECT_EQ(uri("file:flags.txt"), "invalid");
  EXPECT_EQ(uri("flags.json"), "invalid");
  EXPECT_EQ(uri(""), "invalid");
  EXPECT_EQ(uri("core.openfeature.dev/default/flags"), "unsupported");
  EXPECT_EQ(uri("gs://bucket/flags.json"), "unsupported");
}

TEST(FlagdSources, EachMemberSaysWhatIsWrongWithIt) {
  EXPECT_EQ(sources("[]"), "0");
  EXPECT_EQ(
      sources(R"([{"uri":"a.json","provider":"file"},{"uri":"b.yaml","provider":"fsnotify"}])"),
      "2");
  EXPECT_EQ(sources("{}"), "sources are a JSON array of objects");
  EXPECT_EQ(sources("[7]"), "sources[0]: it is not an object");
  EXPECT_EQ(sources(R"([{"provider":"file"}])"), "sources[0]: `uri` is missing");
  EXPECT_EQ(sources(R"([{"uri":"a.json"}])"), "sources[0]: `provider` is missing");
  EXPECT_EQ(sources(R"([{"uri":7,"provider":"file"}])"), "sources[0]: `uri` is not a text");
  EXPECT_EQ(sources(R"([{"uri":"a.json","provider":"files"}])"),
            "sources[0]: there is no provider 'files'; write file, http or grpc");
  EXPECT_EQ(sources(R"([{"uri":"a.json","provider":"file","colour":"red"}])"),
            "sources[0]: there is no member `colour`; take it out");
  EXPECT_EQ(sources(R"([{"uri":"http://h","provider":"http","interval":-1}])"),
            "sources[0]: `interval` is not a whole number from 0 to 86400");
  EXPECT_EQ(sources(R"([{"uri":"http://h","provider":"http","authHeader":"a","bearerToken":"b"}])"),
            "sources[0]: `bearerToken` and `authHeader` are both there; keep one");
  EXPECT_EQ(sources(R"([{"uri":"http://h","provider":"http","oauth":{}}])"),
            "sources[0]: `oauth` is not spoken; give a token that lasts in `authHeader`");
  EXPECT_EQ(sources(R"([{"uri":"envoy://h/s","provider":"grpc"}])"),
            "sources[0]: the target 'envoy://h/s' is not resolved; write HOST:PORT");
}

TEST(FlagdSources, WhatAMemberMeans) {
  const auto read = parse_flag_sources(R"([
      {"uri":"http://h/f","provider":"http","bearerToken":"t","interval":1,"timeoutS":2,"headers":{"X-A":"b"}},
      {"uri":"h:1","provider":"grpc","tls":true,"certPath":"ca.pem","providerID":"p","selector":"s","maxMsgSize":9}])");
  ASSERT_TRUE(read) << read.error().message;
  const FlagSourceConfig http{.kind = FlagSourceKind::Http,
                              .name = "http://h/f",
                              .headers = {{"Authorization", "Bearer t"}, {"X-A", "b"}},
                              .interval = seconds(1),
                              .timeout = seconds(2)};
  const FlagSourceConfig grpc{.kind = FlagSourceKind::Grpc,
                              .name = "h:1",
                              .tls = true,
                              .certificate_file = "ca.pem",
                              .provider_id = "p",
                              .selector = "s",
                              .message_bytes_max = 9};
  EXPECT_EQ(*read, (std::vector{http, grpc}));
}

}  // namespace
}  // namespace showcaller
