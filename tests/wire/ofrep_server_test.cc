// SPDX-License-Identifier: Apache-2.0
// OFREP over real sockets, as `flagd start` serves it.
#include "wire/flagd/ofrep_server.h"

#include <thread>

#include <gtest/gtest.h>

#include "codec/ofrep.h"
#include "net/http_client.h"
#include "net/sse.h"
#include "wire/flagd/sources_feed.h"

namespace showcaller {
namespace {

struct Serving {
  explicit Serving(OfrepServerOptions options = {}) {
    give("red");
    auto started = OfrepServer::start(std::move(options), &feed, &streams);
    EXPECT_TRUE(started);
    server = *std::move(started);
  }
  ~Serving() { streams.stop(); }

  void give(const std::string& colour) {
    const std::string text =
        R"({"flags":{"name":{"variants":{"a":")" + colour + R"("},"defaultVariant":"a"},
            "door":{"variants":{"x":true,"y":false},"defaultVariant":"x",
                    "targeting":{"if":[{"==":[{"var":"group"},"staff"]},"y",null]}}}})";
    EXPECT_TRUE(feed.take(0, *parse_json(text)));
    streams.changed();
  }
  HttpResponse send(HttpClientRequest request) {
    HttpClient client({.base_url = server->url()});
    auto response = client.send(request);
    EXPECT_TRUE(response);
    return *std::move(response);
  }
  HttpResponse evaluate(const std::string& what, HttpHeaders headers = {}) {
    return send({.method = "POST",
                 .target = "/ofrep/v1/evaluate/flags" + what,
                 .headers = std::move(headers),
                 .body = "{}"});
  }

  SourcesFeed feed{{"flags.json"}, "source", [] { return instant_ms(0); }};
  FlagStreams streams;
  std::unique_ptr<OfrepServer> server;
};

TEST(OfrepServer, AllFlagsTellWhereChangesAreTold) {
  Serving serving;
  const HttpResponse all = serving.evaluate("", {{"Flagd-Selector", "flags.json"}});
  EXPECT_EQ(all.status, 200);
  EXPECT_TRUE(all.body.ends_with(
      R"("metadata":{"source":"flags.json"},"eventStreams":[{"type":"sse","endpoint":{"requestUri":"/ofrep/v1/sse?selector=flags.json"},"inactivityDelaySec":120}]})"))
      << all.body;
  const HttpResponse again = serving.evaluate(
      "", {{"Flagd-Selector", "flags.json"}, {"If-None-Match", all.headers.get("ETag")}});
  EXPECT_EQ(again.status, 304);
  OfrepServerOptions quiet;
  quiet.event_streams = false;
  Serving without(std::move(quiet));
  EXPECT_TRUE(without.evaluate("").body.find("eventStreams") == std::string::npos);
  EXPECT_EQ(without.send({.target = "/ofrep/v1/sse"}).status, 404);
}

TEST(OfrepServer, AChangeIsTold) {
  Serving serving;
  HttpClient client({.base_url = serving.server->url()});
  SseParser parser;
  std::vector<SseEvent> events;
  const auto read = [&](std::string_view bytes) {
    if (events.empty()) serving.give("blue");
    for (SseEvent& event : parser.feed(bytes)) events.push_back(std::move(event));
    return events.empty();
  };
  ASSERT_TRUE(client.stream({.target = "/ofrep/v1/sse"}, read));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].event, "message");
  EXPECT_EQ(events[0].data, ofrep_refetch_event(events[0].id));
}

TEST(OfrepServer, WhoComesBackIsToldWhatHeMissed) {
  Serving serving;
  HttpClient client({.base_url = serving.server->url()});
  SseParser parser;
  std::vector<SseEvent> events;
  const auto read = [&](std::string_view bytes) {
    events = parser.feed(bytes);
    return events.empty();
  };
  const HttpClientRequest again{.target = "/ofrep/v1/sse", .headers = {{"Last-Event-ID", "old"}}};
  ASSERT_TRUE(client.stream(again, read));
  ASSERT_EQ(events.size(), 1u);
}

TEST(OfrepServer, ErrorsAndSelectors) {
  Serving serving;
  EXPECT_EQ(serving.evaluate("/absent").status, 404);
  const HttpResponse wrong = serving.evaluate("/name", {{"Flagd-Selector", "app=x"}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_TRUE(wrong.body.find(R"("errorCode":"GENERAL")") != std::string::npos);
  EXPECT_EQ(serving.evaluate("/name", {{"Flagd-Selector", "flagSetId=none"}}).status, 404);
}

TEST(OfrepServer, HeadersBecomeAttributes) {
  OfrepServerOptions options;
  options.context.from_header["x-group"] = "group";
  Serving serving(std::move(options));
  EXPECT_TRUE(serving.evaluate("/door").body.find(R"("variant":"x")") != std::string::npos);
  EXPECT_TRUE(serving.evaluate("/door", {{"X-Group", "staff"}}).body.find(R"("variant":"y")") !=
              std::string::npos);
}

TEST(OfrepServer, BrowsersOfOtherOrigins) {
  OfrepServerOptions options;
  options.origins = {"https://game.example"};
  Serving serving(std::move(options));
  const HttpResponse preflight =
      serving.send({.method = "OPTIONS",
                    .target = "/ofrep/v1/evaluate/flags",
                    .headers = {{"Origin", "https://game.example"},
                                {"Access-Control-Request-Method", "POST"},
                                {"Access-Control-Request-Headers", "x-a"}}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.get("Access-Control-Allow-Origin"), "https://game.example");
  EXPECT_EQ(preflight.headers.get("Access-Control-Allow-Headers"), "x-a");
  const HttpResponse allowed = serving.evaluate("", {{"Origin", "https://game.example"}});
  EXPECT_EQ(allowed.headers.get("Access-Control-Expose-Headers"), "ETag, Retry-After");
  const HttpResponse other = serving.evaluate("", {{"Origin", "https://other.example"}});
  EXPECT_EQ(other.headers.count("Access-Control-Allow-Origin"), 0u);
}

}  // namespace
}  // namespace showcaller
