// SPDX-License-Identifier: Apache-2.0
#include "flag/operations.h"

#include <algorithm>
#include <array>

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

}  // namespace

Op find_operation(std::string_view name) {
  const auto found = std::ranges::lower_bound(kOperations, name, {}, &NamedOp::name);
  return found != kOperations.end() && found->name == name ? found->op : Op::Literal;
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

}  // namespace showcaller
