// SPDX-License-Identifier: Apache-2.0
#include "codec/flag_delta.h"

#include <utility>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::string_view kMembersByEntry[] = {"flags", "$evaluators"};

bool goes_by_entry(std::string_view member) {
  return std::ranges::find(kMembersByEntry, member) != std::end(kMembersByEntry);
}

json::object changed_entries(const json::object& before, const json::object& after) {
  json::object out;
  for (const auto& [key, value] : before) {
    if (!after.contains(key)) out.emplace(key, nullptr);
  }
  for (const auto& [key, value] : after) {
    const json::value* old = before.if_contains(key);
    if (old == nullptr || *old != value) out.emplace(key, value);
  }
  return out;
}

void apply_entries(json::object* target, const json::object& entries) {
  for (const auto& [key, value] : entries) {
    if (value.is_null())
      target->erase(key);
    else
      target->insert_or_assign(key, value);
  }
}

}  // namespace

std::string encode_flag_delta(const FlagDelta& delta) {
  return to_json_text(json::object{{"from", delta.from}, {"patch", delta.patch}});
}

Result<FlagDelta> decode_flag_delta(std::string_view text) {
  TRY(auto parsed, parse_json(text, {.bytes_max = 64u << 20, .depth_max = 80}));
  json::object* object = parsed.if_object();
  json::value* patch = object != nullptr ? object->if_contains("patch") : nullptr;
  if (patch == nullptr || !patch->is_object())
    return fail(ErrorCode::Invalid, "the change of flags has no `patch`; ask for all flags");
  return FlagDelta{.from = get_string(*object, "from"), .patch = std::move(patch->get_object())};
}

json::object flag_patch(const json::object& before, const json::object& after) {
  json::object patch;
  for (const auto& [member, value] : before) {
    if (!after.contains(member)) patch.emplace(member, nullptr);
  }
  for (const auto& [member, value] : after) {
    const json::value* old = before.if_contains(member);
    if (old != nullptr && *old == value) continue;
    const bool by_entry =
        goes_by_entry(member) && old != nullptr && old->is_object() && value.is_object();
    patch.emplace(member, by_entry ? changed_entries(old->get_object(), value.get_object())
                                   : json::value(value));
  }
  return patch;
}

Status apply_flag_patch(json::object* document, const json::object& patch) {
  for (const auto& [member, value] : patch) {
    if (goes_by_entry(member) && !value.is_object() && !value.is_null()) {
      return fail(ErrorCode::Invalid,
                  fmt::format("`{}` of the change is no object; ask for all flags",
                              std::string_view(member)));
    }
  }
  for (const auto& [member, value] : patch) {
    if (value.is_null()) {
      document->erase(member);
    } else if (goes_by_entry(member)) {
      json::value& target = (*document)[member];
      if (!target.is_object()) target.emplace_object();
      apply_entries(&target.get_object(), value.get_object());
    } else {
      document->insert_or_assign(member, value);
    }
  }
  return {};
}

bool join_flag_patches(json::object* first, const json::object& second) {
  for (const auto& [member, value] : second) {
    json::value* earlier = first->if_contains(member);
    const bool both = goes_by_entry(member) && earlier != nullptr && value.is_object();
    // Gone, then there again: entries of before would be taken for entries of now.
    if (both && !earlier->is_object()) return false;
    if (!both) {
      first->insert_or_assign(member, value);
      continue;
    }
    for (const auto& [key, entry] : value.get_object())
      earlier->get_object().insert_or_assign(key, entry);
  }
  return true;
}

json::object decided_flag(const Evaluation& answer) {
  json::object out;
  out["state"] = answer.reason == FlagReason::Disabled ? "DISABLED" : "ENABLED";
  json::object& variants = out["variants"].emplace_object();
  if (answer.value != nullptr) {
    variants.emplace(answer.variant, *answer.value);
    out["defaultVariant"] = answer.variant;
  }
  // A rule that gives this variant, none, or one that there is not: that is what reasons tell.
  if (answer.reason == FlagReason::TargetingMatch)
    out["targeting"] = {{"if", json::array{true, answer.variant}}};
  if (answer.reason == FlagReason::Default) out["targeting"] = {{"if", json::array{false, ""}}};
  if (answer.reason == FlagReason::Error) out["targeting"] = {{"if", json::array{true, ""}}};
  if (answer.metadata != nullptr && !answer.metadata->empty()) out["metadata"] = *answer.metadata;
  return out;
}

}  // namespace showcaller
