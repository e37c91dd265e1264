// SPDX-License-Identifier: Apache-2.0
// The types a manifest's values can have. One Value says how to read it, what to tell who wrote
// something else, and what its JSON Schema is.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "base/time.h"
#include "model/manifest/quantity.h"
#include "model/manifest/reader.h"

namespace showcaller::manifest {

constexpr std::size_t kListItemsMax = 10'000;

// Collects the definitions that a schema refers to.
struct SchemaSet {
  json::object definitions;
};

// What a value is called and looks like.
struct ValueInfo {
  std::string expected;  // "a duration such as 10m"
  std::function<json::object(SchemaSet&)> schema;

  // Out of line: the tables of all manifests make and move values.
  ValueInfo(std::string what, std::function<json::object(SchemaSet&)> as_schema);
  ValueInfo(const ValueInfo&);
  ValueInfo(ValueInfo&&) noexcept;
  ValueInfo& operator=(const ValueInfo&);
  ValueInfo& operator=(ValueInfo&&) noexcept;
  ~ValueInfo();
};

template <class T>
struct Value : ValueInfo {
  // False: nothing was read and a finding says why. May put the node into its canonical form (12 →
  // "12").
  using Read = std::function<bool(Reader&, Node&, T*)>;
  Read read;

  Value(std::string what, Read reads, std::function<json::object(SchemaSet&)> as_schema)
      : ValueInfo(std::move(what), std::move(as_schema)), read(std::move(reads)) {}
};

// A value given by text that `parse` understands, or does not (nullopt).
template <class T>
Value<T> text_value(std::string expected, std::function<std::optional<T>(std::string_view)> parse,
                    json::object schema) {
  return {expected,
          [expected, parse](Reader& reader, Node& node, T* out) {
            if (node.is_scalar() && node.kind != NodeKind::Null) {
              if (auto value = parse(node.text)) {
                *out = std::move(*value);
                return true;
              }
            }
            reader.wrong_type(node, expected);
            return false;
          },
          [schema](SchemaSet&) { return schema; }};
}

Value<std::string> text();       // at least one character, at most 4096
Value<std::string> dns_label();  // [a-z0-9]([a-z0-9-]*[a-z0-9])?, at most 63
Value<std::string>
dotted_name();  // session.crashed, raid-entrance: at most 63, for metrics and flags
Value<std::string> bare_text(std::string expected);  // a number's text is taken as it stands
// Also a number's or a boolean's text as it stands: arguments, environment, labels.
Value<std::string> any_scalar_text();
Value<std::string> version();        // 2.4.0, 17
Value<std::string> alert_subject();  // "Service/NAME", "Fleet/NAME", "LiveEvent/NAME"
Value<std::string> zone_name();      // an IANA time zone that exists
Value<bool> boolean();
Value<int> integer(int min, int max);
Value<std::int64_t> big_integer(std::int64_t min);
Value<double> number(double min, double max);
Value<Duration> duration();
Value<Duration> positive_duration();
Value<Duration> whole_seconds();  // at least one
// What a duration looks like, for the patterns of a schema.
inline constexpr std::string_view kDurationPattern = R"(([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+)";
Value<std::int64_t> percent();  // ppm
Value<std::int64_t> rate_per_minute();
Value<std::int64_t> player_count();
Value<double> multiple();
Value<double> bound();
Value<std::variant<Ratio, Points>> margin();
Value<std::int64_t> byte_count();
Value<Instant> instant();  // RFC 3339
Value<json::value> any_json();
Value<json::object> any_object();
Value<json::value> json_logic();

template <class E>
Value<E> choice(std::vector<std::pair<std::string, E>> words) {
  std::vector<std::string> known;
  for (const auto& [word, value] : words) known.push_back(word);
  const std::string expected = fmt::format("one of {}", fmt::join(known, ", "));
  return {expected,
          [=](Reader& reader, Node& node, E* out) {
            if (!node.is_string()) {
              reader.wrong_type(node, expected);
              return false;
            }
            const auto found =
                std::ranges::find(words, node.text, [](const auto& word) { return word.first; });
            if (found != words.end()) {
              *out = found->second;
              return true;
            }
            reader.error(node.position,
                         fmt::format("{} is not {}", describe(node).substr(11), expected),
                         nearest_hint(node.text, known));
            return false;
          },
          [=](SchemaSet&) {
            json::array values;
            for (const auto& word : known) values.push_back(json::string(word));
            return json::object{{"type", "string"}, {"enum", std::move(values)}};
          }};
}

template <class T>
Value<std::vector<T>> list(Value<T> item, std::size_t max = kListItemsMax) {
  return {"a list",
          [=](Reader& reader, Node& node, std::vector<T>* out) {
            if (!node.is_sequence()) {
              reader.wrong_type(
                  node, "a list of items, each " + item.expected,
                  node.is_scalar() ? "write it as [" + node.text.substr(0, 64) + "]" : "");
              return false;
            }
            if (node.items.size() > max && !reader.trusted) {
              reader.error(node.position,
                           fmt::format("{} items; at most {} are allowed", node.items.size(), max));
              return false;
            }
            out->clear();
            for (std::size_t i = 0; i < node.items.size(); ++i) {
              const Reader::Inside inside(&reader, i);
              if (reader.is_placeholder(node.items[i])) continue;
              T value{};
              item.read(reader, node.items[i], &value);
              out->push_back(
                  std::move(value));  // Even when it is wrong: the indices stay those of the file.
            }
            return true;
          },
          [=](SchemaSet& set) {
            return json::object{{"type", "array"},
                                {"maxItems", static_cast<std::int64_t>(max)},
                                {"items", item.schema(set)}};
          }};
}

template <class T>
Value<std::map<std::string, T>> map_of(Value<T> item) {
  return {"a mapping",
          [=](Reader& reader, Node& node, std::map<std::string, T>* out) {
            if (!node.is_mapping()) {
              reader.wrong_type(node, "a mapping of names, each with " + item.expected);
              return false;
            }
            out->clear();
            for (Entry& entry : node.entries) {
              const Reader::Inside inside(&reader, entry.key);
              if (reader.is_placeholder(entry.value)) continue;
              T value{};
              if (item.read(reader, entry.value, &value)) out->emplace(entry.key, std::move(value));
            }
            return true;
          },
          [=](SchemaSet& set) {
            return json::object{{"type", "object"}, {"additionalProperties", item.schema(set)}};
          }};
}

}  // namespace showcaller::manifest
