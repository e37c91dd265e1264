// SPDX-License-Identifier: Apache-2.0
// Flag definitions from anywhere: they parse or are refused, compile or are refused, and evaluate
// within their budget. The input is a document; the attributes under its "context" are what its
// flags are evaluated over.
//
// Links: sc_codec
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "codec/ofrep.h"
#include "flag/flag_set.h"
#include "flag/validate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace showcaller;
  const auto document =
      parse_json({reinterpret_cast<const char*>(data), size}, {.bytes_max = 1u << 16});
  if (!document) return 0;
  (void)validate_flags(*document);
  const auto set =
      FlagSet::compile(*document, {.targeting = {.nodes_max = 500, .values_max = 5'000}});
  if (!set) return 0;
  json::object attributes;
  if (const auto* context = get_if(document->get_object(), "context");
      context != nullptr && context->is_object()) {
    attributes = context->get_object();
  }
  const EvaluationContext context(attributes);
  for (std::size_t i = 0; i < set->size() && i < 20; ++i) {
    const Evaluation first = set->evaluate(set->key(i), context, instant_ms(1'760'000'000'000));
    const Evaluation again = set->evaluate(set->key(i), context, instant_ms(1'760'000'000'000));
    CHECK(first.variant == again.variant && first.reason == again.reason &&
          first.error == again.error);
    CHECK((first.value == nullptr) == first.variant.empty() || first.value != nullptr);
    (void)to_json_text(ofrep_evaluation(set->key(i), first));
  }
  return 0;
}
