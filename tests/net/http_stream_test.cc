// SPDX-License-Identifier: Apache-2.0
// Streams: what is written arrives, who reads too slowly is dropped, who hangs up is noticed.
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/sse.h"
#include "tests/net/raw_socket.h"

namespace showcaller {
namespace {

struct StreamServer {
  std::promise<std::shared_ptr<ResponseStream>> promise;
  std::unique_ptr<HttpServer> server;

  explicit StreamServer(HttpLimits limits = {}) {
    server = *HttpServer::start({.limits = limits}, [this](HttpRequest&&, Responder responder) {
      promise.set_value(
          responder.stream({.headers = {{"Content-Type", "text/event-stream"}}, .body = ""}));
    });
  }
  std::shared_ptr<ResponseStream> stream() { return promise.get_future().get(); }
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(HttpStream, SendsPiecesAsTheyAreWritten) {
  StreamServer s;
  RawSocket socket(s.server->port());
  socket.send(kGet);
  const auto stream = s.stream();
  EXPECT_EQ(without_date(socket.read_until("\r\n\r\n")),
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
            "chunked\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(stream->write("one"));
  EXPECT_EQ(socket.read_until("one\r\n"), "3\r\none\r\n");
  EXPECT_TRUE(stream->write("two"));
  EXPECT_EQ(socket.read_until("two\r\n"), "3\r\ntwo\r\n");
  stream->close();
  EXPECT_EQ(socket.read_all(), "0\r\n\r\n");
  EXPECT_FALSE(stream->write("three"));
}

TEST(HttpStream, DropsAReaderSlowerThanItsBuffer) {
  StreamServer s({.stream_buffer_bytes = 64 << 10});
  RawSocket socket(s.server->port(), 4096);
  socket.send(kGet);
  const auto stream = s.stream();
  std::promise<void> ended;
  stream->on_end([&] { ended.set_value(); });
  const auto piece = std::make_shared<const std::string>(8 << 10, 'x');
  std::size_t written = 0;
  while (stream->write(piece)) {
    written += piece->size();
    ASSERT_LE(stream->pending_bytes(), 64u << 10);
    ASSERT_LT(written, 64u << 20);  // Far more than a socket's buffers hold.
  }
  EXPECT_TRUE(stream->dropped());
  ended.get_future().get();
  while (s.server->stats().open > 0) std::this_thread::yield();
  EXPECT_EQ(s.server->stats().slow_readers_dropped, 1u);
}

TEST(HttpStream, NoticesAPeerThatHangsUp) {
  StreamServer s;
  std::optional<RawSocket> socket(std::in_place, s.server->port());
  socket->send(kGet);
  const auto stream = s.stream();
  std::promise<void> ended;
  stream->on_end([&] { ended.set_value(); });
  socket.reset();
  ended.get_future().get();
  EXPECT_FALSE(stream->open());
  EXPECT_FALSE(stream->dropped());
}

TEST(HttpStream, StoppingTheServerEndsStreams) {
  StreamServer s;
  RawSocket socket(s.server->port());
  socket.send(kGet);
  const auto stream = s.stream();
  stream->write("last");
  s.server->stop(seconds(5));
  EXPECT_TRUE(socket.read_all().ends_with("4\r\nlast\r\n0\r\n\r\n"));
  EXPECT_FALSE(stream->open());
}

TEST(HttpStream, TheClientReadsEvents) {
  StreamServer s;
  std::thread writer([&] {
    const auto stream = s.stream();
    for (int i = 0; i < 100; ++i) stream->write(format_sse({std::to_string(i), "tick", "a\nb"}));
    stream->close();
  });
  HttpClient client({.base_url = s.server->url()});
  SseParser parser;
  std::vector<SseEvent> events;
  const auto response = client.stream({.target = "/"}, [&](std::string_view bytes) {
    for (auto& event : parser.feed(bytes)) events.push_back(std::move(event));
    return true;
  });
  writer.join();
  ASSERT_TRUE(response) << response.error().message;
  ASSERT_EQ(events.size(), 100u);
  EXPECT_EQ(events[99], (SseEvent{"99", "tick", "a\nb"}));
}

TEST(HttpStream, TheClientStopsWhenItWantsAndWhenInterrupted) {
  StreamServer s;
  HttpClient client({.base_url = s.server->url()});
  std::thread writer([&] { s.stream()->write("x"); });
  EXPECT_TRUE(client.stream({.target = "/"}, [](std::string_view) { return false; }));
  writer.join();

  StreamServer silent;
  HttpClient waiting({.base_url = silent.server->url()});
  std::thread interrupter([&] {
    silent.stream();
    waiting.interrupt();
  });
  const auto response = waiting.stream({.target = "/"}, [](std::string_view) { return true; });
  interrupter.join();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message, "the call was interrupted");
}

TEST(HttpStream, TheClientGivesUpOnSilence) {
  StreamServer s;
  HttpClient client({.base_url = s.server->url(), .timeout = Duration(60)});
  const auto response = client.stream({.target = "/"}, [](std::string_view) { return true; });
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::Unavailable);
}

TEST(Sse, ReadsEveryLineEndAndSkipsComments) {
  SseParser parser;
  const std::string text =
      "\xEF\xBB\xBF: hi\r\nid: 7\rdata: a\ndata\nevent:e\n\ndata: b\n\n\nid: 9\n\ndata: c\n\n";
  std::vector<SseEvent> events;
  for (const char c : text) {
    for (auto& event : parser.feed({&c, 1})) events.push_back(std::move(event));
  }
  EXPECT_EQ(events, (std::vector<SseEvent>{{"7", "e", "a\n"}, {"7", "", "b"}, {"9", "", "c"}}));
  EXPECT_EQ(events, SseParser().feed(text));
  EXPECT_EQ(parser.last_event_id(), "9");
}

TEST(Sse, KeepsIdsAndNamesOnOneLine) {
  EXPECT_EQ(format_sse({"1\n2", "e\r", "x\n"}), "id: 1 2\nevent: e \ndata: x\ndata: \n\n");
}

TEST(Sse, SkipsAnEventLargerThanItsBound) {
  SseParser parser(10);
  const auto events = parser.feed("data: " + std::string(100, 'x') + "\n\ndata: y\n\n");
  EXPECT_EQ(events, (std::vector<SseEvent>{{"", "", "y"}}));
}

}  // namespace
}  // namespace showcaller
