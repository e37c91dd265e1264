// SPDX-License-Identifier: Apache-2.0
// Folding of conditions. Careful: where JavaScript's conversions could make a difference, the
// answer is Some.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "model/manifest/targeting_words.h"

namespace showcaller::manifest {
namespace {

bool is_constant(const json::value& value) {
  if (value.is_object()) return false;
  if (!value.is_array()) return true;
  return std::ranges::all_of(value.get_array(), is_constant);
}

bool is_truthy_constant(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return false;
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::string:
      return !value.get_string().empty();
    case json::kind::array:
      return !value.get_array().empty();
    case json::kind::object:
      return true;
    default:
      return value.to_number<double>() != 0;
  }
}

// Certain equality or inequality of two constants; nullopt where conversions would decide.
std::optional<bool> surely_equal(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  if (a.is_string() && b.is_string()) return a.get_string() == b.get_string();
  if (a.is_bool() && b.is_bool()) return a.get_bool() == b.get_bool();
  return std::nullopt;
}

// The name in { var: name } or { var: [name] }.
std::optional<std::string> attribute_of(const json::value& value) {
  if (!value.is_object() || value.get_object().size() != 1) return std::nullopt;
  const json::value* var = value.get_object().if_contains("var");
  if (var == nullptr) return std::nullopt;
  if (var->is_array() && var->get_array().size() == 1) var = &var->get_array()[0];
  if (!var->is_string()) return std::nullopt;
  return std::string(var->get_string());
}

// What the terms of a conjunction say about one attribute.
struct Constraint {
  std::optional<std::vector<json::value>> any_of;
  double above = -std::numeric_limits<double>::infinity();
  double below = std::numeric_limits<double>::infinity();
  bool above_included = true;
  bool below_included = true;
  std::vector<json::value> none_of;
};

std::string shown(const json::value& value) {
  return to_json_text(value).substr(0, 48);
}

void restrict_to(Constraint* c, const std::vector<json::value>& values) {
  if (!c->any_of) {
    c->any_of = values;
    return;
  }
  std::erase_if(*c->any_of, [&](const json::value& kept) {
    return std::ranges::all_of(
        values, [&](const json::value& v) { return surely_equal(kept, v) == false; });
  });
}

void restrict_above(Constraint* c, double bound, bool included) {
  if (bound > c->above || (bound == c->above && !included)) {
    c->above = bound;
    c->above_included = included;
  }
}

void restrict_below(Constraint* c, double bound, bool included) {
  if (bound < c->below || (bound == c->below && !included)) {
    c->below = bound;
    c->below_included = included;
  }
}

bool in_range(const Constraint& c, double x) {
  return (c.above_included ? x >= c.above : x > c.above) &&
         (c.below_included ? x <= c.below : x < c.below);
}

bool range_is_empty(const Constraint& c) {
  return c.above > c.below || (c.above == c.below && !(c.above_included && c.below_included));
}

bool can_hold(const Constraint& c) {
  if (range_is_empty(c)) return false;
  if (!c.any_of) return true;
  return std::ranges::any_of(*c.any_of, [&](const json::value& v) {
    if (v.is_number() && !in_range(c, v.to_number<double>())) return false;
    return std::ranges::none_of(c.none_of,
                                [&](const json::value& no) { return surely_equal(v, no) == true; });
  });
}

using Constraints = std::map<std::string, Constraint>;

// a OP b, where one side is an attribute and the other a constant.
void add_comparison(Constraints* all, std::string_view op, const json::value& left,
                    const json::value& right) {
  const auto name = attribute_of(left);
  if (name && is_constant(right)) {
    Constraint& c = (*all)[*name];
    if (op == "==" || op == "===") restrict_to(&c, {right});
    if (op == "!=" || op == "!==") c.none_of.push_back(right);
    if (op == "in" && right.is_array())
      restrict_to(&c, {right.get_array().begin(), right.get_array().end()});
    if (!right.is_number()) return;
    const double bound = right.to_number<double>();
    if (op == "<" || op == "<=") restrict_below(&c, bound, op == "<=");
    if (op == ">" || op == ">=") restrict_above(&c, bound, op == ">=");
    return;
  }
  if (op == "in" || !attribute_of(right) || !is_constant(left)) return;
  const std::string_view turned = op == "<"    ? ">"
                                  : op == "<=" ? ">="
                                  : op == ">"  ? "<"
                                  : op == ">=" ? "<="
                                               : op;
  add_comparison(all, turned, right, left);
}

void add_terms(Constraints* all, const json::value& condition) {
  if (!condition.is_object() || condition.get_object().size() != 1) return;
  const auto& [op, operand] = *condition.get_object().begin();
  if (!operand.is_array()) return;
  const json::array& operands = operand.get_array();
  if (op == "and") {
    for (const json::value& term : operands) add_terms(all, term);
  } else if (operands.size() == 2) {
    add_comparison(all, op, operands[0], operands[1]);
  } else if (operands.size() == 3 && (op == "<" || op == "<=")) {
    add_comparison(all, op, operands[0], operands[1]);
    add_comparison(all, op, operands[1], operands[2]);
  }
}

Folded nobody(std::string why) {
  return {Reach::Nobody, std::move(why)};
}

std::optional<Folded> contradiction(const json::value& condition) {
  Constraints all;
  add_terms(&all, condition);
  for (const auto& [name, c] : all) {
    if (can_hold(c)) continue;
    if (range_is_empty(c)) {
      return nobody(
          fmt::format("'{}' would have to be at least {} and at most {}", name, c.above, c.below));
    }
    return nobody(fmt::format("no value of '{}' meets all of its conditions", name));
  }
  return std::nullopt;
}

Folded fold_and(const json::array& terms) {
  bool everyone = true;
  for (const json::value& term : terms) {
    Folded folded = fold_condition(term);
    if (folded.reach == Reach::Nobody) return folded;
    everyone = everyone && folded.reach == Reach::Everyone;
  }
  if (terms.empty()) return nobody("`and` has no conditions");
  return {everyone ? Reach::Everyone : Reach::Some, {}};
}

Folded fold_or(const json::array& terms) {
  Folded last = nobody("`or` has no conditions");
  bool all_nobody = true;
  for (const json::value& term : terms) {
    Folded folded = fold_condition(term);
    if (folded.reach == Reach::Everyone) return folded;
    all_nobody = all_nobody && folded.reach == Reach::Nobody;
    last = std::move(folded);
  }
  return all_nobody ? last : Folded{};
}

Folded fold_not(const json::value& operand, bool twice) {
  const json::value& inner =
      operand.is_array() && operand.get_array().size() == 1 ? operand.get_array()[0] : operand;
  Folded folded = fold_condition(inner);
  if (twice || folded.reach == Reach::Some) return folded;
  if (folded.reach == Reach::Everyone) return nobody("the negated condition holds for everyone");
  return {Reach::Everyone, {}};
}

Folded fold_comparison(std::string_view op, const json::array& operands) {
  if (op == "in" && operands.size() == 2 && operands[1].is_array()) {
    const json::array& values = operands[1].get_array();
    if (values.empty()) return nobody("the list of `in` is empty");
    const bool found = std::ranges::any_of(
        values, [&](const json::value& v) { return surely_equal(operands[0], v) == true; });
    if (found) return {Reach::Everyone, {}};
    if (!operands[0].is_object() && std::ranges::all_of(values, [&](const json::value& v) {
          return surely_equal(operands[0], v) == false;
        })) {
      return nobody(fmt::format("{} is not in {}", shown(operands[0]), shown(operands[1])));
    }
    return {};
  }
  if (operands.size() != 2 || !is_constant(operands[0]) || !is_constant(operands[1])) return {};
  const auto equal = surely_equal(operands[0], operands[1]);
  if (!equal) return {};
  std::optional<bool> holds;
  if (op == "==" || op == "===") holds = *equal;
  if (op == "!=" || op == "!==") holds = !*equal;
  if (operands[0].is_number()) {
    const double a = operands[0].to_number<double>();
    const double b = operands[1].to_number<double>();
    if (op == "<") holds = a < b;
    if (op == "<=") holds = a <= b;
    if (op == ">") holds = a > b;
    if (op == ">=") holds = a >= b;
  }
  if (!holds) return {};
  if (*holds) return {Reach::Everyone, {}};
  return nobody(fmt::format("{} {} {} is never true", shown(operands[0]), op, shown(operands[1])));
}

}  // namespace

Folded fold_condition(const json::value& condition) {
  if (!condition.is_object()) {
    if (is_truthy_constant(condition)) return {Reach::Everyone, {}};
    return nobody(fmt::format("{} is never true", shown(condition)));
  }
  if (condition.get_object().size() != 1) return {};
  const auto& [op, operand] = *condition.get_object().begin();
  if (op == "!" || op == "!!") return fold_not(operand, op == "!!");
  if (!operand.is_array()) return {};
  if (op == "or") return fold_or(operand.get_array());
  Folded folded =
      op == "and" ? fold_and(operand.get_array()) : fold_comparison(op, operand.get_array());
  if (folded.reach == Reach::Nobody) return folded;
  if (auto none = contradiction(condition)) return *none;
  return folded;
}

}  // namespace showcaller::manifest
