// SPDX-License-Identifier: Apache-2.0
#include "flag/context.h"

#include "flag/coercion.h"

namespace showcaller {

EvaluationContext& EvaluationContext::set(std::string_view key, Value value) {
  for (Attribute& attribute : attributes_) {
    if (attribute.key == key) {
      attribute.value = value;
      return *this;
    }
  }
  attributes_.push_back({key, value});
  return *this;
}

json::object EvaluationContext::to_json() const {
  json::object out;
  for (const EvaluationContext* layer = this; layer != nullptr; layer = layer->parent_) {
    for (const Attribute& attribute : layer->attributes_) {
      if (!out.contains(attribute.key)) {
        out.emplace(attribute.key, value_to_json(attribute.value).value_or(nullptr));
      }
    }
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
