// SPDX-License-Identifier: Apache-2.0
#include "cli/completion_tree.h"

#include <algorithm>
#include <string>

#include <CLI/CLI.hpp>

namespace showcaller {
namespace {

// The library says a set of words as "TEXT:{create,list}".
std::vector<std::string> words_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{'), close = type.find('}');
  std::vector<std::string> words;
  if (close == type.npos) return words;
  for (auto at = open; at < close;) {
    const auto end = std::min(type.find(',', at + 1), close);
    words.push_back(type.substr(at + 1, end - at - 1));
    at = end;
  }
  return words;
}

CompletionVerb completion_of(const CLI::App& app) {
  CompletionVerb out{app.get_name(), app.get_description(), {}, {}};
  if (app.get_parent() != nullptr)
    for (const CLI::App* each : app.get_subcommands({})) out.words.push_back(each->get_name());
  for (const CLI::Option* option : app.get_options()) {
    const auto words = words_of(*option);
    if (option->get_positional()) {
      out.words.insert(out.words.end(), words.begin(), words.end());
      continue;
    }
    const bool takes_value = option->get_items_expected_max() > 0;
    for (const auto& name : option->get_lnames())
      out.options.push_back({"--" + name, option->get_description(), words, takes_value});
    for (const auto& name : option->get_snames())
      out.options.push_back({"-" + name, option->get_description(), words, takes_value});
  }
  return out;
}

}  // namespace

std::vector<CompletionVerb> completion_tree(const CLI::App& program) {
  std::vector<CompletionVerb> verbs{completion_of(program)};
  for (const CLI::App* each : program.get_subcommands({})) verbs.push_back(completion_of(*each));
  return verbs;
}

}  // namespace showcaller
