// SPDX-License-Identifier: Apache-2.0
// All LiveEvents over time, what of it meets, and when there is room. Pure.
//
// A rollout is planned from its begin to the end of its last bake (bakes at their longest); an
// event is in force from the begin of its rollout to the end of its retirement. Two events meet by
//
//   key       both change one path while both are in force
//   capacity  both need one fleet while both roll out
//   audience  both are judged on the same players while both roll out: no exclusion group keeps
//             them apart, and some region sees both
//   freeze    a policy freezes the event during its rollout
//
// Where `after` or `priority` says which of two layers lies on top, sharing a key is told, but is
// no conflict.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/world.h"

namespace showcaller {

struct CalendarSpan {
  Instant from{};
  std::optional<Instant> to;  // absent: no end is known

  bool meets(const CalendarSpan& other) const {
    return (!to || other.from < *to) && (!other.to || from < *other.to);
  }
};

// What of an event meets others; of an event that is only thought of, too. Dates on the wall.
struct CalendarPlan {
  std::string name, owner;
  CalendarSpan rollout, in_force;
  bool rolls_out = true;  // false: the rollout is over
  bool is_judged = false;
  std::vector<std::string> keys, fleets;
  std::vector<std::string> regions;  // empty: all
  std::string exclusion;             // its group; empty: none
};
// Absent: the event is over.
std::optional<CalendarPlan> calendar_plan(const World& world, const std::string& name, Instant now);
// The same plan, begun so much later.
CalendarPlan moved(CalendarPlan plan, Duration later);

enum class CalendarMeeting { Key, Capacity, Audience, Freeze };
std::string_view to_string(CalendarMeeting meeting);  // "key" ...
struct CalendarConflict {
  CalendarMeeting kind = CalendarMeeting::Key;
  std::string event, other;  // the other event, or the freeze
  std::string what;          // the path, the fleet; empty: nothing more to name
  bool ordered = false;      // told, and no conflict
  Instant from{};
  std::optional<Instant> to;
  std::optional<Instant> other_ends;  // the other's own part in it; absent: nobody knows
  std::string says;
};
std::vector<CalendarConflict> conflicts_of(const World& world, const CalendarPlan& plan,
                                           Instant now);

// How much later the rollout could begin with no conflict left; absent: no such time is known,
// because something that it meets has no end.
std::optional<Duration> next_clean_delay(const World& world, const CalendarPlan& plan, Instant now);

// {"now","events":[…],"freezes":[…],"conflicts":[…],"slots":{EVENT: instant|null},"zones":{REGION:
// zone}}: docs/api.md.
json::object calendar_view(const World& world, Instant now);

}  // namespace showcaller
