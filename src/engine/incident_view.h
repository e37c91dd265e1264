// SPDX-License-Identifier: Apache-2.0
// Incidents as readers see them; docs/incidents.md has the shapes. Pure.
#pragma once

#include "base/json.h"
#include "engine/incident_book.h"
#include "model/world.h"

namespace showcaller {

// {"id","kind","state","subject","title","cause","team","began","opened","ended"?,
//  "detected_after","detected_after_s","recovered_after"?,"recovered_after_s"?}
json::object incident_line(const Incident& incident, Instant now);
// The newest first.
json::array incidents_view(const IncidentBook& book, Instant now);
// And
// "records","suspects","similar","next_steps","runbook"?,"alert"?,"exposed"?,"event"?,"actions".
json::object incident_view(const World& world, const IncidentBook& book, const Incident& incident,
                           Instant now);

}  // namespace showcaller
