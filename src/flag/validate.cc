// SPDX-License-Identifier: Apache-2.0
#include "flag/validate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "base/suggest.h"
#include "flag/operations.h"
#include "flag/semver.h"

namespace showcaller {
namespace {

constexpr int kDepthMax = 64;
constexpr double kSafeInteger = 9007199254740991.0;
constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

enum class Form { Plain, Var, Missing, MissingSome, Texts, Version, Fractional, Rollout };

struct OperationRule {
  std::string_view name;
  std::size_t min;
  std::size_t max;
  Form form = Form::Plain;
};

// What flagd's targeting schema knows, and how many arguments each operation takes.
constexpr std::array kRules{
    OperationRule{"var", 0, kAny, Form::Var},
    OperationRule{"missing", 0, kAny, Form::Missing},
    OperationRule{"missing_some", 2, 2, Form::MissingSome},
    OperationRule{"if", 1, kAny},
    OperationRule{"==", 2, 2},
    OperationRule{"===", 2, 2},
    OperationRule{"!=", 2, 2},
    OperationRule{"!==", 2, 2},
    OperationRule{">", 2, 2},
    OperationRule{">=", 2, 2},
    OperationRule{"%", 2, 2},
    OperationRule{"/", 2, 2},
    OperationRule{"map", 2, 2},
    OperationRule{"filter", 2, 2},
    OperationRule{"all", 2, 2},
    OperationRule{"none", 2, 2},
    OperationRule{"some", 2, 2},
    OperationRule{"in", 2, 2},
    OperationRule{"substr", 2, 3},
    OperationRule{"<", 2, 3},
    OperationRule{"<=", 2, 3},
    OperationRule{"reduce", 3, 3},
    OperationRule{"*", 2, kAny},
    OperationRule{"!", 1, 1},
    OperationRule{"!!", 1, 1},
    OperationRule{"or", 1, kAny},
    OperationRule{"and", 1, kAny},
    OperationRule{"+", 1, kAny},
    OperationRule{"-", 1, kAny},
    OperationRule{"max", 1, kAny},
    OperationRule{"min", 1, kAny},
    OperationRule{"merge", 1, kAny},
    OperationRule{"cat", 1, kAny},
    OperationRule{"starts_with", 2, 2, Form::Texts},
    OperationRule{"ends_with", 2, 2, Form::Texts},
    OperationRule{"lower", 1, 1, Form::Texts},
    OperationRule{"upper", 1, 1, Form::Texts},
    OperationRule{"sem_ver", 3, 3, Form::Version},
    OperationRule{"fractional", 1, kAny, Form::Fractional},
    OperationRule{"rollout", 3, 5, Form::Rollout},
};

bool is_rule(const json::value& value) {
  return value.is_object();
}

const json::array* as_list(const json::value& arguments) {
  return arguments.if_array();
}

class Validator {
 public:
  Validator(std::string_view pointer, const json::object* evaluators)
      : pointer_(pointer), evaluators_(evaluators) {}

  void document(const json::value& value);
  void flag(const json::value& value);
  void rule(const json::value& value, int depth);
  // Constants that targeting may give must name variants.
  void outcomes(const json::value& value, const json::object& variants, int depth);

  std::vector<FlagFinding> take() { return std::move(findings_); }

 private:
  // Appends to the pointer for as long as it lives.
  class At {
   public:
    At(Validator* validator, std::string_view token)
        : validator_(*validator), length_(validator->pointer_.size()) {
      append_pointer(&validator_.pointer_, token);
    }
    At(Validator* validator, std::size_t index) : At(validator, std::to_string(index)) {}
    ~At() { validator_.pointer_.resize(length_); }
    At(const At&) = delete;
    At& operator=(const At&) = delete;

   private:
    Validator& validator_;
    std::size_t length_;
  };

  void find(std::string message) { note(std::move(message), false); }
  // What no evaluator of the language understands.
  void spoil(std::string message) { note(std::move(message), true); }
  void note(std::string message, bool spoils) {
    if (findings_.size() < kFlagFindingsMax)
      findings_.push_back({pointer_, std::move(message), spoils});
  }
  void state(const json::object& flag);
  void variants(const json::object& flag);
  void default_variant(const json::object& flag);
  void metadata(const json::object& parent);
  void targeting(const json::object& flag);
  void reference(const json::value& name);
  void arguments(const OperationRule& rule, const json::value& value, int depth);
  void argument(const json::value& value, int depth);
  void var(const json::value& value, int depth);
  void key_list(const json::value& value, int depth);
  void text_argument(const json::value& value, int depth);
  void version(const json::array& list, int depth);
  void fractional(const json::array& list, int depth);
  void rollout(const json::array& list, int depth);
  void bucketing(const json::value& value, int depth);
  void bucket(const json::value& value, int depth);

