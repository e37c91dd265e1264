// SPDX-License-Identifier: Apache-2.0
#include "flag/logic_compiler.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "flag/context.h"

namespace showcaller {
namespace {

// Operations whose second argument is evaluated for each item, not once.
bool has_body(Op op) {
  return op >= Op::Map && op <= Op::Some;
}

// These decide; where their value is asked for, steps give it.
bool decides(Op op, std::size_t arguments) {
  if (op == Op::Not || op == Op::Truthy) return arguments == 1;
  return op == Op::If || op == Op::And || op == Op::Or;
}

}  // namespace

LogicCompiler::LogicCompiler(Program* program, const LogicLimits& limits,
                             const json::object* evaluators, RuleOwner owner)
    : program_(*program), limits_(limits), evaluators_(evaluators), owner_(std::move(owner)) {}

LogicCompiler::Arguments::Arguments(const json::value& given) : listed(given.is_array()) {
  if (listed) {
    items = {given.get_array().data(), given.get_array().size()};
  } else {
    items = {&given, 1};
  }
}

LogicCompiler::At::At(LogicCompiler* compiler, std::string_view token)
    : path_(compiler->path_), length_(path_.size()) {
  append_pointer(&path_, token);
}
LogicCompiler::At::At(LogicCompiler* compiler, std::size_t index)
    : path_(compiler->path_), length_(path_.size()) {
  path_ += '/';
  path_ += fmt::format_int(index).c_str();
}
LogicCompiler::At::At(LogicCompiler* compiler, const Arguments& arguments, std::size_t index)
    : path_(compiler->path_), length_(path_.size()) {
  if (!arguments.listed) return;
  path_ += '/';
  path_ += fmt::format_int(index).c_str();
}

std::unexpected<Error> LogicCompiler::refuse(ErrorCode code, std::string message) const {
  return fail(code, fmt::format("{}: {}", path_.empty() ? "/" : path_, message));
}

Result<std::uint32_t> LogicCompiler::compile(const json::value& rule, std::string_view pointer) {
  path_ = pointer;
  nodes_ = 0;
  values_ = 0;
  lists_ = 0;
  references_.clear();
  Block block;
  TRY(decide(rule, limits_.depth_max, &block));
  return append(block);
}

Result<std::uint32_t> LogicCompiler::node_of(const json::value& rule, int depth) {
  if (depth == 0) {
    return refuse(ErrorCode::Limit,
                  fmt::format("the expression nests deeper than {} levels", limits_.depth_max));
  }
  if (rule.is_array()) return array_node(rule.get_array(), depth);
  if (!rule.is_object() || rule.get_object().size() != 1) {
    TRY(const Value literal, constant(rule));
    return add({.op = Op::Literal, .literal = literal});
  }
  const auto& [name, given] = *rule.get_object().begin();
  const Op op = find_operation(name);
  if (decides(op, Arguments(given).items.size())) return decide_node(rule, depth);
  const At at(this, std::string_view(name));
  if (name == "$ref") {
    return inside_reference(
        given, [&](const json::value& evaluator) { return node_of(evaluator, depth - 1); });
  }
  if (op == Op::Literal) {
    return refuse(ErrorCode::Invalid,
                  fmt::format("there is no operation '{}'", std::string_view(name)));
  }
  return op == Op::Var ? var_node(given, depth) : operation_node(op, given, depth);
}

Result<const json::value*> LogicCompiler::enter_reference(const json::value& name) {
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
  return evaluator;
}

Result<std::uint32_t> LogicCompiler::decide_node(const json::value& rule, int depth) {
  Block block;
  TRY(decide(rule, depth, &block));
  TRY(const std::uint32_t first, append(block));
  return add({.op = Op::Decide, .first = first});
}

Result<std::uint32_t> LogicCompiler::array_node(const json::array& items, int depth) {
  std::vector<std::uint32_t> children;
  children.reserve(items.size());
  const std::size_t first_node = program_.nodes.size();
  bool constant = true;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const At at(this, i);
    TRY(const std::uint32_t child, node_of(items[i], depth - 1));
    constant = constant && program_.nodes[child].op == Op::Literal;
    children.push_back(child);
  }
  if (!constant) return add_with_children(Op::Array, children);
  std::vector<Value> values;
  values.reserve(children.size());
  for (const std::uint32_t child : children) values.push_back(program_.nodes[child].literal);
  // The items' own nodes have no further use.
  if (first_node + children.size() == program_.nodes.size()) {
    program_.nodes.resize(first_node);
    nodes_ -= children.size();
  }
  return add({.op = Op::Literal, .literal = new_array(values)});
}

Value LogicCompiler::new_array(std::span<const Value> items) {
  // Never empty memory: identity compares addresses.
  auto& values = program_.arrays.emplace_back(std::make_unique<Value[]>(items.size() + 1));
  std::ranges::copy(items, values.get());
  return Value::array(values.get(), items.size());
}

Result<Value> LogicCompiler::constant(const json::value& value) {
  if (++values_ > limits_.values_max) {
    return refuse(ErrorCode::Limit,
                  fmt::format("the expression has more than {} constants", limits_.values_max));
  }
  return Value::of(value);
}

