// SPDX-License-Identifier: Apache-2.0
#include "flag/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "flag/coercion.h"
#include "flag/fractional.h"
#include "flag/semver.h"
#include "flag/text.h"

namespace showcaller {
namespace {

class Evaluator {
 public:
  Evaluator(const Program& program, const EvaluationFrame& frame, Scratch* scratch)
      : program_(program), frame_(frame), scratch_(*scratch) {}

  Value eval(std::uint32_t index, const Value& data);

 private:
  Value child(const Node& node, std::uint32_t i, const Value& data) {
    return i < node.count ? eval(program_.children[node.first + i], data) : Value();
  }
  std::span<Value> all_children(const Node& node, const Value& data);

  Value member(const Value& container, const PathSegment& segment);
  Value walk(Value data, std::span<const PathSegment> path, const Value& otherwise);
  Value whole(const Value& data);
  Value var(const Value& path, const Value& otherwise, const Value& data);
  Value missing(std::span<const Value> keys, const Value& data);
  Value missing_some(const Value& wanted, const Value& keys, const Value& data);
  Value choose(const Node& node, const Value& data);
  Value first_with(const Node& node, const Value& data, bool truth);
  Value compare(const Node& node, const Value& data);
  Value between(const Node& node, const Value& data, Order order);
  Value extreme(const Node& node, const Value& data);
  Value arithmetic(const Node& node, const Value& data);
  Value fold(const Node& node, const Value& data);
  Value each(const Node& node, const Value& data);
  Value reduce(const Node& node, const Value& data);
  Value quantify(const Node& node, const Value& data);
  Value merge(const Node& node, const Value& data);
  Value contains(const Node& node, const Value& data);
  Value cat(const Node& node, const Value& data);
  Value substring(const Node& node, const Value& data);
  Value fractional(const Node& node, const Value& data);
  Value rollout(const Node& node, const Value& data);
  Value semantic_version(const Node& node, const Value& data);
  Value affix(const Node& node, const Value& data);
  Value change_case(const Node& node, const Value& data);
  // The bytes whose hash decides, where a rule names none: the flag's key and the targeting key.
  // Null: no key.
  Value default_bucketing(const Value& data);

