// SPDX-License-Identifier: Apache-2.0
// Operations on lists.
#include <algorithm>
#include <cmath>
#include <limits>

#include "flag/evaluator.h"

namespace showcaller {

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
  return Value::boolean(hay.is_array() && is_item_of(hay, needle));
}

bool Evaluator::is_item_of(const Value& list, const Value& value) {
  for (std::size_t i = 0; i < list.array_size(); ++i) {
    if (strictly_equal(list.array_at(i), value)) return true;
  }
  return false;
}

}  // namespace showcaller
