// SPDX-License-Identifier: Apache-2.0
#include "flag/flag_changes.h"

#include "flag/references.h"

namespace showcaller {
namespace {

const json::object& object_at(const json::value& document, std::string_view key) {
  static const json::object kNone;
  const json::value* found = document.get_object().if_contains(key);
  return found != nullptr && found->is_object() ? found->get_object() : kNone;
}

}  // namespace

std::string_view to_string(FlagChangeKind kind) {
  switch (kind) {
    case FlagChangeKind::Write:
      return "write";
    case FlagChangeKind::Update:
      return "update";
    case FlagChangeKind::Delete:
      return "delete";
  }
  return "update";
}

std::vector<FlagKeyChange> changes_between(const FlagSet& before, const FlagSet& after) {
  if (before.fingerprint() == after.fingerprint()) return {};
  const json::object& old_flags = object_at(before.document(), "flags");
  const json::object& new_flags = object_at(after.document(), "flags");
  const bool same_evaluators =
      object_at(before.document(), "$evaluators") == object_at(after.document(), "$evaluators");
  const bool same_metadata = before.metadata() == after.metadata();
  std::vector<FlagKeyChange> changes;
  for (const auto& [key, flag] : old_flags) {
    if (!new_flags.contains(key)) changes.push_back({std::string(key), FlagChangeKind::Delete});
  }
  for (const auto& [key, flag] : new_flags) {
    const json::value* old = old_flags.if_contains(key);
    if (old == nullptr) {
      changes.push_back({std::string(key), FlagChangeKind::Write});
    } else if (!same_metadata || *old != flag || (!same_evaluators && has_reference(flag))) {
      changes.push_back({std::string(key), FlagChangeKind::Update});
    }
  }
  return changes;
}

}  // namespace showcaller
