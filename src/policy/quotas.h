// SPDX-License-Identifier: Apache-2.0
// How much at most: active events, instances, and commands a minute of one actor. Pure; the caller
// keeps the buckets.
//
// Of several policies the tightest limit counts; those in audit mode only note. Moves toward safety
// take from the bucket of their actor, but are never refused for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/world.h"

namespace showcaller {

// Limit when one more event may not become active beside those that are. An event is active from
// its preparation on until it is over.
[[nodiscard]] Status check_event_quota(const World& world, std::string_view event, Instant now);
// Limit when `more` instances may not be requested beside those that are not gone.
[[nodiscard]] Status check_instance_quota(const World& world, std::int64_t more);
// The same rules, of policies in audit mode.
std::vector<std::string> quota_notes(const World& world, std::string_view event, Instant now);

// The tightest commands_per_minute_max; 0: no limit.
int commands_per_minute_max(const World& world);

// A bucket that holds a minute's commands and fills evenly. In 1/60'000 of a command, so that no
// rounding is lost.
struct CommandBucket {
  std::int64_t level = -1;  // -1: full, as every actor starts
  Instant at{};
};
struct BucketAnswer {
  CommandBucket bucket;  // to keep
  bool allowed = true;
  Duration retry_after{};  // when not allowed: until there is one again
};
BucketAnswer take_command(CommandBucket bucket, int per_minute, Instant now);
// The refusal, for people.
Error rate_limited(std::string_view actor, int per_minute, Duration retry_after);

}  // namespace showcaller
