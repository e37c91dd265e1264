// SPDX-License-Identifier: Apache-2.0
#include "engine/exposure_share.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "flow/flag_layers.h"

namespace showcaller {
namespace {

std::string share_words(std::int64_t ppm) {
  return fmt::format("{:g} %", double(ppm) / 10'000);
}

const ExclusionGroupSpec* group_spec(const World& world, std::string_view group) {
  const StoredManifest* stored = world.manifests.find(fmt::format("ExclusionGroup/{}", group));
  return stored ? &stored->manifest->as<ExclusionGroupSpec>() : nullptr;
}

// Once claims are settled nobody is touched any more.
bool lives(const EventState& event) {
  return !is_over(event.phase) && event.phase != Phase::Settling &&
         event.phase != Phase::Deprecated;
}

struct Member {
  std::string key;  // of its manifest
  BucketRanges buckets;
};

std::vector<Member> members_of(const World& world, std::string_view group,
                               const PendingBounds& pending) {
  std::vector<Member> out;
  const auto add = [&](std::string key, const std::optional<ExposureBounds>& bounds) {
    if (bounds && bounds->group == group && !pending.contains(key))
      out.push_back({std::move(key), bounds->buckets});
  };
  world.events.each([&](const std::string& name, const EventState& event) {
    if (lives(event)) add("LiveEvent/" + name, event.bounds);
  });
  world.flags.each([&](const std::string& flag, const FlagState& state) {
    if (flag_spec(world, flag)) add("Flag/" + flag, state.bounds);
  });
  for (const auto& [key, bounds] : pending) {
    if (bounds.group == group) out.push_back({key, bounds.buckets});
  }
  return out;
}

const std::optional<GroupShare>& wish_of(const Manifest& manifest) {
  static const std::optional<GroupShare> kNone;
  if (const auto* event = std::get_if<LiveEventSpec>(&manifest.spec)) return event->exclusion;
  if (const auto* flag = std::get_if<FlagSpec>(&manifest.spec)) return flag->exclusion;
  return kNone;
}

std::optional<ExposureBounds> present_bounds(const World& world, const Manifest& manifest) {
  if (manifest.kind() == Kind::LiveEvent) {
    const EventState* event = world.event(manifest.name);
    return event && lives(*event) ? event->bounds : std::nullopt;
  }
  const FlagState* state = world.flags.find(manifest.name);
  return state ? state->bounds : std::nullopt;
}

// "'gala' has 40 %, 'parade' 30 %"
std::string who_has(const std::vector<Member>& members) {
  std::vector<std::string> parts;
  for (const Member& member : members)
    parts.push_back(fmt::format("{} has {}", member.key, share_words(size_of(member.buckets))));
  return parts.empty() ? "nobody has any" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string_view unit_word(Unit unit) {
  switch (unit) {
    case Unit::Player:
      return "player";
    case Unit::Party:
      return "party";
    case Unit::Guild:
      return "guild";
    case Unit::Match:
      break;
  }
  return "match";
}

std::string other_unit(const std::string& key, Unit unit, const std::string& group, Unit groups) {
  return fmt::format(
      "{} goes by {} and exclusion group '{}' by {}: one player could be touched twice; let both "
      "go "
      "by one unit",
      key, unit_word(unit), group, unit_word(groups));
}

Result<BucketRanges> part_of_group(const World& world, const Manifest& manifest,
                                   const GroupShare& wish, const PendingBounds& pending) {
  const ExclusionGroupSpec* group = group_spec(world, wish.group);
  if (!group) {
    return fail(ErrorCode::Conflict,
                fmt::format("{} is in exclusion group '{}', which is not there; apply its manifest "
                            "first",
                            manifest.key(), wish.group));
  }
  const auto* event = std::get_if<LiveEventSpec>(&manifest.spec);
  if (event && event->assigned_unit() != group->unit)
    return fail(ErrorCode::Conflict,
                other_unit(manifest.key(), event->assigned_unit(), wish.group, group->unit));
  std::vector<Member> members = members_of(world, wish.group, pending);
  std::erase_if(members, [&](const Member& member) { return member.key == manifest.key(); });
  std::vector<BucketRanges> taken;
  for (const Member& member : members) taken.push_back(member.buckets);
  const auto present = present_bounds(world, manifest);
  const BucketRanges kept =
      present && present->group == wish.group ? present->buckets : BucketRanges();
  const std::int64_t limit = kPpmWhole - group->holdout_ppm;
  auto part = take_buckets(wish.share_ppm, kept, taken, limit);
  if (part) return part;
  const std::int64_t left = free_buckets(taken, limit);
  return fail(
      ErrorCode::Conflict,
      fmt::format("{} asks for {} of exclusion group '{}', and {} are left of {}: {}; {}",
                  manifest.key(), share_words(wish.share_ppm), wish.group, share_words(left),
                  share_words(limit), who_has(members),
                  left > 0 ? fmt::format("ask for at most {}, or wait until one of them ends",
                                         share_words(left))
                           : "wait until one of them ends"));
}

void check_event_unit(const World& world, const std::string& name, const EventState& event,
                      std::vector<std::string>* problems) {
  if (is_over(event.phase) || !event.manifest || !event.spec().exclusion) return;
  const std::string& group = event.spec().exclusion->group;
  const ExclusionGroupSpec* spec = group_spec(world, group);
  if (!spec) {
    problems->push_back(
        fmt::format("LiveEvent '{}' is in exclusion group '{}', which is not there", name, group));
  } else if (spec->unit != event.spec().assigned_unit()) {
    problems->push_back(
        other_unit("LiveEvent/" + name, event.spec().assigned_unit(), group, spec->unit));
  }
}

}  // namespace

std::map<std::string, std::int64_t> holdouts_for(const World& world, std::string_view owner) {
  std::map<std::string, std::int64_t> out;
  constexpr std::string_view kPrefix = "Holdout/";
  world.manifests.each_from(kPrefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(kPrefix)) return false;
    const auto& spec = stored.manifest->as<HoldoutSpec>();
    const bool concerned = spec.owners.empty() || std::find(spec.owners.begin(), spec.owners.end(),
                                                            owner) != spec.owners.end();
    if (concerned && spec.share_ppm > 0) out[stored.manifest->name] = spec.share_ppm;
    return true;
  });
  return out;
}

Result<ExposureBounds> bounds_of(const World& world, const Manifest& manifest,
                                 const PendingBounds& pending) {
  ExposureBounds out;
  if (const auto& wish = wish_of(manifest)) {
    out.group = wish->group;
    TRY(out.buckets, part_of_group(world, manifest, *wish, pending));
  }
  // Holdouts are about events: what a flag's own rule says is its own business.
  if (manifest.kind() == Kind::LiveEvent) out.holdouts = holdouts_for(world, manifest.owner);
  return out;
}

std::vector<std::string> exclusion_problems(const World& world) {
  std::vector<std::string> problems;
  world.events.each([&](const std::string& name, const EventState& event) {
    check_event_unit(world, name, event, &problems);
  });
  each_flag(world, [&](const std::string& flag, const FlagSpec& spec) {
    if (spec.exclusion && !group_spec(world, spec.exclusion->group)) {
      problems.push_back(fmt::format("Flag '{}' is in exclusion group '{}', which is not there",
                                     flag, spec.exclusion->group));
    }
  });
  constexpr std::string_view kPrefix = "ExclusionGroup/";
  world.manifests.each_from(kPrefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(kPrefix)) return false;
    const std::int64_t limit = kPpmWhole - stored.manifest->as<ExclusionGroupSpec>().holdout_ppm;
    for (const Member& member : members_of(world, stored.manifest->name, {})) {
      if (member.buckets.empty() || member.buckets.back().second <= limit) continue;
      problems.push_back(fmt::format(
          "{} has buckets that the holdout of exclusion group '{}' would take; hold out less, or "
          "wait until it ends",
          member.key, stored.manifest->name));
    }
    return true;
  });
  return problems;
}

std::string new_exclusion_problem(const World& world, const World& next) {
  const std::vector<std::string> problems = exclusion_problems(next);
  if (problems.empty()) return {};
  const std::vector<std::string> known = exclusion_problems(world);
  for (const std::string& problem : problems) {
    if (std::find(known.begin(), known.end(), problem) == known.end()) return problem;
  }
  return {};
}

std::vector<std::string> bounds_notes(const ExposureBounds& bounds) {
  std::vector<std::string> notes;
  if (!bounds.group.empty()) {
    notes.push_back(fmt::format("touches {} of exclusion group '{}' and nobody else",
                                share_words(size_of(bounds.buckets)), bounds.group));
  }
  for (const auto& [holdout, share] : bounds.holdouts)
    notes.push_back(fmt::format("holdout '{}' keeps {} out", holdout, share_words(share)));
  return notes;
}

}  // namespace showcaller
