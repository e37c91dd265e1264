// SPDX-License-Identifier: Apache-2.0
// The fast way from a manifest's canonical document (as the journal keeps it) to the typed
// manifest.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "model/spec/manifest.h"

namespace showcaller {

// document is what Manifest::document held when it was accepted: valid, and as it was written (what
// is not written has the default of its apiVersion, for ever). The result's document is a copy of
// it and its hash is computed again. Corrupt when it is not such a document.
Result<Manifest> manifest_from_json(const json::object& document);

}  // namespace showcaller
