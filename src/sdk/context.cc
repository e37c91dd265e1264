// SPDX-License-Identifier: Apache-2.0
#include "showcaller/context.h"

#include <utility>

#include "sdk/context_attributes.h"

namespace showcaller::sdk {

void Context::Attributes::put(std::string_view key, json::value value) {
  values.insert_or_assign(std::string(key), std::move(value));
  refresh();
}

void Context::Attributes::refresh() {
  view = EvaluationContext();
  for (const auto& [key, value] : values) view.set(key, value);
}

Context::Context() = default;
Context::Context(std::string_view targeting_key) {
  set_targeting_key(targeting_key);
}
Context::Context(const Context& other)
    : attributes_(other.attributes_ ? std::make_unique<Attributes>(*other.attributes_) : nullptr) {}
Context::Context(Context&& other) noexcept = default;
Context& Context::operator=(const Context& other) {
  if (this != &other) *this = Context(other);
  return *this;
}
Context& Context::operator=(Context&& other) noexcept = default;
Context::~Context() = default;

Context::Attributes& Context::own() {
  if (!attributes_) attributes_ = std::make_unique<Attributes>();
  return *attributes_;
}

Context& Context::set_targeting_key(std::string_view key) {
  return set(kTargetingKey, key);
}

Context& Context::set(std::string_view key, std::string_view text) {
  own().put(key, json::value(text));
  return *this;
}

Context& Context::set(std::string_view key, double number) {
  own().put(key, json::value(number));
  return *this;
}

Context& Context::set(std::string_view key, bool flag) {
  own().put(key, json::value(flag));
  return *this;
}

bool Context::set_json(std::string_view key, std::string_view text) {
  auto value = parse_json(text, {.bytes_max = 1u << 20, .depth_max = 32});
  if (value) own().put(key, *std::move(value));
  return value.has_value();
}

std::string Context::to_json() const {
  json::object out;
  if (attributes_) {
    for (const auto& [key, value] : attributes_->values) out.emplace(key, value);
  }
  return to_json_text(out);
}

void lay_over(const Context& upper, Context* lower) {
  if (upper.attributes() == nullptr) return;
  for (const auto& [key, value] : upper.attributes()->values)
    (void)lower->set_json(key, to_json_text(value));
}

}  // namespace showcaller::sdk
