// SPDX-License-Identifier: Apache-2.0
// WebSocket frames as bytes, and a connection that goes on as one.
#include "net/websocket.h"

#include <gtest/gtest.h>

#include "net/http_server.h"
#include "tests/net/raw_socket.h"

namespace showcaller {
namespace {

using namespace std::string_literals;

HttpRequest handshake() {
  return {.method = "GET",
          .headers = {{"Upgrade", "WebSocket"},
                      {"Connection", "keep-alive, Upgrade"},
                      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                      {"Sec-WebSocket-Version", "13"}}};
}

// A frame as a client sends it, masked.
std::string client_frame(int first, std::string_view payload) {
  std::string out{char(first), char(0x80 | int(payload.size())), 1, 2, 3, 4};
  for (std::size_t i = 0; i < payload.size(); ++i) out += char(payload[i] ^ int(i % 4 + 1));
  return out;
}

TEST(WebSocket, TheHandshakeIsAnsweredWithTheKeyOfTheRfc) {
  ASSERT_TRUE(wants_websocket(handshake()));
  const HttpResponse answer = websocket_answer(handshake());
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.headers.get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocket, ABrokenHandshakeIsRefusedAndAPlainRequestIsNone) {
  HttpRequest old = handshake();
  old.headers.set("Sec-WebSocket-Version", "8");
  EXPECT_EQ(websocket_answer(old).status, 426);
  EXPECT_EQ(websocket_answer(old).headers.get("Sec-WebSocket-Version"), "13");
  HttpRequest keyless = handshake();
  keyless.headers.remove("Sec-WebSocket-Key");
  EXPECT_EQ(websocket_answer(keyless).status, 400);
  HttpRequest plain = handshake();
  plain.headers.set("Connection", "keep-alive");
  EXPECT_FALSE(wants_websocket(plain));
}

TEST(WebSocket, AFrameSaysHowLongItIs) {
  EXPECT_EQ(websocket_frame(WebSocketOpcode::Text, "Hello"), "\x81\x05Hello");
  EXPECT_TRUE(websocket_frame(WebSocketOpcode::Text, std::string(126, 'x'))
                  .starts_with("\x81\x7e\x00\x7ex"s));
  EXPECT_TRUE(websocket_frame(WebSocketOpcode::Text, std::string(65'536, 'x'))
                  .starts_with("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00x"s));
}

TEST(WebSocket, TheListenerAnswersTheSameAtEverySplit) {
  const std::string said = client_frame(0x81, "passed over") + client_frame(0x89, "are you there") +
                           client_frame(0x8a, "") +
                           client_frame(0x88,
                                        "\x03\xe8"
                                        "bye");
  for (std::size_t split = 0; split <= said.size(); ++split) {
    WebSocketListener listener;
    std::string answer = listener.feed(std::string_view(said).substr(0, split));
    answer += listener.feed(std::string_view(said).substr(split));
    EXPECT_EQ(answer,
              "\x8a\x0d"
              "are you there"
              "\x88\x02\x03\xe8")
        << split;
    EXPECT_TRUE(listener.closed());
  }
}

TEST(WebSocket, WhatBreaksTheProtocolEndsIt) {
  for (const std::string& bad : {"\x89\x00"s, client_frame(0x09, ""), client_frame(0xc1, ""),
                                 client_frame(0x8b, ""), "\x89\xfe\x01\x00\x01\x02\x03\x04"s}) {
    WebSocketListener listener;
    EXPECT_EQ(listener.feed(bad), "\x88\x02\x03\xea") << testing::PrintToString(bad);
    EXPECT_TRUE(listener.closed());
    EXPECT_EQ(listener.feed(client_frame(0x89, "")), "");
  }
}

TEST(WebSocket, AConnectionGoesOnInBareBytesBothWays) {
  const auto echo = [](ResponseStream& stream, std::string_view bytes) {
    stream.write(std::string(bytes));
    if (bytes.ends_with("!")) stream.close();
  };
  const auto server = *HttpServer::start({}, [&](HttpRequest&& request, Responder responder) {
    responder.upgrade(websocket_answer(request), echo);
  });
  RawSocket socket(server->port());
  socket.send(
      "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\none");
  EXPECT_EQ(without_date(socket.read_until("one")),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nConnection: Upgrade\r\n\r\none");
  socket.send("two!");
  EXPECT_EQ(socket.read_all(), "two!");
}

}  // namespace
}  // namespace showcaller
