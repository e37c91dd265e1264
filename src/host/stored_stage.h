// SPDX-License-Identifier: Apache-2.0
// A judged stage as the evidence store has it. A stream's first line is the stage's comparison as
// it was frozen, with the hour before it; the rest are its ticks, and the comparison once more
// wherever a gate has joined, with that gate's hour: the last one judges every tick.
//
// Threads: none; reading a stream is allowed to any (flow/port/evidence_store.h).
#pragma once

#include <string>
#include <vector>

#include "engine/gate_plan.h"
#include "flow/port/evidence_store.h"
#include "host/stage_tick.h"

namespace showcaller {

struct StoredStage {
  JudgedStage stage;  // with the comparison that the stream froze
  // In order; of each metric, what the most trusted said of it and nothing else.
  std::vector<StageLine> lines;
  EvidenceMark mark;  // of the last line
  bool is_new = true;
};
// `stage` says which metrics its gates are about, and which of them are absolute.
Result<StoredStage> read_stored_stage(EvidenceStore* store, const std::string& stream,
                                      JudgedStage stage);
// Of each metric, what the most trusted said of it, and nothing else.
void keep_most_trusted(const JudgedStage& stage, std::vector<StageLine>* lines);

}  // namespace showcaller
