// SPDX-License-Identifier: Apache-2.0
// Expressions, and the operations on single values.
#include <algorithm>
#include <cmath>
#include <limits>

#include "flag/evaluator.h"
#include "flag/text.h"

namespace showcaller {

std::span<Value> Evaluator::all_children(const Node& node, const Value& data) {
  Value* values = scratch_.values(node.count);
  if (values == nullptr) return {};
  for (std::uint32_t i = 0; i < node.count; ++i) values[i] = child(node, i, data);
  return {values, node.count};
}

Value Evaluator::eval(std::uint32_t index, const Value& data) {
  const Node& node = program_.nodes[index];
  if (node.op == Op::Literal) return node.literal;
  if (!scratch_.step()) return Value::null();
  switch (node.op) {
    case Op::Literal:
      return node.literal;
    case Op::Array: {
      const auto items = all_children(node, data);
      return Value::array(items.data(), items.size());
    }
    case Op::Attribute: {
      const Value& found = attribute(node.attribute).value;
      return found.is(ValueKind::Undefined) ? node.literal : found;
    }
    case Op::Decide:
      return run(node.first, data);
    case Op::Path:
      return walk(data, {program_.segments.data() + node.first, node.count}, node.literal);
    case Op::Var: {
      const Value path = child(node, 0, data);
      const Value otherwise = node.count > 1 ? child(node, 1, data) : Value::null();
      return var(path, otherwise, data);
    }
    case Op::Missing:
      return missing_of(node, data);
    case Op::MissingSome: {
      const Value wanted = child(node, 0, data);
      return missing_some(wanted, child(node, 1, data), data);
    }
    case Op::If:
    case Op::And:
    case Op::Or:
      break;  // Decide stands for them.
    case Op::Not:
      return Value::boolean(!is_truthy(child(node, 0, data)));
    case Op::Truthy:
      return Value::boolean(is_truthy(child(node, 0, data)));
    case Op::LooseEqual:
    case Op::StrictEqual:
    case Op::LooseUnequal:
    case Op::StrictUnequal:
    case Op::Greater:
    case Op::GreaterOrEqual:
      return compare(node, data);
    case Op::Less:
      return between(node, data, Order::Less);
    case Op::LessOrEqual:
      return between(node, data, Order::LessOrEqual);
    case Op::Max:
    case Op::Min:
      return extreme(node, data);
    case Op::Add:
    case Op::Multiply:
      return fold(node, data);
    case Op::Subtract:
    case Op::Divide:
    case Op::Modulo:
      return arithmetic(node, data);
    case Op::Map:
    case Op::Filter:
      return each(node, data);
    case Op::Reduce:
      return reduce(node, data);
    case Op::All:
    case Op::None:
    case Op::Some:
      return quantify(node, data);
    case Op::Merge:
      return merge(node, data);
    case Op::In:
      return contains(node, data);
    case Op::Cat:
      return cat(node, data);
    case Op::Substring:
      return substring(node, data);
    case Op::Log:
      return node.count > 0 ? child(node, 0, data) : Value::null();
    case Op::Fractional:
      return fractional(node, data);
    case Op::Rollout:
      return rollout(node, data);
    case Op::SemanticVersion:
      return semantic_version(node, data);
    case Op::StartsWith:
    case Op::EndsWith:
      return affix(node, data);
    case Op::Lower:
    case Op::Upper:
      return change_case(node, data);
  }
  return Value::null();
}

Value Evaluator::compare(const Node& node, const Value& data) {
  const Value a = child(node, 0, data);
  const Value b = child(node, 1, data);
  switch (node.op) {
    case Op::LooseEqual:
      return Value::boolean(loosely_equal(a, b, &scratch_));
    case Op::LooseUnequal:
      return Value::boolean(!loosely_equal(a, b, &scratch_));
    case Op::StrictEqual:
      return Value::boolean(strictly_equal(a, b));
    case Op::StrictUnequal:
      return Value::boolean(!strictly_equal(a, b));
    case Op::Greater:
      return Value::boolean(is_ordered(b, a, Order::Less, &scratch_));
    default:
      return Value::boolean(is_ordered(b, a, Order::LessOrEqual, &scratch_));
  }
}

Value Evaluator::between(const Node& node, const Value& data, Order order) {
  const Value a = child(node, 0, data);
  const Value b = child(node, 1, data);
  const Value c = child(node, 2, data);
  const bool first = is_ordered(a, b, order, &scratch_);
  if (c.is(ValueKind::Undefined)) return Value::boolean(first);
  return Value::boolean(first && is_ordered(b, c, order, &scratch_));
}

Value Evaluator::extreme(const Node& node, const Value& data) {
  const bool max = node.op == Op::Max;
  double best =
      max ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const double number = to_number(child(node, i, data), &scratch_);
    if (std::isnan(number) || std::isnan(best)) {
      best = std::numeric_limits<double>::quiet_NaN();
    } else {
      best = max ? std::max(best, number) : std::min(best, number);
    }
  }
  return Value::number(best);
}

Value Evaluator::arithmetic(const Node& node, const Value& data) {
  const Value a = child(node, 0, data);
  const Value b = child(node, 1, data);
  const double left = to_number(a, &scratch_);
  if (node.op == Op::Subtract && b.is(ValueKind::Undefined)) return Value::number(-left);
  const double right = to_number(b, &scratch_);
  switch (node.op) {
    case Op::Subtract:
      return Value::number(left - right);
    case Op::Divide:
      return Value::number(left / right);
    default:
      return Value::number(std::fmod(left, right));
  }
}

// A sum starts at zero; a product starts at its first argument, which is returned untouched if it
// is the only one.
Value Evaluator::fold(const Node& node, const Value& data) {
  if (node.op == Op::Multiply && node.count == 1) return child(node, 0, data);
  double total = node.op == Op::Add ? 0 : 1;
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const double number = to_float(child(node, i, data), &scratch_);
    total = node.op == Op::Add ? total + number : total * number;
  }
  return Value::number(total);
}

Value Evaluator::cat(const Node& node, const Value& data) {
  constexpr std::uint32_t kFew = 8;
  std::array<Value, kFew> few;
  std::span<Value> parts(few.data(), std::min(node.count, kFew));
  if (node.count > kFew) {
    parts = all_children(node, data);
  } else {
    for (std::uint32_t i = 0; i < node.count; ++i) parts[i] = child(node, i, data);
  }
  std::size_t size = 0;
  for (Value& part : parts) {
    if (part.is_nullish()) part = Value::string({});
    if (!part.is(ValueKind::String)) part = Value::string(to_text(part, &scratch_));
    size += part.as_string().size();
  }
  char* out = scratch_.text(size);
  if (out == nullptr) return Value::null();
  char* end = out;
  for (const Value& part : parts) end = std::ranges::copy(part.as_string(), end).out;
  return Value::string({out, size});
}

Value Evaluator::substring(const Node& node, const Value& data) {
  const std::string_view source = to_text(child(node, 0, data), &scratch_);
  const Value start_value = child(node, 1, data);
  const Value count_value = child(node, 2, data);
  constexpr double kAll = std::numeric_limits<double>::infinity();
  const double start = start_value.is(ValueKind::Undefined) ? 0 : to_number(start_value, &scratch_);
  const double count =
      count_value.is(ValueKind::Undefined) ? kAll : to_number(count_value, &scratch_);
  std::string text = utf16_substring(source, start, count < 0 ? kAll : count);
  if (count < 0) text = utf16_substring(text, 0, double(utf16_length(text)) + count);
  return Value::string(scratch_.copy(text));
}

}  // namespace showcaller
