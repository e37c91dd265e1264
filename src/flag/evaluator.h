// SPDX-License-Identifier: Apache-2.0
// One evaluation under way. Steps are in evaluate.cc, expressions in expressions.cc, operations on
// lists in list_operations.cc, flagd's own in flagd_operations.cc.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "flag/coercion.h"
#include "flag/context.h"
#include "flag/interned_context.h"
#include "flag/program.h"
#include "flag/scratch.h"
#include "flag/value.h"

namespace showcaller {

class Evaluator {
 public:
  Evaluator(const Program& program, const EvaluationFrame& frame, Scratch* scratch)
      : program_(program),
        frame_(frame),
        scratch_(*scratch),
        root_(frame.data.is(ValueKind::Undefined) ? Value::context(frame) : frame.data) {}

  const Value& root() const { return root_; }
  // A flag's variant by its place in the program and 1, or 0: what `otherwise` is set to.
  std::uint32_t decide(std::uint32_t first, const Value& data, Value* otherwise);
  Value run(std::uint32_t first, const Value& data) {
    Value otherwise;
    return value_of(decide(first, data, &otherwise), otherwise);
  }
  Value eval(std::uint32_t index, const Value& data);
  // What a path leads to.
  Value walk(Value data, std::span<const PathSegment> path, const Value& otherwise);

 private:
  Value child(const Node& node, std::uint32_t i, const Value& data) {
    return i < node.count ? eval(program_.children[node.first + i], data) : Value();
  }
  std::span<Value> all_children(const Node& node, const Value& data);

  // Attributes of the root, each found once an evaluation.
  const AttributeValue& attribute(std::uint16_t number) {
    if (frame_.interned != nullptr) return frame_.interned[number];
    const unsigned place = number % kRemembered;
    if ((remembered_ >> place & 1) == 0 || numbers_[place] != number) find(number, place);
    return found_[place];
  }
  void find(std::uint16_t number, unsigned place);
  void find_elsewhere(std::uint16_t number, unsigned place);
  void remember(std::uint16_t number, unsigned place, const Value& value);
  Value given(std::uint16_t number) {
    const Value& value = attribute(number).value;
    return value.is(ValueKind::Undefined) ? Value::null() : value;
  }
  std::uint32_t symbol_of(std::uint16_t number);
  std::uint32_t look_up_symbol(std::uint16_t number);
  std::uint32_t hash_of(std::uint16_t number);
  PackedVersion version_of(std::uint16_t number);

  // Tests, as far as the values are what they usually are; the rest asks holds_oddly.
  bool is_text(const Instruction& test);
  bool is_number(const Instruction& test);
  bool is_ordered_against(const Instruction& test);
  bool is_one_of(const Instruction& test);
  bool is_one_of_few(const Instruction& test);
  bool has_version(const Instruction& test);
  bool has_affix(const Instruction& test);
  std::uint32_t jump_of(const Instruction& row);
  bool holds_oddly(const Instruction& test);

  Value member(const Value& container, const PathSegment& segment);
  Value whole(const Value& data);
  Value var(const Value& path, const Value& otherwise, const Value& data);
  Value missing(std::span<const Value> keys, const Value& data);
  Value missing_of(const Node& node, const Value& data);
  Value missing_some(const Value& wanted, const Value& keys, const Value& data);
  Value compare(const Node& node, const Value& data);
  Value between(const Node& node, const Value& data, Order order);
  Value extreme(const Node& node, const Value& data);
  Value arithmetic(const Node& node, const Value& data);
  Value fold(const Node& node, const Value& data);
  Value each(const Node& node, const Value& data);
  Value reduce(const Node& node, const Value& data);
  Value quantify(const Node& node, const Value& data);
  Value merge(const Node& node, const Value& data);
  Value contains(const Node& node, const Value& data);
  static bool is_item_of(const Value& list, const Value& value);
  Value cat(const Node& node, const Value& data);
  Value substring(const Node& node, const Value& data);
  Value fractional(const Node& node, const Value& data);
  Value value_of(std::uint32_t decided, const Value& otherwise) const {
    return decided == 0 ? otherwise : program_.constant(ConstantRef::variant(decided - 1));
  }
  std::uint32_t give(ConstantRef constant, Value* otherwise) const {
    if (constant.is_variant()) [[likely]]
      return constant.place() + 1;
    *otherwise = program_.literals[constant.place()];
    return 0;
  }
  std::uint32_t pick(const Share& share, const Value& data, Value* otherwise);
  std::uint32_t pick_at(const Share& share, std::uint32_t hash, Value* otherwise);
  std::uint32_t pick_by(const Share& share, const Value& data, Value* otherwise);
  Value pick_computed(const Node& node, const Value& data);
  Value rollout(const Node& node, const Value& data);
  Value semantic_version(const Node& node, const Value& data);
  Value affix(const Node& node, const Value& data);
  Value change_case(const Node& node, const Value& data);
  // The bytes whose hash decides, where a rule names none: the flag's key and the targeting key.
  // Null: no key.
  Value default_bucketing(const Value& data);

  static constexpr unsigned kRemembered = 32;

  const Program& program_;
  const EvaluationFrame& frame_;
  Scratch& scratch_;
  const Value root_;
  std::uint32_t remembered_ = 0;  // bits: which of the places below are filled
  std::array<std::uint16_t, kRemembered> numbers_;
  // Not initialised: two thirds of a kilobyte that most rules do not use.
  union {
    std::array<AttributeValue, kRemembered> found_;
  };
};

}  // namespace showcaller
