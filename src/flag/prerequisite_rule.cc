// SPDX-License-Identifier: Apache-2.0
#include "flag/prerequisite_rule.h"

#include "flag/context.h"

namespace showcaller {
namespace {

// Evaluators may refer to one another, not to themselves; a circle is left as it is written, and
// does not compile.
constexpr int kDepthMax = 64;

json::value op(std::string_view name, json::array arguments) {
  return json::object{{name, std::move(arguments)}};
}

json::value attribute(std::string_view path) {
  return json::object{{"var", path}};
}

class Pinning {
 public:
  Pinning(std::string_view flag, const json::object& evaluators)
      : flag_(flag), evaluators_(evaluators) {}

  json::value rule(const json::value& from, int depth) const {
    if (depth > kDepthMax) return from;
    if (const auto* list = from.if_array()) {
      json::array out;
      for (const json::value& each : *list) out.push_back(rule(each, depth + 1));
      return out;
    }
    const auto* object = from.if_object();
    if (object == nullptr || object->size() != 1) return from;
    const std::string_view name = object->begin()->key();
    const json::value& given = object->begin()->value();
    if (name == "$ref" && given.is_string()) {
      const json::value* found = evaluators_.if_contains(given.get_string());
      return found != nullptr ? rule(*found, depth + 1) : from;
    }
    if (name == "var") return names_flag_key(given) ? json::value(flag_) : from;
    json::value inner = rule(given, depth + 1);
    if (name == "fractional" || name == "rollout") return share(name, std::move(inner));
    return json::object{{name, std::move(inner)}};
  }

 private:
  static bool names_flag_key(const json::value& given) {
    const auto* list = given.if_array();
    const json::value& path = list != nullptr && !list->empty() ? (*list)[0] : given;
    return path == "$flagd.flagKey";
  }

  // What begins the arguments is a bucket, or a time: nothing says what to bucket by.
  static bool names_nothing(const json::value& first) {
    return first.is_array() || first.is_number() || first.is_null();
  }

  json::value share(std::string_view name, json::value inner) const {
    if (!inner.is_array() || inner.get_array().empty()) return json::object{{name, inner}};
    json::array arguments = inner.get_array();
    const json::value by = arguments[0];
    if (by.is_null()) arguments.erase(arguments.begin());
    if (names_nothing(by)) return by_flag(name, std::move(arguments));
    const json::value as_written = op(name, arguments);
    const auto* expression = by.if_object();
    const bool is_text = by.is_string() || (expression != nullptr && expression->contains("cat"));
    if (is_text) return as_written;
    // An attribute that is not there counts as none.
    arguments.erase(arguments.begin());
    return op("if", {op("==", {by, nullptr}), by_flag(name, std::move(arguments)), as_written});
  }

  // By the flag's key and the targeting key, which must be text, else nothing can be chosen.
  json::value by_flag(std::string_view name, json::array arguments) const {
    const json::value key = attribute(kTargetingKey);
    arguments.insert(arguments.begin(), op("cat", {json::value(flag_), key}));
    return op("if", {op("===", {op("cat", {key}), key}), op(name, std::move(arguments)), nullptr});
  }

  std::string_view flag_;
  const json::object& evaluators_;
};

}  // namespace

json::value pinned_rule(const json::value& rule, std::string_view flag,
                        const json::object& evaluators) {
  return Pinning(flag, evaluators).rule(rule, 0);
}

json::value gives_variant(const json::object& definition, std::string_view flag,
                          std::string_view variant, const json::object& evaluators) {
  if (get_string(definition, "state") == "DISABLED") return false;
  const bool is_default = get_string(definition, "defaultVariant") == variant;
  const json::value* targeting = definition.if_contains("targeting");
  const bool has_rule =
      targeting != nullptr && targeting->is_object() && !targeting->get_object().empty();
  if (!has_rule) return is_default;
  // As text, for `true` names the variant "true"; nothing becomes "", which names none.
  const json::value given = op("cat", {pinned_rule(*targeting, flag, evaluators)});
  if (!is_default) return op("==", {given, variant});
  return op("in", {given, json::array{"", variant}});
}

}  // namespace showcaller
