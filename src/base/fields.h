// SPDX-License-Identifier: Apache-2.0
// Structs that say their fields once, and are written to and read from JSON by that one list.
//
//   struct Hold {
//     std::string reason; Instant since;
//     template <class Self, class Visit> static void fields(Self& self, Visit&& visit) {
//       visit("reason", self.reason); visit("since", self.since);
//     }
//   };
//
// Written: keys in the list's order; a field that is empty ("", [], {}, 0, false, null) is left out
// if it is so in a new object too, and reads back as that. Instants are RFC 3339, durations
// milliseconds, enums their names (EnumNames), byte arrays hex. Reading is lenient to unknown
// fields and strict to wrong types.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace showcaller {

// Names of an enum whose values run from 0: template <> struct EnumNames<Phase> { static constexpr
// std::array names{...}; };
template <class E>
struct EnumNames;

template <class E>
constexpr std::string_view enum_name(E value) {
  return EnumNames<E>::names[std::size_t(value)];
}
template <class E>
constexpr std::optional<E> enum_from(std::string_view name) {
  for (std::size_t i = 0; i < EnumNames<E>::names.size(); ++i) {
    if (EnumNames<E>::names[i] == name) return E(i);
  }
  return std::nullopt;
}

namespace fields_detail {

struct AnyVisit {
  template <class T>
  void operator()(std::string_view, T&&) const {}
};
template <class T>
concept HasFields = requires(T& t) { T::fields(t, AnyVisit{}); };
template <class T>
concept IsEnum = std::is_enum_v<T>;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;
template <class T>
inline constexpr bool is_pair = false;
template <class A, class B>
inline constexpr bool is_pair<std::pair<A, B>> = true;

template <class T>
bool is_empty(const T& value) {
  if constexpr (std::is_same_v<T, bool>)
    return !value;
  else if constexpr (std::is_arithmetic_v<T>)
    return value == T{};
  else if constexpr (std::is_same_v<T, std::string> || is_vector<T> || is_map<T>)
    return value.empty();
  else if constexpr (is_optional<T>)
    return !value.has_value();
  else if constexpr (std::is_same_v<T, json::object>)
    return value.empty();
  else if constexpr (std::is_same_v<T, json::value>)
    return value.is_null();
  else if constexpr (std::is_same_v<T, Duration>)
    return value.count() == 0;
  else if constexpr (std::is_same_v<T, Instant>)
    return to_ms(value) == 0;
  else
    return false;
}

// Which fields of a T may be left out when they are empty: those that are empty in a new T too, for
// that is what a reader makes of a field that is absent.
template <class T>
const std::vector<bool>& empty_by_default() {
  static const std::vector<bool> flags = [] {
    std::vector<bool> out;
    const T fresh{};
    T::fields(fresh,
              [&out](std::string_view, const auto& field) { out.push_back(is_empty(field)); });
    return out;
  }();
  return flags;
}

}  // namespace fields_detail

// "2026-12-18T18:00:00.250Z", faster than format_instant and always with the fraction when there is
// one.
void append_instant(std::string* out, Instant t);

