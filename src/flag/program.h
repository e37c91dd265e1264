// SPDX-License-Identifier: Apache-2.0
// A compiled rule: steps that decide, and expressions that they ask.
//
// `if`, `and`, `or`, `!` and `!!` become a row of steps that jump forward. Where a condition holds
// an attribute of the context against a constant, it is one step with what can be known beforehand
// (a number, a parsed version, a set of texts). Anything else is an expression: nodes in one flat
// table, children by index. Immutable once built, so threads share it freely.
//
// Source of the language: jsonlogic.com (with json-logic-js as the judge of its corners) and
// flagd's custom operations.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "flag/evaluation.h"
#include "flag/murmur.h"
#include "flag/semver.h"
#include "flag/text_table.h"
#include "flag/value.h"

namespace showcaller {

enum class Op : std::uint8_t {
  Literal,
  Array,      // an array some of whose items are computed
  Attribute,  // var with a constant path into the whole context
  Path,       // var with a constant path into what a list operation looks at, or $flagd
  Var,        // var with a computed path
  Decide,     // steps, where a value is asked for
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

struct Node {
  Op op = Op::Literal;
  std::uint16_t attribute = 0;  // Attribute
  std::uint32_t first = 0;      // of `count` children, or of segments for Path; Decide: its steps
  std::uint32_t count = 0;
  std::uint32_t share = 0;  // Fractional: 1 + its place in shares; 0: none
  Value literal;            // Literal, or what Attribute and Path give when nothing is there
};

enum class RuleStep : std::uint8_t {
  // Tests: when one comes out as `wanted` the next step follows, else the jump is taken.
  AttributeTruth,
  TextEqual,  // with a constant text
  TextStrictEqual,
  NumberEqual,  // with a constant number
  NumberStrictEqual,
  Less,  // the attribute than a constant number
  LessOrEqual,
  Greater,
  GreaterOrEqual,
  OneOf,     // constants, by ===
  OneOfFew,  // texts alone, each among the first that the attribute is compared with
  Version,
  StartsWith,
  EndsWith,
  Expression,  // what it gives is kept
  // An attribute's text says where a chain of tests against constants goes on.
  Switch,
  // Ends.
  GiveConstant,
  GiveShare,  // of a `fractional` with constant buckets
  GiveExpression,
  GiveKept,
};
inline constexpr int kRuleSteps = int(RuleStep::GiveKept) + 1;

// A constant by its place in literals, or, of a flag, one of its variants by name.
class ConstantRef {
 public:
  ConstantRef() = default;
  static ConstantRef literal(std::uint32_t place) { return ConstantRef(place << 1); }
  static ConstantRef variant(std::uint32_t place) { return ConstantRef(place << 1 | 1); }
  bool is_variant() const { return (bits_ & 1) != 0; }
  std::uint32_t place() const { return bits_ >> 1; }

