// SPDX-License-Identifier: Apache-2.0
#include "flag/flag_set.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "flag/coercion.h"
#include "flag/evaluate.h"

namespace showcaller {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

constexpr std::array<std::string_view, 5> kReasons{"STATIC", "TARGETING_MATCH", "DEFAULT",
                                                   "DISABLED", "ERROR"};
constexpr std::array<std::string_view, 8> kErrors{
    "",        "FLAG_NOT_FOUND",        "PARSE_ERROR",     "TYPE_MISMATCH",
    "GENERAL", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "PROVIDER_NOT_READY"};
constexpr std::array<std::string_view, 5> kTypes{"boolean", "string", "integer", "float", "object"};

struct Variant {
  std::string_view name;
  const json::value* value = nullptr;
};

struct Flag {
  std::string_view key;
  bool enabled = true;
  bool broken = false;
  std::uint32_t targeting = kNone;  // root node
  std::uint32_t first_variant = 0;
  std::uint32_t variant_count = 0;
  std::uint32_t default_variant = kNone;  // index into variants
  json::object metadata;
};

std::unexpected<Error> refuse(std::string_view pointer, std::string_view message,
                              ErrorCode code = ErrorCode::Invalid) {
  return fail(code, fmt::format("{}: {}", pointer, message));
}

Evaluation failed(FlagError error, std::string_view message, const json::object& metadata) {
  return {.reason = FlagReason::Error, .error = error, .message = message, .metadata = &metadata};
}

}  // namespace

std::string_view to_string(FlagReason reason) {
  return kReasons[std::size_t(reason)];
}
std::string_view to_string(FlagError error) {
  return kErrors[std::size_t(error)];
}
std::string_view to_string(FlagType type) {
  return kTypes[std::size_t(type)];
}

std::optional<FlagError> parse_flag_error(std::string_view text) {
  const auto found = std::ranges::find(kErrors, text);
  if (found == kErrors.end() || text.empty()) return std::nullopt;
  return FlagError(found - kErrors.begin());
}

std::optional<std::int64_t> lossless_integer(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_double()) return std::nullopt;
  constexpr double kExact = 9007199254740991.0;
  const double number = value.get_double();
  if (std::trunc(number) != number || std::abs(number) > kExact) return std::nullopt;
  return std::int64_t(number);
}

bool has_type(const json::value& value, FlagType type) {
  switch (type) {
    case FlagType::Boolean:
      return value.is_bool();
    case FlagType::String:
      return value.is_string();
    case FlagType::Integer:
      return lossless_integer(value).has_value();
    case FlagType::Float:
      return value.is_number();
    case FlagType::Object:
      return value.is_structured();
  }
  return false;
}

struct FlagSet::Compiled {
  json::value document;
  json::object metadata;
  Program program;
  std::vector<Flag> flags;
  std::vector<Variant> variants;
  std::vector<std::uint32_t> index;  // open addressing; a power of two, at most half full
  std::vector<FlagFinding> broken;
  std::string fingerprint;

  const Flag* find(std::string_view key) const {
    const std::size_t mask = index.size() - 1;
    for (std::size_t slot = hash64(key) & mask;; slot = (slot + 1) & mask) {
      if (index[slot] == kNone) return nullptr;
      const Flag& flag = flags[index[slot]];
      if (flag.key == key) return &flag;
    }
  }

  const Variant* find_variant(const Flag& flag, std::string_view name) const {
    const Variant* begin = variants.data() + flag.first_variant;
    const Variant* end = begin + flag.variant_count;
    const Variant* found = std::find_if(begin, end, [&](auto& v) { return v.name == name; });
    return found == end ? nullptr : found;
  }

  Status add_all(const FlagLimits& limits);
  Status add(std::string_view key, const json::object& definition, const json::object* evaluators,
             const FlagLimits& limits);
  Status add_variants(const json::object& definition, const std::string& pointer,
                      const FlagLimits& limits, Flag* flag);
  void build_index();
  Evaluation default_of(const Flag& flag, FlagReason reason) const;
};

