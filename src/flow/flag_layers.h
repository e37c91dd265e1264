// SPDX-License-Identifier: Apache-2.0
// How a flag comes to be what is served, part by part, each a function of the world: what its
// manifest and schedule say, the layers of events over that, the flags that it needs, its kill
// switch. flag_snapshot.h puts them together; flag_explanation.h tells which of them decided.
//
// Threads: none.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "flag/exposure.h"
#include "model/world.h"

namespace showcaller {

// A configuration document is a flag of this name.
inline constexpr std::string_view kConfigPrefix = "config.";

// The event's secret, the same for its whole life.
using FlagSaltOf = std::function<std::string(const std::string& event)>;

// Definitions by key, and the evaluators that they name ("<flag>/<name>").
struct FlagDefinitions {
  std::map<std::string, json::object> flags;
  json::object evaluators;
};

using FlagVisitor = std::function<void(const std::string& flag, const FlagSpec& spec)>;
void each_flag(const World& world, const FlagVisitor& visit);
const FlagSpec* flag_spec(const World& world, std::string_view flag);

// What the manifests say, as far as their schedules have come.
FlagDefinitions base_flags(const World& world);

// Events whose layers are in force, lowest first.
std::vector<const EventState*> layers_in_order(const World& world);
// The key and the variant of a change of a flag or of configuration; nothing of other changes.
struct FlagTarget {
  std::string flag, variant;
};
std::optional<FlagTarget> flag_target(const Change& change);
// Whom such a change of the event lets in now. Flags wait for the doors, region by region;
// configuration is proved in the dark. No stages: nobody.
ExposureRule layer_rule(const EventState& event, const Change& change, std::string salt);
// The layers of all events over the definitions. What can't be laid is told in `problems`.
void lay_layers(const World& world, const FlagSaltOf& salt_of, FlagDefinitions* flags,
                std::vector<std::string>* problems);

// The content of a configuration document's version, as a Config or any event gave it; null when
// none did.
const json::value* find_config(const World& world, std::string_view document, std::int64_t version);

// Features that services do without now (policy/degradation.h), over all layers and below kills.
void withdraw_features(const World& world, FlagDefinitions* flags,
                       std::vector<std::string>* problems);
// The withdrawal that decides what the flag gives; null: none. Of several the first that began.
struct FeatureWithdrawal {
  std::string service;
  const WithdrawnFeature* feature = nullptr;
};
FeatureWithdrawal withdrawal_of(const World& world, std::string_view flag);
void kill_flags(const World& world, FlagDefinitions* flags);
// Where a flag's prerequisites do not hold it gives its off variant.
void require_prerequisites(const World& world, FlagDefinitions* flags,
                           std::vector<std::string>* problems);

}  // namespace showcaller
