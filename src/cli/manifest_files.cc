// SPDX-License-Identifier: Apache-2.0
#include "cli/manifest_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/format.h>

namespace showcaller {
namespace {

namespace fs = std::filesystem;

Status read_into(const std::string& path, std::vector<SourceFile>* out) {
  std::ifstream file(path);
  if (!file)
    return fail(ErrorCode::Invalid,
                fmt::format("{} can't be read; check its name and rights", path));
  out->push_back({path, std::string(std::istreambuf_iterator<char>(file), {})});
  return {};
}

bool is_manifest(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml" || path.extension() == ".json";
}

}  // namespace

Result<std::vector<SourceFile>> read_manifest_files(std::span<const std::string> paths) {
  std::vector<SourceFile> out;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-") {
      out.push_back({"<stdin>", std::string(std::istreambuf_iterator<char>(std::cin), {})});
    } else if (fs::is_directory(path, error)) {
      std::vector<std::string> found;
      for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
        if (entry.is_regular_file() && is_manifest(entry.path()))
          found.push_back(entry.path().string());
      }
      std::sort(found.begin(), found.end());
      if (found.empty())
        return fail(ErrorCode::Invalid, fmt::format("{} holds no *.yaml, *.yml or *.json", path));
      for (const std::string& file : found) TRY(read_into(file, &out));
    } else {
      TRY(read_into(path, &out));
    }
  }
  if (out.size() > kFilesMax)
    return fail(ErrorCode::Limit,
                fmt::format("{} files are over the limit of {}", out.size(), kFilesMax));
  return out;
}

json::object files_to_json(std::span<const SourceFile> files) {
  json::array list;
  for (const SourceFile& file : files)
    list.push_back(json::object{{"name", file.name}, {"text", file.text}});
  return {{"files", std::move(list)}};
}

}  // namespace showcaller
