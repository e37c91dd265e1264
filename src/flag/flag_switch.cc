// SPDX-License-Identifier: Apache-2.0
#include "flag/flag_switch.h"

namespace showcaller {

json::object killed_flag(json::object definition, std::string_view off_variant,
                         const FlagSwitch& by) {
  definition["state"] = "ENABLED";
  definition.erase("targeting");
  definition["defaultVariant"] =
      off_variant.empty() ? json::value(nullptr) : json::value(off_variant);
  json::value& metadata = definition["metadata"];
  if (!metadata.is_object()) metadata.emplace_object();
  json::object& told = metadata.get_object();
  told["killed"] = true;
  told["killedSince"] = format_instant(by.since);
  told["killedBy"] = by.actor;
  if (!by.reason.empty()) told["killedReason"] = by.reason;
  told["killedReopened"] = by.reopened;
  return definition;
}

}  // namespace showcaller
