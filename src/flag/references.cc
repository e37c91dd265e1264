// SPDX-License-Identifier: Apache-2.0
#include "flag/references.h"

#include <algorithm>

#include <fmt/format.h>

namespace showcaller {
namespace {

const json::value* reference_of(const json::object& object) {
  const json::value* reference = object.size() == 1 ? object.if_contains("$ref") : nullptr;
  return reference != nullptr && reference->is_string() ? reference : nullptr;
}

}  // namespace

void qualify_references(std::string_view prefix, json::value* rule) {
  if (rule->is_array()) {
    for (json::value& item : rule->get_array()) qualify_references(prefix, &item);
  } else if (rule->is_object()) {
    json::object& object = rule->get_object();
    if (const json::value* reference = reference_of(object)) {
      object["$ref"] = fmt::format("{}/{}", prefix, std::string_view(reference->get_string()));
    } else {
      for (auto& member : object) qualify_references(prefix, &member.value());
    }
  }
}

bool has_reference(const json::value& rule) {
  if (const auto* items = rule.if_array()) return std::ranges::any_of(*items, has_reference);
  const auto* object = rule.if_object();
  if (object == nullptr) return false;
  return reference_of(*object) != nullptr ||
         std::ranges::any_of(*object, [](const auto& each) { return has_reference(each.value()); });
}

}  // namespace showcaller
