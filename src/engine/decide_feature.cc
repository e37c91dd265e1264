// SPDX-License-Identifier: Apache-2.0
// A feature that a person takes from a service, or gives back. Taking asks for the right alone;
// giving back waits for what exposure waits for.
#include <algorithm>

#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/decide_parts.h"
#include "engine/flag_facts.h"
#include "policy/freezes.h"

namespace showcaller {
namespace {

const WithdrawnFeature* withdrawn_now(const World& world, const FeatureCommand& command) {
  const ServiceState* state = world.services.find(command.service);
  if (!state) return nullptr;
  const auto at = std::ranges::find(state->withdrawn, command.feature, &WithdrawnFeature::feature);
  return at == state->withdrawn.end() ? nullptr : &*at;
}

Result<const FeatureSpec*> feature_of(const World& world, const FeatureCommand& command) {
  const ServiceSpec* spec = world.service(command.service);
  if (!spec) {
    return fail(ErrorCode::NotFound,
                fmt::format("there is no Service '{}'{}", command.service,
                            did_you_mean(command.service, names_of(world, Kind::Service),
                                         "`showcaller get services` lists them")));
  }
  const auto at = std::ranges::find(spec->features, command.feature, &FeatureSpec::name);
  if (at != spec->features.end()) return &*at;
  std::vector<std::string> names;
  for (const FeatureSpec& feature : spec->features) names.push_back(feature.name);
  return fail(
      ErrorCode::NotFound,
      fmt::format("service '{}' has no feature '{}'{}", command.service, command.feature,
                  did_you_mean(command.feature, names, "its degradation_order names them")));
}

Result<Decision> give_feature_back(const World& world, const FeatureCommand& command,
                                   const std::string& reason, Instant now) {
  const WithdrawnFeature* gone = withdrawn_now(world, command);
  if (!gone) {
    TRY(feature_of(world, command));
    return Decision{
        {}, {}, {fmt::format("'{}' of {} is not withdrawn", command.feature, command.service)}};
  }
  TRY(permit(world, command, now));
  Decision out{{FeatureReturned{command.service, command.feature, gone->flag, reason, true}},
               {},
               {fmt::format("flag '{}' is as its manifest and its events say", gone->flag)}};
  if (world.services.find(command.service)->stressed) {
    out.notes.push_back(
        fmt::format("{} is under stress still; the engine lets '{}' be until that "
                    "is over",
                    command.service, command.feature));
  }
  return out;
}

}  // namespace

Result<Decision> decide_feature(const World& world, const FeatureCommand& command,
                                const std::string& reason, Instant now) {
  if (command.restore) return give_feature_back(world, command, reason, now);
  TRY(const FeatureSpec* feature, feature_of(world, command));
  if (feature->flag.empty()) {
    return fail(ErrorCode::Conflict,
                fmt::format("feature '{}' of {} has no flag, so that nothing can withdraw it; give "
                            "it `flag` and `fallback` in the manifest",
                            command.feature, command.service));
  }
  const WithdrawnFeature* gone = withdrawn_now(world, command);
  if (gone && !gone->by.empty()) {
    return Decision{
        {}, {}, {fmt::format("'{}' has withdrawn '{}' already", gone->by, command.feature)}};
  }
  FeatureWithdrawn withdrawn{.service = command.service,
                             .feature = feature->name,
                             .flag = feature->flag,
                             .variant = feature->fallback,
                             .message = feature->message,
                             .reason = reason,
                             .evidence = {},
                             .by_hand = true};
  Decision out{{std::move(withdrawn)},
               {},
               {fmt::format("flag '{}' gives everybody '{}' until somebody gives it back: "
                            "`showcaller feature restore {} {}`",
                            feature->flag, feature->fallback, command.service, feature->name)}};
  for (const std::string& event : events_that_change(world, feature->flag))
    out.notes.push_back(fmt::format("LiveEvent '{}' changes it: nobody gets that now", event));
  return out;
}

}  // namespace showcaller
