// SPDX-License-Identifier: Apache-2.0
// Allocations as the API tells them (docs/api.md).
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "compute/allocation.h"

namespace showcaller {

// An id, or an object with one whose other fields are the player's attributes.
Result<AllocationPlayer> allocation_player(const json::value& value);
Result<AllocationRequest> allocation_request(const json::object& body);
json::object allocation_view(const Allocation& allocation);

}  // namespace showcaller