  const Program& program_;
  const EvaluationFrame& frame_;
  Scratch& scratch_;
};

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
    case Op::VarKey:
      if (data.is(ValueKind::Context)) {
        const Value found = frame_.context.find(program_.segments[node.first].key);
        return found.is(ValueKind::Undefined) ? node.literal : found;
      }
      [[fallthrough]];
    case Op::VarPath:
      return walk(data, {program_.segments.data() + node.first, node.count}, node.literal);
    case Op::Var: {
      const Value path = child(node, 0, data);
      const Value otherwise = node.count > 1 ? child(node, 1, data) : Value::null();
      return var(path, otherwise, data);
    }
    case Op::Missing: {
      const auto keys = all_children(node, data);
      if (keys.empty() || !keys[0].is_array()) return missing(keys, data);
      Value* list = scratch_.values(keys[0].array_size());
      if (list == nullptr) return Value::null();
      for (std::size_t i = 0; i < keys[0].array_size(); ++i) list[i] = keys[0].array_at(i);
      return missing({list, keys[0].array_size()}, data);
    }
    case Op::MissingSome: {
      const Value wanted = child(node, 0, data);
      return missing_some(wanted, child(node, 1, data), data);
    }
    case Op::If:
      return choose(node, data);
    case Op::And:
      return first_with(node, data, false);
    case Op::Or:
      return first_with(node, data, true);
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

Value Evaluator::member(const Value& container, const PathSegment& segment) {
  switch (container.kind()) {
    case ValueKind::Context:
      return segment.key == kFlagdKey ? Value::flagd() : frame_.context.find(segment.key);
    case ValueKind::Flagd:
      if (segment.key == "flagKey") return Value::string(frame_.flag_key);
      if (segment.key == "timestamp") return Value::number(double(frame_.timestamp_s));
      return {};
    case ValueKind::Object: {
      const json::value* found = container.as_object().if_contains(segment.key);
      return found != nullptr ? Value::of(*found) : Value();
    }
    case ValueKind::Array:
    case ValueKind::JsonArray:
      if (segment.index >= 0 && std::size_t(segment.index) < container.array_size()) {
        return container.array_at(std::size_t(segment.index));
      }
      if (segment.key == "length") return Value::number(double(container.array_size()));
      return {};
    case ValueKind::String: {
      const std::string_view text = container.as_string();
      if (segment.key == "length") return Value::number(double(utf16_length(text)));
      if (segment.index < 0) return {};
      const std::string one = utf16_substring(text, double(segment.index), 1);
      return one.empty() ? Value() : Value::string(scratch_.copy(one));
    }
    case ValueKind::Reduce:
      if (segment.key == "current") return container.as_reduce().current;
      if (segment.key == "accumulator") return container.as_reduce().accumulator;
      return {};
    default:
      return {};
  }
}

Value Evaluator::walk(Value data, std::span<const PathSegment> path, const Value& otherwise) {
  for (const PathSegment& segment : path) {
    if (data.is_nullish()) return otherwise;
    data = member(data, segment);
    if (data.is(ValueKind::Undefined)) return otherwise;
  }
  return data;
}

// The frame of `reduce` changes with each item: what keeps the whole of it gets a copy.
Value Evaluator::whole(const Value& data) {
  if (!data.is(ValueKind::Reduce)) return data;
  auto* copy = static_cast<ReduceFrame*>(scratch_.allocate(sizeof(ReduceFrame)));
  if (copy == nullptr) return Value::null();
  *copy = data.as_reduce();
  return Value::reduce(*copy);
}

Value Evaluator::var(const Value& path, const Value& otherwise, const Value& data) {
  if (path.is_nullish() || (path.is(ValueKind::String) && path.as_string().empty()))
    return whole(data);
  const std::string_view text = to_text(path, &scratch_);
  std::vector<PathSegment> segments;
  split_path(text, &segments);
  return walk(data, segments, otherwise);
}

Value Evaluator::missing(std::span<const Value> keys, const Value& data) {
  Value* out = scratch_.values(keys.size());
  if (out == nullptr) return Value::null();
  std::size_t count = 0;
  for (const Value& key : keys) {
    if (!scratch_.step()) break;
    const Value found = var(key, Value::null(), data);
    const bool empty = found.is(ValueKind::String) && found.as_string().empty();
    if (found.is_nullish() || empty) out[count++] = key;
  }
  return Value::array(out, count);
}

Value Evaluator::missing_some(const Value& wanted, const Value& keys, const Value& data) {
  if (!keys.is_array()) {
    scratch_.fail("missing_some needs a list of keys");
    return Value::null();
  }
  Value* list = scratch_.values(keys.array_size());
  if (list == nullptr) return Value::null();
  for (std::size_t i = 0; i < keys.array_size(); ++i) list[i] = keys.array_at(i);
  const Value absent = missing({list, keys.array_size()}, data);
  if (!absent.is_array()) return absent;
  const double present = double(keys.array_size() - absent.array_size());
  return present >= to_number(wanted, &scratch_) ? Value::array(list, 0) : absent;
}

Value Evaluator::choose(const Node& node, const Value& data) {
  std::uint32_t i = 0;
  for (; i + 1 < node.count; i += 2) {
    if (is_truthy(child(node, i, data))) return child(node, i + 1, data);
  }
  return i + 1 == node.count ? child(node, i, data) : Value::null();
}

// `or` gives its first true argument, `and` its first false one; either its last when there is
// none.
Value Evaluator::first_with(const Node& node, const Value& data, bool truth) {
  Value current;
  for (std::uint32_t i = 0; i < node.count; ++i) {
    current = child(node, i, data);
    if (is_truthy(current) == truth) return current;
  }
  return current;
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

Value Evaluator::each(const Node& node, const Value& data) {
  const Value list = child(node, 0, data);
  if (!list.is_array()) return Value::array(scratch_.values(0), 0);
  const std::size_t size = list.array_size();
  Value* out = scratch_.values(size);
  std::size_t count = 0;
  for (std::size_t i = 0; i < size && out != nullptr && scratch_.error() == nullptr; ++i) {
    if (!scratch_.step()) break;
    const Value item = list.array_at(i);
    const Value result = child(node, 1, item);
    if (node.op == Op::Map) {
      out[count++] = result;
    } else if (is_truthy(result)) {
      out[count++] = item;
    }
  }
  return Value::array(out, count);
}

Value Evaluator::reduce(const Node& node, const Value& data) {
  const Value list = child(node, 0, data);
  ReduceFrame* frame = static_cast<ReduceFrame*>(scratch_.allocate(sizeof(ReduceFrame)));
  Value accumulator = node.count > 2 ? child(node, 2, data) : Value::null();
  if (!list.is_array() || frame == nullptr) return accumulator;
  const Value scope = Value::reduce(*frame);
  for (std::size_t i = 0; i < list.array_size() && scratch_.error() == nullptr; ++i) {
    if (!scratch_.step()) break;
    *frame = {.current = list.array_at(i), .accumulator = accumulator};
    accumulator = child(node, 1, scope);
  }
  return accumulator;
}

Value Evaluator::quantify(const Node& node, const Value& data) {
  const Value list = child(node, 0, data);
  // Of nothing, JSONLogic says: all false, some false, none true.
  if (!list.is_array() || list.array_size() == 0) return Value::boolean(node.op == Op::None);
  const bool stop_at = node.op != Op::All;
  for (std::size_t i = 0; i < list.array_size() && scratch_.error() == nullptr; ++i) {
    if (!scratch_.step()) break;
    if (is_truthy(child(node, 1, list.array_at(i))) == stop_at) {
      return Value::boolean(node.op == Op::Some);
    }
  }
  return Value::boolean(node.op != Op::Some);
}

Value Evaluator::merge(const Node& node, const Value& data) {
  const auto parts = all_children(node, data);
  std::size_t total = 0;
  for (const Value& part : parts) total += part.is_array() ? part.array_size() : 1;
  Value* out = scratch_.values(total);
  if (out == nullptr) return Value::null();
  std::size_t count = 0;
  for (const Value& part : parts) {
    if (!part.is_array()) {
      out[count++] = part;
      continue;
    }
    for (std::size_t i = 0; i < part.array_size(); ++i) out[count++] = part.array_at(i);
  }
  return Value::array(out, count);
}

Value Evaluator::contains(const Node& node, const Value& data) {
  const Value needle = child(node, 0, data);
  const Value hay = child(node, 1, data);
  if (hay.is(ValueKind::String)) {
    if (hay.as_string().empty()) return Value::boolean(false);
    const std::string_view text = to_text(needle, &scratch_);
    return Value::boolean(hay.as_string().find(text) != std::string_view::npos);
  }
  if (!hay.is_array()) return Value::boolean(false);
  for (std::size_t i = 0; i < hay.array_size(); ++i) {
    if (strictly_equal(hay.array_at(i), needle)) return Value::boolean(true);
  }
  return Value::boolean(false);
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

Value Evaluator::default_bucketing(const Value& data) {
  if (!data.is(ValueKind::Context))
    return Value::null();  // Inside `map` and its like there is no one to bucket.
  const Value key = frame_.context.find(kTargetingKey);
  if (!key.is(ValueKind::String)) return Value::null();
  const std::string_view targeting_key = key.as_string();
  char* out = scratch_.text(frame_.flag_key.size() + targeting_key.size());
  if (out == nullptr) return Value::null();
  std::ranges::copy(targeting_key, std::ranges::copy(frame_.flag_key, out).out);
  return Value::string({out, frame_.flag_key.size() + targeting_key.size()});
}

Value Evaluator::fractional(const Node& node, const Value& data) {
  const bool is_shorthand = node.extra != 0 && node.extra_count == node.count;
  if (node.extra != 0) {
    Value by = is_shorthand ? Value::null() : child(node, 0, data);
    if (by.is(ValueKind::Null)) by = default_bucketing(data);
    if (by.is(ValueKind::String)) {
      return pick_bucket(by.as_string(),
                         std::span(program_.buckets).subspan(node.extra - 1, node.extra_count));
    }
    if (!by.is_array()) return Value::null();
  }
  auto arguments = all_children(node, data);
  if (arguments.empty()) return Value::null();
  Value by = arguments[0];
  if (by.is(ValueKind::String) || by.is_nullish()) arguments = arguments.subspan(1);
  if (!by.is(ValueKind::String)) by = default_bucketing(data);
  if (!by.is(ValueKind::String)) return Value::null();
  return pick_weighted(by.as_string(), arguments, &scratch_);
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
  switch (side_of_rollout(by.as_string(), window, frame_.timestamp_s)) {
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
  std::array<std::string_view, 3> arguments;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const Value value = child(node, i, data);
    const bool number = value.is(ValueKind::Number) && i != 1;
    if (!value.is(ValueKind::String) && !number) return Value::null();
    arguments[i] = to_text(value, &scratch_);
  }
  const auto matched = match_version(arguments[0], arguments[1], arguments[2]);
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

}  // namespace

Value evaluate_program(const Program& program, std::uint32_t root, const EvaluationFrame& frame,
                       Scratch* scratch) {
  const Value data = frame.data.is(ValueKind::Undefined) ? Value::context(frame) : frame.data;
  return Evaluator(program, frame, scratch).eval(root, data);
}

}  // namespace showcaller
