// SPDX-License-Identifier: Apache-2.0
#include "wire/openapi.h"

#include "wire/api_routes.h"

namespace showcaller {
namespace {

json::object schema_ref(std::string_view name) {
  if (name.empty()) return {};
  return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

// "{rest...}" is a template OpenAPI does not know; it is told as one parameter.
std::string openapi_path(std::string_view pattern) {
  std::string path(pattern);
  if (const auto at = path.find("...}"); at != path.npos) path.erase(at, 3);
  return path;
}

json::array parameters_of(const Route& route) {
  json::array out;
  const auto path = openapi_path(route.pattern);
  for (auto open = path.find('{'); open != path.npos; open = path.find('{', open + 1)) {
    const auto close = path.find('}', open);
    out.push_back(json::object{{"name", path.substr(open + 1, close - open - 1)},
                               {"in", "path"},
                               {"required", true},
                               {"schema", {{"type", "string"}}}});
  }
  for (const auto& param : route.params) {
    out.push_back(json::object{{"name", param.name},
                               {"in", param.in},
                               {"description", param.help},
                               {"required", param.required},
                               {"schema", {{"type", param.type}}}});
  }
  return out;
}

json::object content_of(std::string_view type, std::string_view schema) {
  return {{type, json::object{{"schema", schema_ref(schema)}}}};
}

json::object body_of(const Route& route) {
  json::object content;
  if (route.body_schema == "ManifestText") {
    content = {{"application/yaml", json::object{{"schema", json::object{{"type", "string"}}}}},
               {"application/json", json::object{{"schema", schema_ref("ManifestText")}}}};
  } else {
    content = content_of("application/json", route.body_schema);
    for (const std::string& type : route.body_types)
      content.emplace(
          type, json::object{{"schema", schema_ref(type == "application/json" ? route.body_schema
                                                                              : std::string())}});
  }
  return {{"required", route.body == BodyRule::Required}, {"content", std::move(content)}};
}

json::object answers_of(const Route& route) {
  json::object answer{{"description", "Done."}};
  if (route.answer_status != 204)
    answer["content"] = content_of(route.answer_type, route.answer_schema);
  if (!route.other_answer_type.empty())
    answer["content"].as_object().emplace(route.other_answer_type,
                                          json::object{{"schema", schema_ref("")}});
  json::object answers{{std::to_string(route.answer_status), std::move(answer)}};
  for (const RouteAnswer& other : route.other_answers) {
    json::object row{{"description", other.what}};
    if (!other.schema.empty())
      row["content"] = content_of("application/json", other.schema);
    else if (other.status >= 400)
      row["content"] = content_of("application/problem+json", "Problem");
    answers[std::to_string(other.status)] = std::move(row);
  }
  answers["default"] = json::object{{"$ref", "#/components/responses/Problem"}};
  return answers;
}

json::object operation_of(const Route& route) {
  json::object operation{
      {"operationId", route.id}, {"tags", json::array{route.tag}}, {"summary", route.summary}};
  if (auto parameters = parameters_of(route); !parameters.empty())
    operation["parameters"] = std::move(parameters);
  if (route.body != BodyRule::None) operation["requestBody"] = body_of(route);
  operation["responses"] = answers_of(route);
  if (route.access == kPublic) {
    operation["security"] = json::array();
  } else {
    operation["x-access"] = route.access;
  }
  return operation;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return text;
}

}  // namespace

json::object openapi_document(const Router& router, std::string_view version) {
  json::object paths;
  for (const auto& route : router.routes()) {
    auto& item = paths[openapi_path(route->pattern)];
    if (!item.is_object()) item = json::object();
    item.as_object()[lower(route->method)] = operation_of(*route);
  }
  return {
      {"openapi", "3.1.0"},
      {"info",
       json::object{{"title", "Showcaller"},
                    {"version", version},
                    {"description",
                     "Runs the live operations of an online game. x-access names the verb that the "
                     "token's roles must allow; 'any' is any known token."}}},
      {"security", json::array{json::object{{"bearer", json::array()}}}},
      {"paths", std::move(paths)},
      {"components",
       json::object{
           {"securitySchemes",
            json::object{{"bearer", json::object{{"type", "http"}, {"scheme", "bearer"}}}}},
           {"responses",
            json::object{
                {"Problem",
                 json::object{{"description", "What went wrong, and what to do."},
                              {"content", content_of("application/problem+json", "Problem")}}}}},
           {"schemas", api_schemas()}}},
  };
}

json::object openapi_document(std::string_view version) {
  Router router({});
  add_api_routes(&router, {});
  return openapi_document(router, version);
}

}  // namespace showcaller
