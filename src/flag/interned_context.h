// SPDX-License-Identifier: Apache-2.0
// A context whose attributes are found once for a program, with what its steps want to know of
// each: its number among the program's constants, its hash, its version as one word. Evaluating
// many flags for one player finds nothing by name then.
//
// Threads: immutable; any number at once. Lifetime: views the context it was made of. Only for the
// program that it was made for, which keeps track of that.
#pragma once

#include <cstdint>
#include <vector>

#include "flag/context.h"
#include "flag/program.h"
#include "flag/semver.h"
#include "flag/value.h"

namespace showcaller {

// Nothing of a text is found out before it is asked for; zeros are what is not known.
struct AttributeValue {
  Value value;  // Undefined where the context has none
  std::uint32_t symbol = Symbol::kUnknown;
  std::uint32_t hash = 0;
  PackedVersion version;
};
static_assert(sizeof(AttributeValue) == 32);

class InternedContext {
 public:
  InternedContext(const Program& program, const EvaluationContext& context);

  const Program& program() const { return *program_; }
  const EvaluationContext& context() const { return *context_; }
  const AttributeValue* values() const { return values_.data(); }
  const Value& targeting_key() const { return targeting_key_; }

 private:
  const Program* program_;
  const EvaluationContext* context_;
  Value targeting_key_;
  std::vector<AttributeValue> values_;
};

}  // namespace showcaller