template <class T>
void append_json(std::string* out, const T& value) {
  using namespace fields_detail;
  if constexpr (std::is_same_v<T, bool>) {
    *out += value ? "true" : "false";
  } else if constexpr (std::is_integral_v<T>) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    out->append(buffer, std::size_t(end - buffer));
  } else if constexpr (std::is_floating_point_v<T>) {
    *out += to_json_text(json::value(value));
  } else if constexpr (std::is_same_v<T, std::string>) {
    append_json_string(out, value);
  } else if constexpr (std::is_same_v<T, Instant>) {
    append_instant(out, value);
  } else if constexpr (std::is_same_v<T, Duration>) {
    append_json(out, value.count());
  } else if constexpr (std::is_same_v<T, Sha256>) {
    append_json_string(out, to_hex(value));
  } else if constexpr (std::is_same_v<T, json::object> || std::is_same_v<T, json::value>) {
    *out += to_json_text(json::value(value));
  } else if constexpr (IsEnum<T>) {
    append_json_string(out, enum_name(value));
  } else if constexpr (is_optional<T>) {
    if (value)
      append_json(out, *value);
    else
      *out += "null";
  } else if constexpr (is_vector<T>) {
    *out += '[';
    bool first = true;
    for (const auto& item : value) {
      if (!std::exchange(first, false)) *out += ',';
      append_json(out, item);
    }
    *out += ']';
  } else if constexpr (is_map<T>) {
    *out += '{';
    bool first = true;
    for (const auto& [key, item] : value) {
      if (!std::exchange(first, false)) *out += ',';
      append_json_string(out, key);
      *out += ':';
      append_json(out, item);
    }
    *out += '}';
  } else if constexpr (is_pair<T>) {
    *out += '[';
    append_json(out, value.first);
    *out += ',';
    append_json(out, value.second);
    *out += ']';
  } else {
    static_assert(HasFields<const T> || HasFields<T>);
    *out += '{';
    bool first = true;
    std::size_t at = 0;
    const std::vector<bool>& omitted = empty_by_default<T>();
    T::fields(value, [&](std::string_view key, const auto& field) {
      if (omitted[at++] && is_empty(field)) return;
      if (!std::exchange(first, false)) *out += ',';
      *out += '"';
      *out += key;
      *out += "\":";
      append_json(out, field);
    });
    *out += '}';
  }
}

template <class T>
[[nodiscard]] bool read_json(const json::value& from, T* to) {
  using namespace fields_detail;
  if constexpr (std::is_same_v<T, bool>) {
    if (!from.is_bool()) return false;
    *to = from.get_bool();
  } else if constexpr (std::is_integral_v<T>) {
    if (from.is_int64())
      *to = T(from.get_int64());
    else if (from.is_uint64())
      *to = T(from.get_uint64());
    else
      return false;
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!from.is_number()) return false;
    *to = from.to_number<T>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!from.is_string()) return false;
    to->assign(from.get_string().data(), from.get_string().size());
  } else if constexpr (std::is_same_v<T, Instant>) {
    if (!from.is_string()) return false;
    const auto parsed = parse_instant(from.get_string());
    if (!parsed) return false;
    *to = *parsed;
  } else if constexpr (std::is_same_v<T, Duration>) {
    std::int64_t ms = 0;
    if (!read_json(from, &ms)) return false;
    *to = Duration(ms);
  } else if constexpr (std::is_same_v<T, Sha256>) {
    if (!from.is_string()) return false;
    const auto bytes = from_hex(from.get_string());
    if (!bytes || bytes->size() != to->size()) return false;
    std::copy(bytes->begin(), bytes->end(), to->begin());
  } else if constexpr (std::is_same_v<T, json::object>) {
    if (!from.is_object()) return false;
    *to = from.get_object();
  } else if constexpr (std::is_same_v<T, json::value>) {
    *to = from;
  } else if constexpr (IsEnum<T>) {
    if (!from.is_string()) return false;
    const auto value = enum_from<T>(from.get_string());
    if (!value) return false;
    *to = *value;
  } else if constexpr (is_optional<T>) {
    if (from.is_null()) {
      to->reset();
    } else if (!read_json(from, &to->emplace())) {
      return false;
    }
  } else if constexpr (is_vector<T>) {
    if (!from.is_array()) return false;
    to->clear();
    to->reserve(from.get_array().size());
    for (const auto& item : from.get_array()) {
      if (!read_json(item, &to->emplace_back())) return false;
    }
  } else if constexpr (is_map<T>) {
    if (!from.is_object()) return false;
    to->clear();
    for (const auto& member : from.get_object()) {
      if (!read_json(member.value(), &(*to)[std::string(member.key())])) return false;
    }
  } else if constexpr (is_pair<T>) {
    return from.is_array() && from.get_array().size() == 2 &&
           read_json(from.get_array()[0], &to->first) &&
           read_json(from.get_array()[1], &to->second);
  } else {
    if (!from.is_object()) return false;
    const json::object& object = from.get_object();
    bool good = true;
    T::fields(*to, [&](std::string_view key, auto& field) {
      if (const json::value* value = object.if_contains(key))
        good = good && read_json(*value, &field);
    });
    return good;
  }
  return true;
}

template <class T>
std::string to_json_text_of(const T& value) {
  std::string out;
  append_json(&out, value);
  return out;
}

}  // namespace showcaller
