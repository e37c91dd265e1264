// SPDX-License-Identifier: Apache-2.0
// One expression of the project's language (JSONLogic with flagd's operations), compiled once and
// evaluated often: targeting, audiences, admission rules, conditions.
//
// Threads: immutable; any number at once. Time comes in as a value.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "flag/context.h"
#include "flag/logic_compiler.h"
#include "flag/scratch.h"

namespace showcaller {

class Logic {
 public:
  // Errors begin with the JSON pointer of the place, relative to the rule. `evaluators` are what
  // `$ref` names.
  static Result<Logic> compile(json::value rule, json::object evaluators = {},
                               const LogicLimits& limits = {},
                               Bucketing bucketing = Bucketing::Weights);

  // The result over any JSON; "$flagd" and "targetingKey" in it are what shares go by. Fails where
  // the rule exceeds its budget.
  Result<json::value> apply(const json::value& data, const EvaluationLimits& limits = {}) const;
  // Whether that is true in JSONLogic's sense.
  Result<bool> test(const json::value& data, const EvaluationLimits& limits = {}) const;
  // The result over a context, as a flag's targeting sees it.
  Result<json::value> apply(const EvaluationContext& context, Instant now,
                            std::string_view flag_key = {}) const;
  // Whether that is true.
  Result<bool> test(const EvaluationContext& context, Instant now) const;

 private:
  struct Compiled;
  // Views the scratch memory, the data and the frame.
  Result<Value> evaluate(const json::value& data, Scratch* scratch) const;
  Result<Value> evaluate(const EvaluationFrame& frame, Scratch* scratch) const;

  explicit Logic(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace showcaller
