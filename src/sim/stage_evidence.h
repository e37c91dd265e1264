// SPDX-License-Identifier: Apache-2.0
// What the gates of an event saw, look by look, from the evidence that its stages left: the stored
// ticks fed to the same gate again.
#pragma once

#include <string>
#include <vector>

#include "flow/port/evidence_store.h"
#include "sim/run.h"

namespace showcaller::sim {

std::vector<EvidencePoint> stage_evidence(EvidenceStore* store, const std::string& event,
                                          std::int64_t revisions, std::int64_t visits);

}  // namespace showcaller::sim
