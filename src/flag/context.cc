// SPDX-License-Identifier: Apache-2.0
#include "flag/context.h"

#include <algorithm>
#include <ranges>
#include <span>

#include "flag/coercion.h"

namespace showcaller {

EvaluationContext& EvaluationContext::operator=(const EvaluationContext& other) {
  if (this == &other) return *this;
  targeting_key_ = other.targeting_key_;
  count_ = other.count_;
  tags_ = other.tags_;
  std::copy_n(other.in_place_, count_, in_place_);
  beyond_ = other.beyond_;
  json_ = other.json_;
  first_ = other.first_;
  parent_ = other.parent_;
  return *this;
}

// What is set over and over takes no more room: who was there before is replaced.
void EvaluationContext::set_beyond(std::string_view key, Value value) {
  const auto is_it = [key](const Attribute& attribute) { return attribute.name() == key; };
  const auto beyond = std::ranges::find_if(beyond_, is_it);
  if (beyond != beyond_.end()) {
    beyond->value = value;
    return;
  }
  for (std::uint32_t i = count_; i > 0; --i) {
    if (!is_it(in_place_[i - 1])) continue;
    in_place_[i - 1].value = value;
    return;
  }
  beyond_.push_back({.key = key.data(), .size = std::uint32_t(key.size()), .value = value});
}

Value EvaluationContext::find_elsewhere(std::string_view key, std::uint8_t tag) const {
  if (key == kTargetingKey) return find_targeting_key();
  if (!beyond_.empty()) {
    const Value value = find_beyond(key);
    if (!value.is(ValueKind::Undefined)) return value;
  }
  if (json_ != nullptr) {
    if (const json::value* value = json_->if_contains(key)) return Value::of(*value);
  }
  if (first_ != nullptr) {
    const Value value = first_->find(key, tag);
    if (!value.is(ValueKind::Undefined)) return value;
  }
  return parent_ != nullptr ? parent_->find(key, tag) : Value();
}

Value EvaluationContext::find_beyond(std::string_view key) const {
  const auto found = std::ranges::find(beyond_, key, &Attribute::name);
  return found != beyond_.end() ? found->value : Value();
}

json::object EvaluationContext::to_json() const {
  json::object out;
  for (const EvaluationContext* layer = this; layer != nullptr; layer = layer->parent_) {
    const auto add_newest_first = [&out](std::span<const Attribute> attributes) {
      for (const Attribute& attribute : attributes | std::views::reverse) {
        if (!out.contains(attribute.name()))
          out.emplace(attribute.name(), value_to_json(attribute.value).value_or(nullptr));
      }
    };
    add_newest_first(layer->beyond_);
    add_newest_first({layer->in_place_, layer->count_});
    if (!layer->targeting_key_.is(ValueKind::Undefined) && !out.contains(kTargetingKey))
      out.emplace(kTargetingKey, value_to_json(layer->targeting_key_).value_or(nullptr));
    const auto add_missing = [&](const json::object& attributes) {
      for (const auto& member : attributes) {
        if (!out.contains(member.key())) out.emplace(member.key(), member.value());
      }
    };
    if (layer->json_ != nullptr) add_missing(*layer->json_);
    if (layer->first_ != nullptr) add_missing(layer->first_->to_json());
  }
  return out;
}

}  // namespace showcaller
