// SPDX-License-Identifier: Apache-2.0
// The example manifests as if a server had them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/manifest/manifest.h"

namespace showcaller {

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& text);
std::vector<SourceFile> example_files();
std::vector<SourceFile> arena_files();  // of the demo

class ExampleSet {
 public:
  ExampleSet();
  const Manifest* find(Kind kind, std::string_view name) const;
  std::vector<const Manifest*> all(Kind kind) const;
  const ParseOutcome& outcome() const { return outcome_; }
  // Views into this set. Events are known, but none is in force.
  ParseOptions options() const;

 private:
  ParseOutcome outcome_;
};

}  // namespace showcaller
