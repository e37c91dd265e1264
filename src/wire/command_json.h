// SPDX-License-Identifier: Apache-2.0
// Commands as JSON: what the batch endpoint takes and what the event routes have in their bodies.
//
//   {"do":"hold","event":"winter-raid","reason":"…","key":"…","expected_revision":3}
//   {"do":"pace","event":…,"pace_per_minute":2000}      {"do":"approve","event":…,"hash":"…"}
//   {"do":"stop-line","scope":"fleet/raid"}             {"do":"resume-line","scope":""}
//   {"do":"quarantine","scope":"instance","fleet":"raid","subject":"raid-7","for":"1h"}
//   {"do":"release",…}
//   {"do":"ready","event":"winter-raid","check":"bundle:raid-assets","ready":true,"detail":"…"}
//   {"do":"prove","event":…,"gate":"session.crashed","hash":"…","method":"rehearsal","runs":60,
//    "verdict":"…"}
//   {"do":"remove","kind":"Flag","name":"raid-entrance"} {"do":"revoke-token","id":"…"}
//   {"do":"apply","manifest":{…}}  (the manifest as JSON, or as text)
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "model/command.h"

namespace showcaller {

// Everything but "apply", which needs the server's own manifests to be read. Unknown keys are
// Invalid.
Result<CommandBody> command_from_json(std::string_view verb, const json::object& fields);
// "hold", "resume", ... of kEventVerbs.
Result<EventVerb> event_verb(std::string_view text);

// {"seq":7,"repeated":false,"notes":["…"]}
void append_receipt(std::string* out, const Receipt& receipt);
json::object receipt_to_json(const Receipt& receipt);

}  // namespace showcaller
