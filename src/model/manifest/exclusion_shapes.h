// SPDX-License-Identifier: Apache-2.0
// Exclusion groups, holdouts and configuration documents: their tables, and what has to hold
// between the members of a group.
#pragma once

#include <string>
#include <vector>

#include "model/manifest/references.h"
#include "model/manifest/shapes.h"

namespace showcaller::manifest {

const Shape<GroupShare>& group_share_shape();

// The key by which an event or a flag asks for its part of a group.
template <class Spec>
Field<Spec> exclusion_field(std::string says) {
  return alternative<Spec, GroupShare>(
      "exclusion", group_share_shape(),
      [](Spec* spec, GroupShare share) { spec->exclusion = std::move(share); }, std::move(says));
}

// Groups that are there, one unit in a group, and shares of these files that fit into one space.
void validate_exclusion(Reader& reader, const std::vector<Draft*>& drafts,
                        const References& references);

}  // namespace showcaller::manifest
