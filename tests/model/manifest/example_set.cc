// SPDX-License-Identifier: Apache-2.0
#include "tests/model/manifest/example_set.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace showcaller {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

namespace {

std::vector<SourceFile> yaml_files(const std::filesystem::path& folder) {
  std::vector<SourceFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    files.push_back({entry.path().filename().string(), read_file(entry.path())});
  }
  std::ranges::sort(files, {}, &SourceFile::name);
  return files;
}

}  // namespace

std::vector<SourceFile> example_files() {
  return yaml_files(SHOWCALLER_SOURCE_DIR "/examples/manifests");
}

std::vector<SourceFile> arena_files() {
  return yaml_files(SHOWCALLER_SOURCE_DIR "/examples/arena/manifests");
}

ExampleSet::ExampleSet() {
  ParseOptions options;
  options.tzdata_version = "2026a";
  outcome_ = parse_manifests(example_files(), options);
}

const Manifest* ExampleSet::find(Kind kind, std::string_view name) const {
  for (const Manifest& manifest : outcome_.manifests) {
    if (manifest.kind() == kind && manifest.name == name) return &manifest;
  }
  return nullptr;
}

std::vector<const Manifest*> ExampleSet::all(Kind kind) const {
  std::vector<const Manifest*> out;
  for (const Manifest& manifest : outcome_.manifests) {
    if (manifest.kind() == kind) out.push_back(&manifest);
  }
  return out;
}

ParseOptions ExampleSet::options() const {
  ParseOptions options;
  options.tzdata_version = "2026a";
  options.known.find = [this](Kind kind, std::string_view name) { return find(kind, name); };
  options.known.list = [this](Kind kind) { return all(kind); };
  return options;
}

}  // namespace showcaller
