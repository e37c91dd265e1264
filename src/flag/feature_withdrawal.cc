// SPDX-License-Identifier: Apache-2.0
#include "flag/feature_withdrawal.h"

namespace showcaller {

json::object withdrawn_flag(json::object definition, std::string_view fallback,
                            const FeatureNotice& notice) {
  definition["state"] = "ENABLED";
  definition.erase("targeting");
  definition["defaultVariant"] = json::value(fallback);
  json::value& metadata = definition["metadata"];
  if (!metadata.is_object()) metadata.emplace_object();
  json::object& told = metadata.get_object();
  told["withdrawn"] = true;
  told["withdrawnService"] = notice.service;
  told["withdrawnFeature"] = notice.feature;
  told["withdrawnSince"] = format_instant(notice.since);
  if (!notice.message.empty()) told["message"] = notice.message;
  return definition;
}

}  // namespace showcaller
