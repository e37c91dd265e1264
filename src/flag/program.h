// SPDX-License-Identifier: Apache-2.0
// Compiled expressions: nodes in one flat table, children by index. Immutable once built, so
// threads share it freely.
//
// Source of the language: jsonlogic.com (with json-logic-js as the judge of its corners) and
// flagd's custom operations.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "flag/value.h"

namespace showcaller {

enum class Op : std::uint8_t {
  Literal,
  Array,    // an array some of whose items are computed
  VarKey,   // var with one constant name, the commonest case by far
  VarPath,  // var with a constant path
  Var,      // var with a computed path
  Missing,
  MissingSome,
  If,
  And,
  Or,
  Not,
  Truthy,
  LooseEqual,
  StrictEqual,
  LooseUnequal,
  StrictUnequal,
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual,
  Max,
  Min,
  Add,
  Subtract,
  Multiply,
  Divide,
  Modulo,
  Map,
  Filter,
  Reduce,
  All,
  None,
  Some,
  Merge,
  In,
  Cat,
  Substring,
  Log,
  Fractional,
  Rollout,
  SemanticVersion,
  StartsWith,
  EndsWith,
  Lower,
  Upper,
};

struct PathSegment {
  std::string_view key;
  std::int32_t index = -1;  // the same as a position in an array
};

// Buckets of a `fractional` whose weights and variants are all constants.
struct Bucket {
  Value variant;
  std::uint64_t end = 0;  // in weights, running
};

struct Node {
  Op op = Op::Literal;
  std::uint32_t first = 0;  // of `count` entries of children, or of segments for VarKey and VarPath
  std::uint32_t count = 0;
  std::uint32_t extra = 0;  // Fractional: 1 + the first of its constant buckets; 0: none
  std::uint32_t extra_count = 0;
  Value literal;  // Literal, or what VarKey and VarPath give when nothing is there
};

struct Program {
  std::vector<Node> nodes;
  std::vector<std::uint32_t> children;
  std::vector<PathSegment> segments;
  std::vector<Bucket> buckets;
  std::deque<std::vector<Value>>
      arrays;  // constant arrays; a deque, so that they stay where they are
  std::deque<std::string> texts;
};

struct LogicLimits {
  std::size_t nodes_max = 20'000;    // an expression, its references spelled out
  std::size_t values_max = 200'000;  // constants in it
  int depth_max = 64;
};

// Compiles expressions into a program. What is compiled must outlive the program: it views the
// strings.
class LogicCompiler {
 public:
  // `evaluators` (may be null) is what `$ref` refers to.
  LogicCompiler(Program* program, const LogicLimits& limits, const json::object* evaluators)
      : program_(*program), limits_(limits), evaluators_(evaluators) {}

  // The root node. Errors name the place as a JSON pointer below `pointer`.
  Result<std::uint32_t> compile(const json::value& rule, std::string_view pointer);

 private:
  Result<std::uint32_t> compile_at(const json::value& rule, int depth);
  Result<std::uint32_t> compile_operation(Op op, const json::value& arguments, int depth);
  Result<std::uint32_t> compile_var(const json::value& arguments, int depth);
  Result<std::uint32_t> compile_reference(const json::value& name, int depth);
  Result<std::uint32_t> compile_array(const json::array& items, int depth);
  Result<std::uint32_t> add_with_children(Op op, const std::vector<std::uint32_t>& children);
  Result<std::uint32_t> add(Node node);
  void add_constant_buckets(std::uint32_t node);
  bool literal_bucket(std::uint32_t child, std::uint64_t* end);
  Result<Value> constant(const json::value& value);
  std::unexpected<Error> refuse(ErrorCode code, std::string message) const;

  Program& program_;
  LogicLimits limits_;
  const json::object* evaluators_;
  std::string path_;
  std::vector<std::string_view> references_;
  std::size_t nodes_ = 0;
  std::size_t values_ = 0;
};

// The operation of that name; Op::Literal when there is none.
Op find_operation(std::string_view name);

// Splits "a.b.0" into its segments, as JSONLogic does.
void split_path(std::string_view path, std::vector<PathSegment>* out);
void append_pointer(std::string* pointer, std::string_view token);

}  // namespace showcaller
