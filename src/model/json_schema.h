// SPDX-License-Identifier: Apache-2.0
// Documents held against JSON Schema (draft 7).
//
// Pure. Threads: none; a compiled schema may be used by several at once. Limits: references to
// other documents are refused, findings beyond kSchemaFindingsMax are not told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace showcaller {

inline constexpr std::size_t kSchemaFindingsMax = 20;

struct SchemaFinding {
  std::string pointer;  // JSON pointer into the document; empty: the document itself
  std::string rule;     // what of the schema was broken, in words
  friend bool operator==(const SchemaFinding&, const SchemaFinding&) = default;
};

class JsonSchema {
 public:
  // Invalid: it is no schema, and why.
  static Result<JsonSchema> compile(const json::value& schema);
  // Empty: the document is as the schema says. The deepest place of each mistake.
  std::vector<SchemaFinding> check(const json::value& document) const;

 private:
  struct Compiled;
  explicit JsonSchema(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace showcaller
