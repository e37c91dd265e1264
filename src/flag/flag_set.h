// SPDX-License-Identifier: Apache-2.0
// Flags in flagd's definition language, compiled: one immutable set that servers and clients
// evaluate alike.
//
// A set is a cheap handle to shared, immutable state. Evaluating takes no lock and, for rules that
// build no long text, allocates nothing. A flag whose targeting does not compile does not spoil the
// set: it answers PARSE_ERROR. Threads: any number at once. Limits: FlagLimits. Never: reads a
// clock.
//
// Source: flagd.dev/reference/flag-definitions, flagd-schemas (flags.json, targeting.json),
// OpenFeature types.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "flag/context.h"
#include "flag/evaluation.h"
#include "flag/interned_context.h"
#include "flag/logic_compiler.h"

namespace showcaller {

class Scratch;

enum class FlagType : std::uint8_t { Boolean, String, Integer, Float, Object };
std::string_view to_string(FlagType type);
bool has_type(const json::value& value, FlagType type);
// A number that loses nothing as a 64-bit integer.
std::optional<std::int64_t> lossless_integer(const json::value& value);

struct FlagLimits {
  std::size_t flags_max = 10'000;
  std::size_t variants_max = 1'000;  // a flag
  std::size_t key_bytes_max = 1'024;
  std::size_t evaluators_max = 1'000;
  LogicLimits targeting;
};

// What is wrong with a definition, and where.
struct FlagFinding {
  std::string pointer;  // JSON pointer into the document
  std::string message;
  bool spoils = false;  // the flag can't be evaluated at all: PARSE_ERROR for everybody
  friend bool operator==(const FlagFinding&, const FlagFinding&) = default;
};

class FlagSet {
 private:
  struct Compiled;
  struct Flag;

 public:
  // A flag found once. Of its set alone, and for as long as that is kept.
  class Handle {
   private:
    friend class FlagSet;
    explicit Handle(const Flag* flag) : flag_(flag) {}
    const Flag* flag_;
  };

  // No flags.
  FlagSet();

  // Fails on what flagd refuses to load: no flags object, an unknown default variant, a limit
  // exceeded.
  static Result<FlagSet> compile(json::value document, const FlagLimits& limits = {},
                                 Bucketing bucketing = Bucketing::Weights);
  static Result<FlagSet> parse(std::string_view text, const FlagLimits& limits = {},
                               const JsonLimits& json_limits = {});

  // All that a flag may answer is made beforehand; an answer is which of that. Keep the set for as
  // long as the answer, and as a copy of it, which views into the set.
  const Evaluation& evaluate(std::string_view key, const EvaluationContext& context,
                             Instant now) const;
  // The same for a flag found before (one that does not exist answers so), and for a context whose
  // attributes were.
  Handle handle(std::string_view key) const;
  Handle handle(std::size_t i) const;
  // Views the context. For this set alone.
  InternedContext intern(const EvaluationContext& context) const;
  const Evaluation& evaluate(Handle flag, const EvaluationContext& context, Instant now) const;
  const Evaluation& evaluate(Handle flag, const InternedContext& context, Instant now) const;
  // Each flag's answer, in the document's order: use(key, evaluation). Attributes are found once
  // for all of them.
  template <class Use>
  void evaluate_all(const EvaluationContext& context, Instant now, const Use& use) const {
    const InternedContext who = intern(context);
    for (std::size_t i = 0; i < size(); ++i) use(key(i), evaluate(handle(i), who, now));
  }
  // Also checks the type. Numbers convert where nothing is lost.
  Evaluation evaluate(std::string_view key, const EvaluationContext& context, Instant now,
                      FlagType type) const;

  // All that may be answered, numbered from 1, for who counts what is: a flag and its variant, or
  // none where the caller's own default applies.
  struct Answer {
    std::string_view key, variant;
  };
  std::size_t answers() const;
  Answer answer(std::uint32_t number) const;

  std::size_t size() const;
  std::string_view key(std::size_t i) const;  // in the document's order
  bool contains(std::string_view key) const;
  const json::object& metadata() const;  // of the set
  const json::object* metadata_of(std::string_view key) const;
  const json::value& document() const;   // what was compiled
  std::string_view fingerprint() const;  // 16 hex digits; equal documents, equal fingerprints
  // Flags that answer PARSE_ERROR, and why.
  const std::vector<FlagFinding>& broken() const;

 private:
  const Evaluation& follow_rule(const Flag& flag, const EvaluationContext& context,
                                const AttributeValue* interned, Instant now) const;
  const Evaluation& share_out(const Flag& flag, const Value& key) const;
  const Evaluation& answer_of(const Flag& flag, const Value& given, Scratch* scratch) const;

  explicit FlagSet(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace showcaller
