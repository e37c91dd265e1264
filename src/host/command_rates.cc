// SPDX-License-Identifier: Apache-2.0
#include "host/command_rates.h"

namespace showcaller {

Status CommandRates::take(const World& world, const Command& command, Instant now) {
  const int per_minute = commands_per_minute_max(world);
  if (per_minute == 0) return {};
  std::lock_guard lock(mutex_);
  if (now - swept_ >= minutes(1)) {
    std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.at >= minutes(1); });
    swept_ = now;
  }
  CommandBucket& bucket = buckets_[command.actor.name];
  const BucketAnswer answer = take_command(bucket, per_minute, now);
  bucket = answer.bucket;
  if (answer.allowed || is_toward_safety(command.body)) return {};
  return std::unexpected(rate_limited(command.actor.name, per_minute, answer.retry_after));
}

}  // namespace showcaller
