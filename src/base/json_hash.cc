// SPDX-License-Identifier: Apache-2.0
#include "base/json_hash.h"

#include <bit>

#include "base/hash.h"

namespace showcaller {
namespace {

// A number for what a value is, so that "1", 1, [1] and true differ.
enum Seed : std::uint64_t {
  kNull = 1,
  kFalse,
  kTrue,
  kWhole,
  kNegative,
  kDouble,
  kText,
  kList,
  kObject
};

// Multiply and fold, after each side has a constant of its own.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide(a ^ 0x9e3779b97f4a7c15) * (b ^ 0xd1b54a32d192ed03);
  return std::uint64_t(product) ^ std::uint64_t(product >> 64);
}

std::uint64_t hash_of(const json::string& text) {
  return hash64({text.data(), text.size()}, kText);
}

std::uint64_t hash_of(const json::array& list) {
  std::uint64_t out = mixed(kList, list.size());
  for (const json::value& item : list) out = mixed(out, json_hash(item));
  return out;
}

// A sum does not ask for an order.
std::uint64_t hash_of(const json::object& object) {
  std::uint64_t sum = 0;
  for (const auto& [key, value] : object) {
    sum += mixed(hash64({key.data(), key.size()}, kObject), json_hash(value));
  }
  return mixed(sum, mixed(kObject, object.size()));
}

}  // namespace

std::uint64_t json_hash(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return mixed(kNull, 0);
    case json::kind::bool_:
      return mixed(value.get_bool() ? kTrue : kFalse, 0);
    case json::kind::int64:
      return mixed(value.get_int64() < 0 ? kNegative : kWhole, std::uint64_t(value.get_int64()));
    case json::kind::uint64:
      return mixed(kWhole, value.get_uint64());
    case json::kind::double_:
      return mixed(kDouble, std::bit_cast<std::uint64_t>(value.get_double()));
    case json::kind::string:
      return hash_of(value.get_string());
    case json::kind::array:
      return hash_of(value.get_array());
    case json::kind::object:
      return hash_of(value.get_object());
  }
  return 0;
}

}  // namespace showcaller
