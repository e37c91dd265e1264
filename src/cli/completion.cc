// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace showcaller {
namespace {

using Verbs = std::span<const CompletionVerb>;

std::string joined_options(const CompletionVerb& verb) {
  std::vector<std::string_view> names;
  for (const auto& option : verb.options) names.push_back(option.name);
  return fmt::format("{}", fmt::join(names, " "));
}

// What may follow an option, one row an option: a fixed set, or whatever the shell knows (files).
std::string value_rows(Verbs verbs) {
  std::map<std::string_view, std::string> rows;
  for (const auto& verb : verbs) {
    for (const auto& [name, help, words, takes_value] : verb.options) {
      if (takes_value)
        rows[name] = words.empty() ? "return" : fmt::format("words='{}'", fmt::join(words, " "));
    }
  }
  std::string out;
  for (const auto& [name, act] : rows) out += fmt::format("    {}) {} ;;\n", name, act);
  return out;
}

std::string verb_rows(Verbs verbs) {
  std::string out;
  for (const auto& verb : verbs) {
    out += fmt::format("        {}) words='{}' options='{}' ;;\n", verb.name,
                       fmt::join(verb.words, " "), joined_options(verb));
  }
  return out;
}

std::string bash_script(const CompletionVerb& program, Verbs verbs) {
  std::vector<std::string_view> names;
  for (const auto& verb : verbs) names.push_back(verb.name);
  return fmt::format(R"(_showcaller() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local verb= words= options= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      {}) verb=${{COMP_WORDS[i]}}; break ;;
    esac
  done
  case $previous in
{}    *)
      case $verb in
        '') words='{}' ;;
{}      esac
      if [[ $word == -* ]]; then words="$options {}"; fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _showcaller showcaller
)",
                     fmt::join(names, "|"), value_rows(verbs) + value_rows({&program, 1}),
                     fmt::join(names, " "), verb_rows(verbs), joined_options(program));
}

std::string quoted_for_fish(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_options(const CompletionVerb& verb, std::string_view condition) {
  std::string out;
  for (const auto& option : verb.options) {
    const bool is_long = option.name.starts_with("--");
    out += fmt::format("complete -c showcaller{} {} {} -d {}", condition, is_long ? "-l" : "-s",
                       option.name.substr(is_long ? 2 : 1), quoted_for_fish(option.help));
    if (option.takes_value) out += " -r";
    if (!option.words.empty()) out += fmt::format(" -f -a '{}'", fmt::join(option.words, " "));
    out += '\n';
  }
  return out;
}

std::string fish_script(const CompletionVerb& program, Verbs verbs) {
  std::string out = fish_options(program, "");
  for (const auto& verb : verbs) {
    out += fmt::format("complete -c showcaller -n __fish_use_subcommand -f -a {} -d {}\n",
                       verb.name, quoted_for_fish(verb.help));
    const auto condition = fmt::format(" -n '__fish_seen_subcommand_from {}'", verb.name);
    if (!verb.words.empty()) {
      out += fmt::format("complete -c showcaller{} -f -a '{}'\n", condition,
                         fmt::join(verb.words, " "));
    }
    out += fish_options(verb, condition);
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell, Verbs verbs) {
  const auto& program = verbs.front();
  const auto rest = verbs.subspan(1);
  if (shell == "fish") return fish_script(program, rest);
  const std::string bash = bash_script(program, rest);
  if (shell == "bash") return bash;
  // zsh runs bash's by its own emulation of it.
  return "#compdef showcaller\nautoload -U +X bashcompinit && bashcompinit\n" + bash;
}

}  // namespace showcaller
