// SPDX-License-Identifier: Apache-2.0
// Attributes that a server adds to every evaluation: values of its own, and values of request
// headers. They hide what the request says by the same names, a header's above the server's own.
// Source: flagd's --context-value and --context-from-header.
//
// Threads: immutable while it is used.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "flag/context.h"

namespace showcaller {

struct ContextEnrichment {
  std::map<std::string, std::string> values;       // by attribute
  std::map<std::string, std::string> from_header;  // header in lower case -> attribute
};

using HeaderLookup = std::function<std::optional<std::string_view>(const std::string& header)>;

// To be laid over a request's own context. Views both arguments' texts.
EvaluationContext added_context(const ContextEnrichment& enrichment, const HeaderLookup& header);

}  // namespace showcaller
