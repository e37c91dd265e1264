// SPDX-License-Identifier: Apache-2.0
// Writes a Pipeline's parts into the LiveEvent that uses it. What the event says itself stays;
// mappings are joined key by key. "${name}" alone becomes the parameter's value of whatever type;
// within other text it becomes text. The parts keep the positions of the template, so that a
// finding points at where its text was written.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "model/manifest/manifest.h"
#include "model/manifest/reader.h"

namespace showcaller::manifest {

struct ExpansionLimits {
  std::size_t nodes_max = 100'000;
  std::size_t bytes_max = 1 << 20;
};

// The spec of the named Pipeline, or null.
using FindTemplate = std::function<const Node*(std::string_view name)>;

// Does nothing to a spec without `pipeline`, or with one that is expanded already. `known` is for
// suggestions. False: a finding was reported; offline a Pipeline that is missing is a warning.
bool expand_pipeline(Reader& reader, Node* spec, const FindTemplate& find,
                     const std::vector<std::string>& known, MissingReference missing,
                     const ExpansionLimits& limits);

// Checks the placeholders of a Pipeline's spec: each is declared, each declared one is used.
void check_placeholders(Reader& reader, const Node& pipeline_spec);

}  // namespace showcaller::manifest
