// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/context_enrichment.h"

namespace showcaller {

EvaluationContext added_context(const ContextEnrichment& enrichment, const HeaderLookup& header) {
  EvaluationContext context;
  for (const auto& [attribute, value] : enrichment.values)
    context.set(attribute, std::string_view(value));
  for (const auto& [name, attribute] : enrichment.from_header) {
    if (const auto value = header(name)) context.set(attribute, *value);
  }
  return context;
}

}  // namespace showcaller
