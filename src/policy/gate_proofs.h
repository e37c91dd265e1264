// SPDX-License-Identifier: Apache-2.0
// Which gates may act. Where a policy says `gates: { unproven: warn }`, a gate that no rehearsal
// and no backtest has proven only warns: its failure pages, the stage does not advance on it, and
// nothing is undone by it.
//
// A proof is bound to the hash of the gate's own definition, does not expire, and is the word of
// whoever may `prove`: the runs were made elsewhere. Policies in audit mode let every gate act.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/world.h"

namespace showcaller {

// Of the gate as it is now; null: there is none.
const GateProof* proof_of(const EventState& event, const GateSpec& gate);

// Why the gate only warns, whatever its `on_fail` says, and what helps. Empty: it does as written.
std::string why_only_warns(const World& world, const EventState& event, const GateSpec& gate);
// The same of each gate of the event, and what policies in audit mode would ask for.
std::vector<std::string> gate_notes(const World& world, const EventState& event);

// NotFound: no revision of the event, in force or proposed, has such a gate. Conflict: it has, and
// it is another one by now.
[[nodiscard]] Status may_be_proven(const EventState& event, std::string_view gate,
                                   std::string_view hash);

}  // namespace showcaller
