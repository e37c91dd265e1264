// SPDX-License-Identifier: Apache-2.0
// Compiles expressions into a program. What is compiled must outlive the program: it views the
// strings.
//
// Threads: one. Limits: LogicLimits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "flag/operations.h"
#include "flag/program.h"

namespace showcaller {

struct LogicLimits {
  std::size_t nodes_max = 20'000;    // an expression, its references spelled out
  std::size_t values_max = 200'000;  // constants in it
  int depth_max = 64;
};

// Of the flag whose rule is compiled; a rule that is no flag's has none.
struct RuleOwner {
  std::optional<std::string_view> flag_key;
  std::uint32_t variants = 0;  // the first of them in the program
  std::uint32_t variant_count = 0;
};

class LogicCompiler {
 public:
  // `evaluators` (may be null) is what `$ref` refers to.
  LogicCompiler(Program* program, const LogicLimits& limits, const json::object* evaluators,
                RuleOwner owner = {});

  // The first step. Errors name the place as a JSON pointer below `pointer`.
  Result<std::uint32_t> compile(const json::value& rule, std::string_view pointer);

 private:
  // Steps that belong together; a block is appended to the program when it is whole.
  using Block = std::vector<Instruction>;
  // Steps of a block whose jumps are not known yet.
  using Places = std::vector<std::uint32_t>;
  // What a condition has to be for the next step to follow.
  enum class Truth : bool { No, Yes };
  // What an operation is given; one argument may stand without a list around it.
  struct Arguments {
    explicit Arguments(const json::value& given);
    std::span<const json::value> items;
    bool listed = false;
  };
  // A row of conditions that each hold one attribute against another text.
  struct Chain {
    std::size_t rows_left = 0;
    std::uint32_t place = 0;  // of the Switch in its block
    SymbolMap map;
    bool open = false;
  };
  struct TextTest {
    std::uint16_t attribute = 0;
    std::string_view text;
  };

  // What stands where a value is wanted: nodes (logic_compiler.cc).
  Result<std::uint32_t> node_of(const json::value& rule, int depth);
  Result<std::uint32_t> operation_node(Op op, const json::value& given, int depth);
  Result<std::uint32_t> var_node(const json::value& given, int depth);
  Result<std::uint32_t> array_node(const json::array& items, int depth);
  Result<std::uint32_t> decide_node(const json::value& rule, int depth);
  Result<std::uint32_t> add(Node node);
  Result<std::uint32_t> add_with_children(Op op, const std::vector<std::uint32_t>& children);
  Result<Value> constant(const json::value& value);
  // A list of plain constants.
  Result<Value> constant_list(const json::array& items);
  Value new_array(std::span<const Value> items);

  // Shares (share_compiler.cc).
  void add_share(std::uint32_t node, const Arguments& arguments);
  bool add_bucket(const Node& node, std::vector<Bucket>* buckets);
  void set_bucketing(const json::value& by, Share* share);
  // A constant, with the variant that it names.
  ConstantRef constant_of(const Value& value);
  std::optional<std::uint32_t> variant_of(const Value& value) const;

  // What decides: steps (decision_compiler.cc).
  Status decide(const json::value& rule, int depth, Block* block, Chain* chain = nullptr);
  Status choose(const Arguments& arguments, int depth, Block* block, Chain* chain);
  Status first_with(Op op, const Arguments& arguments, int depth, Block* block);
  Status condition(const json::value& rule, Truth wanted, int depth, Block* block, Places* fails);
  Status all_of(const Arguments& arguments, Truth wanted, int depth, Block* block, Places* fails);
  Status any_of(const Arguments& arguments, Truth wanted, int depth, Block* block, Places* fails);
  void begin_row(const Arguments& arguments, std::size_t row, Block* block, Chain* chain);
  void end_rows(const Block& block, Chain* chain);
  std::vector<TextTest> leading_tests(const Arguments& arguments, std::size_t row);
  std::optional<TextTest> leading_test(const json::value& condition);
  Status step(Instruction instruction, Block* block);
  Status test(Instruction instruction, Truth wanted, Block* block, Places* fails);
  Status ask(const json::value& rule, Truth wanted, int depth, Block* block, Places* fails);
  Status give(const Value& literal, Block* block);
  static void land(const Places& jumps, Block* block);
  Result<std::uint32_t> append(const Block& block);

  // Tests of an attribute against constants (test_compiler.cc). Nothing: it is not such a test.
  Result<std::optional<Instruction>> attribute_test(Op op, const Arguments& arguments);
  std::optional<Instruction> text_test(Op op, std::uint16_t attribute, const json::string& text);
  Result<std::optional<Instruction>> list_test(std::uint16_t attribute, const json::value& list);
  std::optional<Instruction> version_test(std::uint16_t attribute, const Arguments& arguments);
  Result<bool> between(Op op, const Arguments& arguments, Block* block, Places* fails);

  // The attribute that a rule is nothing but, at the root.
  std::optional<std::uint16_t> attribute_of(const json::value& rule);
  std::optional<std::uint16_t> attribute_at(std::string_view path);
  std::uint32_t symbol_of(std::uint16_t attribute, std::string_view text);
  std::uint32_t literal_of(const Value& value);
  SymbolMap new_map(std::size_t symbols);
  // Where the symbol is in the map already, what is there stays.
  void put(SymbolMap map, std::uint32_t symbol, std::uint32_t jump);

  // Compiles what an evaluator's name refers to.
  template <class Use>
  auto inside_reference(const json::value& name, const Use& use)
      -> decltype(use(std::declval<const json::value&>()));
  Result<const json::value*> enter_reference(const json::value& name);
  std::unexpected<Error> refuse(ErrorCode code, std::string message) const;

  // Appends to the pointer for as long as it lives.
  class At {
   public:
    At(LogicCompiler* compiler, std::string_view token);
    At(LogicCompiler* compiler, std::size_t index);
    At(LogicCompiler* compiler, const Arguments& arguments, std::size_t index);
    ~At() { path_.resize(length_); }
    At(const At&) = delete;
    At& operator=(const At&) = delete;

   private:
    std::string& path_;
    std::size_t length_;
  };

  Program& program_;
  const LogicLimits limits_;
  const json::object* evaluators_;
  RuleOwner owner_;
  std::string path_;
  std::vector<std::string_view> references_;
  int lists_ = 0;  // list operations around: their bodies do not see the context
  std::size_t nodes_ = 0;
  std::size_t values_ = 0;
};

template <class Use>
auto LogicCompiler::inside_reference(const json::value& name, const Use& use)
    -> decltype(use(std::declval<const json::value&>())) {
  TRY(const json::value* const evaluator, enter_reference(name));
  auto result = use(*evaluator);
  references_.pop_back();
  return result;
}

}  // namespace showcaller
