// SPDX-License-Identifier: Apache-2.0
// One evaluation with hooks around it, in the order and with the errors that hook.h tells.
//
// Threads: one.
#pragma once

#include <any>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "showcaller/hook.h"

namespace showcaller::sdk {

struct HookedCall {
  std::string_view flag;
  ValueType type;
  Value fallback;
  Context context;  // all layers as one
  std::string_view client;
};

using EvaluateIn = std::function<Details<Value>(const Context&)>;

Details<Value> evaluate_with_hooks(const Hooks& hooks, HookedCall call, const EvaluateIn& evaluate);

}  // namespace showcaller::sdk
