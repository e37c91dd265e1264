// SPDX-License-Identifier: Apache-2.0
#include "flag/program.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "flag/context.h"

namespace showcaller {
namespace {

struct NamedOp {
  std::string_view name;
  Op op;
};

constexpr auto kOperations = [] {
  std::array operations{NamedOp{"var", Op::Var},
                        NamedOp{"missing", Op::Missing},
                        NamedOp{"missing_some", Op::MissingSome},
                        NamedOp{"if", Op::If},
                        NamedOp{"?:", Op::If},
                        NamedOp{"and", Op::And},
                        NamedOp{"or", Op::Or},
                        NamedOp{"!", Op::Not},
                        NamedOp{"!!", Op::Truthy},
                        NamedOp{"==", Op::LooseEqual},
                        NamedOp{"===", Op::StrictEqual},
                        NamedOp{"!=", Op::LooseUnequal},
                        NamedOp{"!==", Op::StrictUnequal},
                        NamedOp{"<", Op::Less},
                        NamedOp{"<=", Op::LessOrEqual},
                        NamedOp{">", Op::Greater},
                        NamedOp{">=", Op::GreaterOrEqual},
                        NamedOp{"max", Op::Max},
                        NamedOp{"min", Op::Min},
                        NamedOp{"+", Op::Add},
                        NamedOp{"-", Op::Subtract},
                        NamedOp{"*", Op::Multiply},
                        NamedOp{"/", Op::Divide},
                        NamedOp{"%", Op::Modulo},
                        NamedOp{"map", Op::Map},
                        NamedOp{"filter", Op::Filter},
                        NamedOp{"reduce", Op::Reduce},
                        NamedOp{"all", Op::All},
                        NamedOp{"none", Op::None},
                        NamedOp{"some", Op::Some},
                        NamedOp{"merge", Op::Merge},
                        NamedOp{"in", Op::In},
                        NamedOp{"cat", Op::Cat},
                        NamedOp{"substr", Op::Substring},
                        NamedOp{"log", Op::Log},
                        NamedOp{"fractional", Op::Fractional},
                        NamedOp{"rollout", Op::Rollout},
                        NamedOp{"sem_ver", Op::SemanticVersion},
                        NamedOp{"starts_with", Op::StartsWith},
                        NamedOp{"ends_with", Op::EndsWith},
                        NamedOp{"lower", Op::Lower},
                        NamedOp{"upper", Op::Upper}};
  std::ranges::sort(operations, {}, &NamedOp::name);
  return operations;
}();

// Operations whose second argument is evaluated for each item, not once.
bool has_body(Op op) {
  return op >= Op::Map && op <= Op::Some;
}

}  // namespace

Op find_operation(std::string_view name) {
  const auto found = std::ranges::lower_bound(kOperations, name, {}, &NamedOp::name);
  return found != kOperations.end() && found->name == name ? found->op : Op::Literal;
}

void split_path(std::string_view path, std::vector<PathSegment>* out) {
  while (true) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    PathSegment segment{.key = path.substr(0, dot)};
    const char* end = segment.key.data() + segment.key.size();
    const auto [stop, error] = std::from_chars(segment.key.data(), end, segment.index);
    const bool canonical = segment.key == "0" || (!segment.key.empty() && segment.key[0] != '0');
    if (error != std::errc() || stop != end || segment.index < 0 || !canonical) segment.index = -1;
    out->push_back(segment);
    if (dot == path.size()) return;
    path.remove_prefix(dot + 1);
  }
}

void append_pointer(std::string* pointer, std::string_view token) {
  *pointer += '/';
  for (const char c : token) {
    if (c == '~') {
      *pointer += "~0";
    } else if (c == '/') {
      *pointer += "~1";
    } else {
      *pointer += c;
    }
  }
}

std::unexpected<Error> LogicCompiler::refuse(ErrorCode code, std::string message) const {
  return fail(code, fmt::format("{}: {}", path_.empty() ? "/" : path_, message));
}

Result<std::uint32_t> LogicCompiler::compile(const json::value& rule, std::string_view pointer) {
  path_ = pointer;
  nodes_ = 0;
  values_ = 0;
  references_.clear();
  return compile_at(rule, limits_.depth_max);
}

