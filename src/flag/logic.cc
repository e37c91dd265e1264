// SPDX-License-Identifier: Apache-2.0
#include "flag/logic.h"

#include <utility>

#include "flag/coercion.h"
#include "flag/evaluate.h"

namespace showcaller {

struct Logic::Compiled {
  json::value rule;
  json::object evaluators;
  Program program;
  std::uint32_t root = 0;
};

namespace {

std::int64_t to_seconds(Instant now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
}

}  // namespace

Result<Logic> Logic::compile(json::value rule, json::object evaluators, const LogicLimits& limits) {
  auto compiled = std::make_shared<Compiled>();
  compiled->rule = std::move(rule);
  compiled->evaluators = std::move(evaluators);
  LogicCompiler compiler(&compiled->program, limits, &compiled->evaluators);
  TRY(compiled->root, compiler.compile(compiled->rule, ""));
  return Logic(std::move(compiled));
}

Result<json::value> Logic::apply(const json::value& data, const EvaluationLimits& limits) const {
  const EvaluationContext none;
  Scratch scratch(limits);
  const Value result = evaluate_program(compiled_->program, compiled_->root,
                                        {.context = none, .data = Value::of(data)}, &scratch);
  if (scratch.error() != nullptr) return fail(ErrorCode::Limit, scratch.error());
  return value_to_json(result);
}

Result<bool> Logic::test(const json::value& data, const EvaluationLimits& limits) const {
  TRY(const json::value result, apply(data, limits));
  return is_truthy(Value::of(result));
}

Result<json::value> Logic::apply(const EvaluationContext& context, Instant now,
                                 std::string_view flag_key) const {
  Scratch scratch({});
  const EvaluationFrame frame{
      .context = context, .flag_key = flag_key, .timestamp_s = to_seconds(now)};
  const Value result = evaluate_program(compiled_->program, compiled_->root, frame, &scratch);
  if (scratch.error() != nullptr) return fail(ErrorCode::Limit, scratch.error());
  return value_to_json(result);
}

Result<bool> Logic::test(const EvaluationContext& context, Instant now) const {
  Scratch scratch({});
  const EvaluationFrame frame{.context = context, .timestamp_s = to_seconds(now)};
  const Value result = evaluate_program(compiled_->program, compiled_->root, frame, &scratch);
  if (scratch.error() != nullptr) return fail(ErrorCode::Limit, scratch.error());
  return is_truthy(result);
}

}  // namespace showcaller
