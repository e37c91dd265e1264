// SPDX-License-Identifier: Apache-2.0
// Calls to others that take a while: made by a few threads, in the order in which they came, and
// answered for even when the queue ends before their turn.
//
// Threads: any. Limits: waiting_max calls wait; who comes then is refused.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "net/http_client.h"

namespace showcaller {

class CallQueue {
 public:
  enum class Turn { Now, Never };  // Never: the queue ends; tell whoever waits
  using Call = std::function<void(Turn)>;
  enum class Put { Taken, Full, Ending };

  CallQueue(std::size_t waiting_max, int threads);
  ~CallQueue() { end(); }
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  // Unless it is taken, the call is never made nor told of its turn.
  Put put(Call call);
  // From within a call: an exchange that end() interrupts.
  Result<HttpResponse> exchange(HttpClient* client, const HttpClientRequest& request);
  // Interrupts exchanges and tells what waits that its turn never comes. When it returns, no call
  // is under way and none is taken any more. Not from within a call.
  void end();

 private:
  void work();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Call> waiting_;
  std::list<HttpClient*> under_way_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace showcaller