Result<std::uint32_t> LogicCompiler::compile_at(const json::value& rule, int depth) {
  if (depth == 0) {
    return refuse(ErrorCode::Limit,
                  fmt::format("the expression nests deeper than {} levels", limits_.depth_max));
  }
  if (rule.is_array()) return compile_array(rule.get_array(), depth);
  if (!rule.is_object() || rule.get_object().size() != 1) {
    TRY(const Value literal, constant(rule));
    return add({.op = Op::Literal, .literal = literal});
  }
  const auto& [name, arguments] = *rule.get_object().begin();
  const std::size_t length = path_.size();
  append_pointer(&path_, name);
  if (name == "$ref") {
    TRY(const std::uint32_t node, compile_reference(arguments, depth));
    path_.resize(length);
    return node;
  }
  const Op op = find_operation(name);
  if (op == Op::Literal) {
    return refuse(ErrorCode::Invalid,
                  fmt::format("there is no operation '{}'", std::string_view(name)));
  }
  TRY(const std::uint32_t node,
      op == Op::Var ? compile_var(arguments, depth) : compile_operation(op, arguments, depth));
  path_.resize(length);
  return node;
}

Result<std::uint32_t> LogicCompiler::compile_reference(const json::value& name, int depth) {
  const auto* text = name.if_string();
  const json::value* evaluator =
      text != nullptr && evaluators_ != nullptr ? evaluators_->if_contains(*text) : nullptr;
  if (evaluator == nullptr) {
    return refuse(
        ErrorCode::NotFound,
        fmt::format("there is no evaluator {}; define it under $evaluators", to_json_text(name)));
  }
  const std::string_view reference(*text);
  if (std::ranges::find(references_, reference) != references_.end()) {
    return refuse(ErrorCode::Invalid, fmt::format("evaluator '{}' refers to itself", reference));
  }
  references_.push_back(reference);
  TRY(const std::uint32_t node, compile_at(*evaluator, depth - 1));
  references_.pop_back();
  return node;
}

Result<std::uint32_t> LogicCompiler::compile_array(const json::array& items, int depth) {
  std::vector<std::uint32_t> children;
  children.reserve(items.size());
  const std::size_t first_node = program_.nodes.size();
  bool constant = true;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::size_t length = path_.size();
    append_pointer(&path_, std::to_string(i));
    TRY(const std::uint32_t child, compile_at(items[i], depth - 1));
    path_.resize(length);
    constant = constant && program_.nodes[child].op == Op::Literal;
    children.push_back(child);
  }
  if (!constant) return add_with_children(Op::Array, children);
  auto& values = program_.arrays.emplace_back();
  values.reserve(children.size() + 1);  // Never empty memory: identity compares addresses.
  for (const std::uint32_t child : children) values.push_back(program_.nodes[child].literal);
  // The items' own nodes have no further use.
  if (first_node + children.size() == program_.nodes.size()) {
    program_.nodes.resize(first_node);
    nodes_ -= children.size();
  }
  return add({.op = Op::Literal, .literal = Value::array(values.data(), values.size())});
}

Result<Value> LogicCompiler::constant(const json::value& value) {
  if (++values_ > limits_.values_max) {
    return refuse(ErrorCode::Limit,
                  fmt::format("the expression has more than {} constants", limits_.values_max));
  }
  return Value::of(value);
}

Result<std::uint32_t> LogicCompiler::add(Node node) {
  // Constants are counted apart: a long list of them is no more work than a short one.
  if (++nodes_ > (node.op == Op::Literal ? limits_.values_max : limits_.nodes_max)) {
    return refuse(ErrorCode::Limit,
                  fmt::format("the expression has more than {} operations", limits_.nodes_max));
  }
  program_.nodes.push_back(node);
  return std::uint32_t(program_.nodes.size() - 1);
}

Result<std::uint32_t> LogicCompiler::add_with_children(Op op,
                                                       const std::vector<std::uint32_t>& children) {
  Node node{.op = op,
            .first = std::uint32_t(program_.children.size()),
            .count = std::uint32_t(children.size())};
  program_.children.insert(program_.children.end(), children.begin(), children.end());
  return add(node);
}

