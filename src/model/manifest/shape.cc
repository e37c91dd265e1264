// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/shape.h"

#include "base/suggest.h"

namespace showcaller::manifest {

Node default_node(const std::string& text) {
  if (text.starts_with('[') || text.starts_with('{')) {
    const auto value = parse_json(text);
    CHECK(value.has_value());
    return from_json(*value);
  }
  Node node;
  node.text = text;
  node.plain = true;
  node.kind = core_kind(text);
  return node;
}

json::object reference_schema(const ShapeInfo& shape, SchemaSet& set) {
  const json::object reference{{"$ref", "#/definitions/" + shape.name}};
  if (set.definitions.contains(shape.name)) return reference;
  set.definitions[shape.name] =
      nullptr;  // Stands while the fields are described: shapes may contain themselves.
  json::object properties;
  json::array required, either;
  for (const FieldInfo* field : shape.infos()) {
    json::object property = field->schema(set);
    std::string words = field->says;
    if (field->by_default) words += " Default: " + *field->by_default + ".";
    if (!field->derived.empty()) words += " Default: " + field->derived + ".";
    if (property.contains("$ref")) {
      // Draft 7 ignores what stands beside a $ref.
      property = {{"description", std::move(words)}, {"allOf", json::array{std::move(property)}}};
    } else {
      property["description"] = std::move(words);
    }
    properties[field->key] = std::move(property);
    if (!field->required) continue;
    if (field->or_key.empty()) {
      required.push_back(json::string(field->key));
    } else {
      for (const std::string& key : {field->key, field->or_key})
        either.push_back(json::object{{"required", json::array{json::string(key)}}});
    }
  }
  json::object schema{{"type", "object"},
                      {"description", shape.says},
                      {"additionalProperties", false},
                      {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  if (!either.empty()) schema["anyOf"] = std::move(either);
  set.definitions[shape.name] = std::move(schema);
  return reference;
}

void report_unknown_key(Reader& reader, const Node& node, const Entry& entry,
                        const ShapeInfo& shape) {
  std::vector<std::string> known;
  for (const FieldInfo* field : shape.infos()) known.push_back(field->key);
  {
    const Reader::Inside inside(&reader, entry.key);
    reader.error(entry.position,
                 fmt::format("the key '{}' is not known here", entry.key.substr(0, 64)),
                 reader.is_full() ? "" : suggestion(entry.key, known));
  }
  const auto meant = reader.is_full() ? std::nullopt : nearest_word(entry.key, known);
  if (!meant || node.entry(*meant) != nullptr) return;
  const Reader::Inside inside(&reader, *meant);
  reader.leave_open();
}

}  // namespace showcaller::manifest