 private:
  explicit ConstantRef(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

// Cells of an attribute's symbols: some of its constants, or where each of them leads to. The cell
// before the first has what is to be known of all.
struct SymbolMap {
  std::uint32_t first = 0;
  std::uint32_t mask = 0;
};

// Steps of one rule: more than any rule may have operations, unless limits are set so.
inline constexpr std::size_t kStepsMax = 60'000;

struct Instruction {
  struct Text {
    std::uint32_t literal = 0;
    std::uint32_t symbol = 0;
  };

  RuleStep step = RuleStep::GiveKept;
  bool wanted = true;
  std::uint16_t attribute = 0;
  std::uint16_t jump = 0;  // relative
  VersionComparison comparison = VersionComparison::Equal;
  union {
    std::uint32_t index = 0;  // of a node, a share, a literal
    ConstantRef constant;
    Text text;
    double number;
    PackedVersion version;
    SymbolMap map;
    std::uint64_t few;  // a bit a symbol, from kFirst on
  };
};
static_assert(sizeof(Instruction) == 16);

// Constants that an attribute is compared with have numbers, so that texts are compared as numbers.
struct Symbol {
  static constexpr std::uint32_t kUnknown = 0;  // not looked up yet
  static constexpr std::uint32_t kNone = 1;     // none that it is compared with
  static constexpr std::uint32_t kFirst = 2;
};

// What is asked of the context: a path from its root. The same path is one attribute for a whole
// program, so that what is known of it is found once.
struct Attribute {
  std::string_view path;
  std::uint32_t first = 0;  // segments
  std::uint32_t count = 0;
  std::uint8_t tag = 0;  // of the path
  // What steps want to know of its text beforehand.
  bool compared = false, hashed = false, versioned = false;
  TextTable symbols;  // the constants that it is compared with; numbers from kFirst

  std::uint32_t symbol_of(std::string_view text) const {
    const std::uint32_t number = symbols.find(text);
    return number == TextTable::kAbsent ? Symbol::kNone : number + Symbol::kFirst;
  }
};

// What a flag's rule may give, in a line of the cache.
struct alignas(64) Variant {
  Evaluation answer;

  std::string_view name() const { return answer.variant; }
};
static_assert(sizeof(Variant) == 64);

struct SymbolCell {
  std::uint32_t symbol = Symbol::kUnknown;
  union {
    std::uint32_t jump = 0;  // in the cell before the first: for a text that is none of them
    std::uint32_t literal;   // there, of OneOf: the list itself
  };
};

// How `fractional` goes from a hash to a bucket; flagd has changed it once, and may again.
enum class Bucketing : std::uint8_t {
  Percent,  // until 2025: |hash as a signed number| / (2^31 - 1) as a percentage, in doubles
  Weights,  // (hash * total weight) >> 32, exact
};

struct Bucket {
  std::uint32_t end = 0;  // in weights, running
  ConstantRef variant;
};

// A `fractional` whose weights and variants are all constants.
struct Share {
  enum class By : std::uint8_t { TargetingKey, Attribute, Expression };
  static constexpr std::uint32_t kFew = 3;

  By by = By::TargetingKey;
  bool prefixed = false;            // Attribute: by what `cat` puts before it and its text
  bool in_context = false;          // at the root, where there is a targeting key
  std::uint16_t attribute = 0;      // Attribute
  std::uint16_t targeting_key = 0;  // where in_context
  std::uint32_t node = 0;
  MurmurPrefix prefix;
  std::uint32_t bucket_count = 0;
  std::uint32_t first_bucket = 0;  // of more than a few
  Bucket few[kFew];
};
static_assert(sizeof(Share) <= 64);

struct Program {
  Bucketing bucketing = Bucketing::Weights;
  std::vector<Instruction> steps;
  std::vector<Node> nodes;
  std::vector<std::uint32_t> children;
  std::vector<PathSegment> segments;
  std::vector<Value> literals;
  std::vector<Bucket> buckets;
  std::vector<Share> shares;
  std::vector<Variant> variants;  // a flag's side by side
  std::vector<SymbolCell> symbol_cells;
  std::vector<Attribute> attributes;
  TextTable attribute_paths;
  std::vector<std::unique_ptr<Value[]>> arrays;  // constant ones; they stay where they are

  Value constant(ConstantRef ref) const {
    if (!ref.is_variant()) return literals[ref.place()];
    return Value::string(variants[ref.place()].name()).naming(ref.place() + 1);
  }
  std::span<const Bucket> buckets_of(const Share& share) const {
    const bool is_few = share.bucket_count <= Share::kFew;
    return {is_few ? share.few : buckets.data() + share.first_bucket, share.bucket_count};
  }
  const SymbolCell& head_of(SymbolMap map) const { return symbol_cells[map.first - 1]; }
  // Null: the text is none of them.
  const SymbolCell* find(SymbolMap map, std::uint32_t symbol) const {
    for (std::uint32_t at = symbol & map.mask;; at = (at + 1) & map.mask) {
      const SymbolCell& cell = symbol_cells[map.first + at];
      if (cell.symbol == symbol) return &cell;
      if (cell.symbol == Symbol::kUnknown) return nullptr;
    }
  }
};

// Splits "a.b.0" into its segments, as JSONLogic does.
void split_path(std::string_view path, std::vector<PathSegment>* out);

}  // namespace showcaller
