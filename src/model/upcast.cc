// SPDX-License-Identifier: Apache-2.0
// Lifts payloads that older versions wrote to what the newest version would have written.
#include <span>

#include <fmt/format.h>

#include "model/record.h"

namespace showcaller {
namespace {

struct Upcaster {
  std::uint16_t kind;
  std::uint16_t from_version;
  void (*lift)(json::object*);  // to from_version + 1
};

// Empty while every kind is at its first version; the first change of a payload adds the first row.
constexpr std::span<const Upcaster> kUpcasters{};

}  // namespace

Result<json::object> upcast(std::uint16_t kind, std::uint16_t version, json::object payload) {
  std::uint16_t newest = 0;
  for (const RecordKindRow& row : kRecordKinds) {
    if (row.number == kind) newest = row.version;
  }
  for (; version < newest; ++version) {
    const Upcaster* found = nullptr;
    for (const Upcaster& row : kUpcasters) {
      if (row.kind == kind && row.from_version == version) found = &row;
    }
    if (!found) {
      return fail(ErrorCode::Corrupt,
                  fmt::format("no upcaster lifts kind {} from version {}", kind, version));
    }
    found->lift(&payload);
  }
  return payload;
}

}  // namespace showcaller
