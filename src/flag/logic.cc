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
  std::uint32_t first = 0;  // step
};

namespace {

// What flagd adds to a context may stand in data as well.
struct FlagdIn {
  explicit FlagdIn(const json::value& data) {
    const auto* object = data.if_object();
    const json::value* flagd = object != nullptr ? get_if(*object, kFlagdKey) : nullptr;
    if (flagd == nullptr || !flagd->is_object()) return;
    const json::value* key = get_if(flagd->get_object(), "flagKey");
    if (key != nullptr && key->is_string()) flag = FlagIdentity(key->get_string());
    now = Instant(std::chrono::seconds(get_int(flagd->get_object(), "timestamp")));
  }

  FlagIdentity flag;
  Instant now{};
};

}  // namespace

Result<Logic> Logic::compile(json::value rule, json::object evaluators, const LogicLimits& limits,
                             Bucketing bucketing) {
  auto compiled = std::make_shared<Compiled>();
  compiled->program.bucketing = bucketing;
  compiled->rule = std::move(rule);
  compiled->evaluators = std::move(evaluators);
  LogicCompiler compiler(&compiled->program, limits, &compiled->evaluators);
  TRY(compiled->first, compiler.compile(compiled->rule, ""));
  return Logic(std::move(compiled));
}

Result<json::value> Logic::apply(const json::value& data, const EvaluationLimits& limits) const {
  Scratch scratch(limits);
  TRY(const Value result, evaluate(data, &scratch));
  return value_to_json(result);
}

Result<bool> Logic::test(const json::value& data, const EvaluationLimits& limits) const {
  Scratch scratch(limits);
  TRY(const Value result, evaluate(data, &scratch));
  return is_truthy(result);
}

Result<json::value> Logic::apply(const EvaluationContext& context, Instant now,
                                 std::string_view flag_key) const {
  Scratch scratch({});
  const FlagIdentity flag(flag_key);
  const EvaluationFrame frame{.context = context, .flag = flag, .now = now};
  TRY(const Value result, evaluate(frame, &scratch));
  return value_to_json(result);
}

Result<bool> Logic::test(const EvaluationContext& context, Instant now) const {
  Scratch scratch({});
  const FlagIdentity none;
  const EvaluationFrame frame{.context = context, .flag = none, .now = now};
  TRY(const Value result, evaluate(frame, &scratch));
  return is_truthy(result);
}

Result<Value> Logic::evaluate(const json::value& data, Scratch* scratch) const {
  const EvaluationContext none;
  const FlagdIn added(data);
  const EvaluationFrame frame{
      .context = none, .flag = added.flag, .now = added.now, .data = Value::of(data)};
  return evaluate(frame, scratch);
}

Result<Value> Logic::evaluate(const EvaluationFrame& frame, Scratch* scratch) const {
  const Value result = evaluate_program(compiled_->program, compiled_->first, frame, scratch);
  if (scratch->error() != nullptr) return fail(ErrorCode::Limit, scratch->error());
  return result;
}

}  // namespace showcaller
