// SPDX-License-Identifier: Apache-2.0
// Conditions that hold an attribute against constants, each as one step.
#include <algorithm>
#include <cmath>

#include "flag/logic_compiler.h"

namespace showcaller {
namespace {

bool is_equality(Op op) {
  return op >= Op::LooseEqual && op <= Op::StrictUnequal;
}
bool is_strict(Op op) {
  return op == Op::StrictEqual || op == Op::StrictUnequal;
}

// The step for `attribute OP number`, or for `number OP attribute`.
std::optional<RuleStep> number_step(Op op, bool attribute_is_left) {
  switch (op) {
    case Op::LooseEqual:
    case Op::LooseUnequal:
      return RuleStep::NumberEqual;
    case Op::StrictEqual:
    case Op::StrictUnequal:
      return RuleStep::NumberStrictEqual;
    case Op::Less:
      return attribute_is_left ? RuleStep::Less : RuleStep::Greater;
    case Op::LessOrEqual:
      return attribute_is_left ? RuleStep::LessOrEqual : RuleStep::GreaterOrEqual;
    case Op::Greater:
      return attribute_is_left ? RuleStep::Greater : RuleStep::Less;
    case Op::GreaterOrEqual:
      return attribute_is_left ? RuleStep::GreaterOrEqual : RuleStep::LessOrEqual;
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<std::optional<Instruction>> LogicCompiler::attribute_test(Op op,
                                                                 const Arguments& arguments) {
  const auto& items = arguments.items;
  if (op == Op::SemanticVersion) {
    const auto attribute = items.size() == 3 ? attribute_of(items[0]) : std::nullopt;
    return attribute ? version_test(*attribute, arguments) : std::nullopt;
  }
  if (items.size() != 2) return std::nullopt;
  const auto left = attribute_of(items[0]);
  if (op == Op::In) return left ? list_test(*left, items[1]) : std::nullopt;
  const auto attribute = left ? left : attribute_of(items[1]);
  if (!attribute) return std::nullopt;
  const json::value& constant = items[left ? 1 : 0];
  if (const auto* text = constant.if_string()) {
    if (is_equality(op)) return text_test(op, *attribute, *text);
    if (!left || (op != Op::StartsWith && op != Op::EndsWith)) return std::nullopt;
    return Instruction{.step = op == Op::StartsWith ? RuleStep::StartsWith : RuleStep::EndsWith,
                       .attribute = *attribute,
                       .index = literal_of(Value::of(constant))};
  }
  if (!constant.is_number()) return std::nullopt;
  const auto step = number_step(op, left.has_value());
  if (!step) return std::nullopt;
  return Instruction{
      .step = *step, .attribute = *attribute, .number = constant.to_number<double>()};
}

std::optional<Instruction> LogicCompiler::text_test(Op op, std::uint16_t attribute,
                                                    const json::string& text) {
  const std::string_view view(text.data(), text.size());
  program_.attributes[attribute].compared = true;
  return Instruction{
      .step = is_strict(op) ? RuleStep::TextStrictEqual : RuleStep::TextEqual,
      .attribute = attribute,
      .text = {.literal = literal_of(Value::string(view)), .symbol = symbol_of(attribute, view)}};
}

Result<std::optional<Instruction>> LogicCompiler::list_test(std::uint16_t attribute,
                                                            const json::value& list) {
  const auto* items = list.if_array();
  if (items == nullptr || std::ranges::any_of(*items, &json::value::is_structured))
    return std::nullopt;
  TRY(const Value constants, constant_list(*items));
  program_.attributes[attribute].compared = true;
  std::vector<std::uint32_t> symbols;
  for (const json::value& item : *items) {
    if (const auto* text = item.if_string())
      symbols.push_back(symbol_of(attribute, {text->data(), text->size()}));
  }
  const auto is_early = [](std::uint32_t symbol) { return symbol < Symbol::kFirst + 64; };
  // What is no text is in no list of texts, so the list itself is asked no more.
  if (symbols.size() == items->size() && std::ranges::all_of(symbols, is_early)) {
    Instruction test{.step = RuleStep::OneOfFew, .attribute = attribute, .few = 0};
    for (const std::uint32_t symbol : symbols)
      test.few |= std::uint64_t(1) << (symbol - Symbol::kFirst);
    return test;
  }
  const SymbolMap map = new_map(symbols.size());
  program_.symbol_cells[map.first - 1].literal = literal_of(constants);
  for (const std::uint32_t symbol : symbols) put(map, symbol, 0);
  return Instruction{.step = RuleStep::OneOf, .attribute = attribute, .map = map};
}

std::optional<Instruction> LogicCompiler::version_test(std::uint16_t attribute,
                                                       const Arguments& arguments) {
  const auto* comparison = arguments.items[1].if_string();
  const auto* text = arguments.items[2].if_string();
  if (comparison == nullptr || text == nullptr) return std::nullopt;
  const auto how = parse_version_comparison(*comparison);
  const PackedVersion wanted{std::string_view(*text)};
  if (!how || !wanted) return std::nullopt;
  program_.attributes[attribute].versioned = true;
  return Instruction{
      .step = RuleStep::Version, .attribute = attribute, .comparison = *how, .version = wanted};
}

// {"<": [1, {"var": "level"}, 10]} as two tests.
Result<bool> LogicCompiler::between(Op op, const Arguments& arguments, Block* block,
                                    Places* fails) {
  const auto& items = arguments.items;
  if ((op != Op::Less && op != Op::LessOrEqual) || items.size() != 3) return false;
  const auto attribute = attribute_of(items[1]);
  if (!attribute || !items[0].is_number() || !items[2].is_number()) return false;
  for (const bool attribute_is_left : {false, true}) {
    const double bound = items[attribute_is_left ? 2 : 0].to_number<double>();
    TRY(test(
        {.step = *number_step(op, attribute_is_left), .attribute = *attribute, .number = bound},
        Truth::Yes, block, fails));
  }
  return true;
}

}  // namespace showcaller
