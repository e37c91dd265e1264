// SPDX-License-Identifier: Apache-2.0
#include "model/flag_schedule.h"

#include <fmt/format.h>

namespace showcaller {

json::object definition_at(const FlagSpec& spec, Instant reached) {
  json::object definition = spec.definition;
  for (const FlagScheduledChange& change : spec.schedule) {
    if (change.at > reached) break;
    for (const auto& [key, value] : change.definition) definition.insert_or_assign(key, value);
  }
  return definition;
}

const FlagScheduledChange* change_in_force(const FlagSpec& spec, Instant reached) {
  const FlagScheduledChange* last = nullptr;
  for (const FlagScheduledChange& change : spec.schedule) {
    if (change.at <= reached) last = &change;
  }
  return last;
}

std::string change_text(const FlagScheduledChange& change) {
  std::string out;
  for (const auto& [key, value] : change.definition) {
    const bool rule = value.is_object();
    out += fmt::format(
        "{}{} {}", out.empty() ? "" : ", ", std::string_view(key),
        rule ? (value.get_object().empty() ? "is none" : "is another")
             : "is " + (value.is_string() ? std::string(value.get_string()) : to_json_text(value)));
  }
  return out;
}

}  // namespace showcaller
