// SPDX-License-Identifier: Apache-2.0
#include "flow/flag_snapshot.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace showcaller {
namespace {

// Flags that clients may see, with their own evaluators.
void keep_visible(const World& world, FlagDefinitions* flags) {
  std::set<std::string, std::less<>> visible;
  each_flag(world, [&](const std::string& flag, const FlagSpec& spec) {
    if (spec.client_visible) visible.insert(flag);
  });
  std::erase_if(flags->flags, [&](const auto& flag) { return !visible.contains(flag.first); });
  json::object kept;
  for (const auto& [name, rule] : flags->evaluators) {
    const std::string_view flag = name;
    if (visible.contains(flag.substr(0, flag.rfind('/')))) kept.emplace(name, rule);
  }
  flags->evaluators = std::move(kept);
}

std::string etag_of(const json::object& document) {
  return fmt::format("\"{}\"", to_hex(sha256(to_canonical_json_text(document))).substr(0, 32));
}

}  // namespace

FlagSnapshot flag_snapshot(const World& world, const FlagSaltOf& salt_of,
                           FlagVisibility visibility) {
  FlagSnapshot snapshot;
  FlagDefinitions flags = base_flags(world);
  lay_layers(world, salt_of, &flags, &snapshot.problems);
  withdraw_features(world, &flags, &snapshot.problems);
  kill_flags(world, &flags);
  require_prerequisites(world, &flags, &snapshot.problems);
  if (visibility == FlagVisibility::Client) keep_visible(world, &flags);
  if (!flags.evaluators.empty()) snapshot.document["$evaluators"] = std::move(flags.evaluators);
  json::object& out = snapshot.document["flags"].emplace_object();
  for (auto& [key, definition] : flags.flags) out.emplace(key, std::move(definition));
  snapshot.etag = etag_of(snapshot.document);
  return snapshot;
}

Result<json::object> effective_flags(const World& world, const FlagSaltOf& salt_of) {
  FlagSnapshot snapshot = flag_snapshot(world, salt_of);
  if (!snapshot.problems.empty()) {
    return fail(ErrorCode::Invalid, fmt::format("{}", fmt::join(snapshot.problems, "; ")));
  }
  return std::move(snapshot.document);
}

namespace {

struct ConcernsFlags {
  bool operator()(const ManifestApplied& p) const { return is_served(p.kind); }
  bool operator()(const ManifestRemoved& p) const { return is_served(p.kind); }
  static bool is_served(std::string_view kind) { return kind == "Flag" || kind == "Config"; }
  bool operator()(const EventRevised&) const { return true; }
  bool operator()(const RevisionAdopted&) const { return true; }
  bool operator()(const PhaseChanged&) const { return true; }
  bool operator()(const StageEntered&) const { return true; }
  bool operator()(const ExposureWidened&) const { return true; }
  bool operator()(const IntakeChanged&) const { return true; }
  bool operator()(const DivertSet&) const { return true; }
  bool operator()(const ExposureBounded&) const { return true; }
  bool operator()(const FlagBounded&) const { return true; }
  bool operator()(const FlagKilled&) const { return true; }
  bool operator()(const FlagReopened&) const { return true; }
  bool operator()(const FlagSwitchMerged&) const { return true; }
  bool operator()(const FlagScheduleReached&) const { return true; }
  bool operator()(const FeatureWithdrawn&) const { return true; }
  bool operator()(const FeatureReturned&) const { return true; }
  bool operator()(const auto&) const { return false; }
};

std::string differences(const json::object& wanted, const json::object& seen) {
  std::vector<std::string> names;
  for (const auto& member : wanted) {
    const json::value* other = seen.if_contains(member.key());
    if (!other || to_canonical_json_text(*other) != to_canonical_json_text(member.value())) {
      names.emplace_back(member.key());
    }
  }
  for (const auto& member : seen) {
    if (!wanted.contains(member.key())) names.emplace_back(member.key());
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

std::map<std::string, json::object> flags_of(const json::object& document) {
  std::map<std::string, json::object> flags;
  const auto take = [&](std::string_view list, std::string_view prefix) {
    const json::value* found = document.if_contains(list);
    if (!found || !found->is_object()) return;
    for (const auto& [key, value] : found->get_object()) {
      if (value.is_object())
        flags.emplace(fmt::format("{}{}", prefix, std::string_view(key)), value.get_object());
    }
  };
  take("flags", "");
  take("$evaluators", "$evaluators/");
  return flags;
}

}  // namespace

bool concerns_flags(const Payload& payload) {
  return std::visit(ConcernsFlags{}, payload);
}

std::vector<FlagDrift> compare_flags(const json::object& wanted, const json::object& seen) {
  std::vector<FlagDrift> drift;
  const auto ours = flags_of(wanted);
  const auto theirs = flags_of(seen);
  for (const auto& [key, definition] : ours) {
    const auto other = theirs.find(key);
    if (other == theirs.end()) {
      drift.push_back({key, "is missing"});
    } else if (const std::string names = differences(definition, other->second); !names.empty()) {
      drift.push_back({key, "differs in " + names});
    }
  }
  for (const auto& [key, definition] : theirs) {
    if (!ours.contains(key)) drift.push_back({key, "is not wanted"});
  }
  std::sort(drift.begin(), drift.end(),
            [](const auto& a, const auto& b) { return a.flag < b.flag; });
  return drift;
}

}  // namespace showcaller
