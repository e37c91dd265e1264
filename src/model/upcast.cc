// SPDX-License-Identifier: Apache-2.0
// Lifts payloads that older versions wrote to what the newest version would have written.
#include <algorithm>

#include <fmt/format.h>

#include "model/record.h"

namespace showcaller {

// Empty while every kind is at its first version; the first change of a payload adds the first row.
std::span<const Upcaster> upcasters() {
  return {};
}

Result<json::object> upcast(const RecordKindRow& to, std::uint16_t version, json::object payload,
                            std::span<const Upcaster> table) {
  for (; version < to.version; ++version) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const Upcaster& row) {
      return row.kind == to.number && row.from_version == version;
    });
    if (found == table.end()) {
      return fail(ErrorCode::Corrupt,
                  fmt::format("no upcaster lifts {} from version {}", to.name, version));
    }
    found->lift(&payload);
  }
  return payload;
}

}  // namespace showcaller
