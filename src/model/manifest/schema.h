// SPDX-License-Identifier: Apache-2.0
// JSON Schema (draft 7) of manifests, for editors. Made from the tables that read them.
#pragma once

#include <string>

#include "base/json.h"
#include "model/spec/manifest.h"

namespace showcaller {

json::object manifest_schema();           // any kind
json::object manifest_schema(Kind kind);  // one kind

// A reference page in Markdown: each kind's keys, what they mean, what is assumed.
std::string manifest_reference();

}  // namespace showcaller
