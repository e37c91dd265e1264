// SPDX-License-Identifier: Apache-2.0
// A value while an expression is evaluated: sixteen bytes, owns nothing. Strings, arrays and
// objects are views of the compiled program, of the context, or of the evaluation's scratch memory.
// A constant of a flag's rule carries which variant it names, so that nobody looks it up by name.
//
// Threads: none. Lifetime: that of what it views.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/json.h"

namespace showcaller {

class Value;
struct EvaluationFrame;

// What `var` sees inside the body of `reduce`.
struct ReduceFrame;

enum class ValueKind : std::uint8_t {
  Undefined,  // an argument that was not given
  Null,
  Bool,
  Number,
  String,
  Array,      // values side by side in the program or in scratch memory
  JsonArray,  // an array of the context
  Object,
  Reduce,   // {"current", "accumulator"}
  Context,  // the whole evaluation context
  Flagd,    // what flagd adds to it: {"flagKey", "timestamp"}
};

class Value {
 public:
  constexpr Value() : Value(ValueKind::Undefined) {}

  static Value null() { return Value(ValueKind::Null); }
  static Value boolean(bool value) { return Value(ValueKind::Bool, value); }
  static Value number(double value) {
    Value v(ValueKind::Number);
    v.number_ = value;
    return v;
  }
  static Value string(std::string_view text) {
    Value v(ValueKind::String, text.size());
    v.text_ = text.data();
    return v;
  }
  static Value array(const Value* items, std::size_t size) {
    Value v(ValueKind::Array, size);
    v.items_ = items;
    return v;
  }
  static Value object(const json::object& object) {
    Value v(ValueKind::Object);
    v.object_ = &object;
    return v;
  }
  static Value reduce(const ReduceFrame& frame) {
    Value v(ValueKind::Reduce);
    v.reduce_ = &frame;
    return v;
  }
  static Value context(const EvaluationFrame& frame) {
    Value v(ValueKind::Context);
    v.context_ = &frame;
    return v;
  }
  static Value flagd() { return Value(ValueKind::Flagd); }
  static Value of(const json::value& value);

  ValueKind kind() const { return ValueKind(head_ & 0xff); }
  bool is(ValueKind kind) const { return this->kind() == kind; }
  bool is_nullish() const { return kind() <= ValueKind::Null; }
  bool is_array() const { return is(ValueKind::Array) || is(ValueKind::JsonArray); }

  // Each asks for its own kind.
  bool as_bool() const { return size() != 0; }
  double as_number() const { return number_; }
  std::string_view as_string() const { return {text_, size()}; }
  const json::object& as_object() const { return *object_; }
  const ReduceFrame& as_reduce() const { return *reduce_; }
  const EvaluationFrame& as_context() const { return *context_; }

  // Of an array of either kind.
  std::size_t array_size() const { return is(ValueKind::Array) ? size() : json_array_->size(); }
  Value array_at(std::size_t i) const {
    return is(ValueKind::Array) ? items_[i] : of((*json_array_)[i]);
  }

  // Which of the program's variants this constant names, counted from 1; 0: not known, see by its
  // text.
  std::uint32_t outcome() const { return std::uint32_t(head_ & kOutcomeBits) >> kOutcomeAt; }
  Value naming(std::uint32_t outcome) const {
    Value v = *this;
    v.head_ = (head_ & ~kOutcomeBits) | std::uint64_t(outcome) << kOutcomeAt;
    return v;
  }

  // The same array or object, as JavaScript compares them.
  bool is_identical(const Value& other) const {
    return ((head_ ^ other.head_) & ~kOutcomeBits) == 0 && items_ == other.items_;
  }

 private:
  static constexpr int kOutcomeAt = 8, kSizeAt = 32;
  static constexpr std::uint64_t kOutcomeBits = std::uint64_t(0xffffff) << kOutcomeAt;

  explicit constexpr Value(ValueKind kind, std::uint64_t size = 0)
      : head_(std::uint64_t(kind) | size << kSizeAt), items_(nullptr) {}
  std::size_t size() const { return head_ >> kSizeAt; }

  // Kind, outcome and size in one word: a value is made and passed in two registers.
  std::uint64_t head_;
  union {
    double number_;
    const char* text_;
    const Value* items_;
    const json::array* json_array_;
    const json::object* object_;
    const ReduceFrame* reduce_;
    const EvaluationFrame* context_;
  };
};
static_assert(sizeof(Value) == 16);

struct ReduceFrame {
  Value current;
  Value accumulator;
};

inline Value Value::of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return null();
    case json::kind::bool_:
      return boolean(value.get_bool());
    case json::kind::int64:
      return number(double(value.get_int64()));
    case json::kind::uint64:
      return number(double(value.get_uint64()));
    case json::kind::double_:
      return number(value.get_double());
    case json::kind::string:
      return string({value.get_string().data(), value.get_string().size()});
    case json::kind::array: {
      Value v(ValueKind::JsonArray);
      v.json_array_ = &value.get_array();
      return v;
    }
    case json::kind::object:
      return object(value.get_object());
  }
  return null();
}

}  // namespace showcaller
