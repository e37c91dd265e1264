// SPDX-License-Identifier: Apache-2.0
// What is known of whom or what a flag is evaluated for: attributes by name, in layers.
//
// A context views its keys and values and copies nothing, so that building one costs a few stores;
// who calls keeps the bytes alive. Layers (call over client over global) are linked, never merged:
// the nearest one that has a key wins, and what was set last within one. Threads: immutable while
// it is used. Attributes with dots in their name cannot be reached by `var`, as in JSONLogic.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "flag/murmur.h"
#include "flag/tag_row.h"
#include "flag/text_table.h"
#include "flag/value.h"

namespace showcaller {

inline constexpr std::string_view kTargetingKey = "targetingKey";
inline constexpr std::string_view kFlagdKey = "$flagd";

class EvaluationContext {
 public:
  EvaluationContext() {}  // Does not touch the place of attributes.
  // Attributes straight from parsed JSON. Not owned.
  explicit EvaluationContext(const json::object& attributes) : json_(&attributes) {}

  EvaluationContext(const EvaluationContext& other) { *this = other; }
  EvaluationContext& operator=(const EvaluationContext& other);

  EvaluationContext& set(std::string_view key, Value value) {
    if (key == kTargetingKey) {
      targeting_key_ = value;
    } else if (count_ == kInPlace) [[unlikely]] {
      set_beyond(key, value);
    } else {
      // Word by word: made elsewhere and copied, each would wait for its own bytes.
      Attribute& attribute = in_place_[count_];
      attribute.key = key.data();
      attribute.size = std::uint32_t(key.size());
      attribute.value = value;
      tags_.set(count_++, text_tag(key));
    }
    return *this;
  }
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
  EvaluationContext& set_targeting_key(std::string_view key) {
    targeting_key_ = Value::string(key);
    return *this;
  }
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

  // Undefined when no layer has the key.
  Value find(std::string_view key) const { return find(key, text_tag(key)); }
  Value find(std::string_view key, std::uint8_t tag) const {
    const Value* const here = find_in_place(key, tag);
    return here != nullptr ? *here : find_elsewhere(key, tag);
  }
  // What this layer itself was told last of that name. Null: nothing, or it is elsewhere.
  const Value* find_in_place(std::string_view key, std::uint8_t tag) const {
    for (std::uint32_t like = tags_.places_of(tag); like != 0;) {
      const unsigned last = 31 - unsigned(std::countl_zero(like));
      if (same_text(in_place_[last].name(), key)) [[likely]]
        return &in_place_[last].value;
      like ^= 1u << last;
    }
    return nullptr;
  }
  // What nearly every share asks for has a place of its own.
  Value find_targeting_key() const {
    for (const EvaluationContext* layer = this; layer != nullptr; layer = layer->parent_) {
      if (!layer->targeting_key_.is(ValueKind::Undefined)) return layer->targeting_key_;
      if (layer->json_ != nullptr) {
        if (const json::value* value = layer->json_->if_contains(kTargetingKey))
          return Value::of(*value);
      }
      if (layer->first_ != nullptr) {
        const Value value = layer->first_->find_targeting_key();
        if (!value.is(ValueKind::Undefined)) return value;
      }
    }
    return {};
  }

  // All attributes, nearest layer first, without those that a nearer layer hides.
  json::object to_json() const;

 private:
  struct Attribute {
    const char* key;
    std::uint32_t size;
    Value value;
    std::string_view name() const { return {key, size}; }
  };
  // As many as a game has, without an allocation.
  static constexpr std::uint32_t kInPlace = TagRow::kSize;

  // Beyond, in JSON, and in the layers below. No name is both in place and beyond.
  Value find_elsewhere(std::string_view key, std::uint8_t tag) const;
  void set_beyond(std::string_view key, Value value);
  Value find_beyond(std::string_view key) const;

  Value targeting_key_;
  // Of the attributes in place, a byte each: looking for one touches little memory.
  TagRow tags_;
  std::uint32_t count_ = 0;
  const json::object* json_ = nullptr;
  const EvaluationContext* first_ = nullptr;
  const EvaluationContext* parent_ = nullptr;
  std::vector<Attribute> beyond_;  // what came when the place was full
  // Not initialised beyond count_.
  union {
    Attribute in_place_[kInPlace];
  };
};

struct AttributeValue;

// What flagd adds of the flag.
struct FlagIdentity {
  FlagIdentity() = default;
  explicit FlagIdentity(std::string_view key) : key(key), key_hash(key) {}

  std::string_view key;
  MurmurPrefix key_hash;
};

// One evaluation: the context and what flagd adds to it under "$flagd".
struct EvaluationFrame {
  const EvaluationContext& context;
  // What is known beforehand of the program's attributes, by their number; may be null.
  const AttributeValue* interned = nullptr;
  const FlagIdentity& flag;
  Instant now{};
  // An expression over data that is no context (a policy's input, a test) sees this instead.
  Value data;

  std::int64_t timestamp_s() const {
    return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  }
};

}  // namespace showcaller
