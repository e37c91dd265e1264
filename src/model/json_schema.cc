// SPDX-License-Identifier: Apache-2.0
#include "model/json_schema.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
// Else it ends the program.
#define VALIJSON_USE_EXCEPTIONS 1
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace showcaller {

struct JsonSchema::Compiled {
  valijson::Schema schema;
  bool has_patterns = false;
};

namespace {

// The library matches patterns by recursion, a step a character.
constexpr std::size_t kMatchedTextMax = 4'096;
constexpr std::size_t kSchemaBytesMax = 256 << 10;

using Adapter = valijson::adapters::BoostJsonAdapter;

template <class Visit>
bool any_part(const json::value& value, const Visit& visit) {
  if (visit(value)) return true;
  if (const auto* list = value.if_array())
    return std::ranges::any_of(*list,
                               [&](const json::value& each) { return any_part(each, visit); });
  if (const auto* object = value.if_object())
    return std::ranges::any_of(*object,
                               [&](const auto& each) { return any_part(each.value(), visit); });
  return false;
}

Status check_references(const json::value& schema) {
  std::string foreign;
  any_part(schema, [&](const json::value& part) {
    const auto* object = part.if_object();
    const json::value* reference = object ? object->if_contains("$ref") : nullptr;
    if (!reference || !reference->is_string()) return false;
    const std::string_view to = reference->get_string();
    if (!to.starts_with("#/")) foreign = to;
    return !foreign.empty();
  });
  if (foreign.empty()) return {};
  return fail(ErrorCode::Invalid,
              fmt::format("the schema refers to '{}'; only its own parts can be referred to, as "
                          "#/definitions/NAME",
                          foreign));
}

// A schema that applies itself to the very same value would never come to an end.
class Circles {
 public:
  explicit Circles(const json::value& root) : root_(root) {}

  bool any(const json::value& part) {
    const auto* object = part.if_object();
    if (!object || done_.contains(object)) return false;
    if (!under_way_.insert(object).second) return true;
    bool found = false;
    for (const auto& [key, value] : *object) found = found || applies_in_circle(key, value);
    under_way_.erase(object);
    done_.insert(object);
    return found;
  }

 private:
  bool applies_in_circle(std::string_view key, const json::value& value) {
    if (key == "$ref" && value.is_string()) {
      boost::system::error_code error;
      const json::value* target =
          root_.find_pointer(std::string_view(value.get_string()).substr(1), error);
      return target && any(*target);
    }
    if (key == "not" || key == "if" || key == "then" || key == "else") return any(value);
    const bool list = key == "allOf" || key == "anyOf" || key == "oneOf";
    if (!list || !value.is_array()) return false;
    return std::ranges::any_of(value.get_array(),
                               [&](const json::value& each) { return any(each); });
  }

  const json::value& root_;
  std::set<const json::object*> under_way_, done_;
};

Status check_circles(const json::value& schema) {
  Circles circles(schema);
  if (!any_part(schema, [&](const json::value& part) { return circles.any(part); })) return {};
  return fail(ErrorCode::Invalid,
              "a part of the schema refers to itself in a circle; it would never "
              "come to an end");
}

bool has_patterns(const json::value& schema) {
  return any_part(schema, [](const json::value& part) {
    const auto* object = part.if_object();
    return object && (object->contains("pattern") || object->contains("patternProperties"));
  });
}

bool has_long_text(const json::value& document) {
  return any_part(document, [](const json::value& part) {
    if (part.is_string()) return part.get_string().size() > kMatchedTextMax;
    const auto* object = part.if_object();
    return object && std::ranges::any_of(*object, [](const auto& member) {
             return member.key().size() > kMatchedTextMax;
           });
  });
}

// "<root>", "[drops]", "[3]" → "/drops/3", with "~" and "/" escaped.
std::string pointer_of(const std::vector<std::string>& context) {
  std::string out;
  for (std::size_t i = 1; i < context.size(); ++i) {
    std::string_view step = context[i];
    if (step.starts_with('[') && step.ends_with(']')) step = step.substr(1, step.size() - 2);
    out += '/';
    for (const char c : step) {
      if (c == '~')
        out += "~0";
      else if (c == '/')
        out += "~1";
      else
        out += c;
    }
  }
  return out;
}

// That a part is not as it should be is told by the part.
std::vector<SchemaFinding> deepest(const std::vector<SchemaFinding>& all) {
  std::vector<SchemaFinding> out;
  for (const SchemaFinding& each : all) {
    const bool inner = each.rule.starts_with("Failed to validate") &&
                       std::ranges::any_of(all, [&](const SchemaFinding& other) {
                         return other.pointer.size() > each.pointer.size() &&
                                other.pointer.starts_with(each.pointer + "/");
                       });
    if (!inner && std::ranges::find(out, each) == out.end() && out.size() < kSchemaFindingsMax)
      out.push_back(each);
  }
  return out;
}

}  // namespace

Result<JsonSchema> JsonSchema::compile(const json::value& schema) {
  if (!schema.is_object())
    return fail(ErrorCode::Invalid, "a schema is an object, such as {type: object}");
  if (to_json_text(schema).size() > kSchemaBytesMax)
    return fail(ErrorCode::Limit, "the schema is larger than 256 KiB; leave out what is not used");
  TRY(check_references(schema));
  TRY(check_circles(schema));
  auto compiled = std::make_shared<Compiled>();
  compiled->has_patterns = has_patterns(schema);
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(Adapter(schema), compiled->schema);
  } catch (const std::exception& error) {
    return fail(ErrorCode::Invalid, fmt::format("it is no JSON Schema: {}", error.what()));
  }
  return JsonSchema(std::move(compiled));
}

std::vector<SchemaFinding> JsonSchema::check(const json::value& document) const {
  if (compiled_->has_patterns && has_long_text(document)) {
    return {{"", fmt::format("a text is longer than {} bytes, and the schema has patterns to hold "
                             "it against",
                             kMatchedTextMax)}};
  }
  valijson::ValidationResults results;
  try {
    valijson::Validator validator(valijson::Validator::kStrongTypes);
    if (validator.validate(compiled_->schema, Adapter(document), &results)) return {};
  } catch (const std::exception& error) {
    return {{"", fmt::format("it can't be held against the schema: {}", error.what())}};
  }
  std::vector<SchemaFinding> all;
  for (const auto& error : results) all.push_back({pointer_of(error.context), error.description});
  if (all.empty()) all.push_back({"", "it is not as the schema says"});
  return deepest(all);
}

}  // namespace showcaller
