// SPDX-License-Identifier: Apache-2.0
#include "policy/quotas.h"

#include <algorithm>

#include <fmt/format.h>

#include "policy/policies.h"

namespace showcaller {
namespace {

constexpr std::int64_t kCommand =
    60'000;  // One command in the bucket's unit: per_minute units a millisecond.

bool is_active(const EventState& event) {
  using enum Phase;
  return !is_over(event.phase) && (in(event.phase) & in(Draft, Validated, Approved)) == 0;
}

std::int64_t active_events_beside(const World& world, std::string_view event) {
  std::int64_t active = 0;
  world.events.each([&](const std::string& name, const EventState& other) {
    active += name != event && is_active(other) ? 1 : 0;
  });
  return active;
}

// The first quota that would not hold, as a sentence, of policies in audit mode or of the others.
std::string broken_event_quota(const World& world, std::string_view event, Instant now,
                               bool audit_only) {
  now = world.wall(now);  // An exception's end is a date.
  std::string broken;
  std::int64_t active = -1;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    if (policy.audit_only != audit_only) return;
    for (const QuotaSpec& quota : policy.quotas) {
      if (quota.events_active_max <= 0 || !broken.empty()) continue;
      if (exception_for(policy, quota.name, event, now)) continue;
      if (active < 0) active = active_events_beside(world, event);
      if (active < quota.events_active_max) continue;
      broken = fmt::format(
          "{} events are active and quota '{}' of policy '{}' allows {}; retire or cancel one "
          "before {} goes on",
          active, quota.name, manifest.name, quota.events_active_max, event);
    }
  });
  return broken;
}

}  // namespace

Status check_event_quota(const World& world, std::string_view event, Instant now) {
  std::string broken = broken_event_quota(world, event, now, false);
  if (!broken.empty()) return fail(ErrorCode::Limit, std::move(broken));
  return {};
}

Status check_instance_quota(const World& world, std::int64_t more) {
  const auto wanted = std::int64_t(world.instances.size()) + more;
  std::string broken;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    if (policy.audit_only) return;
    for (const QuotaSpec& quota : policy.quotas) {
      if (quota.instances_max <= 0 || wanted <= quota.instances_max) continue;
      broken = fmt::format(
          "{} instances would run and quota '{}' of policy '{}' allows {}; lower a fleet's "
          "instances_max or raise the quota",
          wanted, quota.name, manifest.name, quota.instances_max);
    }
  });
  if (!broken.empty()) return fail(ErrorCode::Limit, std::move(broken));
  return {};
}

std::vector<std::string> quota_notes(const World& world, std::string_view event, Instant now) {
  const std::string broken = broken_event_quota(world, event, now, true);
  if (broken.empty()) return {};
  return {"audit mode, nothing is refused: " + broken};
}

int commands_per_minute_max(const World& world) {
  int tightest = 0;
  each_policy(world, [&](const Manifest&, const PolicySpec& policy) {
    if (policy.audit_only || policy.commands_per_minute_max <= 0) return;
    tightest = tightest == 0 ? policy.commands_per_minute_max
                             : std::min(tightest, policy.commands_per_minute_max);
  });
  return tightest;
}

BucketAnswer take_command(CommandBucket bucket, int per_minute, Instant now) {
  if (per_minute <= 0) return {.bucket = {-1, now}, .allowed = true, .retry_after = {}};
  const std::int64_t full = per_minute * kCommand;
  if (bucket.level < 0) bucket = {full, now};
  const std::int64_t elapsed_ms = std::clamp<std::int64_t>((now - bucket.at).count(), 0, 60'000);
  bucket.level = std::min(full, bucket.level + elapsed_ms * per_minute);
  bucket.at = std::max(bucket.at, now);
  if (bucket.level >= kCommand) {
    bucket.level -= kCommand;
    return {.bucket = bucket, .allowed = true, .retry_after = {}};
  }
  const std::int64_t short_of = kCommand - bucket.level;
  return {.bucket = bucket,
          .allowed = false,
          .retry_after = Duration((short_of + per_minute - 1) / per_minute)};
}

Error rate_limited(std::string_view actor, int per_minute, Duration retry_after) {
  return {ErrorCode::Limit,
          fmt::format("'{}' has used its {} commands a minute; try again in {}", actor, per_minute,
                      format_duration(retry_after)),
          int((retry_after.count() + 999) / 1'000)};
}

}  // namespace showcaller
