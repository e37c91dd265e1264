// SPDX-License-Identifier: Apache-2.0
#include "flag/flag_diff.h"

#include <algorithm>
#include <map>
#include <set>

#include "flag/flag_set.h"
#include "flag/prerequisite_rule.h"

namespace showcaller {
namespace {

const json::object& part_of(const json::object& document, std::string_view key) {
  static const json::object kNone;
  const json::value* found = document.if_contains(key);
  return found && found->is_object() ? found->get_object() : kNone;
}

// As it is meant, whatever it is written like.
json::object meaning_of(std::string_view flag, const json::value& definition,
                        const json::object& evaluators) {
  json::object out = definition.is_object() ? definition.get_object() : json::object();
  if (get_string(out, "state").empty()) out["state"] = "ENABLED";
  const json::value* targeting = out.if_contains("targeting");
  const bool has_rule = targeting && targeting->is_object() && !targeting->get_object().empty();
  if (has_rule)
    out["targeting"] = pinned_rule(*targeting, flag, evaluators);
  else
    out.erase("targeting");
  if (out.contains("defaultVariant") && get_string(out, "defaultVariant").empty())
    out.erase("defaultVariant");
  out.erase("$comment");
  return out;
}

std::vector<std::string> keys_that_differ(const json::object& a, const json::object& b) {
  std::set<std::string> keys;
  const auto compare = [&](const json::object& one, const json::object& other) {
    for (const auto& [key, value] : one) {
      const json::value* theirs = other.if_contains(key);
      if (!theirs || to_canonical_json_text(*theirs) != to_canonical_json_text(value))
        keys.emplace(key);
    }
  };
  compare(a, b);
  compare(b, a);
  return {keys.begin(), keys.end()};
}

struct Answer {
  std::string variant, value;
  friend auto operator<=>(const Answer&, const Answer&) = default;
};

Answer answer_of(const FlagSet& set, std::string_view flag, const json::object& who, Instant now) {
  const Evaluation given = set.evaluate(flag, EvaluationContext(who), now);
  if (!given.value) return {"-", ""};
  return {std::string(given.variant), to_canonical_json_text(*given.value)};
}

AnswersChanged answers_changed(const FlagSet& before, const FlagSet& after, std::string_view flag,
                               const std::vector<json::object>& contexts, Instant now) {
  AnswersChanged out{.asked = std::int64_t(contexts.size())};
  std::map<std::pair<std::string, std::string>, std::int64_t> moves;
  for (const json::object& who : contexts) {
    const Answer then = answer_of(before, flag, who, now), next = answer_of(after, flag, who, now);
    if (then == next) continue;
    ++out.changed;
    ++moves[{then.variant, next.variant}];
  }
  for (const auto& [move, times] : moves) out.moves.push_back({move.first, move.second, times});
  std::ranges::stable_sort(out.moves, std::ranges::greater(), &AnswersChanged::Move::contexts);
  return out;
}

}  // namespace

std::string_view to_string(FlagDifference::Kind kind) {
  switch (kind) {
    case FlagDifference::Kind::Added:
      return "added";
    case FlagDifference::Kind::Removed:
      return "removed";
    case FlagDifference::Kind::Changed:
      break;
  }
  return "changed";
}

Result<std::vector<FlagDifference>> diff_flags(const json::object& before,
                                               const json::object& after,
                                               const std::vector<json::object>& contexts,
                                               Instant now) {
  TRY(const FlagSet old_set, FlagSet::compile(before));
  TRY(const FlagSet new_set, FlagSet::compile(after));
  const json::object& old_flags = part_of(before, "flags");
  const json::object& new_flags = part_of(after, "flags");
  std::set<std::string> names;
  for (const auto& each : old_flags) names.emplace(each.key());
  for (const auto& each : new_flags) names.emplace(each.key());
  std::vector<FlagDifference> out;
  for (const std::string& flag : names) {
    const json::value* then = old_flags.if_contains(flag);
    const json::value* next = new_flags.if_contains(flag);
    if (!then || !next) {
      using enum FlagDifference::Kind;
      out.push_back({flag, then ? Removed : Added, {}, {}});
      continue;
    }
    auto keys = keys_that_differ(meaning_of(flag, *then, part_of(before, "$evaluators")),
                                 meaning_of(flag, *next, part_of(after, "$evaluators")));
    if (keys.empty()) continue;
    out.push_back({flag, FlagDifference::Kind::Changed, std::move(keys),
                   answers_changed(old_set, new_set, flag, contexts, now)});
  }
  return out;
}

}  // namespace showcaller
