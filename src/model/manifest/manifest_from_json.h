// SPDX-License-Identifier: Apache-2.0
// The fast way from a manifest's canonical document (as the journal keeps it) to the typed
// manifest.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "model/spec/manifest.h"

namespace showcaller {

// document is what Manifest::document held when it was accepted, by whatever version: as it was
// written (what is not written has the default of its apiVersion, for ever). It is not judged
// again: keys that are not known any more are passed over, and values that would be refused today
// are kept. The result's document is a copy of it and its hash is computed again. Corrupt when it
// is not such a document.
Result<Manifest> manifest_from_json(const json::object& document);

}  // namespace showcaller
