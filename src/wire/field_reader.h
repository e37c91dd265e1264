// SPDX-License-Identifier: Apache-2.0
// Reads the fields of one JSON object that somebody sent, and knows in the end which of them nobody
// asked for: a mistyped name is told, never passed over.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace showcaller {

// Of a request that may say why it is made.
inline constexpr std::array<std::string_view, 1> kReasonAside{"reason"};

class FieldReader {
 public:
  // Keys are literals, at most kFieldsMax of them. `texts_aside`: fields that somebody else reads,
  // as texts; outlives the reader.
  static constexpr std::size_t kFieldsMax = 12;
  explicit FieldReader(const json::object& fields,
                       std::span<const std::string_view> texts_aside = {})
      : fields_(fields), texts_aside_(texts_aside) {}

  // Empty when it is absent and not required.
  Result<std::string> text(std::string_view key, bool required = true);
  Result<std::vector<std::string>> texts(std::string_view key);
  Result<std::optional<std::int64_t>> whole(std::string_view key);
  Result<bool> yes_or_no(std::string_view key, bool fallback);
  // Null when it is absent.
  Result<const json::object*> object(std::string_view key);
  Result<const json::array*> list(std::string_view key);
  // Invalid when there are fields that were not read.
  Status finish() const;

 private:
  const json::value* take(std::string_view key);

  const json::object& fields_;
  std::span<const std::string_view> texts_aside_;
  std::array<std::string_view, kFieldsMax> taken_;
  std::size_t taken_count_ = 0;
};

}  // namespace showcaller
