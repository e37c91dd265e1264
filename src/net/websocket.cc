// SPDX-License-Identifier: Apache-2.0
#include "net/websocket.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <openssl/evp.h>

namespace showcaller {
namespace {

constexpr std::string_view kVersion = "13";
constexpr std::string_view kKeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kKeyChars = 24;  // sixteen bytes in base64
constexpr std::size_t kControlBytesMax = 125;
constexpr std::string_view kProtocolError("\x03\xea", 2);  // 1002

// Whether a field that is a list ("keep-alive, Upgrade") has the word.
bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (equal_ignoring_case(one, word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + std::string(kKeySuffix);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 4 * EVP_MAX_MD_SIZE> base64{};
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), int(size));
  return {reinterpret_cast<const char*>(base64.data()), std::size_t(length)};
}

struct FrameHead {
  int opcode = 0;
  bool masked = false, odd = false;
  std::uint64_t payload = 0;  // bytes
  std::size_t size = 0;       // of the head with its mask; 0: not whole yet
};

FrameHead read_head(std::string_view bytes) {
  if (bytes.size() < 2) return {};
  const auto at = [&](std::size_t i) { return std::uint8_t(bytes[i]); };
  FrameHead head{.opcode = at(0) & 0x0f, .masked = (at(1) & 0x80) != 0, .odd = (at(0) & 0x70) != 0};
  head.payload = at(1) & 0x7f;
  const std::size_t length_bytes = head.payload == 126 ? 2 : head.payload == 127 ? 8 : 0;
  const std::size_t size = 2 + length_bytes + (head.masked ? 4 : 0);
  if (bytes.size() < size) return {};
  if (length_bytes > 0) head.payload = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) head.payload = (head.payload << 8) | at(2 + i);
  if (head.opcode >= 8) {
    const bool last = (at(0) & 0x80) != 0;
    head.odd = head.odd || !last || head.opcode > 10 || head.payload > kControlBytesMax;
  }
  head.size = size;
  return head;
}

std::string unmasked(std::string_view payload, std::string_view mask) {
  std::string out(payload);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = char(out[i] ^ mask[i % 4]);
  return out;
}

}  // namespace

bool wants_websocket(const HttpRequest& request) {
  return request.method == "GET" && has_word(request.headers.get("Connection"), "upgrade") &&
         has_word(request.headers.get("Upgrade"), "websocket");
}

HttpResponse websocket_answer(const HttpRequest& request) {
  const std::string_view key = request.headers.get("Sec-WebSocket-Key");
  if (key.size() != kKeyChars)
    return protocol_problem(400, "a WebSocket handshake needs a Sec-WebSocket-Key of 16 bytes");
  if (request.headers.get("Sec-WebSocket-Version") != kVersion) {
    HttpResponse refusal = protocol_problem(426, "the only WebSocket version spoken here is 13");
    refusal.headers.set("Sec-WebSocket-Version", kVersion);
    return refusal;
  }
  return {.status = 101,
          .headers = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", accept_key(key)}},
          .body = ""};
}

std::string websocket_frame(WebSocketOpcode opcode, std::string_view payload) {
  std::string out(1, char(0x80 | int(opcode)));
  const std::size_t size = payload.size();
  const int length_bytes = size <= kControlBytesMax ? 0 : size <= 0xffff ? 2 : 8;
  out += char(length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127);
  for (int i = length_bytes - 1; i >= 0; --i) out += char(std::uint64_t(size) >> (8 * i));
  out += payload;
  return out;
}

std::string WebSocketListener::feed(std::string_view bytes) {
  std::string out;
  received_ += bytes;
  while (!closed_) {
    const std::size_t skipped = std::min(skip_, received_.size());
    received_.erase(0, skipped);
    skip_ -= skipped;
    const FrameHead head = read_head(received_);
    if (skip_ > 0 || head.size == 0) break;
    if (!head.masked || head.odd) return out + close_with(kProtocolError);
    if (head.opcode < 8) {
      received_.erase(0, head.size);
      skip_ = head.payload;
      continue;
    }
    const std::size_t whole = head.size + std::size_t(head.payload);
    if (received_.size() < whole) break;
    const std::string_view frame = std::string_view(received_).substr(0, whole);
    out += take_frame(head.opcode, unmasked(frame.substr(head.size), frame.substr(head.size - 4)));
    received_.erase(0, whole);
  }
  return out;
}

std::string WebSocketListener::close_with(std::string_view payload) {
  closed_ = true;
  return websocket_frame(WebSocketOpcode::Close, payload);
}

std::string WebSocketListener::take_frame(int opcode, std::string_view payload) {
  switch (static_cast<WebSocketOpcode>(opcode)) {
    case WebSocketOpcode::Close:
      return close_with(payload.substr(0, 2));  // The same status comes back.
    case WebSocketOpcode::Ping:
      return websocket_frame(WebSocketOpcode::Pong, payload);
    default:
      return {};
  }
}

}  // namespace showcaller
