// SPDX-License-Identifier: Apache-2.0
// `if`, `and`, `or`, `!` and `!!` as steps: a condition falls through when it is as wanted, and
// jumps when it is not.
#include <fmt/format.h>

#include "flag/logic_compiler.h"

namespace showcaller {
namespace {

// Fewer tests of one attribute are as quick one by one.
constexpr std::size_t kSwitchRowsMin = 4;

// The operation that a rule is; Op::Literal for data, a reference, or a name that does not exist.
Op operation_of(const json::value& rule) {
  const auto* object = rule.if_object();
  if (object == nullptr || object->size() != 1) return Op::Literal;
  return find_operation(object->begin()->key());
}

const json::value* reference_in(const json::value& rule) {
  const auto* object = rule.if_object();
  const bool is_reference =
      object != nullptr && object->size() == 1 && object->begin()->key() == "$ref";
  return is_reference ? &object->begin()->value() : nullptr;
}

const json::value& given_to(const json::value& rule) {
  return rule.get_object().begin()->value();
}
std::string_view name_of(const json::value& rule) {
  return rule.get_object().begin()->key();
}

bool gives_truth(Op op) {
  return op == Op::Not || op == Op::Truthy || op == Op::In ||
         (op >= Op::LooseEqual && op <= Op::GreaterOrEqual);
}

}  // namespace

Status LogicCompiler::decide(const json::value& rule, int depth, Block* block, Chain* chain) {
  if (depth == 0) {
    return refuse(ErrorCode::Limit,
                  fmt::format("the expression nests deeper than {} levels", limits_.depth_max));
  }
  if (const json::value* name = reference_in(rule)) {
    const At at(this, "$ref");
    return inside_reference(
        *name, [&](const json::value& evaluator) { return decide(evaluator, depth - 1, block); });
  }
  const Op op = operation_of(rule);
  if (gives_truth(op)) {
    Places fails;
    TRY(condition(rule, Truth::Yes, depth, block, &fails));
    TRY(give(Value::boolean(true), block));
    land(fails, block);
    return give(Value::boolean(false), block);
  }
  if (op == Op::If || op == Op::And || op == Op::Or) {
    const At at(this, name_of(rule));
    const Arguments arguments(given_to(rule));
    if (op != Op::If) return first_with(op, arguments, depth, block);
    Chain own;
    return choose(arguments, depth, block, chain != nullptr ? chain : &own);
  }
  if (rule.is_primitive()) {
    TRY(const Value literal, constant(rule));
    return give(literal, block);
  }
  TRY(const std::uint32_t node, node_of(rule, depth));
  if (const std::uint32_t share = program_.nodes[node].share; share != 0)
    return step({.step = RuleStep::GiveShare, .index = share - 1}, block);
  return step({.step = RuleStep::GiveExpression, .index = node}, block);
}

Status LogicCompiler::choose(const Arguments& arguments, int depth, Block* block, Chain* chain) {
  const auto& items = arguments.items;
  std::size_t i = 0;
  for (; i + 1 < items.size(); i += 2) {
    begin_row(arguments, i, block, chain);
    Places fails;
    {
      const At at(this, arguments, i);
      TRY(condition(items[i], Truth::Yes, depth - 1, block, &fails));
    }
    const At at(this, arguments, i + 1);
    TRY(decide(items[i + 1], depth - 1, block));
    land(fails, block);
  }
  if (i == items.size()) {
    end_rows(*block, chain);
    return give(Value::null(), block);
  }
  // A chain written as `if` inside the else of `if` is one chain.
  const bool goes_on = operation_of(items[i]) == Op::If;
  if (!goes_on) end_rows(*block, chain);
  const At at(this, arguments, i);
  return decide(items[i], depth - 1, block, goes_on ? chain : nullptr);
}

// Tells the switch where this row is, and begins one where it pays.
void LogicCompiler::begin_row(const Arguments& arguments, std::size_t row, Block* block,
                              Chain* chain) {
  if (chain->rows_left == 0) {
    end_rows(*block, chain);
    const auto tests = leading_tests(arguments, row);
    if (tests.size() < kSwitchRowsMin) return;
    *chain = {.rows_left = tests.size(),
              .place = std::uint32_t(block->size()),
              .map = new_map(tests.size()),
              .open = true};
    program_.attributes[tests[0].attribute].compared = true;
    block->push_back(
        {.step = RuleStep::Switch, .attribute = tests[0].attribute, .map = chain->map});
    ++nodes_;
  }
  --chain->rows_left;
  // To behind the test, whose outcome is known then.
  const auto test = leading_test(arguments.items[row]);
  put(chain->map, symbol_of(test->attribute, test->text),
      std::uint32_t(block->size()) + 1 - chain->place);
}

void LogicCompiler::end_rows(const Block& block, Chain* chain) {
  if (!chain->open) return;
  program_.symbol_cells[chain->map.first - 1].jump = std::uint32_t(block.size()) - chain->place;
  chain->open = false;
}

// Of as many rows as ask for a text of one attribute, from this one on.
std::vector<LogicCompiler::TextTest> LogicCompiler::leading_tests(const Arguments& arguments,
                                                                  std::size_t row) {
  std::vector<TextTest> tests;
  std::span<const json::value> items = arguments.items;
  while (true) {
    if (row + 1 < items.size()) {
      const auto test = leading_test(items[row]);
      if (!test || (!tests.empty() && test->attribute != tests[0].attribute)) return tests;
      tests.push_back(*test);
      row += 2;
    } else if (row + 1 == items.size() && operation_of(items[row]) == Op::If) {
      items = Arguments(given_to(items[row])).items;
      row = 0;
    } else {
      return tests;
    }
  }
}

// What has to hold first for the condition to hold.
std::optional<LogicCompiler::TextTest> LogicCompiler::leading_test(const json::value& condition) {
  const Op op = operation_of(condition);
  if (op == Op::Literal) return std::nullopt;
  const Arguments arguments(given_to(condition));
  if (op == Op::And && !arguments.items.empty()) return leading_test(arguments.items[0]);
  if ((op != Op::LooseEqual && op != Op::StrictEqual) || arguments.items.size() != 2)
    return std::nullopt;
  for (const std::size_t side : {std::size_t(0), std::size_t(1)}) {
    const auto* text = arguments.items[1 - side].if_string();
    if (text == nullptr) continue;
    if (const auto attribute = attribute_of(arguments.items[side]))
      return TextTest{.attribute = *attribute, .text = {text->data(), text->size()}};
  }
  return std::nullopt;
}

// `or` gives its first true argument, `and` its first false one; either its last when there is
// none.
Status LogicCompiler::first_with(Op op, const Arguments& arguments, int depth, Block* block) {
  const auto& items = arguments.items;
  if (items.empty()) return give(Value(), block);
  const Truth goes_on = op == Op::And ? Truth::Yes : Truth::No;
  Places ends;
  for (std::size_t i = 0; i + 1 < items.size(); ++i) {
    const At at(this, arguments, i);
    TRY(ask(items[i], goes_on, depth - 1, block, &ends));
  }
  {
    const At at(this, arguments, items.size() - 1);
    TRY(decide(items.back(), depth - 1, block));
  }
  land(ends, block);
  return step({.step = RuleStep::GiveKept}, block);
}

Status LogicCompiler::condition(const json::value& rule, Truth wanted, int depth, Block* block,
                                Places* fails) {
  if (depth == 0) {
    return refuse(ErrorCode::Limit,
                  fmt::format("the expression nests deeper than {} levels", limits_.depth_max));
  }
  if (const json::value* name = reference_in(rule)) {
    const At at(this, "$ref");
    return inside_reference(*name, [&](const json::value& evaluator) {
      return condition(evaluator, wanted, depth - 1, block, fails);
    });
  }
  const Op op = operation_of(rule);
  if (op == Op::Literal) return ask(rule, wanted, depth, block, fails);
  const Arguments arguments(given_to(rule));
  const Truth other = wanted == Truth::Yes ? Truth::No : Truth::Yes;
  if ((op == Op::Not || op == Op::Truthy) && arguments.items.size() == 1) {
    const At at(this, name_of(rule));
    const At at_first(this, arguments, 0);
    return condition(arguments.items[0], op == Op::Not ? other : wanted, depth - 1, block, fails);
  }
  if ((op == Op::And || op == Op::Or) && !arguments.items.empty()) {
    const At at(this, name_of(rule));
    return (op == Op::And) == (wanted == Truth::Yes)
               ? all_of(arguments, wanted, depth, block, fails)
               : any_of(arguments, wanted, depth, block, fails);
  }
  if (const auto attribute = attribute_of(rule)) {
    return test({.step = RuleStep::AttributeTruth, .attribute = *attribute}, wanted, block, fails);
  }
  {
    const At at(this, name_of(rule));
    TRY(const auto quick, attribute_test(op, arguments));
    if (quick) {
      const bool unequal = op == Op::LooseUnequal || op == Op::StrictUnequal;
      return test(*quick, unequal ? other : wanted, block, fails);
    }
    if (wanted == Truth::Yes) {
      TRY(const bool done, between(op, arguments, block, fails));
      if (done) return {};
    }
  }
  return ask(rule, wanted, depth, block, fails);
}

Status LogicCompiler::all_of(const Arguments& arguments, Truth wanted, int depth, Block* block,
                             Places* fails) {
  for (std::size_t i = 0; i < arguments.items.size(); ++i) {
    const At at(this, arguments, i);
    TRY(condition(arguments.items[i], wanted, depth - 1, block, fails));
  }
  return {};
}

Status LogicCompiler::any_of(const Arguments& arguments, Truth wanted, int depth, Block* block,
                             Places* fails) {
  const Truth other = wanted == Truth::Yes ? Truth::No : Truth::Yes;
  Places holds;
  for (std::size_t i = 0; i < arguments.items.size(); ++i) {
    const At at(this, arguments, i);
    const bool last = i + 1 == arguments.items.size();
    TRY(condition(arguments.items[i], last ? wanted : other, depth - 1, block,
                  last ? fails : &holds));
  }
  land(holds, block);
  return {};
}

Status LogicCompiler::step(Instruction instruction, Block* block) {
  if (++nodes_ > limits_.nodes_max || block->size() == kStepsMax) {
    return refuse(ErrorCode::Limit,
                  fmt::format("the expression has more than {} operations", limits_.nodes_max));
  }
  block->push_back(instruction);
  return {};
}

Status LogicCompiler::test(Instruction instruction, Truth wanted, Block* block, Places* fails) {
  instruction.wanted = wanted == Truth::Yes;
  fails->push_back(std::uint32_t(block->size()));
  return step(instruction, block);
}

Status LogicCompiler::ask(const json::value& rule, Truth wanted, int depth, Block* block,
                          Places* fails) {
  TRY(const std::uint32_t node, node_of(rule, depth));
  return test({.step = RuleStep::Expression, .index = node}, wanted, block, fails);
}

Status LogicCompiler::give(const Value& literal, Block* block) {
  return step({.step = RuleStep::GiveConstant, .constant = constant_of(literal)}, block);
}

void LogicCompiler::land(const Places& jumps, Block* block) {
  for (const std::uint32_t place : jumps)
    (*block)[place].jump = std::uint16_t(block->size() - place);
}

Result<std::uint32_t> LogicCompiler::append(const Block& block) {
  const auto first = std::uint32_t(program_.steps.size());
  program_.steps.insert(program_.steps.end(), block.begin(), block.end());
  return first;
}

}  // namespace showcaller
