// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/flag_words.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/client_answers.h"
#include "cli/flag/flag_eval_verb.h"
#include "cli/flag/flag_verb.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

struct FlagWords {
  std::function<const ClientContext&()> context;
  int* code = nullptr;
  std::string file, flag;
  FlagEvalRequest eval;
  FlagDiffRequest diff;
  std::string stale_after = "30d";
  bool dry_run = false;
};
using SharedWords = std::shared_ptr<FlagWords>;

int switch_flag(ClientContext context, const FlagWords& words, const std::string& verb) {
  context.dry_run = words.dry_run;
  return send_command(context, fmt::format("/api/v1/flags/{}/{}", percent_encode(words.flag), verb),
                      {});
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
  sub->add_flag("--dry-run", words->dry_run, kDryRunHelp);
  sub->footer(fmt::format("Examples:\n  showcaller flag {} raid-entrance --reason \"{}\"", verb,
                          verb == "kill" ? "players fall through the floor" : "mended in 2.4.1"));
  sub->callback([words, verb] { *words->code = switch_flag(words->context(), *words, verb); });
}

void add_eval(CLI::App* flag, const SharedWords& words) {
  CLI::App* sub = flag->add_subcommand(
      "eval", "What somebody gets, got or will get of a flag, and which rule says so");
  FlagEvalRequest& eval = words->eval;
  sub->add_option("flag", eval.flag, "Its key; config.NAME for a configuration document")
      ->required();
  sub->add_option("--as", eval.who, "A JSON file with their context; absent: nobody in particular");
  sub->add_option("--at", eval.at,
                  "When: from the journal, or from schedules; 2026-12-18T18:00:00Z");
  sub->add_option("--revision", eval.revision,
                  "By this revision of the flag's manifest; absent: the one in force then");
  sub->add_option("-f,--file", eval.files,
                  "Manifests, or flags in flagd's language, instead of a server");
  sub->footer(
      "Examples:\n"
      "  showcaller flag eval raid-entrance --as player.json\n"
      "  showcaller flag eval raid-entrance --as player.json --at 2026-12-18T18:00:00Z -o json\n"
      "  showcaller flag eval raid-entrance --as player.json -f manifests/");
  sub->callback([words] { *words->code = flag_eval_verb(words->context(), words->eval); });
}

void add_diff(CLI::App* flag, const SharedWords& words) {
  CLI::App* sub = flag->add_subcommand(
      "diff", "What two documents of flags say differently; 0 when they mean the same");
  FlagDiffRequest& diff = words->diff;
  sub->add_option("before", diff.before, "A file or folder, server, or server@TIME")->required();
  sub->add_option("after", diff.after, "The same")->required();
  sub->add_option("--contexts", diff.contexts,
                  "JSON objects, a line each or an array: whose answers change is told");
  sub->footer(
      "Examples:\n"
      "  showcaller flag diff server manifests/ --contexts players.jsonl\n"
      "  showcaller flag diff server@2026-12-18T18:00:00Z server -o json");
  sub->callback([words] { *words->code = flag_diff_verb(words->context(), words->diff); });
}

void add_stale(CLI::App* flag, const SharedWords& words) {
  CLI::App* sub = flag->add_subcommand(
      "stale", "Flags that may be taken out: never asked for, one answer, owner gone, event over");
  sub->add_option("--after", words->stale_after, "How long is long")->capture_default_str();
  sub->footer("Examples:\n  showcaller flag stale\n  showcaller flag stale --after 90d -o json");
  sub->callback([words] { *words->code = flag_stale_verb(words->context(), words->stale_after); });
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
  add_eval(flag, words);
  add_diff(flag, words);
  add_stale(flag, words);
  add_rule(flag, words);
}

}  // namespace showcaller
