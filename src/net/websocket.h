// SPDX-License-Identifier: Apache-2.0
// A WebSocket as the server sees it: the answer to the handshake, frames written, and the listening
// side of a peer that is only told things. Bytes in, bytes out; no sockets.
//
// Source: RFC 6455. Left out: extensions, subprotocols, and what the peer says in its messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "net/http_message.h"

namespace showcaller {

// The request asks to go on as a WebSocket.
bool wants_websocket(const HttpRequest& request);
// 101 for Responder::upgrade(); or 400 or 426, which says what is wrong with the handshake.
HttpResponse websocket_answer(const HttpRequest& request);

// On the wire. Never renumber.
enum class WebSocketOpcode { Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };
// One whole message.
std::string websocket_frame(WebSocketOpcode opcode, std::string_view payload);

// What a peer sends, as it comes: pings and its farewell are answered, its messages passed over.
class WebSocketListener {
 public:
  // Returns the bytes to send back.
  std::string feed(std::string_view bytes);
  // The peer said farewell or broke the protocol: what feed() returned last is the last to send.
  bool closed() const { return closed_; }

 private:
  std::string close_with(std::string_view payload);
  std::string take_frame(int opcode, std::string_view payload);

  std::string received_;
  std::size_t skip_ = 0;  // of a message's payload, yet to come
  bool closed_ = false;
};

}  // namespace showcaller
