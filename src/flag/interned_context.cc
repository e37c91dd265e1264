// SPDX-License-Identifier: Apache-2.0
#include "flag/interned_context.h"

#include "flag/evaluate.h"

namespace showcaller {

InternedContext::InternedContext(const Program& program, const EvaluationContext& context)
    : program_(&program),
      context_(&context),
      targeting_key_(context.find_targeting_key()),
      values_(program.attributes.size()) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Attribute& attribute = program.attributes[i];
    AttributeValue& known = values_[i];
    known.value = find_attribute(program, attribute, context);
    if (!known.value.is(ValueKind::String)) continue;
    const std::string_view text = known.value.as_string();
    if (attribute.compared) known.symbol = attribute.symbol_of(text);
    if (attribute.hashed) known.hash = MurmurPrefix().hash(text);
    if (attribute.versioned) known.version = PackedVersion(text);
  }
}

}  // namespace showcaller
