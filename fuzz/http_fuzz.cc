// SPDX-License-Identifier: Apache-2.0
// HTTP bytes of anybody: no crash, no growth, and the same outcome wherever the bytes are split.
// The first byte seeds the splits.
//
// Links: sc_wire
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/http_parser.h"
#include "net/sse.h"
#include "net/websocket.h"
#include "wire/trace_context.h"

namespace {

using namespace showcaller;

std::string outcome(std::string_view bytes, std::size_t step) {
  HttpRequestParser parser(
      {.target_bytes = 256, .header_bytes = 2048, .header_count = 16, .body_bytes = 1024});
  std::string pending, told;
  for (std::size_t at = 0; at <= bytes.size(); at += step) {
    pending += bytes.substr(std::min(at, bytes.size()), step);
    while (true) {
      std::size_t consumed = 0;
      const auto progress = parser.feed(pending, &consumed);
      pending.erase(0, consumed);
      if (progress == ParseProgress::NeedMore) break;
      if (progress == ParseProgress::HeaderDone) continue;
      if (progress == ParseProgress::Failed)
        return told + "!" + std::to_string(parser.failure().status);
      const auto& request = parser.request();
      told += request.method + " " + request.path + " " + request.body + "\n";
      parser.reset();
    }
  }
  return told;
}

// What a WebSocket's listener answers to the bytes in pieces of so many.
std::string answers(std::string_view bytes, std::size_t step) {
  WebSocketListener listener;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += step)
    out += listener.feed(bytes.substr(at, step));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t step = 1 + data[0] % 61;
  if (outcome(bytes, bytes.size()) != outcome(bytes, step)) std::abort();
  if (answers(bytes, bytes.size()) != answers(bytes, step)) std::abort();

  HttpResponseParser response({.body_bytes = 4096}, data[0] % 2 == 0);
  std::string_view rest = bytes;
  for (auto progress = ParseProgress::HeaderDone; progress == ParseProgress::HeaderDone;) {
    std::size_t consumed = 0;
    progress = response.feed(rest, &consumed);
    rest.remove_prefix(consumed);
    if (progress == ParseProgress::NeedMore) response.feed_end();
  }
  SseParser(1024).feed(bytes);
  (void)parse_traceparent(bytes);
  (void)parse_url(bytes);
  return 0;
}
