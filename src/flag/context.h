// SPDX-License-Identifier: Apache-2.0
// What is known of whom or what a flag is evaluated for: attributes by name, in layers.
//
// A context views its keys and values and copies nothing, so that building one costs a few stores;
// who calls keeps the bytes alive. Layers (call over client over global) are linked, never merged:
// the nearest one that has a key wins. Threads: immutable while it is used. Attributes with dots in
// their name cannot be reached by `var`, as in JSONLogic.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "flag/value.h"

namespace showcaller {

inline constexpr std::string_view kTargetingKey = "targetingKey";
inline constexpr std::string_view kFlagdKey = "$flagd";

class EvaluationContext {
 public:
  EvaluationContext() = default;
  // Attributes straight from parsed JSON. Not owned.
  explicit EvaluationContext(const json::object& attributes) : json_(&attributes) {}

  EvaluationContext& set(std::string_view key, Value value);
  EvaluationContext& set(std::string_view key, std::string_view text) {
    return set(key, Value::string(text));
  }
  EvaluationContext& set(std::string_view key, const char* text) {
    return set(key, Value::string(text));
  }
  EvaluationContext& set(std::string_view key, double number) {
    return set(key, Value::number(number));
  }
  EvaluationContext& set(std::string_view key, bool flag) { return set(key, Value::boolean(flag)); }
  // Nested attributes. Not owned.
  EvaluationContext& set(std::string_view key, const json::value& value) {
    return set(key, Value::of(value));
  }
  EvaluationContext& set_targeting_key(std::string_view key) { return set(kTargetingKey, key); }
  // The layer that answers for what this one does not have. Not owned.
  void set_parent(const EvaluationContext* parent) { parent_ = parent; }
  // `first`, then `parent`, neither changed, nothing copied: for contexts that threads share. Not
  // owned.
  static EvaluationContext layered(const EvaluationContext* first,
                                   const EvaluationContext* parent) {
    EvaluationContext out;
    out.first_ = first;
    out.parent_ = parent;
    return out;
  }
  void reserve(std::size_t count) { attributes_.reserve(count); }

  // Undefined when no layer has the key.
  Value find(std::string_view key) const {
    for (const EvaluationContext* layer = this; layer != nullptr; layer = layer->parent_) {
      for (const Attribute& attribute : layer->attributes_) {
        if (attribute.key == key) return attribute.value;
      }
      if (layer->json_ != nullptr) {
        if (const json::value* value = layer->json_->if_contains(key)) return Value::of(*value);
      }
      if (layer->first_ != nullptr) {
        const Value value = layer->first_->find(key);
        if (!value.is(ValueKind::Undefined)) return value;
      }
    }
    return {};
  }

  // All attributes, nearest layer first, without those that a nearer layer hides.
  json::object to_json() const;

 private:
  struct Attribute {
    std::string_view key;
    Value value;
  };

  std::vector<Attribute> attributes_;
  const json::object* json_ = nullptr;
  const EvaluationContext* first_ = nullptr;
  const EvaluationContext* parent_ = nullptr;
};

// One evaluation: the context and what flagd adds to it under "$flagd".
struct EvaluationFrame {
  const EvaluationContext& context;
  std::string_view flag_key;
  std::int64_t timestamp_s = 0;
  // An expression over data that is no context (a policy's input, a test) sees this instead.
  Value data;
};

}  // namespace showcaller
