// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/schema.h"

#include <set>

#include <fmt/format.h>

#include "model/manifest/manifest.h"
#include "model/manifest/shapes.h"

namespace showcaller {
namespace {

using manifest::FieldInfo;
using manifest::SchemaSet;
using manifest::ShapeInfo;

// What is written most comes first.
constexpr Kind kOrder[] = {Kind::LiveEvent, Kind::Pipeline, Kind::Drill,          Kind::Fleet,
                           Kind::Flag,      Kind::Config,   Kind::Metric,         Kind::Service,
                           Kind::Probe,     Kind::Policy,   Kind::ExclusionGroup, Kind::Holdout,
                           Kind::Team};
static_assert(std::size(kOrder) == kKinds);

json::object document_schema(json::value kind, json::value spec, SchemaSet& set) {
  json::object metadata = manifest::reference_schema(manifest::metadata_shape(), set);
  return {{"$schema", "http://json-schema.org/draft-07/schema#"},
          {"type", "object"},
          {"required", json::array{"apiVersion", "kind", "metadata", "spec"}},
          {"additionalProperties", false},
          {"properties",
           json::object{{"apiVersion", json::object{{"const", json::string(kApiVersion)}}},
                        {"kind", std::move(kind)},
                        {"metadata", std::move(metadata)},
                        {"spec", std::move(spec)}}}};
}

json::string kind_name(Kind kind) {
  return json::string(to_string(kind));
}

void describe_shape(const ShapeInfo& shape, std::string_view title,
                    std::set<std::string>* described, std::string* out) {
  if (!described->insert(shape.name).second) return;
  *out += fmt::format("\n{}\n\n{}\n\n| key | value | meaning | default |\n|---|---|---|---|\n",
                      title, shape.says);
  std::vector<const FieldInfo*> children;
  for (const FieldInfo& field : shape.fields()) {
    std::string by_default = field.by_default ? "`" + *field.by_default + "`" : field.derived;
    if (field.required) by_default = "required";
    std::string expected =
        field.child == nullptr
            ? field.expected
            : fmt::format("{}{}", field.child_is_list ? "a list of " : "", field.child->name);
    for (std::string* cell : {&expected, &by_default}) {
      for (std::size_t at = 0; (at = cell->find('|', at)) != std::string::npos; at += 2)
        cell->insert(at, "\\");
    }
    *out += fmt::format("| `{}` | {} | {} | {} |\n", field.key, expected, field.says, by_default);
    if (field.child != nullptr) children.push_back(&field);
  }
  for (const FieldInfo* field : children) {
    describe_shape(*field->child, fmt::format("#### {} (`{}`)", field->child->name, field->key),
                   described, out);
  }
}

}  // namespace

json::object manifest_schema() {
  SchemaSet set;
  json::array names, cases;
  for (const Kind kind : kOrder) {
    names.push_back(kind_name(kind));
    json::object is_kind{
        {"properties", json::object{{"kind", json::object{{"const", kind_name(kind)}}}}},
        {"required", json::array{"kind"}}};
    json::object then{{"properties", json::object{{"spec", manifest::reference_schema(
                                                               manifest::shape_of(kind), set)}}}};
    cases.push_back(json::object{{"if", std::move(is_kind)}, {"then", std::move(then)}});
  }
  json::object schema = document_schema(json::object{{"enum", std::move(names)}},
                                        json::object{{"type", "object"}}, set);
  schema["title"] = "A Showcaller manifest";
  schema["allOf"] = std::move(cases);
  schema["definitions"] = std::move(set.definitions);
  return schema;
}

json::object manifest_schema(Kind kind) {
  SchemaSet set;
  json::object spec = manifest::reference_schema(manifest::shape_of(kind), set);
  json::object schema =
      document_schema(json::object{{"const", kind_name(kind)}}, std::move(spec), set);
  schema["title"] = json::string("A Showcaller " + std::string(to_string(kind)));
  schema["definitions"] = std::move(set.definitions);
  return schema;
}

std::string manifest_reference() {
  std::string out;
  for (const Kind kind : kOrder) {
    std::set<std::string> described;
    describe_shape(manifest::shape_of(kind), fmt::format("### {}: `spec`", to_string(kind)),
                   &described, &out);
  }
  return out;
}

}  // namespace showcaller
