// SPDX-License-Identifier: Apache-2.0
// One cause, one page: what comes of something that is wrong, and what becomes of an alert by
// itself. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/world.h"

namespace showcaller {

// What follows trouble within this time on something that hangs together with it has its cause.
constexpr Duration kGroupsWithin = hours(1);

// An alert as it would be opened: team, owner, runbook and next steps are filled in where the draft
// leaves them out.
std::vector<Payload> raise_alert(const World& world, AlertOpened draft, Instant now);

// Whether somebody is called: also by the pages of old journals.
bool calls_somebody(const Payload& payload);

// The open alert that this belongs to. Absent: none. A member that is over counts as well.
struct AlertPlace {
  std::string id;
  const Alert* alert = nullptr;
  const AlertMember* member = nullptr;
};
std::optional<AlertPlace> alert_with(const World& world, const AlertMember& member);

// Whether what the member tells of is still so.
bool still_stands(const World& world, const AlertMember& member, Instant now);

// Id of the silence that keeps the alert back: one that covers everything of it that still stands.
std::optional<std::string> silence_of(const World& world, const Alert& alert, Instant now);

// What happens next by itself: silences end, alerts resolve and escalate. Empty: nothing.
std::vector<Payload> follow_alerts(const World& world, Instant now);

}  // namespace showcaller
