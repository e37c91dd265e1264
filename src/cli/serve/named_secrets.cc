// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/named_secrets.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::size_t kSecretBytesMax = 4'096;

bool is_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string variable_of(const std::string& name) {
  std::string out = "SHOWCALLER_SECRET_";
  for (const char c : name) out += c == '-' ? '_' : c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
  return out;
}

}  // namespace

Result<std::string> named_secret(const std::filesystem::path& folder, const std::string& name) {
  if (!is_name(name))
    return fail(ErrorCode::Invalid, "a secret's name is of a-z, 0-9 and '-'; mend the manifest");
  const std::string variable = variable_of(name);
  if (const char* value = std::getenv(variable.c_str()); value && *value) return value;
  std::ifstream file(folder / name, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty() || text.size() > kSecretBytesMax) {
    return fail(ErrorCode::NotFound,
                fmt::format("there is no secret '{}'; set {} for the server, or write it to {}",
                            name, variable, (folder / name).string()));
  }
  return text;
}

}  // namespace showcaller
