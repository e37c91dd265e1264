// SPDX-License-Identifier: Apache-2.0
#include "flag/flag_sources.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "flag/references.h"

namespace showcaller {
namespace {

json::object take_object(json::object* from, std::string_view key) {
  json::value* found = from->if_contains(key);
  return found != nullptr && found->is_object() ? std::move(found->get_object()) : json::object();
}

json::object laid_over(json::object below, const json::object& above) {
  for (const auto& [name, value] : above) {
    if (!value.is_null()) below.insert_or_assign(name, value);
  }
  return below;
}

bool fits(const FlagSelector& selector, std::string_view source, std::string_view flag_set) {
  switch (selector.by) {
    case FlagSelector::By::Nothing:
      return true;
    case FlagSelector::By::Source:
      return selector.value == source;
    case FlagSelector::By::FlagSet:
      return selector.value == flag_set;
  }
  return false;
}

json::object metadata_of(const FlagSelector& selector) {
  if (selector.by == FlagSelector::By::Nothing || selector.value.empty()) return {};
  const bool by_source = selector.by == FlagSelector::By::Source;
  return {{by_source ? "source" : "flagSetId", selector.value}};
}

// An array of flags that say their key, as [key, flag].
Result<std::vector<std::pair<std::string, json::object>>> listed_flags(json::array list) {
  std::vector<std::pair<std::string, json::object>> flags;
  for (std::size_t i = 0; i < list.size(); ++i) {
    json::object* flag = list[i].if_object();
    std::string key = flag != nullptr ? get_string(*flag, "key") : "";
    if (key.empty()) {
      return fail(ErrorCode::Invalid, fmt::format("/flags/{}: a flag in a list says its `key`", i));
    }
    flag->erase("key");
    flags.emplace_back(std::move(key), std::move(*flag));
  }
  return flags;
}

Result<std::vector<std::pair<std::string, json::object>>> flags_of(json::object* document) {
  json::value* all = document->if_contains("flags");
  if (all != nullptr && all->is_array()) return listed_flags(std::move(all->get_array()));
  if (all == nullptr || !all->is_object()) {
    return fail(ErrorCode::Invalid, "/flags: `flags` is missing, or neither an object nor a list");
  }
  std::vector<std::pair<std::string, json::object>> flags;
  for (auto& [key, flag] : all->get_object()) {
    if (!flag.is_object())
      return fail(ErrorCode::Invalid,
                  fmt::format("/flags/{}: a flag is an object", std::string_view(key)));
    flags.emplace_back(std::string(key), std::move(flag.get_object()));
  }
  return flags;
}

}  // namespace

FlagSources::FlagSources(std::vector<std::string> names)
    : names_(std::move(names)), sources_(names_.size(), std::make_shared<const Source>()) {}

Result<FlagSources::Source> FlagSources::read(json::object document) {
  Source source;
  const json::object metadata = take_object(&document, "metadata");
  source.evaluators = take_object(&document, "$evaluators");
  TRY(auto flags, flags_of(&document));
  for (auto& [key, definition] : flags) {
    json::object own = laid_over(metadata, take_object(&definition, "metadata"));
    std::string flag_set = get_string(own, "flagSetId");
    if (!own.empty()) definition["metadata"] = std::move(own);
    source.flags.push_back({std::move(key), std::move(flag_set), std::move(definition)});
  }
  return source;
}

Result<std::vector<FlagFinding>> FlagSources::take(std::size_t source, json::value document,
                                                   const FlagLimits& limits) {
  CHECK(source < sources_.size());
  if (!document.is_object()) {
    return fail(ErrorCode::Invalid, "/: flag definitions are an object with `flags`");
  }
  TRY(auto read_source, read(std::move(document.get_object())));
  // Each set by itself, so that none hides what is wrong with another's flag of the same key.
  std::map<std::string_view, json::object> sets;
  for (const Flag& flag : read_source.flags) sets[flag.flag_set][flag.key] = flag.definition;
  std::vector<FlagFinding> broken;
  for (auto& [name, flags] : sets) {
    TRY(const FlagSet set, FlagSet::compile(json::object{{"$evaluators", read_source.evaluators},
                                                         {"flags", std::move(flags)}},
                                            limits));
    broken.insert(broken.end(), set.broken().begin(), set.broken().end());
  }
  sources_[source] = std::make_shared<const Source>(std::move(read_source));
  return broken;
}

json::object FlagSources::select(const FlagSelector& selector) const {
  json::object flags, evaluators;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::string prefix = std::to_string(i);
    bool refers = false;
    for (const Flag& flag : sources_[i]->flags) {
      if (!fits(selector, names_[i], flag.flag_set)) continue;
      json::object definition = flag.definition;
      if (json::value* targeting = definition.if_contains("targeting")) {
        refers = refers || has_reference(*targeting);
        qualify_references(prefix, targeting);
      }
      flags.insert_or_assign(flag.key, std::move(definition));
    }
    if (!refers) continue;
    for (const auto& [name, rule] : sources_[i]->evaluators) {
      json::value& named = evaluators[fmt::format("{}/{}", prefix, std::string_view(name))];
      named = rule;
      qualify_references(prefix, &named);
    }
  }
  json::object document;
  if (json::object metadata = metadata_of(selector); !metadata.empty())
    document["metadata"] = std::move(metadata);
  if (!evaluators.empty()) document["$evaluators"] = std::move(evaluators);
  document["flags"] = std::move(flags);
  return document;
}

}  // namespace showcaller
