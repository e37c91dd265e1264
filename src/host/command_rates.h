// SPDX-License-Identifier: Apache-2.0
// How many commands a minute each actor has given, held against the policies' rate limit. Soft
// state: a restart gives everybody a full bucket.
//
// Threads: any. Memory: an actor is forgotten when its bucket is full again, a minute later.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/result.h"
#include "model/command.h"
#include "policy/quotas.h"

namespace showcaller {

class CommandRates {
 public:
  // Limit when the actor has none left this minute. Moves toward safety are counted and never
  // refused.
  Status take(const World& world, const Command& command, Instant now);

 private:
  std::mutex mutex_;
  std::map<std::string, CommandBucket> buckets_;
  Instant swept_{};
};

}  // namespace showcaller
