// SPDX-License-Identifier: Apache-2.0
// A file of flag definitions as a document, and what is wrong with it, with its place.
//
// Pure. Threads: none.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "model/manifest/finding.h"

namespace showcaller {

// `.yaml` and `.yml` are YAML; a name without an extension is whatever the text is; everything else
// is JSON. Errors begin with NAME:LINE:COLUMN.
Result<json::value> read_flag_document(const SourceFile& file);
// "NAME:LINE:COLUMN: message" for an error "POINTER: message" about what was read.
std::string place_in(const SourceFile& file, std::string_view pointed_message);

}  // namespace showcaller
