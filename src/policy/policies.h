// SPDX-License-Identifier: Apache-2.0
// Walks over the Policy manifests in force, in the order of their names, and finds the exceptions
// among them.
#pragma once

#include <string>
#include <string_view>

#include "model/world.h"

namespace showcaller {

// Calls visit(manifest, spec) for each Policy.
template <class Visit>
void each_policy(const World& world, Visit&& visit) {
  constexpr std::string_view kPrefix = "Policy/";
  world.manifests.each_from(kPrefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(kPrefix)) return false;
    visit(*stored.manifest, stored.manifest->as<PolicySpec>());
    return true;
  });
}

// The exception that lifts one of the policy's rules, freezes or quotas from an event now, if there
// is one: the one that lasts longest. All of them expire.
const ExceptionSpec* exception_for(const PolicySpec& policy, std::string_view rule,
                                   std::string_view event, Instant now);

}  // namespace showcaller
