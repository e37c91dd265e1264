// SPDX-License-Identifier: Apache-2.0
// A feature that its service does without for a while: its flag gives everybody the fallback, and
// its metadata tells players' clients so.
//
// Threads: none.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"

namespace showcaller {

struct FeatureNotice {
  std::string service, feature;
  std::string message;  // for players; empty: none
  Instant since{};
};

// metadata: "withdrawn": true, "withdrawnService", "withdrawnFeature", "withdrawnSince" and, where
// there is one, "message".
json::object withdrawn_flag(json::object definition, std::string_view fallback,
                            const FeatureNotice& notice);

}  // namespace showcaller
