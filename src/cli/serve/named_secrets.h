// SPDX-License-Identifier: Apache-2.0
// Secrets that manifests name and the server alone knows: the variable SHOWCALLER_SECRET_NAME of
// its environment (in capitals, '_' for '-'), or the file NAME in a folder. Nothing else of either
// can be named: names are of a-z, 0-9 and '-'.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace showcaller {

Result<std::string> named_secret(const std::filesystem::path& folder, const std::string& name);

}  // namespace showcaller
