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
  for (const FieldInfo& field : shape.fields()) {
    json::object property = field.schema(set);
    std::string words = field.says;
    if (field.by_default) words += " Default: " + *field.by_default + ".";
    if (!field.derived.empty()) words += " Default: " + field.derived + ".";
    if (property.contains("$ref")) {
      // Draft 7 ignores what stands beside a $ref.
      property = {{"description", std::move(words)}, {"allOf", json::array{std::move(property)}}};
    } else {
      property["description"] = std::move(words);
    }
    properties[field.key] = std::move(property);
    if (!field.required) continue;
    if (field.or_key.empty()) {
      required.push_back(json::string(field.key));
    } else {
      for (const std::string& key : {field.key, field.or_key})
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
  for (const FieldInfo& field : shape.fields()) known.push_back(field.key);
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

FieldInfo::FieldInfo() = default;
FieldInfo::FieldInfo(const FieldInfo&) = default;
FieldInfo::FieldInfo(FieldInfo&&) noexcept = default;
FieldInfo& FieldInfo::operator=(const FieldInfo&) = default;
FieldInfo& FieldInfo::operator=(FieldInfo&&) noexcept = default;
FieldInfo::~FieldInfo() = default;

FieldInfo key_of(std::string key, std::string says, ValueInfo value,
                 std::function<bool(Reader&, Node&, void*)> read) {
  FieldInfo out;
  out.key = std::move(key);
  out.says = std::move(says);
  out.expected = std::move(value.expected);
  out.schema = std::move(value.schema);
  out.read = std::move(read);
  return out;
}

ShapeInfo::ShapeInfo(std::string shape_name, std::string meaning, Finish finish)
    : name(std::move(shape_name)), says(std::move(meaning)), finish_(std::move(finish)) {}
ShapeInfo::ShapeInfo(const ShapeInfo&) = default;
ShapeInfo::ShapeInfo(ShapeInfo&&) noexcept = default;
ShapeInfo::~ShapeInfo() = default;

void ShapeInfo::add(FieldInfo field) {
  fields_.push_back(std::move(field));
}

void ShapeInfo::put_defaults(void* out) const {
  std::vector<Finding> findings;
  Reader reader({}, &findings);
  for (const FieldInfo& field : fields_) {
    if (field.by_default) {
      Node node = default_node(*field.by_default);
      const bool read = field.read(reader, node, out);
      CHECK(read && findings.empty());  // A table's default is one of its own values.
    } else if (field.reset) {
      field.reset(out);
    }
  }
}

bool ShapeInfo::read_over(Reader& reader, Node& node, void* out) const {
  if (reader.is_placeholder(node)) return false;
  if (!node.is_mapping()) {
    reader.wrong_type(node, "a mapping", "");
    return false;
  }
  for (Entry& entry : node.entries) {
    const FieldInfo* field = find(entry.key);
    if (field == nullptr) {
      // A key that another version knew was accepted, and what it did is in the records.
      if (!reader.trusted) report_unknown_key(reader, node, entry, *this);
      continue;
    }
    const Reader::Inside inside(&reader, entry.key);
    if (!reader.is_placeholder(entry.value)) field->read(reader, entry.value, out);
  }
  if (reader.in_template) return true;  // Parameters may bring what is missing.
  if (!reader.trusted) report_missing_keys(reader, node);
  if (finish_) finish_(reader, node, out);
  return true;
}

void ShapeInfo::report_missing_keys(Reader& reader, const Node& node) const {
  for (const FieldInfo& field : fields_) {
    if (!field.required || node.entry(field.key) != nullptr) continue;
    if (reader.is_wrong_below(field.key)) continue;  // Misspelt, and told so.
    const Reader::Inside inside(&reader, field.key);
    reader.error(node.position, fmt::format("the key '{}' is missing", field.key),
                 fmt::format("add `{}:` ({})", field.key, field.expected));
  }
}

const FieldInfo* ShapeInfo::find(std::string_view key) const {
  for (const FieldInfo& field : fields_) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

}  // namespace showcaller::manifest
