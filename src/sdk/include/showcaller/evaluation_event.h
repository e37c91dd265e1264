// SPDX-License-Identifier: Apache-2.0
// Evaluations as OpenTelemetry's event "feature_flag.evaluation", for games that have a logger of
// their own: a hook makes the attributes, the game hands them to whatever it logs with. Nothing of
// OpenTelemetry is needed to build or link this.
//
//   client.add_hook(std::make_shared<EvaluationEventHook>([](const EvaluationEvent& event) { … }));
//
// Threads: emit is called by whoever evaluates, several at once. Source: OpenTelemetry's semantic
// conventions for feature flags in events.
#pragma once

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "showcaller/hook.h"

namespace showcaller::sdk {

// Valid for the call that it comes with.
struct EvaluationEvent {
  static constexpr std::string_view kName = "feature_flag.evaluation";

  std::vector<std::pair<std::string_view, Value>> attributes{};
};

class EvaluationEventHook : public Hook {
 public:
  using Emit = std::function<void(const EvaluationEvent&)>;

  explicit EvaluationEventHook(Emit emit) : emit_(std::move(emit)) {}
  void finally(const HookContext& at, const Details<Value>& details) override;

 private:
  const Emit emit_;
};

}  // namespace showcaller::sdk
