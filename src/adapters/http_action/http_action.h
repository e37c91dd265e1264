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

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "flow/port/action.h"
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
  ~HttpAction() override { stop(); }
  HttpAction(const HttpAction&) = delete;
  HttpAction& operator=(const HttpAction&) = delete;

  void call(const ActionCall& call, Outcome done) override;
  // Calls under way and waiting end as unknown, as do all from now on. When it returns, every
  // outcome is told: whoever is told may go.
  void stop();

 private:
  struct Waiting {
    ActionCall call;
    Outcome done;
  };
  void work();
  void send(const Waiting& waiting);

  HttpActionOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::list<HttpClient*> under_way_;  // to interrupt
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace showcaller
