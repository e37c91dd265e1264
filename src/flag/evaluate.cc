// SPDX-License-Identifier: Apache-2.0
// Steps, and what is known of attributes.
#include "flag/evaluate.h"

#include "flag/evaluator.h"
#include "flag/fractional.h"

namespace showcaller {
namespace {

bool is_ordered_number(Step step, double number, double bound) {
  switch (step) {
    case Step::Less:
      return number < bound;
    case Step::LessOrEqual:
      return number <= bound;
    case Step::Greater:
      return number > bound;
    default:
      return number >= bound;
  }
}

}  // namespace

Value Evaluator::run(std::uint32_t first, const Value& data) {
  Value kept;
  for (const Instruction* at = program_.steps.data() + first;;) {
    bool holds = false;
    switch (at->step) {
      case Step::TextEqual:
      case Step::TextStrictEqual:
        holds = is_text(*at);
        break;
      case Step::NumberEqual:
      case Step::NumberStrictEqual:
        holds = is_number(*at);
        break;
      case Step::Less:
      case Step::LessOrEqual:
      case Step::Greater:
      case Step::GreaterOrEqual:
        holds = is_ordered_against(*at);
        break;
      case Step::OneOf:
        holds = is_one_of(*at);
        break;
      case Step::Version:
        holds = has_version(*at);
        break;
      case Step::StartsWith:
      case Step::EndsWith:
        holds = has_affix(*at);
        break;
      case Step::AttributeTruth:
        holds = is_truthy(attribute(at->attribute).value);
        break;
      case Step::Expression:
        kept = eval(at->index, data);
        holds = is_truthy(kept);
        break;
      case Step::Switch:
        at += jump_of(*at);
        continue;
      case Step::GiveConstant:
        return program_.constant(at->constant);
      case Step::GiveShare:
        return pick(program_.shares[at->index], data);
      case Step::GiveExpression:
        return eval(at->index, data);
      case Step::GiveKept:
        return kept;
    }
    at += holds == at->wanted ? 1 : at->jump;
  }
}

bool Evaluator::is_text(const Instruction& test) {
  if (!attribute(test.attribute).value.is(ValueKind::String)) [[unlikely]]
    return holds_oddly(test);
  return symbol_of(test.attribute) == test.text.symbol;
}

bool Evaluator::is_number(const Instruction& test) {
  const Value& value = attribute(test.attribute).value;
  if (!value.is(ValueKind::Number)) [[unlikely]]
    return holds_oddly(test);
  return value.as_number() == test.number;
}

bool Evaluator::is_ordered_against(const Instruction& test) {
  const Value& value = attribute(test.attribute).value;
  if (!value.is(ValueKind::Number)) [[unlikely]]
    return holds_oddly(test);
  return is_ordered_number(test.step, value.as_number(), test.number);
}

bool Evaluator::is_one_of(const Instruction& test) {
  if (!attribute(test.attribute).value.is(ValueKind::String)) [[unlikely]]
    return holds_oddly(test);
  const std::uint32_t symbol = symbol_of(test.attribute);
  return symbol != Symbol::kNone && program_.find(test.map, symbol) != nullptr;
}

bool Evaluator::has_version(const Instruction& test) {
  if (!attribute(test.attribute).value.is(ValueKind::String)) [[unlikely]]
    return holds_oddly(test);
  const PackedVersion version = version_of(test.attribute);
  if (!version) [[unlikely]]
    return holds_oddly(test);
  return version.matches(test.comparison, test.version);
}

bool Evaluator::has_affix(const Instruction& test) {
  const Value& value = attribute(test.attribute).value;
  if (!value.is(ValueKind::String)) return false;
  const std::string_view text = value.as_string();
  const std::string_view part = program_.literals[test.index].as_string();
  if (text.size() < part.size()) return false;
  const std::size_t at = test.step == Step::StartsWith ? 0 : text.size() - part.size();
  return same_text({text.data() + at, part.size()}, part);
}

// A text of none of the rows passes over them all; what is no text may still equal one, and asks
// each.
std::uint32_t Evaluator::jump_of(const Instruction& row) {
  if (!attribute(row.attribute).value.is(ValueKind::String)) return 1;
  const SymbolCell* const found = program_.find(row.map, symbol_of(row.attribute));
  return (found != nullptr ? *found : program_.head_of(row.map)).jump;
}

// The same tests for values that are seldom there, as the operations themselves say.
bool Evaluator::holds_oddly(const Instruction& test) {
  const Value value = given(test.attribute);
  switch (test.step) {
    case Step::TextEqual:
      return loosely_equal(value, program_.literals[test.text.literal], &scratch_);
    case Step::NumberEqual:
      return loosely_equal(value, Value::number(test.number), &scratch_);
    case Step::Less:
      return is_ordered(value, Value::number(test.number), Order::Less, &scratch_);
    case Step::LessOrEqual:
      return is_ordered(value, Value::number(test.number), Order::LessOrEqual, &scratch_);
    case Step::Greater:
      return is_ordered(Value::number(test.number), value, Order::Less, &scratch_);
    case Step::GreaterOrEqual:
      return is_ordered(Value::number(test.number), value, Order::LessOrEqual, &scratch_);
    case Step::OneOf:
      return is_item_of(program_.literals[program_.head_of(test.map).literal], value);
    case Step::Version: {
      const bool can_be = value.is(ValueKind::String) || value.is(ValueKind::Number);
      return can_be &&
             match_version(to_text(value, &scratch_), test.comparison, test.version.to_text())
                 .value_or(false);
    }
    default:
      return false;
  }
}

void Evaluator::find(std::uint16_t number, unsigned place) {
  const Attribute& asked = program_.attributes[number];
  const std::span path(program_.segments.data() + asked.first, asked.count);
  const bool named = root_.is(ValueKind::Context) && path.size() == 1;
  found_[place] = {
      .value = named ? frame_.context.find(path[0].key, path[0].tag) : walk(root_, path, Value()),
      .version = {}};
  numbers_[place] = number;
  remembered_ |= 1u << place;
}

// What is found out here is remembered, but never in a context that others share.
std::uint32_t Evaluator::symbol_of(std::uint16_t number) {
  const AttributeValue& known = attribute(number);
  if (known.symbol != Symbol::kUnknown) return known.symbol;
  const std::uint32_t symbol = program_.symbol_of(known.value.as_string());
  if (frame_.interned == nullptr) found_[number % kRemembered].symbol = symbol;
  return symbol;
}

std::uint32_t Evaluator::hash_of(std::uint16_t number) {
  const AttributeValue& known = attribute(number);
  return known.hash != 0 ? known.hash : MurmurPrefix().hash(known.value.as_string());
}

PackedVersion Evaluator::version_of(std::uint16_t number) {
  const AttributeValue& known = attribute(number);
  if (known.version || frame_.interned != nullptr) return known.version;
  return found_[number % kRemembered].version = PackedVersion(known.value.as_string());
}

Value evaluate_program(const Program& program, std::uint32_t first, const EvaluationFrame& frame,
                       Scratch* scratch) {
  Evaluator evaluator(program, frame, scratch);
  return evaluator.run(first, evaluator.root());
}

Value find_attribute(const Program& program, const Attribute& attribute,
                     const EvaluationContext& context) {
  const std::span path(program.segments.data() + attribute.first, attribute.count);
  if (path.size() == 1) return context.find(path[0].key, path[0].tag);
  Scratch scratch({});
  const FlagIdentity none;
  const EvaluationFrame frame{.context = context, .flag = none};
  return Evaluator(program, frame, &scratch).walk(Value::context(frame), path, Value());
}

}  // namespace showcaller