Status FlagSet::Compiled::add_all(const FlagLimits& limits) {
  const auto* root = document.if_object();
  if (root == nullptr) return refuse("/", "flag definitions are a JSON object with `flags`");
  const auto* own_metadata = get_if(*root, "metadata");
  if (own_metadata != nullptr && own_metadata->is_object()) metadata = own_metadata->get_object();
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
  for (const auto& [key, definition] : *all) {
    if (!definition.is_object()) {
      return refuse("/flags/" + std::string(key), "a flag is an object");
    }
    TRY(add({key.data(), key.size()}, definition.get_object(), evaluators, limits));
  }
  build_index();
  return {};
}

Status FlagSet::Compiled::add(std::string_view key, const json::object& definition,
                              const json::object* evaluators, const FlagLimits& limits) {
  std::string pointer = "/flags";
  append_pointer(&pointer, key);
  if (key.empty() || key.size() > limits.key_bytes_max) {
    return refuse(pointer, fmt::format("a flag's key has 1 to {} bytes", limits.key_bytes_max));
  }
  Flag flag{.key = key, .enabled = get_string(definition, "state") != "DISABLED"};
  flag.metadata = metadata;
  if (const auto* own = get_if(definition, "metadata"); own != nullptr && own->is_object()) {
    for (const auto& [name, value] : own->get_object()) {
      if (!value.is_null()) flag.metadata.insert_or_assign(name, value);
    }
  }
  TRY(add_variants(definition, pointer, limits, &flag));
  const auto* targeting = get_if(definition, "targeting");
  const bool has_targeting = targeting != nullptr && !targeting->is_null() &&
                             !(targeting->is_object() && targeting->get_object().empty());
  if (has_targeting) {
    append_pointer(&pointer, "targeting");
    LogicCompiler compiler(&program, limits.targeting, evaluators);
    if (auto compiled = compiler.compile(*targeting, pointer)) {
      flag.targeting = *compiled;
    } else {
      flag.broken = true;
      const std::string& message = compiled.error().message;
      const std::size_t colon = std::min(message.find(": "), message.size());
      broken.push_back(
          {message.substr(0, colon), message.substr(std::min(colon + 2, message.size())), true});
    }
  }
  flags.push_back(std::move(flag));
  return {};
}

Status FlagSet::Compiled::add_variants(const json::object& definition, const std::string& pointer,
                                       const FlagLimits& limits, Flag* flag) {
  flag->first_variant = std::uint32_t(variants.size());
  const auto* found = get_if(definition, "variants");
  if (found != nullptr && found->is_object()) {
    const json::object& all = found->get_object();
    if (all.size() > limits.variants_max) {
      return refuse(pointer + "/variants",
                    fmt::format("more than {} variants", limits.variants_max), ErrorCode::Limit);
    }
    for (const auto& [name, value] : all) {
      variants.push_back({.name = {name.data(), name.size()}, .value = &value});
    }
    flag->variant_count = std::uint32_t(all.size());
  }
  const auto* chosen = get_if(definition, "defaultVariant");
  if (chosen == nullptr || chosen->is_null()) return {};
  const auto* name = chosen->if_string();
  if (name != nullptr && name->empty()) return {};
  const Variant* variant =
      name != nullptr ? find_variant(*flag, {name->data(), name->size()}) : nullptr;
  if (variant == nullptr) {
    return refuse(pointer + "/defaultVariant",
                  fmt::format("{} is not one of the flag's variants", to_json_text(*chosen)));
  }
  flag->default_variant = std::uint32_t(variant - variants.data());
  return {};
}

void FlagSet::Compiled::build_index() {
  index.assign(std::bit_ceil(flags.size() * 2 + 2), kNone);
  const std::size_t mask = index.size() - 1;
  for (std::uint32_t i = 0; i < flags.size(); ++i) {
    std::size_t slot = hash64(flags[i].key) & mask;
    while (index[slot] != kNone) slot = (slot + 1) & mask;
    index[slot] = i;
  }
}

