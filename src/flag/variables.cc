// SPDX-License-Identifier: Apache-2.0
// What a path leads to.
#include <algorithm>
#include <cmath>
#include <limits>

#include "flag/evaluator.h"
#include "flag/text.h"

namespace showcaller {

Value Evaluator::missing_of(const Node& node, const Value& data) {
  const auto keys = all_children(node, data);
  if (keys.empty() || !keys[0].is_array()) return missing(keys, data);
  Value* list = scratch_.values(keys[0].array_size());
  if (list == nullptr) return Value::null();
  for (std::size_t i = 0; i < keys[0].array_size(); ++i) list[i] = keys[0].array_at(i);
  return missing({list, keys[0].array_size()}, data);
}

Value Evaluator::member(const Value& container, const PathSegment& segment) {
  switch (container.kind()) {
    case ValueKind::Context:
      return segment.key == kFlagdKey ? Value::flagd() : frame_.context.find(segment.key);
    case ValueKind::Flagd:
      if (segment.key == "flagKey") return Value::string(frame_.flag.key);
      if (segment.key == "timestamp") return Value::number(double(frame_.timestamp_s()));
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

}  // namespace showcaller
