// SPDX-License-Identifier: Apache-2.0
#include "adapters/tzdata/tzdata_version.h"

#include <fstream>
#include <string_view>

namespace showcaller {

std::string read_tzdata_version(const std::string& folder) {
  constexpr std::string_view kPrefix = "# version ";
  std::ifstream in(folder + "/tzdata.zi");
  std::string line;
  if (!std::getline(in, line) || !line.starts_with(kPrefix)) return "unknown";
  const std::string version = line.substr(kPrefix.size(), 32);
  return version.empty() ? "unknown" : version;
}

}  // namespace showcaller
