// SPDX-License-Identifier: Apache-2.0
#include "flag/flag_set.h"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/json_arena.h"
#include "base/json_hash.h"
#include "flag/coercion.h"
#include "flag/evaluate.h"
#include "flag/fractional.h"

namespace showcaller {
namespace {

// What may be wrong with what a rule gives.
constexpr std::size_t kOverBudget = 0, kNoVariant = 1;
constexpr std::array kMistakes{"the flag's targeting exceeds its budget",
                               "the flag's targeting gives no variant of it"};
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

std::unexpected<Error> refuse(std::string_view pointer, std::string_view message,
                              ErrorCode code = ErrorCode::Invalid) {
  return fail(code, fmt::format("{}: {}", pointer, message));
}

Evaluation failed(FlagError error, std::string_view message, const json::object* metadata) {
  return {.reason = FlagReason::Error, .error = error, .message = message, .metadata = metadata};
}

const json::value* rule_of(const json::object& definition) {
  const auto* targeting = get_if(definition, "targeting");
  const bool none = targeting == nullptr || targeting->is_null() ||
                    (targeting->is_object() && targeting->get_object().empty());
  return none ? nullptr : targeting;
}

}  // namespace

// What it takes to share players out among a few variants, where that is all of a rule.
struct WholeShare {
  static constexpr std::uint32_t kFew = 3;

  std::uint32_t total = 0;           // 0: the rule is no such share
  std::uint32_t end[kFew - 1] = {};  // where buckets end, in weights; the last one at the total
  std::uint32_t variant[kFew] = {};  // of all the program's

  // Counted without a branch, since nobody can foresee it. As pick_bucket() does.
  std::uint32_t pick(std::uint32_t hash) const {
    const std::uint64_t point = (std::uint64_t(hash) * total) >> 32;
    return variant[(point >= end[0]) + (point >= end[1])];
  }
};

// What evaluating needs of it stands first, in one line of the cache.
struct alignas(64) FlagSet::Flag {
  FlagIdentity identity;
  std::uint32_t rule = kNone;  // its first step
  WholeShare whole;
  std::uint32_t variants = 0;  // the first

  std::uint32_t share = 0;  // the rule's first
  std::uint32_t variant_count = 0;
  std::uint32_t default_variant = kNone;  // of all the program's
  std::uint32_t mistakes = 0;             // of its rule: where they begin
  const json::object* metadata = nullptr;
  Evaluation answer;  // all that is to say of it, or, with a rule, where that gives null
};

struct FlagSet::Compiled {
  // The document stays in the memory it was parsed into.
  explicit Compiled(json::value parsed) : document(std::move(parsed)) {}

  const json::value document;
  json::object metadata;
  std::deque<json::object> flag_metadata;  // of flags that have their own
  Program program;
  std::vector<Flag> flags;
  std::vector<Evaluation> mistakes;  // what a rule may answer instead, two a flag that has one
  Flag unknown;
  TextTable keys;
  std::vector<FlagFinding> broken;
  std::string fingerprint;

  const Flag& find(std::string_view key) const {
    const std::uint32_t number = keys.find(key);
    return number == TextTable::kAbsent ? unknown : flags[number];
  }
  const Variant* find_variant(const Flag& flag, std::string_view name) const {
    const Variant* begin = program.variants.data() + flag.variants;
    const Variant* end = begin + flag.variant_count;
    const Variant* found = std::find_if(begin, end, [&](auto& v) { return v.name() == name; });
    return found == end ? nullptr : found;
  }

