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
    if (layer->json_ == nullptr) continue;
    for (const auto& member : *layer->json_) {
      if (!out.contains(member.key())) out.emplace(member.key(), member.value());
    }
  }
  return out;
}

}  // namespace showcaller
