// SPDX-License-Identifier: Apache-2.0
#include "cli/flag_words.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/client_answers.h"
#include "cli/flag_verb.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

struct FlagWords {
  std::function<const ClientContext&()> context;
  int* code = nullptr;
  std::string file, flag;
};
using SharedWords = std::shared_ptr<FlagWords>;

int switch_flag(const ClientContext& context, const std::string& flag, const std::string& verb) {
  json::object body;
  if (!context.reason.empty()) body["reason"] = context.reason;
  return with_server(context, [&](ApiClient& client) {
    return print_receipt(
        context, client.post(fmt::format("/api/v1/flags/{}/{}", percent_encode(flag), verb), body,
                             context.key));
  });
}

void add_rule(CLI::App* flag, const SharedWords& words) {
  CLI::App* rule = flag->add_subcommand(
      "rule", "Evaluate rules over their data: JSON Lines in, JSON Lines out (docs/flags.md)");
  rule->add_option("file", words->file, "A file, or - or nothing for standard input");
  rule->footer(
      "Examples:\n"
      "  echo '{\"rule\": {\">\": [{\"var\": \"level\"}, 20]}, \"data\": {\"level\": 37}}' | "
      "showcaller flag rule\n"
      "  jq -c '.[] | arrays | {rule: .[0], data: .[1]}' tests.json | showcaller flag rule -\n"
      "Exit codes: 0 every line gave a result, 1 one gave an error, 2 the file can't be read.");
  rule->callback([words] { *words->code = flag_rule_verb(words->file); });
}

void add_switch(CLI::App* flag, const SharedWords& words, const std::string& verb,
                const std::string& help) {
  CLI::App* sub = flag->add_subcommand(verb, help);
  sub->add_option("flag", words->flag, "Its key; config.NAME for a configuration document")
      ->required();
  sub->footer(fmt::format("Examples:\n  showcaller flag {} raid-entrance --reason \"{}\"", verb,
                          verb == "kill" ? "players fall through the floor" : "mended in 2.4.1"));
  sub->callback([words, verb] { *words->code = switch_flag(words->context(), words->flag, verb); });
}

}  // namespace

void add_flag_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                    int* code) {
  const auto words = std::make_shared<FlagWords>();
  words->context = context;
  words->code = code;
  CLI::App* flag = app->add_subcommand("flag", "Switch flags off and on, and try their rules");
  flag->require_subcommand(1);
  add_switch(flag, words, "kill", "Give everybody the off variant at once, whatever else is said");
  add_switch(flag, words, "reopen", "End a kill: the flag is as its manifest and its events say");
  add_rule(flag, words);
}

}  // namespace showcaller