Result<std::uint32_t> LogicCompiler::compile_operation(Op op, const json::value& arguments,
                                                       int depth) {
  std::vector<std::uint32_t> children;
  if (const auto* list = arguments.if_array()) {
    children.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::size_t length = path_.size();
      append_pointer(&path_, std::to_string(i));
      TRY(const std::uint32_t child, compile_at((*list)[i], depth - 1));
      path_.resize(length);
      children.push_back(child);
    }
  } else {
    TRY(const std::uint32_t child, compile_at(arguments, depth - 1));
    children.push_back(child);
  }
  if (has_body(op) && children.size() < 2) {
    return refuse(ErrorCode::Invalid, "the operation needs a list and what to do with each item");
  }
  if (op == Op::Multiply && children.empty()) {
    return refuse(ErrorCode::Invalid, "the product of nothing is not defined");
  }
  TRY(const std::uint32_t node, add_with_children(op, children));
  if (op == Op::Fractional) add_constant_buckets(node);
  return node;
}

Result<std::uint32_t> LogicCompiler::compile_var(const json::value& arguments, int depth) {
  const json::value* path = &arguments;
  const json::value* otherwise = nullptr;
  if (const auto* list = arguments.if_array()) {
    path = list->empty() ? nullptr : &(*list)[0];
    otherwise = list->size() > 1 ? &(*list)[1] : nullptr;
  }
  const auto* text = path != nullptr ? path->if_string() : nullptr;
  const bool simple = otherwise == nullptr || otherwise->is_primitive();
  if (text == nullptr || text->empty() || !simple)
    return compile_operation(Op::Var, arguments, depth);
  Node node{.first = std::uint32_t(program_.segments.size()), .literal = Value::null()};
  if (otherwise != nullptr) {
    TRY(node.literal, constant(*otherwise));
  }
  split_path({text->data(), text->size()}, &program_.segments);
  node.count = std::uint32_t(program_.segments.size()) - node.first;
  const bool is_attribute = node.count == 1 && program_.segments[node.first].key != kFlagdKey;
  node.op = is_attribute ? Op::VarKey : Op::VarPath;
  return add(node);
}

// Reads one [variant, weight] whose parts are constants; the running total goes to *end.
bool LogicCompiler::literal_bucket(std::uint32_t child, std::uint64_t* end) {
  const Node& node = program_.nodes[child];
  if (node.op != Op::Literal || !node.literal.is_array()) return false;
  const std::size_t size = node.literal.array_size();
  if (size == 0 || size > 2) return false;
  const Value variant = node.literal.array_at(0);
  if (variant.kind() > ValueKind::String) return false;
  double weight = 1;
  if (size == 2) {
    const Value given = node.literal.array_at(1);
    if (!given.is(ValueKind::Number)) return false;
    weight = given.as_number();
  }
  constexpr double kWeightMax = std::numeric_limits<std::int32_t>::max();
  if (std::trunc(weight) != weight) return false;
  weight = std::max(0.0, weight);
  if (double(*end) + weight > kWeightMax) return false;
  *end += std::uint64_t(weight);
  program_.buckets.push_back({.variant = variant, .end = *end});
  return true;
}

void LogicCompiler::add_constant_buckets(std::uint32_t index) {
  Node& node = program_.nodes[index];
  const std::size_t first_bucket = program_.buckets.size();
  std::uint64_t end = 0;
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const std::uint32_t child = program_.children[node.first + i];
    const Node& argument = program_.nodes[child];
    const bool is_bucket =
        argument.op == Op::Array || (argument.op == Op::Literal && argument.literal.is_array());
    if (i == 0 && !is_bucket) continue;  // what to bucket by
    if (!literal_bucket(child, &end)) {
      program_.buckets.resize(first_bucket);
      return;
    }
  }
  node.extra = std::uint32_t(first_bucket) + 1;
  node.extra_count = std::uint32_t(program_.buckets.size() - first_bucket);
}

}  // namespace showcaller
