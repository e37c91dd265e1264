// SPDX-License-Identifier: Apache-2.0
// From text to typed manifests: parse, expand, resolve, read, validate. All findings of all files
// come together.
//
// Threads: none; the same input gives the same output. Limits: DocumentLimits a file, kFilesMax
// files.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/manifest/document.h"
#include "model/manifest/finding.h"
#include "model/manifest/manifest_from_json.h"
#include "model/spec/manifest.h"

namespace showcaller {

constexpr std::size_t kFilesMax = 1'000;
constexpr std::size_t kFilesBytesMax = 8 << 20;  // all together
constexpr std::string_view kApiVersion = "showcaller.dev/v1";

// What is there beside the files: the server's manifests. Absent functions know nothing.
struct KnownManifests {
  std::function<const Manifest*(Kind, std::string_view name)> find;
  std::function<std::vector<const Manifest*>(Kind)> list;
  // LiveEvents whose layers are, or will be, in force: the files' events must not clash with them.
  std::function<std::vector<const Manifest*>()> active_events;
  // The content of a configuration document's version, as an event gave it; null: none did.
  std::function<const json::value*(std::string_view document, std::int64_t version)> config;
};

// A thing that neither the files nor the server have.
enum class MissingReference {
  Error,    // on the server, or when all files are given
  Warning,  // offline: it may be on the server
};

struct ParseOptions {
  manifest::DocumentLimits limits;
  KnownManifests known;
  MissingReference missing = MissingReference::Error;
  std::string tzdata_version;  // of the zone data on this machine, such as "2026f"; kept with what
                               // it resolved
};

struct ParseOutcome {
  std::vector<Manifest>
      manifests;  // without errors of their own; in the order of Kind, then as written
  std::vector<Finding> findings;  // by file, line, column

  bool ok() const { return !has_errors(findings); }
};

ParseOutcome parse_manifests(std::span<const SourceFile> files, const ParseOptions& options);

// What a key that is not written stands for: "spec.rollout.stages[0].bake" and the text of its
// default.
struct DefaultTaken {
  std::string path;
  std::string value;
  friend bool operator==(const DefaultTaken&, const DefaultTaken&) = default;
};
std::vector<DefaultTaken> defaults_taken(const Manifest& manifest);

// The metrics that the program measures by itself: no manifest is needed.
const MetricSpec* built_in_metric(std::string_view name);
std::vector<std::string> built_in_metric_names();

std::optional<Kind> kind_from(std::string_view name);

}  // namespace showcaller
