// SPDX-License-Identifier: Apache-2.0
// Steps, and what is known of attributes.
#include "flag/evaluate.h"

#include "flag/evaluator.h"
#include "flag/fractional.h"

namespace showcaller {
namespace {

bool is_ordered_number(RuleStep step, double number, double bound) {
  switch (step) {
    case RuleStep::Less:
      return number < bound;
    case RuleStep::LessOrEqual:
      return number <= bound;
    case RuleStep::Greater:
      return number > bound;
    default:
      return number >= bound;
  }
}

}  // namespace

// What is found out here is remembered, but never in a context that others share.
[[gnu::always_inline]] inline std::uint32_t Evaluator::symbol_of(std::uint16_t number) {
  const std::uint32_t symbol = attribute(number).symbol;
  return symbol != Symbol::kUnknown ? symbol : look_up_symbol(number);
}

std::uint32_t Evaluator::look_up_symbol(std::uint16_t number) {
  const std::uint32_t symbol =
      program_.attributes[number].symbol_of(attribute(number).value.as_string());
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

[[gnu::always_inline]] inline bool Evaluator::is_text(const Instruction& test) {
  if (!attribute(test.attribute).value.is(ValueKind::String)) [[unlikely]]
    return holds_oddly(test);
  return symbol_of(test.attribute) == test.text.symbol;
}

[[gnu::always_inline]] inline bool Evaluator::is_number(const Instruction& test) {
  const Value& value = attribute(test.attribute).value;
  if (!value.is(ValueKind::Number)) [[unlikely]]
    return holds_oddly(test);
  return value.as_number() == test.number;
}

[[gnu::always_inline]] inline bool Evaluator::is_ordered_against(const Instruction& test) {
  const Value& value = attribute(test.attribute).value;
  if (!value.is(ValueKind::Number)) [[unlikely]]
    return holds_oddly(test);
  return is_ordered_number(test.step, value.as_number(), test.number);
}

[[gnu::always_inline]] inline bool Evaluator::is_one_of(const Instruction& test) {
  if (!attribute(test.attribute).value.is(ValueKind::String)) [[unlikely]]
    return holds_oddly(test);
  const std::uint32_t symbol = symbol_of(test.attribute);
  return symbol != Symbol::kNone && program_.find(test.map, symbol) != nullptr;
}

[[gnu::always_inline]] inline bool Evaluator::is_one_of_few(const Instruction& test) {
  if (!attribute(test.attribute).value.is(ValueKind::String)) [[unlikely]]
    return false;
  const std::uint32_t place = symbol_of(test.attribute) - Symbol::kFirst;  // huge: of none
  return place < 64 && (test.few >> place & 1) != 0;
}

[[gnu::always_inline]] inline bool Evaluator::has_version(const Instruction& test) {
  if (!attribute(test.attribute).value.is(ValueKind::String)) [[unlikely]]
    return holds_oddly(test);
  const PackedVersion version = version_of(test.attribute);
  if (!version) [[unlikely]]
    return holds_oddly(test);
  return version.matches(test.comparison, test.version);
}

[[gnu::always_inline]] inline bool Evaluator::has_affix(const Instruction& test) {
  const Value& value = attribute(test.attribute).value;
  if (!value.is(ValueKind::String)) return false;
  const std::string_view text = value.as_string();
  const std::string_view part = program_.literals[test.index].as_string();
  if (text.size() < part.size()) return false;
  const std::size_t at = test.step == RuleStep::StartsWith ? 0 : text.size() - part.size();
  return same_text({text.data() + at, part.size()}, part);
}

// A text of none of the rows passes over them all; what is no text may still equal one, and asks
// each.
[[gnu::always_inline]] inline std::uint32_t Evaluator::jump_of(const Instruction& row) {
  if (!attribute(row.attribute).value.is(ValueKind::String)) return 1;
  const SymbolCell* const found = program_.find(row.map, symbol_of(row.attribute));
  return (found != nullptr ? *found : program_.head_of(row.map)).jump;
}

[[gnu::always_inline]] inline std::uint32_t Evaluator::pick_at(const Share& share,
                                                               std::uint32_t hash,
                                                               Value* otherwise) {
  const Bucket* const picked = pick_bucket(program_, share, hash);
  if (picked != nullptr) return give(picked->variant, otherwise);
  *otherwise = Value::null();
  return 0;
}

[[gnu::always_inline]] inline std::uint32_t Evaluator::pick(const Share& share, const Value& data,
                                                            Value* otherwise) {
  if (share.by == Share::By::TargetingKey && share.in_context) {
    const Value& key = attribute(share.targeting_key).value;
    if (key.is(ValueKind::String))
      return pick_at(share, frame_.flag.key_hash.hash(key.as_string()), otherwise);
    *otherwise = Value::null();
    return 0;
  }
  if (share.by == Share::By::Attribute) {
    const Value& by = attribute(share.attribute).value;
    if (by.is(ValueKind::String)) {
      return pick_at(share,
                     share.prefixed ? share.prefix.hash(by.as_string()) : hash_of(share.attribute),
                     otherwise);
    }
  }
  return pick_by(share, data, otherwise);
}

// By what is computed: a text, or by default where there is nothing.
std::uint32_t Evaluator::pick_by(const Share& share, const Value& data, Value* otherwise) {
  const Node& node = program_.nodes[share.node];
  const Value by = share.by == Share::By::TargetingKey ? Value::null() : child(node, 0, data);
  *otherwise = Value::null();
  if (by.is_array()) {
    *otherwise = pick_computed(node, data);
    return 0;
  }
  if (!by.is(ValueKind::String) && !by.is_nullish()) return 0;
  const Value text = by.is_nullish() ? default_bucketing(data) : by;
  if (!text.is(ValueKind::String)) return 0;
  return pick_at(share, MurmurPrefix().hash(text.as_string()), otherwise);
}

Value Evaluator::fractional(const Node& node, const Value& data) {
  if (node.share == 0) return pick_computed(node, data);
  Value otherwise;
  return value_of(pick(program_.shares[node.share - 1], data, &otherwise), otherwise);
}

std::uint32_t Evaluator::decide(std::uint32_t first, const Value& data, Value* otherwise) {
  Value kept;
  for (const Instruction* at = program_.steps.data() + first;;) {
    bool holds = false;
    switch (at->step) {
      case RuleStep::TextEqual:
      case RuleStep::TextStrictEqual:
        holds = is_text(*at);
        break;
      case RuleStep::NumberEqual:
      case RuleStep::NumberStrictEqual:
        holds = is_number(*at);
        break;
      case RuleStep::Less:
      case RuleStep::LessOrEqual:
      case RuleStep::Greater:
      case RuleStep::GreaterOrEqual:
        holds = is_ordered_against(*at);
        break;
      case RuleStep::OneOf:
        holds = is_one_of(*at);
        break;
      case RuleStep::OneOfFew:
        holds = is_one_of_few(*at);
        break;
      case RuleStep::Version:
        holds = has_version(*at);
        break;
      case RuleStep::StartsWith:
      case RuleStep::EndsWith:
        holds = has_affix(*at);
        break;
      case RuleStep::AttributeTruth:
        holds = is_truthy(attribute(at->attribute).value);
        break;
      case RuleStep::Expression:
        kept = eval(at->index, data);
        holds = is_truthy(kept);
        break;
      case RuleStep::Switch:
        at += jump_of(*at);
        continue;
      case RuleStep::GiveConstant:
        return give(at->constant, otherwise);
      case RuleStep::GiveShare:
        return pick(program_.shares[at->index], data, otherwise);
      case RuleStep::GiveExpression:
        *otherwise = eval(at->index, data);
        return 0;
      case RuleStep::GiveKept:
        *otherwise = kept;
        return 0;
    }
    // A branch and no sum: the next step is foreseen before this one is known.
    if (holds == at->wanted) [[likely]] {
      ++at;
    } else {
      at += at->jump;
      asm volatile("");
    }
  }
}

// The same tests for values that are seldom there, as the operations themselves say.
bool Evaluator::holds_oddly(const Instruction& test) {
  const Value value = given(test.attribute);
  switch (test.step) {
    case RuleStep::TextEqual:
      return loosely_equal(value, program_.literals[test.text.literal], &scratch_);
    case RuleStep::NumberEqual:
      return loosely_equal(value, Value::number(test.number), &scratch_);
    case RuleStep::Less:
      return is_ordered(value, Value::number(test.number), Order::Less, &scratch_);
    case RuleStep::LessOrEqual:
      return is_ordered(value, Value::number(test.number), Order::LessOrEqual, &scratch_);
    case RuleStep::Greater:
      return is_ordered(Value::number(test.number), value, Order::Less, &scratch_);
    case RuleStep::GreaterOrEqual:
      return is_ordered(Value::number(test.number), value, Order::LessOrEqual, &scratch_);
    case RuleStep::OneOf:
      return is_item_of(program_.literals[program_.head_of(test.map).literal], value);
    case RuleStep::Version: {
      const bool can_be = value.is(ValueKind::String) || value.is(ValueKind::Number);
      return can_be &&
             match_version(to_text(value, &scratch_), test.comparison, test.version.to_text())
                 .value_or(false);
    }
    default:
      return false;
  }
}

[[gnu::always_inline]] inline void Evaluator::remember(std::uint16_t number, unsigned place,
                                                       const Value& value) {
  AttributeValue& found = found_[place];
  found.value = value;
  found.symbol = Symbol::kUnknown;
  found.hash = 0;
  found.version = PackedVersion();
  numbers_[place] = number;
  remembered_ |= 1u << place;
}

// Nearly all are in the nearest layer: this calls nothing, and so has no registers to save.
void Evaluator::find(std::uint16_t number, unsigned place) {
  const Attribute& asked = program_.attributes[number];
  if (asked.count == 1 && frame_.data.is(ValueKind::Undefined)) [[likely]] {
    const Value* const here = frame_.context.find_in_place(asked.path, asked.tag);
    if (here != nullptr) [[likely]]
      return remember(number, place, *here);
  }
  find_elsewhere(number, place);
}

[[gnu::noinline]] void Evaluator::find_elsewhere(std::uint16_t number, unsigned place) {
  const Attribute& asked = program_.attributes[number];
  const bool is_simple = asked.count == 1 && frame_.data.is(ValueKind::Undefined);
  remember(number, place,
           is_simple ? frame_.context.find(asked.path, asked.tag)
                     : walk(root_, {program_.segments.data() + asked.first, asked.count}, Value()));
}

Value evaluate_program(const Program& program, std::uint32_t first, const EvaluationFrame& frame,
                       Scratch* scratch) {
  Evaluator evaluator(program, frame, scratch);
  return evaluator.run(first, evaluator.root());
}

std::uint32_t decide_variant(const Program& program, std::uint32_t first,
                             const EvaluationFrame& frame, Scratch* scratch, Value* otherwise) {
  Evaluator evaluator(program, frame, scratch);
  return evaluator.decide(first, evaluator.root(), otherwise);
}

Value find_attribute(const Program& program, const Attribute& attribute,
                     const EvaluationContext& context) {
  if (attribute.count == 1) return context.find(attribute.path, attribute.tag);
  Scratch scratch({});
  const FlagIdentity none;
  const EvaluationFrame frame{.context = context, .flag = none};
  return Evaluator(program, frame, &scratch)
      .walk(Value::context(frame), {program.segments.data() + attribute.first, attribute.count},
            Value());
}

}  // namespace showcaller
