// SPDX-License-Identifier: Apache-2.0
#include "net/call_queue.h"

#include <algorithm>
#include <utility>

namespace showcaller {

CallQueue::CallQueue(std::size_t waiting_max, int threads) : waiting_max_(waiting_max) {
  for (int i = 0; i < std::max(1, threads); ++i) threads_.emplace_back([this] { work(); });
}

CallQueue::Put CallQueue::put(Call call) {
  const std::lock_guard lock(mutex_);
  if (ending_) return Put::Ending;
  if (waiting_.size() >= waiting_max_) return Put::Full;
  waiting_.push_back(std::move(call));
  changed_.notify_one();
  return Put::Taken;
}

Result<HttpResponse> CallQueue::exchange(HttpClient* client, const HttpClientRequest& request) {
  std::list<HttpClient*>::iterator mine;
  {
    const std::lock_guard lock(mutex_);
    if (ending_) client->interrupt();
    mine = under_way_.insert(under_way_.end(), client);
  }
  Result<HttpResponse> answer = client->send(request);
  const std::lock_guard lock(mutex_);
  under_way_.erase(mine);
  return answer;
}

void CallQueue::end() {
  std::deque<Call> dropped;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (HttpClient* client : under_way_) client->interrupt();
    dropped.swap(waiting_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (const Call& call : dropped) call(Turn::Never);
}

void CallQueue::work() {
  for (;;) {
    Call next;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (ending_) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next(Turn::Now);
  }
}

}  // namespace showcaller