  std::string pointer_;
  const json::object* evaluators_;
  std::vector<FlagFinding> findings_;
};

void Validator::document(const json::value& value) {
  const auto* root = value.if_object();
  if (root == nullptr) return find("flag definitions are an object with `flags`");
  metadata(*root);
  if (const auto* found = get_if(*root, "$evaluators")) {
    const At at(this, "$evaluators");
    if (!found->is_object()) {
      find("evaluators are an object of rules by name");
    } else {
      evaluators_ = &found->get_object();
      for (const auto& [name, evaluator] : *evaluators_) {
        const At at_name(this, std::string_view(name));
        if (name.empty()) find("an evaluator's name is not empty");
        if (!evaluator.is_object()) {
          find("an evaluator is a rule");
        } else if (!evaluator.get_object().empty()) {
          rule(evaluator, kDepthMax);
        }
      }
    }
  }
  const At at(this, "flags");
  const auto* flags = get_if(*root, "flags");
  if (flags == nullptr) return find("`flags` is missing");
  if (!flags->is_object()) return find("`flags` is an object of flags by key");
  for (const auto& [key, definition] : flags->get_object()) {
    const At at_key(this, std::string_view(key));
    if (key.empty()) find("a flag's key is not empty");
    flag(definition);
  }
}

void Validator::flag(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return find("a flag is an object");
  state(*object);
  variants(*object);
  default_variant(*object);
  metadata(*object);
  targeting(*object);
}

void Validator::state(const json::object& flag) {
  const auto* found = get_if(flag, "state");
  if (found == nullptr) return find("`state` is missing; it is ENABLED or DISABLED");
  const At at(this, "state");
  const auto* text = found->if_string();
  if (text == nullptr || (*text != "ENABLED" && *text != "DISABLED")) {
    find(fmt::format("{} is no state; it is ENABLED or DISABLED", to_json_text(*found)));
  }
}

void Validator::variants(const json::object& flag) {
  const auto* found = get_if(flag, "variants");
  if (found == nullptr) return find("`variants` is missing");
  const At at(this, "variants");
  const auto* all = found->if_object();
  if (all == nullptr || all->empty())
    return find("`variants` is an object with at least one variant");
  const auto type_of = [](const json::value& value) -> std::string_view {
    if (value.is_number()) return "number";
    if (value.is_bool()) return "boolean";
    if (value.is_string()) return "string";
    return value.is_object() ? "object" : "";
  };
  const std::string_view type = type_of(all->begin()->value());
  for (const auto& [name, value] : *all) {
    const At at_name(this, std::string_view(name));
    if (name.empty()) find("a variant's name is not empty");
    const std::string_view own = type_of(value);
    if (own.empty()) {
      find("a variant is a boolean, a string, a number or an object");
    } else if (own != type && !type.empty()) {
      find(fmt::format("this is a {}, the first variant is a {}; all have one type", own, type));
    } else if (value.is_number() && std::abs(value.to_number<double>()) > kSafeInteger) {
      find("a number beyond 2^53 - 1 does not travel exactly");
    }
  }
}

void Validator::default_variant(const json::object& flag) {
  const auto* found = get_if(flag, "defaultVariant");
  if (found == nullptr || found->is_null()) return;
  const At at(this, "defaultVariant");
  const auto* name = found->if_string();
  if (name == nullptr) return find("`defaultVariant` is the name of a variant, or null");
  const auto* all = get_if(flag, "variants");
  if (all == nullptr || !all->is_object() || all->get_object().contains(*name)) return;
  std::vector<std::string> known;
  for (const auto& member : all->get_object()) known.emplace_back(member.key());
  const auto near = nearest_word(*name, known);
  find(fmt::format("'{}' is not one of the variants{}", std::string_view(*name),
                   near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

void Validator::metadata(const json::object& parent) {
  const auto* found = get_if(parent, "metadata");
  if (found == nullptr) return;
  const At at(this, "metadata");
  if (!found->is_object()) return find("`metadata` is an object");
  for (const auto& [name, value] : found->get_object()) {
    const At at_name(this, std::string_view(name));
    if (!value.is_string() && !value.is_number() && !value.is_bool()) {
      find("a metadata value is a string, a number or a boolean");
    }
  }
}

void Validator::targeting(const json::object& flag) {
  const auto* found = get_if(flag, "targeting");
  if (found == nullptr) return;
  const At at(this, "targeting");
  const auto* object = found->if_object();
  if (object == nullptr) return find("`targeting` is a rule: an object");
  if (object->empty()) return;
  rule(*found, kDepthMax);
  const auto* all = get_if(flag, "variants");
  if (all != nullptr && all->is_object()) outcomes(*found, all->get_object(), kDepthMax);
}

void Validator::outcomes(const json::value& value, const json::object& variants, int depth) {
  if (depth == 0) return;
  if (value.is_string() || value.is_bool()) {
    const std::string name =
        value.is_bool() ? (value.get_bool() ? "true" : "false") : std::string(value.get_string());
    if (!variants.contains(name))
      find(fmt::format("the rule may give '{}', which is no variant", name));
    return;
  }
  if (!value.is_object() || value.get_object().size() != 1) return;
  const auto& [name, arguments] = *value.get_object().begin();
  const auto* list = as_list(arguments);
  if (list == nullptr) return;
  const At at(this, std::string_view(name));
  for (std::size_t i = 0; i < list->size(); ++i) {
    const At at_index(this, i);
    const bool is_branch =
        name == "if" && (i % 2 == 1 || i + 1 == list->size()) && list->size() > 1;
    if (is_branch) outcomes((*list)[i], variants, depth - 1);
    const auto* pair = (*list)[i].if_array();
    if (name == "fractional" && pair != nullptr && !pair->empty() && (*pair)[0].is_string()) {
      const At at_variant(this, std::size_t(0));
      outcomes((*pair)[0], variants, depth - 1);
    }
  }
}

void Validator::rule(const json::value& value, int depth) {
  if (depth == 0) return spoil(fmt::format("the rule nests deeper than {} levels", kDepthMax));
  const auto* object = value.if_object();
  if (object == nullptr || object->size() != 1) {
    return find("a rule is an object with one operation");
  }
  const auto& [name, given] = *object->begin();
  const At at(this, std::string_view(name));
  if (name == "$ref") return reference(given);
  const auto known = std::ranges::find(kRules, std::string_view(name), &OperationRule::name);
  if (known != kRules.end()) return arguments(*known, given, depth);
  if (find_operation(name) != Op::Literal) {
    return find(fmt::format("'{}' is JSONLogic, but not one of flagd's operations",
                            std::string_view(name)));
  }
  std::vector<std::string> names;
  for (const auto& rule : kRules) names.emplace_back(rule.name);
  const auto near = nearest_word(name, names);
  spoil(fmt::format("there is no operation '{}'{}", std::string_view(name),
                    near ? fmt::format("; did you mean '{}'?", *near) : ""));
}

void Validator::reference(const json::value& name) {
  const auto* text = name.if_string();
  if (text == nullptr) return spoil("a reference is the name of an evaluator");
  if (evaluators_ == nullptr || !evaluators_->contains(*text)) {
    spoil(fmt::format("there is no evaluator '{}' under $evaluators", std::string_view(*text)));
  }
}

void Validator::arguments(const OperationRule& rule, const json::value& value, int depth) {
  if (rule.form == Form::Var) return var(value, depth);
  const auto* list = as_list(value);
  if (list == nullptr) {
    // Operations of one argument take it without a list around it.
    if (rule.max == 1) return argument(value, depth - 1);
    if (rule.form == Form::Missing && is_rule(value)) return argument(value, depth - 1);
    return find(fmt::format("the arguments of '{}' are a list", rule.name));
  }
  if (list->size() < rule.min || list->size() > rule.max) {
    const std::string wanted = rule.min == rule.max ? std::to_string(rule.min)
                               : rule.max == kAny   ? fmt::format("at least {}", rule.min)
                                                    : fmt::format("{} to {}", rule.min, rule.max);
    return find(fmt::format("'{}' takes {} arguments, not {}", rule.name, wanted, list->size()));
  }
  if (rule.form == Form::Version) return version(*list, depth);
  if (rule.form == Form::Fractional) return fractional(*list, depth);
  if (rule.form == Form::Rollout) return rollout(*list, depth);
  for (std::size_t i = 0; i < list->size(); ++i) {
    const At at(this, i);
    const json::value& item = (*list)[i];
    if (rule.form == Form::Texts) {
      text_argument(item, depth - 1);
    } else if (rule.form == Form::Missing || (rule.form == Form::MissingSome && i == 1)) {
      key_list(item, depth - 1);
    } else if (rule.form == Form::MissingSome) {
      if (!item.is_number()) find("how many keys must be there is a number");
    } else {
      argument(item, depth - 1);
    }
  }
}

void Validator::argument(const json::value& value, int depth) {
  if (is_rule(value)) rule(value, depth);
}

void Validator::key_list(const json::value& value, int depth) {
  if (value.is_string()) return;
  if (is_rule(value)) return rule(value, depth);
  const auto* list = as_list(value);
  if (list == nullptr) return find("a key is a string");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const At at(this, i);
    if (!(*list)[i].is_string()) find("a key is a string");
  }
}

void Validator::text_argument(const json::value& value, int depth) {
  if (value.is_string()) return;
  if (is_rule(value)) return rule(value, depth);
  find("this is text, or a rule that gives text");
}

void Validator::var(const json::value& value, int depth) {
  const json::value* path = &value;
  if (const auto* list = as_list(value)) {
    if (list->empty()) return;
    path = &(*list)[0];
    for (std::size_t i = 1; i < list->size(); ++i) {
      const At at(this, i);
      if ((*list)[i].is_structured()) find("the default of a variable is a plain value");
    }
  }
  if (is_rule(*path)) return rule(*path, depth - 1);
  const auto* text = path->if_string();
  if (text == nullptr) return;
  if (text->starts_with("$flagd.") && *text != "$flagd.flagKey" && *text != "$flagd.timestamp") {
    find(fmt::format("'{}' does not exist; flagd adds $flagd.flagKey and $flagd.timestamp",
                     std::string_view(*text)));
  }
}

void Validator::version(const json::array& list, int depth) {
  constexpr std::array<std::string_view, 8> kComparisons{"=", "!=", ">", "<", ">=", "<=", "~", "^"};
  for (std::size_t i = 0; i < list.size(); ++i) {
    const At at(this, i);
    const auto* text = list[i].if_string();
    if (i == 1) {
      if (text == nullptr ||
          std::ranges::find(kComparisons, std::string_view(*text)) == kComparisons.end()) {
        find("the comparison is one of = != > < >= <= ~ ^");
      }
    } else if (text != nullptr) {
      if (!parse_semantic_version(*text)) {
        find(fmt::format("'{}' is no semantic version", std::string_view(*text)));
      }
    } else {
      text_argument(list[i], depth - 1);
    }
  }
}

void Validator::fractional(const json::array& list, int depth) {
  double total = 0;
  std::size_t buckets = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const At at(this, i);
    if (list[i].is_array()) {
      ++buckets;
      bucket(list[i], depth - 1);
      const auto& pair = list[i].get_array();
      if (pair.size() > 1 && pair[1].is_number()) total += pair[1].to_number<double>();
    } else if (i > 0) {
      find("a bucket is a list: [variant, weight]");
    } else {
      bucketing(list[i], depth - 1);
    }
  }
  if (buckets == 0) find("'fractional' needs at least one bucket");
  if (total > std::numeric_limits<std::int32_t>::max())
    find("the weights add up to more than 2^31 - 1");
}

// [begin, end, to], [begin, end, from, to], with what to bucket by before them.
void Validator::rollout(const json::array& list, int depth) {
  const bool has_by = list.size() == 5 || (list.size() == 4 && !list[0].is_number());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const At at(this, i);
    const std::size_t place = has_by ? i : i + 1;
    if (place == 0) {
      bucketing(list[i], depth - 1);
    } else if (place <= 2 && !list[i].is_number() && !is_rule(list[i])) {
      find("a time is a number of Unix seconds, or a rule that gives one");
    } else {
      argument(list[i], depth - 1);
    }
  }
}

void Validator::bucketing(const json::value& value, int depth) {
  if (value.is_string())
    return find(
        "a constant puts everybody into one bucket; bucket by a rule that tells them apart");
  text_argument(value, depth);
}

void Validator::bucket(const json::value& value, int depth) {
  const auto& pair = value.get_array();
  if (pair.empty() || pair.size() > 2) return find("a bucket is a list: [variant, weight]");
  {
    const At at(this, std::size_t(0));
    if (pair[0].is_array()) find("a variant is a name, or a rule that gives one");
    argument(pair[0], depth);
  }
  if (pair.size() == 1) return;
  const At at(this, std::size_t(1));
  if (is_rule(pair[1])) return rule(pair[1], depth);
  const double weight = pair[1].is_number() ? pair[1].to_number<double>() : -1;
  if (weight < 0 || std::trunc(weight) != weight) {
    find("a weight is a whole number that is not negative, or a rule that gives one");
  }
}

}  // namespace

std::vector<FlagFinding> validate_flags(const json::value& document) {
  Validator validator("", nullptr);
  validator.document(document);
  return validator.take();
}

std::vector<FlagFinding> validate_flag(const json::value& flag, std::string_view pointer,
                                       const json::object* evaluators) {
  Validator validator(pointer, evaluators);
  validator.flag(flag);
  return validator.take();
}

std::vector<FlagFinding> validate_rule(const json::value& rule, std::string_view pointer,
                                       const json::object* evaluators) {
  Validator validator(pointer, evaluators);
  validator.rule(rule, kDepthMax);
  return validator.take();
}

}  // namespace showcaller
