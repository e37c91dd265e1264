// SPDX-License-Identifier: Apache-2.0
// The manifests that others may refer to: those of the files, and beside them those of the server.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/manifest/manifest.h"
#include "model/manifest/reader.h"
#include "model/manifest/schedule.h"

namespace showcaller::manifest {

// One manifest on its way: its tree, and what was read from it.
struct Draft {
  Kind kind = Kind::Team;
  Node root;
  Manifest manifest;
  bool good = true;                // no errors so far
  bool readable = true;            // the spec was read, though not everything in it may have been
  std::vector<std::string> wrong;  // paths of its values that are wrong
};

class References {
 public:
  explicit References(const KnownManifests& known, MissingReference missing)
      : known_(known), missing_(missing) {}

  // The first of a name counts. The draft outlives this.
  void add(const Draft& draft) { own_.emplace(std::pair(draft.kind, draft.manifest.name), &draft); }

  const Manifest* find(Kind kind, std::string_view name) const;
  // False: it is in the files and has errors, so that what is missing in it may only not have been
  // understood.
  bool is_sound(Kind kind, std::string_view name) const;
  std::vector<const Manifest*> all(Kind kind) const;  // sorted by name
  std::vector<std::string> names(Kind kind) const;
  const json::value* config(std::string_view document, std::int64_t version) const;

  // Says at `path` that something is missing: an error or, offline, a warning.
  void report_missing(Reader& reader, const Node& root, std::string_view path, std::string message,
                      std::string hint) const;
  // As above for a manifest; true when it is there.
  bool require(Reader& reader, const Node& root, std::string_view path, Kind kind,
               std::string_view name) const;

  const KnownManifests& known() const { return known_; }
  MissingReference missing() const { return missing_; }

 private:
  const KnownManifests& known_;
  MissingReference missing_;
  std::map<std::pair<Kind, std::string>, const Draft*> own_;
};

// The fleets whose builds a LiveEvent changes, or whose capacity it asks for; all fleets when there
// is none. From the tree, because the schedule has to be resolved before the event is read.
std::vector<const FleetSpec*> fleets_of(const Node& spec, const References& references);
// Writes the content of configuration documents beside versions that are given alone, where some
// event gave it before.
void fill_configs(Node* spec, const References& references);
// Their regions, sorted. A region with different zones is reported at the event's schedule.
std::vector<RegionZone> regions_of(Reader& reader, const Node& spec, const References& references);

}  // namespace showcaller::manifest
