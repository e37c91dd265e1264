// SPDX-License-Identifier: Apache-2.0
// What flagd adds to JSONLogic.
#include <algorithm>
#include <cmath>
#include <limits>

#include "flag/evaluator.h"
#include "flag/fractional.h"
#include "flag/semver.h"

namespace showcaller {

Value Evaluator::default_bucketing(const Value& data) {
  // Inside `map` and its like there is no one to bucket.
  if (!data.is_identical(root_)) return Value::null();
  const Value key = member(data, {.key = kTargetingKey});
  if (!key.is(ValueKind::String)) return Value::null();
  const std::string_view targeting_key = key.as_string();
  char* out = scratch_.text(frame_.flag.key.size() + targeting_key.size());
  if (out == nullptr) return Value::null();
  std::ranges::copy(targeting_key, std::ranges::copy(frame_.flag.key, out).out);
  return Value::string({out, frame_.flag.key.size() + targeting_key.size()});
}

Value Evaluator::pick_computed(const Node& node, const Value& data) {
  auto arguments = all_children(node, data);
  if (arguments.empty()) return Value::null();
  Value by = arguments[0];
  if (by.is(ValueKind::String) || by.is_nullish()) arguments = arguments.subspan(1);
  if (!by.is(ValueKind::String)) by = default_bucketing(data);
  if (!by.is(ValueKind::String)) return Value::null();
  return pick_weighted(MurmurPrefix().hash(by.as_string()), arguments, program_.bucketing,
                       &scratch_);
}

Value Evaluator::rollout(const Node& node, const Value& data) {
  std::uint32_t next = 0;
  Value by = Value::null();
  Value begin = child(node, next++, data);
  if (!begin.is(ValueKind::Number)) {
    by = begin;
    begin = child(node, next++, data);
  }
  if (by.is(ValueKind::Null)) by = default_bucketing(data);
  const Value end = child(node, next++, data);
  if (!by.is(ValueKind::String) || !begin.is(ValueKind::Number) || !end.is(ValueKind::Number) ||
      next >= node.count) {
    return Value::null();
  }
  const bool has_from = next + 1 < node.count;
  const RolloutWindow window{.begin_s = begin.as_number(), .end_s = end.as_number()};
  switch (side_of_rollout(by.as_string(), window, frame_.timestamp_s())) {
    case RolloutSide::To:
      return child(node, has_from ? next + 1 : next, data);
    case RolloutSide::From:
      return has_from ? child(node, next, data) : Value::null();
    case RolloutSide::Neither:
      break;
  }
  return Value::null();
}

Value Evaluator::semantic_version(const Node& node, const Value& data) {
  if (node.count != 3) return Value::null();
  const Value actual = child(node, 0, data);
  const Value comparison = child(node, 1, data);
  const Value wanted = child(node, 2, data);
  const auto can_be_version = [](const Value& value) {
    return value.is(ValueKind::String) || value.is(ValueKind::Number);
  };
  if (!can_be_version(actual) || !can_be_version(wanted) || !comparison.is(ValueKind::String))
    return Value::null();
  const auto how = parse_version_comparison(comparison.as_string());
  if (!how) return Value::null();
  const auto matched = match_version(to_text(actual, &scratch_), *how, to_text(wanted, &scratch_));
  return matched ? Value::boolean(*matched) : Value::null();
}

Value Evaluator::affix(const Node& node, const Value& data) {
  if (node.count != 2) return Value::null();
  const Value text = child(node, 0, data);
  const Value part = child(node, 1, data);
  if (!text.is(ValueKind::String) || !part.is(ValueKind::String)) return Value::null();
  return Value::boolean(node.op == Op::StartsWith ? text.as_string().starts_with(part.as_string())
                                                  : text.as_string().ends_with(part.as_string()));
}

Value Evaluator::change_case(const Node& node, const Value& data) {
  const Value text = node.count == 1 ? child(node, 0, data) : Value();
  if (!text.is(ValueKind::String)) return Value::null();
  const std::string_view source = text.as_string();
  char* out = scratch_.text(source.size());
  if (out == nullptr) return Value::null();
  // ASCII alone, so that every client agrees.
  const char from = node.op == Op::Lower ? 'A' : 'a';
  std::ranges::transform(
      source, out, [from](char c) { return c >= from && c <= from + 25 ? char(c ^ 0x20) : c; });
  return Value::string({out, source.size()});
}

}  // namespace showcaller
