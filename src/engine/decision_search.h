// SPDX-License-Identifier: Apache-2.0
// Which records a search wants, and how they are told. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "model/record.h"

namespace showcaller {

// Empty fields ask nothing.
struct DecisionQuery {
  std::string text;              // in the record's line or its stored form, whatever the case
  std::string actor;             // who
  std::string subject;           // "event/winter-raid": record_subjects.h; "event" is every event
  std::set<std::string> kinds;   // empty: all but totals and what becomes of single instances
  std::optional<Instant> since;  // not before
  std::optional<Instant> until;  // before
};
// Invalid: a kind that there is none of.
[[nodiscard]] Status check(const DecisionQuery& query);

// What can be told before a stored record is parsed. False: it is none of them.
bool may_match(const DecisionQuery& query, std::uint16_t kind, Instant at);
bool matches(const DecisionQuery& query, const Record& record);

// explain.h's decision_of, with "kind" and "subjects".
json::object found_decision(const Record& record);

}  // namespace showcaller
