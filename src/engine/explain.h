// SPDX-License-Identifier: Apache-2.0
// Why did it do that: the decisions about a LiveEvent in order, each with who or what caused it, on
// which evidence, by which rule. Pure: made from the journal's records alone.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/record.h"
#include "model/world.h"

namespace showcaller {

// The LiveEvent that a record is about; empty: none.
std::string event_of(const Payload& payload);

// Whether it is about the event, or about one of the flags that the event changes: a kill, a
// feature that is withdrawn, a schedule.
bool concerns_event(const Payload& payload, std::string_view event,
                    const std::vector<std::string>& flags);

// What a reader of the story needs; totals and unchanged standings are for `history`.
bool is_a_decision(const Payload& payload);

// One record explained: {"seq","time","what","why","by","cause"?,"rule"?,"evidence"?,"trace"?}
json::object decision_of(const Record& record);

// {"event","phase","summary":[sentences],"decisions":[{"seq","time","what","why","by","cause"?,"evidence"?,"trace"?}],
//  "withdrawn":[{"service","feature","flag","variant","since","reason","by"}]}
// `records` are those that concern the event, oldest first; `withdrawn` are features whose flags
// the event changes and that are withdrawn now.
json::object explanation_of(const World& world, const std::string& event,
                            std::span<const Record> records, Instant now);

}  // namespace showcaller
