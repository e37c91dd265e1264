// SPDX-License-Identifier: Apache-2.0
#include "engine/on_call.h"

#include <algorithm>

#include "model/manifest/zone.h"

namespace showcaller {
namespace {

constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1000;

// The time on the wall is the same at every change of turns; one that a change of clocks leaves
// out is moved on, one that comes twice is the first.
std::optional<Instant> turn_begins(const RotaSpec& rota, std::int64_t turn) {
  const manifest::LocalTime at{rota.starts_ms + turn * rota.days * kDayMs};
  const auto begins = manifest::resolve_local(
      at, rota.zone, {manifest::OnGap::Shift, manifest::OnOverlap::Earlier});
  return begins ? *begins : std::nullopt;
}

const TeamSpec* team(const World& world, const std::string& name) {
  const auto manifest = world.manifest(Kind::Team, name);
  return manifest ? &manifest->as<TeamSpec>() : nullptr;
}

}  // namespace

std::string on_call(const RotaSpec& rota, Instant wall) {
  for (const RotaSpec::Override& other : rota.overrides) {
    if (other.from <= wall && wall < other.to) return other.who;
  }
  if (rota.people.empty() || rota.days < 1) return "";
  // Zones are at most a day from UTC: the turn is this one, or the one before or after.
  const std::int64_t guess = (to_ms(wall) - rota.starts_ms) / (rota.days * kDayMs);
  for (std::int64_t turn = guess + 1; turn >= std::max<std::int64_t>(0, guess - 1); --turn) {
    const auto begins = turn_begins(rota, turn);
    if (begins && *begins <= wall) return rota.people[std::size_t(turn) % rota.people.size()];
  }
  return "";
}

Called first_called(const World& world, const std::string& name, Instant now) {
  const TeamSpec* spec = team(world, name);
  return {name, spec && spec->rota ? on_call(*spec->rota, world.wall(now)) : ""};
}

std::optional<Called> next_called(const World& world, const std::string& name, std::int64_t level,
                                  Instant now) {
  const TeamSpec* spec = team(world, name);
  if (!spec || level < 1 || std::size_t(level) > spec->escalation.size()) return std::nullopt;
  const std::string& who = spec->escalation[std::size_t(level) - 1];
  if (team(world, who)) return first_called(world, who, now);
  return Called{name, who};
}

std::optional<Instant> escalates_at(const World& world, const Alert& alert) {
  if (!alert.is_open() || alert.is_acknowledged() || alert.severity != AlertSeverity::Page)
    return std::nullopt;
  const TeamSpec* spec = team(world, alert.called.front());
  if (!spec || std::size_t(alert.level) >= spec->escalation.size() || spec->escalate_after.empty())
    return std::nullopt;
  const std::size_t last = spec->escalate_after.size() - 1;
  return alert.level_since + spec->escalate_after[std::min(last, std::size_t(alert.level))];
}

}  // namespace showcaller