  Status add_all(const FlagLimits& limits);
  Status add(std::string_view key, const json::object& definition, const json::object* evaluators,
             const FlagLimits& limits);
  Status add_variants(const json::object& definition, const std::string& pointer,
                      const FlagLimits& limits, Flag* flag);
  Result<const Variant*> default_variant(const json::object& definition, const Flag& flag,
                                         const std::string& pointer) const;
  const json::object* metadata_of(const json::object& definition);
  void add_rule(const json::value& rule, std::string pointer, const json::object* evaluators,
                const FlagLimits& limits, Flag* flag);
  WholeShare whole_share(const Share& share) const;
  void settle();
  void number_answers();
  void sign();
};

Status FlagSet::Compiled::add_all(const FlagLimits& limits) {
  const auto* root = document.if_object();
  if (root == nullptr) return refuse("/", "flag definitions are a JSON object with `flags`");
  const auto* own_metadata = get_if(*root, "metadata");
  if (own_metadata != nullptr && own_metadata->is_object()) metadata = own_metadata->get_object();
  unknown.answer = failed(FlagError::FlagNotFound, "there is no such flag", &metadata);
  const json::object* evaluators = nullptr;
  if (const auto* found = get_if(*root, "$evaluators"); found != nullptr && found->is_object()) {
    evaluators = &found->get_object();
    if (evaluators->size() > limits.evaluators_max) {
      return refuse("/$evaluators", fmt::format("more than {} evaluators", limits.evaluators_max),
                    ErrorCode::Limit);
    }
  }
  const auto* found = get_if(*root, "flags");
  const auto* all = found != nullptr ? found->if_object() : nullptr;
  if (all == nullptr) return refuse("/flags", "`flags` is missing or not an object");
  if (all->size() > limits.flags_max) {
    return refuse("/flags", fmt::format("more than {} flags", limits.flags_max), ErrorCode::Limit);
  }
  flags.reserve(all->size());
  keys.reserve(all->size());
  for (const auto& [key, definition] : *all) {
    if (!definition.is_object()) {
      return refuse("/flags/" + std::string(key), "a flag is an object");
    }
    TRY(add({key.data(), key.size()}, definition.get_object(), evaluators, limits));
  }
  settle();
  number_answers();
  return {};
}

Status FlagSet::Compiled::add(std::string_view key, const json::object& definition,
                              const json::object* evaluators, const FlagLimits& limits) {
  std::string pointer = "/flags";
  append_pointer(&pointer, key);
  if (key.empty() || key.size() > limits.key_bytes_max) {
    return refuse(pointer, fmt::format("a flag's key has 1 to {} bytes", limits.key_bytes_max));
  }
  Flag flag{.identity = FlagIdentity(key)};
  TRY(add_variants(definition, pointer, limits, &flag));
  TRY(const Variant* const variant, default_variant(definition, flag, pointer));
  const json::value* const rule = rule_of(definition);
  flag.metadata = metadata_of(definition);
  flag.answer = {.reason = FlagReason::Default, .metadata = flag.metadata};
  if (variant != nullptr) {
    flag.default_variant = std::uint32_t(variant - program.variants.data());
    flag.answer.value = variant->answer.value;
    flag.answer.variant = variant->name();
    if (rule == nullptr) flag.answer.reason = FlagReason::Static;
  }
  if (rule != nullptr) add_rule(*rule, std::move(pointer), evaluators, limits, &flag);
  if (get_string(definition, "state") == "DISABLED") {
    flag.rule = kNone;
    flag.answer = {.reason = FlagReason::Disabled, .metadata = flag.metadata};
  }
  keys.add(key);
  flags.push_back(flag);
  return {};
}

const json::object* FlagSet::Compiled::metadata_of(const json::object& definition) {
  const auto* own = get_if(definition, "metadata");
  if (own == nullptr || !own->is_object()) return &metadata;
  json::object& merged = flag_metadata.emplace_back(metadata);
  for (const auto& [name, value] : own->get_object()) {
    if (!value.is_null()) merged.insert_or_assign(name, value);
  }
  return &merged;
}

void FlagSet::Compiled::add_rule(const json::value& rule, std::string pointer,
                                 const json::object* evaluators, const FlagLimits& limits,
                                 Flag* flag) {
  append_pointer(&pointer, "targeting");
  flag->share = std::uint32_t(program.shares.size());
  LogicCompiler compiler(&program, limits.targeting, evaluators,
                         {.flag_key = flag->identity.key,
                          .variants = flag->variants,
                          .variant_count = flag->variant_count});
  if (const auto first = compiler.compile(rule, pointer)) {
    flag->rule = *first;
    const Instruction& step = program.steps[*first];
    if (step.step == RuleStep::GiveShare) flag->whole = whole_share(program.shares[step.index]);
    flag->mistakes = std::uint32_t(mistakes.size());
    for (const char* message : kMistakes)
      mistakes.push_back(failed(FlagError::General, message, flag->metadata));
    return;
  } else {
    const std::string& message = first.error().message;
    const std::size_t colon = std::min(message.find(": "), message.size());
    broken.push_back(
        {message.substr(0, colon), message.substr(std::min(colon + 2, message.size())), true});
  }
  flag->answer =
      failed(FlagError::ParseError, "the flag's targeting cannot be understood", flag->metadata);
}

WholeShare FlagSet::Compiled::whole_share(const Share& share) const {
  const auto buckets = program.buckets_of(share);
  const auto is_variant = [](const Bucket& bucket) { return bucket.variant.is_variant(); };
  if (share.by != Share::By::TargetingKey || !share.in_context || buckets.empty() ||
      buckets.size() > WholeShare::kFew || program.bucketing != Bucketing::Weights ||
      !std::ranges::all_of(buckets, is_variant))
    return {};
  WholeShare whole{.total = buckets.back().end};
  std::ranges::fill(whole.end, whole.total);
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    if (i + 1 < buckets.size()) whole.end[i] = buckets[i].end;
    whole.variant[i] = buckets[i].variant.place();
  }
  return whole;
}

