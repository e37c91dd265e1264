// SPDX-License-Identifier: Apache-2.0
// JSON as we write and read it: Boost.JSON values, numbers in the shortest exact form, limits on
// what is parsed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/result.h"

namespace showcaller {

namespace json = boost::json;

struct JsonLimits {
  std::size_t bytes_max = 16u << 20;
  std::size_t depth_max = 64;
};

// For text that we wrote ourselves: what was accepted from others, in whatever surrounds it, can be
// read again.
inline constexpr JsonLimits kOwnJson{.bytes_max = std::size_t(1) << 30, .depth_max = 256};

// Keys in their stored order, no spaces, doubles by std::to_chars; a non-finite double is null.
std::string to_json_text(const json::value& value);
// The same with sorted keys: equal values give equal bytes. For hashes.
std::string to_canonical_json_text(const json::value& value);
// Two spaces a level, for people.
std::string to_pretty_json_text(const json::value& value);
// Errors carry line:column. The value lives in `storage`.
Result<json::value> parse_json(std::string_view text, const JsonLimits& limits = {},
                               json::storage_ptr storage = {});
// A JSON string with its quotes. A byte that is no UTF-8 becomes U+FFFD: what is written can be
// read.
void append_json_string(std::string* out, std::string_view text);

// Readers for objects whose shape we wrote ourselves (records, snapshots): absent or of another
// type gives the fallback.
std::string get_string(const json::object& object, std::string_view key,
                       std::string_view fallback = {});
std::int64_t get_int(const json::object& object, std::string_view key, std::int64_t fallback = 0);
double get_double(const json::object& object, std::string_view key, double fallback = 0);
bool get_bool(const json::object& object, std::string_view key, bool fallback = false);
const json::value* get_if(const json::object& object, std::string_view key);

}  // namespace showcaller