Evaluation FlagSet::Compiled::default_of(const Flag& flag, FlagReason reason) const {
  if (flag.default_variant == kNone) {
    return {.reason = FlagReason::Default, .metadata = &flag.metadata};
  }
  const Variant& variant = variants[flag.default_variant];
  return {.value = variant.value,
          .variant = variant.name,
          .reason = reason,
          .metadata = &flag.metadata};
}

FlagSet::FlagSet() {
  auto compiled = std::make_shared<Compiled>();
  compiled->document = json::object{{"flags", json::object()}};
  compiled->build_index();
  compiled->fingerprint =
      fmt::format("{:016x}", hash64(to_canonical_json_text(compiled->document)));
  compiled_ = std::move(compiled);
}

Result<FlagSet> FlagSet::compile(json::value document, const FlagLimits& limits) {
  auto compiled = std::make_shared<Compiled>();
  compiled->document = std::move(document);
  TRY(compiled->add_all(limits));
  compiled->fingerprint =
      fmt::format("{:016x}", hash64(to_canonical_json_text(compiled->document)));
  return FlagSet(std::move(compiled));
}

Result<FlagSet> FlagSet::parse(std::string_view text, const FlagLimits& limits,
                               const JsonLimits& json_limits) {
  TRY(auto document, parse_json(text, json_limits));
  return compile(std::move(document), limits);
}

Evaluation FlagSet::evaluate(std::string_view key, const EvaluationContext& context,
                             Instant now) const {
  const Flag* flag = compiled_->find(key);
  if (flag == nullptr) {
    return failed(FlagError::FlagNotFound, "there is no such flag", compiled_->metadata);
  }
  if (!flag->enabled) return {.reason = FlagReason::Disabled, .metadata = &flag->metadata};
  if (flag->broken) {
    return failed(FlagError::ParseError, "the flag's targeting cannot be understood",
                  flag->metadata);
  }
  if (flag->targeting == kNone) return compiled_->default_of(*flag, FlagReason::Static);

  Scratch scratch({});
  const EvaluationFrame frame{
      .context = context,
      .flag_key = flag->key,
      .timestamp_s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count()};
  const Value result = evaluate_program(compiled_->program, flag->targeting, frame, &scratch);
  if (scratch.error() == nullptr && result.is_nullish()) {
    return compiled_->default_of(*flag, FlagReason::Default);
  }
  const std::string_view name = scratch.error() == nullptr ? to_text(result, &scratch) : "";
  if (scratch.error() != nullptr) {
    return failed(FlagError::General, "the flag's targeting exceeds its budget", flag->metadata);
  }
  const Variant* variant = compiled_->find_variant(*flag, name);
  if (variant == nullptr) {
    return failed(FlagError::General, "the flag's targeting gives no variant of it",
                  flag->metadata);
  }
  return {.value = variant->value,
          .variant = variant->name,
          .reason = FlagReason::TargetingMatch,
          .metadata = &flag->metadata};
}

Evaluation FlagSet::evaluate(std::string_view key, const EvaluationContext& context, Instant now,
                             FlagType type) const {
  const Evaluation evaluation = evaluate(key, context, now);
  if (evaluation.value == nullptr || has_type(*evaluation.value, type)) return evaluation;
  return failed(FlagError::TypeMismatch, "the flag's value is of another type",
                *evaluation.metadata);
}

std::size_t FlagSet::size() const {
  return compiled_->flags.size();
}
std::string_view FlagSet::key(std::size_t i) const {
  return compiled_->flags[i].key;
}
bool FlagSet::contains(std::string_view key) const {
  return compiled_->find(key) != nullptr;
}
const json::object& FlagSet::metadata() const {
  return compiled_->metadata;
}
const json::object* FlagSet::metadata_of(std::string_view key) const {
  const Flag* flag = compiled_->find(key);
  return flag != nullptr ? &flag->metadata : nullptr;
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
