// SPDX-License-Identifier: Apache-2.0
// Carries actions to their services over HTTP: one POST a call, by a few threads of its own.
//
//   POST <url>                                   2xx: done · 408, 425, 429, 5xx, no answer:
//   unknown, so it is tried again Idempotency-Key: winter-raid/r7/s1/do        other 4xx and 3xx:
//   refused for good Showcaller-Epoch: 3 traceparent: 00-<trace of the revision>-<the attempt's
//   span>-01
//   {"event":"winter-raid","revision":7,"step":1,"direction":"do","attempt":1,"path":"grants/open","epoch":3}
//
// Threads: call() never blocks; outcomes come on the adapter's threads. Limits: calls waiting
// (unknown when full, to come again), the time of a call (the change's timeout), 64 KiB of an
// answer, of which 200 characters are kept.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "flow/port/action.h"
#include "net/call_queue.h"
#include "net/http_client.h"

namespace showcaller {

struct HttpActionOptions {
  std::size_t waiting_max = 1'024;
  int threads = 4;  // calls at once: a service that hangs must not hold up the undo of another
  TlsClientOptions tls;
};

class HttpAction final : public ActionPort {
 public:
  explicit HttpAction(HttpActionOptions options = {});
  HttpAction(const HttpAction&) = delete;
  HttpAction& operator=(const HttpAction&) = delete;

  void call(const ActionCall& call, Outcome done) override;
  // Calls under way and waiting end as unknown, as do all from now on. When it returns, every
  // outcome is told: whoever is told may go.
  void stop() { queue_.end(); }

 private:
  std::pair<StepOutcome, std::string> send(const ActionCall& call);

  const HttpActionOptions options_;
  CallQueue queue_;  // ends before the rest goes
};

}  // namespace showcaller
