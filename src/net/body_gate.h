// SPDX-License-Identifier: Apache-2.0
// Whether one connection's peer may send the body that it has announced: not before the request's
// header has been judged, and only while there is room for the bodies of all connections together.
//
// Threads: the connection's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "net/connection_loop.h"
#include "net/http_parser.h"

namespace showcaller {

inline HttpParserLimits limits_of_parser(const HttpLimits& limits) {
  return {limits.target_bytes, limits.header_bytes, limits.header_count, limits.body_bytes};
}

class BodyGate {
 public:
  explicit BodyGate(ServerCore* core) : core_(*core) {}
  BodyGate(const BodyGate&) = delete;
  BodyGate& operator=(const BodyGate&) = delete;
  ~BodyGate() { reset(); }

  // Whenever more of a body is to be read. False: refusal() or full() is why. What is to be sent to
  // a peer that waits for a word is added to *out.
  bool may_send(HttpRequestParser* parser, const HttpPeer& peer, std::string* out);
  // What the header's judge answers; absent: nothing against it.
  const std::optional<HttpResponse>& refusal() const { return refusal_; }
  bool full() const { return full_; }
  // The request is answered: its body takes no room any more.
  void reset();

 private:
  void count(std::size_t bytes);

  ServerCore& core_;
  std::size_t counted_ = 0;  // of core_.bodies_bytes
  bool judged_ = false, full_ = false;
  std::optional<HttpResponse> refusal_;
};

}  // namespace showcaller
