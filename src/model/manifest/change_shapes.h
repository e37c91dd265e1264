// SPDX-License-Identifier: Apache-2.0
// The parts of a LiveEvent's table that change things and judge them.
#pragma once

#include "model/manifest/shape.h"
#include "model/spec/live_event.h"

namespace showcaller::manifest {

const Shape<Change>& change_shape();
const Shape<StageSpec>& stage_shape();
const Shape<GateSpec>& gate_shape();

}  // namespace showcaller::manifest
