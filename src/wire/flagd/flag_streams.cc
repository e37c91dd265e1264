// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/flag_streams.h"

#include <algorithm>
#include <utility>

namespace showcaller {
namespace {

constexpr auto kLookAtLeastEvery = std::chrono::seconds(20);
// Streams whose time comes within as long are looked at together.
constexpr auto kTick = std::chrono::milliseconds(50);

SteadyTime next_tick(SteadyTime time) {
  return SteadyTime(std::chrono::ceil<std::chrono::milliseconds>(time.time_since_epoch()) / kTick *
                    kTick) +
         kTick;
}

}  // namespace

FlagStreams::FlagStreams() : thread_([this] { run(); }) {}

FlagStreams::~FlagStreams() {
  stop();
}

void FlagStreams::changed() {
  {
    const std::lock_guard lock(mutex_);
    look_at_all_ = true;
  }
  changed_.notify_one();
}

void FlagStreams::look_at(const FlagStream* stream) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    asking_.push_back(found->second);
  }
  changed_.notify_one();
}

bool FlagStreams::add(std::shared_ptr<FlagStream> stream) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || streams_.size() >= kStreamsMax) return false;
    asking_.push_back(stream);  // What changed since it looked itself.
    streams_.emplace(stream.get(), std::move(stream));
  }
  changed_.notify_one();
  return true;
}

void FlagStreams::remove(const FlagStream* stream) {
  std::shared_ptr<FlagStream> last;  // Not destroyed under the lock.
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  last = std::move(found->second);
  streams_.erase(found);
}

std::size_t FlagStreams::size() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

void FlagStreams::stop() {
  Round left;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
    for (const auto& [key, stream] : streams_) left.push_back(stream);
    asking_.clear();
  }
  changed_.notify_one();
  thread_.join();
  for (const auto& stream : left) stream->stop();
}

FlagStreams::Round FlagStreams::next_round(SteadyTime now) {
  Round round = std::exchange(asking_, {});
  const bool all = std::exchange(look_at_all_, false);
  if (!all && now < next_) return round;
  if (all) round.clear();
  next_ = SteadyTime::max();
  for (const auto& [key, stream] : streams_) {
    if (all || stream->look_again_ <= now)
      round.push_back(stream);
    else
      next_ = std::min(next_, stream->look_again_);
  }
  return round;
}

void FlagStreams::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_until(lock, next_,
                        [this] { return look_at_all_ || !asking_.empty() || stopping_; });
    if (stopping_) return;
    const SteadyTime now = std::chrono::steady_clock::now();
    const Round round = next_round(now);
    lock.unlock();
    for (const auto& stream : round) {
      stream->look_again_ = next_tick(std::min(stream->look(now), now + kLookAtLeastEvery));
      next_ = std::min(next_, stream->look_again_);
    }
    lock.lock();
  }
}

}  // namespace showcaller