Status FlagSet::Compiled::add_variants(const json::object& definition, const std::string& pointer,
                                       const FlagLimits& limits, Flag* flag) {
  flag->variants = std::uint32_t(program.variants.size());
  const auto* found = get_if(definition, "variants");
  if (found == nullptr || !found->is_object()) return {};
  const json::object& all = found->get_object();
  if (all.size() > limits.variants_max) {
    return refuse(pointer + "/variants", fmt::format("more than {} variants", limits.variants_max),
                  ErrorCode::Limit);
  }
  for (const auto& [name, value] : all) {
    program.variants.push_back({.answer = {.value = &value,
                                           .variant = {name.data(), name.size()},
                                           .reason = FlagReason::TargetingMatch}});
  }
  flag->variant_count = std::uint32_t(all.size());
  return {};
}

Result<const Variant*> FlagSet::Compiled::default_variant(const json::object& definition,
                                                          const Flag& flag,
                                                          const std::string& pointer) const {
  const auto* chosen = get_if(definition, "defaultVariant");
  if (chosen == nullptr || chosen->is_null()) return nullptr;
  const auto* name = chosen->if_string();
  if (name != nullptr && name->empty()) return nullptr;
  const Variant* variant =
      name != nullptr ? find_variant(flag, {name->data(), name->size()}) : nullptr;
  if (variant == nullptr) {
    return refuse(pointer + "/defaultVariant",
                  fmt::format("{} is not one of the flag's variants", to_json_text(*chosen)));
  }
  return variant;
}

// Once nothing moves any more: plain values that many flags have are the same few, which are at
// hand.
void FlagSet::Compiled::settle() {
  static const json::value kTrue(true), kFalse(false);
  for (Variant& variant : program.variants) {
    const json::value*& value = variant.answer.value;
    if (value->is_bool()) value = value->get_bool() ? &kTrue : &kFalse;
  }
  for (Flag& flag : flags) {
    if (flag.answer.value != nullptr)
      flag.answer.value = program.variants[flag.default_variant].answer.value;
    for (std::uint32_t i = 0; i < flag.variant_count; ++i)
      program.variants[flag.variants + i].answer.metadata = flag.metadata;
  }
}

// Variants first, then each flag's answer without one.
void FlagSet::Compiled::number_answers() {
  std::uint32_t number = 0;
  for (Variant& variant : program.variants) variant.answer.answer = ++number;
  for (Flag& flag : flags) {
    ++number;
    const bool has_variant = flag.answer.value != nullptr;
    flag.answer.answer = has_variant ? flag.default_variant + 1 : number;
    if (flag.rule == kNone) continue;
    for (std::size_t i = 0; i < kMistakes.size(); ++i) mistakes[flag.mistakes + i].answer = number;
  }
}

void FlagSet::Compiled::sign() {
  fingerprint = fmt::format("{:016x}", json_hash(document));
}

FlagSet::FlagSet() {
  auto compiled = std::make_shared<Compiled>(json::object{{"flags", json::object()}});
  CHECK(compiled->add_all({}));
  compiled->sign();
  compiled_ = std::move(compiled);
}

Result<FlagSet> FlagSet::compile(json::value document, const FlagLimits& limits,
                                 Bucketing bucketing) {
  auto compiled = std::make_shared<Compiled>(std::move(document));
  compiled->program.bucketing = bucketing;
  TRY(compiled->add_all(limits));
  compiled->sign();
  return FlagSet(std::move(compiled));
}

Result<FlagSet> FlagSet::parse(std::string_view text, const FlagLimits& limits,
                               const JsonLimits& json_limits) {
  TRY(auto document, parse_json_for_reading(text, json_limits));
  return compile(std::move(document), limits);
}

// Most rules share players out and ask nothing else: what the steps would do, without the room that
// they need.
[[gnu::always_inline]] inline const Evaluation& FlagSet::share_out(const Flag& flag,
                                                                   const Value& key) const {
  if (!key.is(ValueKind::String)) return flag.answer;
  const std::uint32_t hash = flag.identity.key_hash.hash(key.as_string());
  return compiled_->program.variants[flag.whole.pick(hash)].answer;
}

