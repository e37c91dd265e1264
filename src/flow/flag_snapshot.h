// SPDX-License-Identifier: Apache-2.0
// The flags in force: a flagd document that is a pure function of the world.
//
// Effective flags = base Flag manifests ⊕ the layers of the events that admit players, lowest
// first. A layer only puts a rule before what lies below it, so taking the layer away gives exactly
// what was there before, byte for byte. A layer bites only for whom its event admits: the stages
// entered so far, as plain flagd targeting (flag/exposure.h). Flag changes bite while intake is
// open, and region by region when it opens in waves; configuration bites while the event is proved
// in the dark too. A configuration document is the object flag "config.<document>" with a variant
// "v<version>" for each version that a layer gives out; whoever no layer reaches gets its caller's
// default.
//
// A flag whose prerequisites do not hold gives its off variant: they are written into its
// targeting. A flag that is killed gives its off variant and nothing else, whatever lies over it.
//
// A Flag's own evaluators are in the document as "<flag>/<name>".
//
// Order of layers: the lower priority lies below; among equals those named in `after`, directly or
// through others; then the name.
// The document holds secret salts: it goes to servers. Clients get values, evaluated from the
// Client document.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "flow/flag_layers.h"
#include "model/world.h"

namespace showcaller {

// Server: every flag. Client: those with `visibility: client` alone, and no configuration.
enum class FlagVisibility { Server, Client };

struct FlagSnapshot {
  json::object document;  // {"flags": {...}}, keys sorted; "$evaluators" if any flag has its own
  std::string etag;       // of the document, with its quotes, as HTTP wants it
  std::vector<std::string>
      problems;  // layers that could not be laid, and why; the flag below stands
};

FlagSnapshot flag_snapshot(const World& world, const FlagSaltOf& salt_of,
                           FlagVisibility visibility = FlagVisibility::Server);
// The document alone; an error when a layer could not be laid.
Result<json::object> effective_flags(const World& world, const FlagSaltOf& salt_of);

// Whether a record can change a snapshot. A batch without such a record needs no new one.
bool concerns_flags(const Payload& payload);

// What a flagd document elsewhere says otherwise than this one.
struct FlagDrift {
  std::string flag;  // or "$evaluators/<name>"
  std::string what;  // "is missing", "is not wanted", "differs in targeting, variants"
  friend bool operator==(const FlagDrift&, const FlagDrift&) = default;
};
std::vector<FlagDrift> compare_flags(const json::object& wanted, const json::object& seen);

}  // namespace showcaller
