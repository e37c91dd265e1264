// SPDX-License-Identifier: Apache-2.0
#include "net/body_gate.h"

#include <algorithm>

namespace showcaller {

bool BodyGate::may_send(HttpRequestParser* parser, const HttpPeer& peer, std::string* out) {
  count(parser->body_bytes());
  full_ = core_.bodies_bytes > core_.limits.bodies_bytes;
  if (full_) return false;
  if (std::exchange(judged_, true)) return true;
  if (core_.admission) {
    parser->request().peer = peer;
    auto admission = core_.admission(parser->request());
    parser->limit_body(std::min(admission.body_bytes_max, core_.limits.body_bytes));
    refusal_ = std::move(admission.refusal);
    if (refusal_) return false;
  }
  if (parser->expects_continue() && counted_ == 0) *out += "HTTP/1.1 100 Continue\r\n\r\n";
  return true;
}

void BodyGate::reset() {
  count(0);
  judged_ = full_ = false;
  refusal_.reset();
}

void BodyGate::count(std::size_t bytes) {
  core_.bodies_bytes += bytes - counted_;  // Modulo 2^64, so it may become less.
  counted_ = bytes;
}

}  // namespace showcaller
