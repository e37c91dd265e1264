// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/flag_streams.h"

#include <algorithm>
#include <utility>

namespace showcaller {
namespace {

constexpr auto kLookAtLeastEvery = std::chrono::seconds(20);

}  // namespace

FlagStreams::FlagStreams() : thread_([this] { run(); }) {}

FlagStreams::~FlagStreams() {
  stop();
}

void FlagStreams::changed() {
  {
    const std::lock_guard lock(mutex_);
    look_now_ = true;
  }
  changed_.notify_one();
}

bool FlagStreams::add(std::shared_ptr<FlagStream> stream) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || streams_.size() >= kStreamsMax) return false;
    streams_.push_back(std::move(stream));
    look_now_ = true;  // What changed since it looked itself.
  }
  changed_.notify_one();
  return true;
}

void FlagStreams::remove(const FlagStream* stream) {
  std::shared_ptr<FlagStream> last;  // Not destroyed under the lock.
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(streams_, stream, &std::shared_ptr<FlagStream>::get);
  if (found == streams_.end()) return;
  last = std::move(*found);
  streams_.erase(found);
}

std::size_t FlagStreams::size() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

void FlagStreams::stop() {
  std::vector<std::shared_ptr<FlagStream>> left;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
    left = streams_;
  }
  changed_.notify_one();
  thread_.join();
  for (const auto& stream : left) stream->stop();
}

void FlagStreams::run() {
  std::unique_lock lock(mutex_);
  SteadyTime next = SteadyTime::max();
  while (!stopping_) {
    const SteadyTime latest = std::chrono::steady_clock::now() + kLookAtLeastEvery;
    changed_.wait_until(lock, std::min(next, latest), [this] { return look_now_ || stopping_; });
    if (stopping_) return;
    look_now_ = false;
    const auto streams = streams_;
    lock.unlock();
    next = SteadyTime::max();
    const SteadyTime now = std::chrono::steady_clock::now();
    for (const auto& stream : streams) next = std::min(next, stream->look(now));
    lock.lock();
  }
}

}  // namespace showcaller
