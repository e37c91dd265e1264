// SPDX-License-Identifier: Apache-2.0
// Conversations with the server over real sockets: bytes in, exact bytes out.
#include "net/http_server.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "net/http_client.h"
#include "tests/net/raw_socket.h"

namespace showcaller {
namespace {

// Says back what it was asked; some paths behave in ways of their own.
void echo(HttpRequest&& request, Responder responder) {
  if (request.path == "/throw") throw std::runtime_error("a handler's mistake");
  if (request.path == "/drop") return;
  if (request.path == "/empty") return responder.send({.status = 204});
  if (request.path == "/large")
    return responder.send(text_response(200, std::string(300'000, 'x')));
  if (request.path == "/pulled") {
    return responder.send_pulled(text_response(200, ""),
                                 [i = 0]() mutable -> std::optional<std::string> {
                                   if (i == 3) return std::nullopt;
                                   return "piece " + std::to_string(i++) + "\n";
                                 });
  }
  if (request.path == "/later") {
    std::thread([responder = std::move(responder)]() mutable {
      responder.send(text_response(200, "late"));
    }).detach();
    return;
  }
  responder.send(text_response(200, request.method + " " + request.path + " " + request.body));
}

std::unique_ptr<HttpServer> serve(HttpLimits limits = {}, HttpHandler handler = echo,
                                  int threads = 1) {
  auto server = HttpServer::start({.limits = limits, .threads = threads}, std::move(handler));
  EXPECT_TRUE(server) << (server ? "" : server.error().message);
  return *std::move(server);
}

std::string ok(std::string_view body, std::string_view more = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(more) + "\r\n" + std::string(body);
}

// Sends, then reads to the end of the connection.
std::string converse(const HttpServer& server, std::string_view bytes) {
  RawSocket socket(server.port());
  EXPECT_TRUE(socket.send(bytes));
  return without_date(socket.read_all());
}

std::string status_line(const std::string& text) {
  return text.substr(0, text.find("\r\n"));
}

TEST(HttpServer, AnswersAndCloses) {
  const auto server = serve();
  EXPECT_EQ(converse(*server, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            ok("GET /a ", "Connection: close\r\n"));
}

TEST(HttpServer, SaysTheDate) {
  const auto server = serve();
  RawSocket socket(server->port());
  socket.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto text = socket.read_all();
  EXPECT_NE(text.find("\r\nDate: "), text.npos);
  EXPECT_NE(text.find(" GMT\r\n"), text.npos);
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  const auto server = serve();
  EXPECT_EQ(
      converse(*server,
               "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
               "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
               "GET /later HTTP/1.1\r\nHost: h\r\n\r\n"
               "GET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
      ok("GET /1 ") + ok("POST /2 abc") + ok("late") + ok("GET /4 ", "Connection: close\r\n"));
}

TEST(HttpServer, ReadsChunks) {
  const auto server = serve();
  EXPECT_EQ(
      converse(
          *server,
          "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
          "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
      ok("POST /c abcde", "Connection: close\r\n"));
}

TEST(HttpServer, AnswersHeadWithoutABody) {
  const auto server = serve();
  EXPECT_EQ(converse(*server, "HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
            "8\r\nConnection: close\r\n\r\n");
}

TEST(HttpServer, NoContentHasNoLength) {
  const auto server = serve();
  EXPECT_EQ(converse(*server, "GET /empty HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST(HttpServer, ContinuesWhenAsked) {
  const auto server = serve();
  RawSocket socket(server->port());
  socket.send(
      "POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: "
      "close\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("abc");
  EXPECT_EQ(without_date(socket.read_all()), ok("POST /e abc", "Connection: close\r\n"));
}

// RFC 9110, 10.1.1: such a client cannot read a 100.
TEST(HttpServer, ExpectationsOfHttp10AreNone) {
  const auto server = serve();
  EXPECT_EQ(converse(*server, "POST /e HTTP/1.0\r\nContent-Length: 3\r\nExpect: tea\r\n\r\nabc"),
            ok("POST /e abc", "Connection: close\r\n"));
  RawSocket socket(server->port());
  socket.send("POST /e HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  socket.send("abc");
  EXPECT_EQ(without_date(socket.read_all()), ok("POST /e abc", "Connection: close\r\n"));
}

TEST(HttpServer, AnswersLaterMinorVersionsAsItsOwn) {
  const auto server = serve();
  EXPECT_EQ(converse(*server,
                     "GET /1 HTTP/1.2\r\nHost: h\r\n\r\n"
                     "GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            ok("GET /1 ") + ok("GET /2 ", "Connection: close\r\n"));
}

TEST(HttpServer, SaysWhatIsWrongWithATarget) {
  const auto server = serve();
  const auto text = converse(*server, "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(text.find("broken % escape"), text.npos) << text;
}

std::unique_ptr<HttpServer> serve_admitting(HttpAdmission admission, HttpLimits limits = {}) {
  auto server = HttpServer::start({.limits = limits, .admission = std::move(admission)}, echo);
  EXPECT_TRUE(server) << (server ? "" : server.error().message);
  return *std::move(server);
}

// Bodies of strangers took memory before anybody asked who they were.
TEST(HttpServer, ABodyIsReadOnlyFromWhoIsLetIn) {
  const auto server = serve_admitting([](const HttpRequest& request) -> Admission {
    EXPECT_TRUE(request.body.empty());
    EXPECT_FALSE(request.peer.address.empty());
    if (request.path == "/shut") return {.refusal = text_response(401, "who?")};
    return {.body_bytes_max = 5};
  });
  for (const auto* more : {"Expect: 100-continue\r\n", ""}) {
    EXPECT_EQ(converse(*server, "POST /shut HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n" +
                                    std::string(more) + "\r\n"),
              "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain; "
              "charset=utf-8\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwho?");
  }
  RawSocket socket(server->port());
  socket.send(
      "POST /open HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  EXPECT_EQ(status_line(socket.read_all()), "HTTP/1.1 413 Content Too Large");
}

TEST(HttpServer, BodiesHaveARoomTogether) {
  const auto server = serve_admitting(nullptr, {.bodies_bytes = 200'000});
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 150001\r\n\r\n";
  RawSocket first(server->port());
  first.send(head + std::string(150'000, 'a'));
  RawSocket other(server->port());
  for (int i = 0; i < 20; ++i) {  // In each round the server reads of the first what is there.
    other.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    other.read_until("GET / ");
  }
  // The second finds too little room, and the first may go on.
  RawSocket second(server->port());
  second.send(head + std::string(150'000, 'b'));
  const auto refused = second.read_all();
  EXPECT_EQ(status_line(refused), "HTTP/1.1 503 Service Unavailable");
  EXPECT_NE(refused.find("Retry-After: 1\r\n"), refused.npos);
  first.send("a");
  EXPECT_EQ(status_line(first.read_until("\r\n\r\n")), "HTTP/1.1 200 OK");
  RawSocket third(server->port());  // What was refused or answered takes no room.
  third.send(head + std::string(150'001, 'c'));
  EXPECT_EQ(status_line(third.read_until("\r\n\r\n")), "HTTP/1.1 200 OK");
}

TEST(HttpServer, RefusesOtherExpectations) {
  const auto server = serve();
  EXPECT_EQ(status_line(converse(
                *server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n")),
            "HTTP/1.1 417 Expectation Failed");
}

TEST(HttpServer, SpeaksHttp10) {
  const auto server = serve();
  EXPECT_EQ(converse(*server, "GET /a HTTP/1.0\r\n\r\n"), ok("GET /a ", "Connection: close\r\n"));
  RawSocket socket(server->port());
  socket.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(without_date(socket.read_until("GET /a ")),
            ok("GET /a ", "Connection: keep-alive\r\n"));
  socket.send("GET /pulled HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(without_date(socket.read_all()).ends_with("\r\n\r\npiece 0\npiece 1\npiece 2\n"));
}

TEST(HttpServer, PullsLongBodiesInChunksAndKeepsTheConnection) {
  const auto server = serve();
  EXPECT_EQ(converse(*server,
                     "GET /pulled HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: "
                     "h\r\nConnection: close\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: "
            "chunked\r\n\r\n"
            "8\r\npiece 0\n\r\n8\r\npiece 1\n\r\n8\r\npiece 2\n\r\n0\r\n\r\n" +
                ok("GET /b ", "Connection: close\r\n"));
}

TEST(HttpServer, SaysWhatIsWrongAndCloses) {
  const auto server = serve();
  EXPECT_EQ(
      converse(*server, "GET / HTTP/1.1\r\n\r\n"),
      "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: "
      "109\r\n"
      "Connection: close\r\n\r\n"
      "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"code\":\"invalid\","
      "\"detail\":\"there is no Host field\"}\n");
}

TEST(HttpServer, RefusesToBeSmuggledThrough) {
  const auto server = serve();
  const auto text = converse(
      *server,
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\nGET /secret HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(status_line(text), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(text.find("secret"), text.npos);
}

TEST(HttpServer, AnswersBeforeAFaultAreStillSent) {
  const auto server = serve();
  const auto text = converse(*server, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n");
  EXPECT_TRUE(text.starts_with(ok("GET /1 ") + "HTTP/1.1 400 "));
}

TEST(HttpServer, EveryLimitHasItsStatus) {
  const auto server =
      serve({.target_bytes = 100, .header_bytes = 1000, .header_count = 5, .body_bytes = 10});
  const auto status = [&](std::string_view bytes) { return converse(*server, bytes).substr(9, 3); };
  EXPECT_EQ(status("GET /" + std::string(200, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"), "414");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"),
            "431");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n\r\n"),
            "431");
  EXPECT_EQ(
      status("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n" + std::string(11, 'x')),
      "413");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n"), "413");
  EXPECT_EQ(status("BREW / HTTP/1.1\r\nHost: h\r\n\r\n"), "501");
  EXPECT_EQ(status("GET / HTTP/3.0\r\nHost: h\r\n\r\n"), "505");
}

TEST(HttpServer, ARefusalReachesAClientThatStillSends) {
  const auto server = serve({.body_bytes = 10});
  RawSocket socket(server->port());
  socket.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  socket.send(std::string(100'000, 'x'));
  EXPECT_EQ(status_line(socket.read_all()), "HTTP/1.1 413 Content Too Large");
}

TEST(HttpServer, AHeaderThatTakesTooLongIs408) {
  const auto server = serve({.header_timeout = Duration(40)});
  EXPECT_EQ(status_line(converse(*server, "GET / HTTP/1.1\r\nHost:")),
            "HTTP/1.1 408 Request Timeout");
  EXPECT_EQ(server->stats().timed_out, 1u);
}

TEST(HttpServer, ABodyThatTakesTooLongIs408) {
  const auto server = serve({.body_timeout = Duration(40)});
  EXPECT_EQ(
      status_line(converse(*server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")),
      "HTTP/1.1 408 Request Timeout");
}

TEST(HttpServer, AnIdleConnectionIsClosedWithoutAWord) {
  const auto server = serve({.idle_timeout = Duration(40)});
  EXPECT_EQ(converse(*server, ""), "");
  EXPECT_EQ(converse(*server, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), ok("GET / "));
}

TEST(HttpServer, AConnectionHasItsNumberOfRequests) {
  const auto server = serve({.requests_per_connection = 2});
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_EQ(converse(*server, get + get + get),
            ok("GET / ") + ok("GET / ", "Connection: close\r\n"));
}

TEST(HttpServer, TooManyConnectionsAre503) {
  const auto server = serve({.connections = 1});
  RawSocket first(server->port());
  first.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(without_date(first.read_until("GET / ")), ok("GET / "));
  RawSocket second(server->port());
  EXPECT_EQ(status_line(second.read_all()), "HTTP/1.1 503 Service Unavailable");
  EXPECT_EQ(server->stats().refused, 1u);
}

TEST(HttpServer, APeerThatReadsNothingIsClosed) {
  const auto server =
      serve({.write_timeout = Duration(60)}, [](HttpRequest&&, Responder responder) {
        responder.send(text_response(200, std::string(32 << 20, 'x')));
      });
  RawSocket socket(server->port(), 4096);
  socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  while (server->stats().open > 0 || server->stats().requests == 0) std::this_thread::yield();
  EXPECT_EQ(server->stats().timed_out, 1u);
}

TEST(HttpServer, HandlersThatThrowOrForgetAnswer500) {
  const auto server = serve();
  for (const auto* path : {"/throw", "/drop"}) {
    const auto text = converse(
        *server, "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(status_line(text), "HTTP/1.1 500 Internal Server Error");
  }
}

TEST(HttpServer, RespondersMayOutliveTheServer) {
  std::promise<Responder> kept;
  {
    const auto server = serve(
        {}, [&](HttpRequest&&, Responder responder) { kept.set_value(std::move(responder)); });
    RawSocket socket(server->port());
    socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    auto responder = kept.get_future().get();
    server->stop(Duration(0));
    responder.send(text_response(200, "nobody hears this"));
  }
}

TEST(HttpServer, StoppingLetsRequestsUnderWayFinish) {
  std::promise<Responder> kept;
  const auto server =
      serve({}, [&](HttpRequest&&, Responder responder) { kept.set_value(std::move(responder)); });
  RawSocket idle(server->port());
  RawSocket busy(server->port());
  busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  auto responder = kept.get_future().get();
  std::thread stopper([&] { server->stop(seconds(10)); });
  EXPECT_EQ(idle.read_all(), "");
  responder.send(text_response(200, "done"));
  EXPECT_EQ(without_date(busy.read_all()), ok("done", "Connection: close\r\n"));
  busy.close();
  stopper.join();
  EXPECT_FALSE(RawSocket(server->port()).connected());
}

TEST(HttpServer, TwoServersCannotShareAPort) {
  const auto first = serve();
  const auto second = HttpServer::start({.port = first->port()}, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
}

TEST(HttpServer, AThousandConnectionsAtOnce) {
  const auto server = serve({}, echo, 2);
  std::vector<RawSocket> sockets;
  sockets.reserve(1000);
  for (int i = 0; i < 1000; ++i) sockets.emplace_back(server->port());
  for (int round = 0; round < 3; ++round) {
    for (auto& socket : sockets) ASSERT_TRUE(socket.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n"));
    for (auto& socket : sockets) ASSERT_EQ(without_date(socket.read_until("late")), ok("late"));
  }
  EXPECT_EQ(server->stats().open, 1000u);
  EXPECT_EQ(server->stats().requests, 3000u);
}

TEST(HttpServer, AnswersFromManyThreadsUnderLoad) {
  const auto server = serve({}, echo, 2);
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    clients.emplace_back([&] {
      HttpClient client({.base_url = server->url()});
      for (int i = 0; i < 200; ++i) {
        const auto response = client.get(i % 2 == 0 ? "/later" : "/large");
        good += response && response->body.size() == (i % 2 == 0 ? 4u : 300'000u);
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 1600);
}

}  // namespace
}  // namespace showcaller
