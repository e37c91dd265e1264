// SPDX-License-Identifier: Apache-2.0
// What a Context owns, and the view of it that flags evaluate.
#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "flag/context.h"
#include "showcaller/context.h"

namespace showcaller::sdk {

struct Context::Attributes {
  Attributes() = default;
  Attributes(const Attributes& other) : values(other.values) { refresh(); }
  Attributes& operator=(const Attributes&) = delete;

  void put(std::string_view key, json::value value);
  // The view after a change: the map's nodes stay where they are, the values inside them may not.
  void refresh();

  std::map<std::string, json::value, std::less<>> values;
  EvaluationContext view;
};

// What `upper` has is laid over *lower.
void lay_over(const Context& upper, Context* lower);

// The evaluator's view of a context; null for an empty one.
inline const EvaluationContext* view_of(const Context& context) {
  return context.attributes() != nullptr ? &context.attributes()->view : nullptr;
}

}  // namespace showcaller::sdk
