// SPDX-License-Identifier: Apache-2.0
#include "cli/rehearse/rehearse_words.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/client_answers.h"
#include "cli/drill_verb.h"
#include "cli/rehearse/rehearse_verb.h"

namespace showcaller {
namespace {

struct RehearseWords {
  std::function<const ClientContext&()> context;
  int* code = nullptr;
  RehearseRequest rehearse;
  DrillRequest drill;
  std::string what;
  bool dry_run = false;
};
using SharedRehearseWords = std::shared_ptr<RehearseWords>;

int act_rehearse(RehearseWords* words) {
  words->rehearse.server = words->context();
  words->rehearse.form = words->rehearse.server.form;
  return rehearse_verb(words->rehearse);
}

int act_drill(RehearseWords* words) {
  DrillRequest& request = words->drill;
  ClientContext context = words->context();
  context.dry_run = words->dry_run;
  request.form = context.form;
  if (!request.against.empty()) context.address.url = request.against;
  if (words->what == "stop") return stop_drill_verb(context, request.paths.front());
  const bool here = request.against.empty() && !context.dry_run;
  return here ? drill_verb(request) : drill_against_verb(context, request);
}

void add_files(CLI::App* sub, std::vector<std::string>* paths) {
  sub->add_option("files", *paths, "Manifest files, folders, or - for standard input")->required();
}

void add_rehearse(CLI::App* app, const SharedRehearseWords& words) {
  CLI::App* sub =
      app->add_subcommand("rehearse", "Play a LiveEvent many times before any player sees it");
  RehearseRequest& request = words->rehearse;
  add_files(sub, &request.paths);
  sub->add_option("--event", request.event, "Which LiveEvent of the files");
  sub->add_option("--population", request.population, "Who plays: a YAML file");
  sub->add_option("--curve", request.curve, "Recorded players: CSV timestamp,players");
  sub->add_option("--runs", request.runs,
                  "An event, in all (default: 60, as far as they fit into two minutes)");
  sub->add_option("--within", request.within, "After so long no more runs are begun: 10m");
  sub->add_option("--level", request.level,
                  "session: each by itself; evidence: as counts, quick; auto: what each run asks")
      ->check(CLI::IsMember({"auto", "session", "evidence"}))
      ->capture_default_str();
  sub->add_flag("--full", request.full, "As many as bound a false rollback to 1 %");
  sub->add_option("--fault", request.faults,
                  "What goes wrong: KIND[:SIZE][@FROM][+FOR][/TARGET], several with commas; "
                  "none");
  sub->add_option("--seed", request.seed, "Of the first run")->capture_default_str();
  sub->add_option("--watch", request.watch,
                  "How long it is played on once it is live: 6h, 3d; end: to its own end");
  sub->add_option("--at", request.at, "When it is applied, as 2026-12-18T18:00:00Z");
  sub->add_option("--threads", request.threads, "0: as many as there are cores");
  sub->add_option("--html", request.html, "Writes the report as a page there");
  sub->add_flag("--record", request.record,
                "Tell the server which of the event's gates it has proven");
  sub->add_flag("--publish", request.publish, "Have the server keep the report for the console");
  sub->add_flag("--story", request.story, "One run, told record by record");
  sub->footer(
      "Examples:\n"
      "  showcaller rehearse manifests/ --event winter-raid\n"
      "  showcaller rehearse manifests/ --population players.yaml --runs 200 -o json\n"
      "  showcaller rehearse manifests/ --fault crashes:5@10m --seed 7 --story\n"
      "exit codes: 0 pass, 1 fail, 2 cannot be rehearsed, 3 thin");
  sub->callback([words] { *words->code = act_rehearse(words.get()); });
}

void add_drill(CLI::App* app, const SharedRehearseWords& words) {
  CLI::App* sub = app->add_subcommand(
      "drill", "Play a Drill: faults at their times, and what is expected of them");
  DrillRequest& request = words->drill;
  sub->add_option("do", words->what, "run, or stop NAME")
      ->required()
      ->check(CLI::IsMember({"run", "stop"}));
  add_files(sub, &request.paths);
  sub->add_option("--drill", request.drill, "Which Drill of the files");
  sub->add_option("--population", request.population, "Who plays: a YAML file");
  sub->add_option("--seed", request.seed, "Of the run")->capture_default_str();
  sub->add_option("--at", request.at, "When the event is applied, as 2026-12-18T18:00:00Z");
  sub->add_option("--against", request.against,
                  "URL of a server: on its staging fleet, instead of in the simulator");
  sub->add_flag("--story", request.story, "Tell the run record by record too");
  sub->add_flag("--dry-run", words->dry_run, kDryRunHelp);
  sub->footer(
      "Examples:\n"
      "  showcaller drill run crash-night.yaml manifests/\n"
      "  showcaller drill run drills/ manifests/ --drill crash-night --story\n"
      "  showcaller drill run kills.yaml --against http://127.0.0.1:8700\n"
      "  showcaller drill stop kills --against http://127.0.0.1:8700\n"
      "exit codes: 0 every response came in time, 1 one did not, 2 cannot be played, 3 a "
      "stop condition ended it");
  sub->callback([words] { *words->code = act_drill(words.get()); });
}

}  // namespace

void add_rehearse_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                        int* code) {
  const auto words = std::make_shared<RehearseWords>();
  words->context = context;
  words->code = code;
  add_rehearse(app, words);
  add_drill(app, words);
}

}  // namespace showcaller
