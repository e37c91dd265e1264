// SPDX-License-Identifier: Apache-2.0
#include "showcaller/evaluation_event.h"

#include <algorithm>

#include "sdk/context_attributes.h"

namespace showcaller::sdk {
namespace {

// OpenFeature's words, as OpenTelemetry spells them.
std::string lower_case(std::string_view word) {
  std::string out(word);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

std::string targeting_key_of(const Context& context) {
  const EvaluationContext* attributes = view_of(context);
  const auto key = attributes != nullptr ? attributes->find_targeting_key() : showcaller::Value();
  return key.is(ValueKind::String) ? std::string(key.as_string()) : std::string();
}

}  // namespace

// A value says what it is where no variant does.
void EvaluationEventHook::finally(const HookContext& at, const Details<Value>& details) {
  EvaluationEvent event;
  const auto add = [&](std::string_view name, Value value) {
    event.attributes.emplace_back(name, std::move(value));
  };
  add("feature_flag.key", std::string(at.flag));
  add("feature_flag.provider.name", "showcaller");
  add("feature_flag.result.reason", lower_case(to_string(details.reason)));
  if (!details.variant.empty())
    add("feature_flag.result.variant", details.variant);
  else
    add("feature_flag.result.value", details.value);
  if (std::string who = targeting_key_of(at.context); !who.empty())
    add("feature_flag.context.id", std::move(who));
  if (details.error != ErrorCode::None) {
    add("error.type", lower_case(to_string(details.error)));
    add("feature_flag.error.message", details.message);
  }
  emit_(event);
}

}  // namespace showcaller::sdk
