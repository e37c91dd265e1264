// SPDX-License-Identifier: Apache-2.0
// What a record is about, in words by which records are searched and changes are held against
// incidents. Pure.
//
//   subject = ("event" | "fleet" | "flag" | "config" | "team" | "drill" | "line" | "token" | …) "/"
//   name
//           | "build/" fleet "@" version | "region/" name | "host/" name | "instance/" fleet "/" id
#pragma once

#include <set>
#include <string>

#include "base/json.h"
#include "model/record.h"

namespace showcaller {

using Subjects = std::set<std::string>;

// What the record itself names.
Subjects subjects_of(const Payload& payload);
// The fleets, builds, flags, documents and regions that a LiveEvent's document changes or admits
// in.
Subjects subjects_of_event_document(const json::object& document);
// "event/winter-raid" of what alerts, pages and silences call "LiveEvent/winter-raid".
std::string subject_of_alert(const std::string& named);

}  // namespace showcaller
