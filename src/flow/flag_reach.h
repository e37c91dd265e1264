// SPDX-License-Identifier: Apache-2.0
// Whom the flag and configuration changes of one event reach, wherever they are evaluated: the same
// rule as the flags in force have (flag_snapshot.h), asked without a flag. What is killed reaches
// nobody.
//
// Threads: none; a value, immutable once made.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "flag/exposure.h"
#include "flow/port/ledger.h"
#include "model/world.h"

namespace showcaller {

class FlagReach {
 public:
  FlagReach(const World& world, const EventState& event, std::string salt);
  // As it was written by to_json(), for who has no world: a relay. It holds the secret salt.
  static Result<FlagReach> from_json(const json::object& object);
  json::object to_json() const;

  bool reaches_nobody() const { return !admits_; }
  // Whether one of the event's values for this flag ("config.drops" for a document) is for them;
  // `flag` empty: for any flag.
  bool reaches(std::string_view flag, const EvaluationContext& who, Instant now) const;
  // The attribute that names the unit is not there: whatever the share, they are not admitted.
  bool knows_no_unit_of(const EvaluationContext& who) const;
  // Equal texts reach the same.
  std::string text() const;

 private:
  FlagReach() = default;

  using Names = std::set<std::string, std::less<>>;
  // Configuration is proved in the dark and everywhere; flags wait for the doors of their region.
  Names flags_, documents_;
  Names regions_;                   // whose wave has come; empty: all
  std::optional<Exposure> admits_;  // absent: nobody
};

// The same with the stage of the event that it is of.
struct EventReach {
  std::string event;
  std::int64_t revision = 0, visit = 0;
  FlagReach flags;
};
using EventReaches = std::vector<EventReach>;

json::array reaches_to_json(const EventReaches& reaches);
Result<EventReaches> reaches_from_json(const json::value& value);
// Rows of the ledger for an evaluation with this context; `flag` empty: of all flags. The targeting
// key is the player; without one nobody could be named.
std::vector<LedgerEntry> exposures_of(const EventReaches& reaches, const json::object& context,
                                      std::string_view flag, Instant now);

}  // namespace showcaller