// What a rule gives that names no variant known beforehand.
const Evaluation& FlagSet::answer_of(const Flag& flag, const Value& given, Scratch* scratch) const {
  const Program& program = compiled_->program;
  if (given.is_nullish()) return flag.answer;
  if (given.outcome() != 0) return program.variants[given.outcome() - 1].answer;
  const Evaluation* const mistakes = compiled_->mistakes.data() + flag.mistakes;
  const std::string_view name = to_text(given, scratch);
  if (scratch->error() != nullptr) return mistakes[kOverBudget];
  const Variant* const variant = compiled_->find_variant(flag, name);
  return variant != nullptr ? variant->answer : mistakes[kNoVariant];
}

// Apart from those who need no room for it.
[[gnu::noinline]] const Evaluation& FlagSet::follow_rule(const Flag& flag,
                                                         const EvaluationContext& context,
                                                         const AttributeValue* interned,
                                                         Instant now) const {
  const Program& program = compiled_->program;
  const EvaluationFrame frame{
      .context = context, .interned = interned, .flag = flag.identity, .now = now};
  // Where they are follows from the flag alone, and what is between takes a while.
  __builtin_prefetch(program.shares.data() + flag.share);
  __builtin_prefetch(program.variants.data() + flag.variants);
  Scratch scratch({});
  Value otherwise;
  const std::uint32_t decided = decide_variant(program, flag.rule, frame, &scratch, &otherwise);
  if (scratch.error() != nullptr) return compiled_->mistakes[flag.mistakes + kOverBudget];
  if (decided != 0) [[likely]]
    return program.variants[decided - 1].answer;
  return answer_of(flag, otherwise, &scratch);
}

FlagSet::Handle FlagSet::handle(std::string_view key) const {
  return Handle(&compiled_->find(key));
}
FlagSet::Handle FlagSet::handle(std::size_t i) const {
  return Handle(&compiled_->flags[i]);
}
InternedContext FlagSet::intern(const EvaluationContext& context) const {
  return InternedContext(compiled_->program, context);
}

const Evaluation& FlagSet::evaluate(std::string_view key, const EvaluationContext& context,
                                    Instant now) const {
  return evaluate(handle(key), context, now);
}

const Evaluation& FlagSet::evaluate(Handle handle, const EvaluationContext& context,
                                    Instant now) const {
  const Flag& flag = *handle.flag_;
  if (flag.rule == kNone) return flag.answer;
  if (flag.whole.total != 0) return share_out(flag, context.find_targeting_key());
  return follow_rule(flag, context, nullptr, now);
}

const Evaluation& FlagSet::evaluate(Handle handle, const InternedContext& context,
                                    Instant now) const {
  const Flag& flag = *handle.flag_;
  if (flag.rule == kNone) return flag.answer;
  CHECK(&context.program() == &compiled_->program);
  if (flag.whole.total != 0) return share_out(flag, context.targeting_key());
  return follow_rule(flag, context.context(), context.values(), now);
}

Evaluation FlagSet::evaluate(std::string_view key, const EvaluationContext& context, Instant now,
                             FlagType type) const {
  const Evaluation& evaluation = evaluate(key, context, now);
  if (evaluation.value == nullptr || has_type(*evaluation.value, type)) return evaluation;
  Evaluation mismatch =
      failed(FlagError::TypeMismatch, "the flag's value is of another type", evaluation.metadata);
  mismatch.answer = evaluation.answer;
  return mismatch;
}

std::size_t FlagSet::answers() const {
  return compiled_->program.variants.size() + compiled_->flags.size();
}

FlagSet::Answer FlagSet::answer(std::uint32_t number) const {
  const auto& [variants, flags] = std::tie(compiled_->program.variants, compiled_->flags);
  CHECK(number > 0 && number <= answers());
  if (number > variants.size()) return {flags[number - variants.size() - 1].identity.key, {}};
  // The last flag whose variants begin at or before it; flags without any begin there too.
  const auto after =
      std::upper_bound(flags.begin(), flags.end(), number - 1,
                       [](std::uint32_t at, const Flag& flag) { return at < flag.variants; });
  return {std::prev(after)->identity.key, variants[number - 1].name()};
}

std::size_t FlagSet::size() const {
  return compiled_->flags.size();
}
std::string_view FlagSet::key(std::size_t i) const {
  return compiled_->flags[i].identity.key;
}
bool FlagSet::contains(std::string_view key) const {
  return &compiled_->find(key) != &compiled_->unknown;
}
const json::object& FlagSet::metadata() const {
  return compiled_->metadata;
}
const json::object* FlagSet::metadata_of(std::string_view key) const {
  return contains(key) ? compiled_->find(key).metadata : nullptr;
}
const json::value& FlagSet::document() const {
  return compiled_->document;
}
std::string_view FlagSet::fingerprint() const {
  return compiled_->fingerprint;
}
const std::vector<FlagFinding>& FlagSet::broken() const {
  return compiled_->broken;
}

}  // namespace showcaller
