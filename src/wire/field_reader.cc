// SPDX-License-Identifier: Apache-2.0
#include "wire/field_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/suggest.h"

namespace showcaller {
namespace {

std::unexpected<Error> is_not(std::string_view key, std::string_view what,
                              std::string_view remedy) {
  return fail(ErrorCode::Invalid, fmt::format("'{}' is not {}; {}", key, what, remedy));
}

}  // namespace

Result<std::string> FieldReader::text(std::string_view key, bool required) {
  const auto* value = take(key);
  if (value == nullptr) {
    if (required) return fail(ErrorCode::Invalid, fmt::format("'{}' is missing; add it", key));
    return std::string();
  }
  if (!value->is_string()) return is_not(key, "a text", "put it in quotes");
  return std::string(value->as_string());
}

Result<std::vector<std::string>> FieldReader::texts(std::string_view key) {
  TRY(const auto* items, list(key));
  std::vector<std::string> out;
  for (const auto& item : items != nullptr ? *items : json::array()) {
    if (!item.is_string()) return is_not(key, "a list of texts", "put each of them in quotes");
    out.emplace_back(item.as_string());
  }
  return out;
}

Result<std::optional<std::int64_t>> FieldReader::whole(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_int64()) return is_not(key, "a whole number", "write one");
  return value->as_int64();
}

Result<bool> FieldReader::yes_or_no(std::string_view key, bool fallback) {
  const auto* value = take(key);
  if (value == nullptr) return fallback;
  if (!value->is_bool()) return is_not(key, "true or false", "write one of them");
  return value->as_bool();
}

Result<const json::object*> FieldReader::object(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) return is_not(key, "an object", "write it in braces");
  return &value->get_object();
}

Result<const json::array*> FieldReader::list(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) return is_not(key, "a list", "write it in brackets");
  return &value->get_array();
}

Status FieldReader::finish() const {
  const auto taken = std::span(taken_).first(taken_count_);
  for (const auto& field : fields_) {
    const std::string_view key = field.key();
    if (std::ranges::find(taken, key) != taken.end()) continue;
    if (std::ranges::find(texts_aside_, key) != texts_aside_.end()) {
      if (!field.value().is_string()) return is_not(key, "a text", "put it in quotes");
      continue;
    }
    std::vector<std::string> known(taken.begin(), taken.end());
    known.insert(known.end(), texts_aside_.begin(), texts_aside_.end());
    const auto near = nearest_word(key, known);
    return is_not(key, "a field of this request",
                  near ? fmt::format("did you mean '{}'?", *near) : "leave it out");
  }
  return {};
}

const json::value* FieldReader::take(std::string_view key) {
  CHECK(taken_count_ < kFieldsMax);
  taken_[taken_count_++] = key;
  return fields_.if_contains(key);
}

}  // namespace showcaller
