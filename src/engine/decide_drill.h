// SPDX-License-Identifier: Apache-2.0
// What a drill on a server may ask for, whatever the machine. Pure.
#pragma once

#include "base/result.h"
#include "model/spec/drill.h"

namespace showcaller {

// Kinds, sizes and ends of its injects.
Status check_injects(const DrillSpec& drill);

}  // namespace showcaller