Result<Value> LogicCompiler::constant_list(const json::array& items) {
  std::vector<Value> values;
  values.reserve(items.size());
  for (const json::value& item : items) {
    TRY(const Value value, constant(item));
    values.push_back(value);
  }
  return new_array(values);
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

Result<std::uint32_t> LogicCompiler::operation_node(Op op, const json::value& given, int depth) {
  const Arguments arguments(given);
  std::vector<std::uint32_t> children;
  children.reserve(arguments.items.size());
  for (std::size_t i = 0; i < arguments.items.size(); ++i) {
    const At at(this, arguments, i);
    const int body = has_body(op) && i == 1;
    lists_ += body;
    TRY(const std::uint32_t child, node_of(arguments.items[i], depth - 1));
    lists_ -= body;
    children.push_back(child);
  }
  if (has_body(op) && children.size() < 2) {
    return refuse(ErrorCode::Invalid, "the operation needs a list and what to do with each item");
  }
  if (op == Op::Multiply && children.empty()) {
    return refuse(ErrorCode::Invalid, "the product of nothing is not defined");
  }
  TRY(const std::uint32_t node, add_with_children(op, children));
  if (op == Op::Fractional) add_share(node, arguments);
  return node;
}

Result<std::uint32_t> LogicCompiler::var_node(const json::value& given, int depth) {
  const Arguments arguments(given);
  const json::value* path = arguments.items.empty() ? nullptr : &arguments.items[0];
  const json::value* otherwise = arguments.items.size() > 1 ? &arguments.items[1] : nullptr;
  const auto* text = path != nullptr ? path->if_string() : nullptr;
  const bool simple = otherwise == nullptr || otherwise->is_primitive();
  if (text == nullptr || text->empty() || !simple) return operation_node(Op::Var, given, depth);
  Node node{.op = Op::Path, .literal = Value::null()};
  if (otherwise != nullptr) {
    TRY(node.literal, constant(*otherwise));
  }
  if (const auto attribute = attribute_at({text->data(), text->size()})) {
    node.op = Op::Attribute;
    node.attribute = *attribute;
    return add(node);
  }
  node.first = std::uint32_t(program_.segments.size());
  split_path({text->data(), text->size()}, &program_.segments);
  node.count = std::uint32_t(program_.segments.size()) - node.first;
  return add(node);
}

std::optional<std::uint16_t> LogicCompiler::attribute_of(const json::value& rule) {
  const auto* object = rule.if_object();
  if (object == nullptr || object->size() != 1 || object->begin()->key() != "var")
    return std::nullopt;
  const Arguments arguments(object->begin()->value());
  if (arguments.items.empty() || arguments.items.size() > 2) return std::nullopt;
  if (arguments.items.size() == 2 && !arguments.items[1].is_null()) return std::nullopt;
  const auto* path = arguments.items[0].if_string();
  if (path == nullptr || path->empty()) return std::nullopt;
  return attribute_at({path->data(), path->size()});
}

// Not inside a list's body; not what flagd adds, which is of the evaluation and not of the context;
// not a place in a list or text, whose characters would have to be kept somewhere.
std::optional<std::uint16_t> LogicCompiler::attribute_at(std::string_view path) {
  if (lists_ > 0) return std::nullopt;
  const std::uint32_t known = program_.attribute_paths.find(path);
  if (known != TextTable::kAbsent) return std::uint16_t(known);
  const std::size_t first = program_.segments.size();
  split_path(path, &program_.segments);
  const std::span segments = std::span(program_.segments).subspan(first);
  const bool countable = program_.attributes.size() < std::numeric_limits<std::uint16_t>::max();
  if (!countable || segments[0].key == kFlagdKey ||
      std::ranges::any_of(segments, [](const PathSegment& s) { return s.index >= 0; })) {
    program_.segments.resize(first);
    return std::nullopt;
  }
  program_.attributes.push_back({.path = path,
                                 .first = std::uint32_t(first),
                                 .count = std::uint32_t(segments.size()),
                                 .tag = text_tag(path)});
  return std::uint16_t(program_.attribute_paths.add(path));
}

std::uint32_t LogicCompiler::symbol_of(std::uint16_t attribute, std::string_view text) {
  return program_.attributes[attribute].symbols.add(text) + Symbol::kFirst;
}

std::uint32_t LogicCompiler::literal_of(const Value& value) {
  program_.literals.push_back(value);
  return std::uint32_t(program_.literals.size() - 1);
}

SymbolMap LogicCompiler::new_map(std::size_t symbols) {
  const std::size_t cells = std::bit_ceil(symbols * 2 + 1);
  const std::size_t head = program_.symbol_cells.size();
  program_.symbol_cells.resize(head + 1 + cells);
  return {.first = std::uint32_t(head + 1), .mask = std::uint32_t(cells - 1)};
}

void LogicCompiler::put(SymbolMap map, std::uint32_t symbol, std::uint32_t jump) {
  for (std::uint32_t at = symbol & map.mask;; at = (at + 1) & map.mask) {
    SymbolCell& cell = program_.symbol_cells[map.first + at];
    if (cell.symbol == symbol) return;
    if (cell.symbol != Symbol::kUnknown) continue;
    cell = {.symbol = symbol, .jump = jump};
    return;
  }
}

}  // namespace showcaller
