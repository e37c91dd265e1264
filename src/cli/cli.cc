// SPDX-License-Identifier: Apache-2.0
// The words of the command line.
#include "cli/cli.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/suggest.h"
#include "cli/alert_words.h"
#include "cli/anomaly_verb.h"
#include "cli/client_answers.h"
#include "cli/client_verbs.h"
#include "cli/completion.h"
#include "cli/completion_tree.h"
#include "cli/config_words.h"
#include "cli/export_verb.h"
#include "cli/feature_words.h"
#include "cli/flag/flag_words.h"
#include "cli/flag/flagd_words.h"
#include "cli/forecast_verb.h"
#include "cli/incident_words.h"
#include "cli/local_verbs.h"
#include "cli/probe/probe_words.h"
#include "cli/rehearse/backtest_verb.h"
#include "cli/rehearse/rehearse_words.h"
#include "cli/relay/relay.h"
#include "cli/serve/serve.h"
#include "cli/sidecar_command.h"
#include "cli/version.h"
#include "cli/watch_verb.h"

namespace showcaller {
namespace {

// What every verb may be given, and what the verbs are given apart.
struct Words {
  ClientContext context;
  std::string output = "table";
  SidecarCommand sidecar;
  bool sidecar_local = false;
  ForecastRequest forecast;
  AnomalyRequest anomaly;
  WatchRequest watch;
  std::string watch_timeout;
  HistoryRequest history;
  BacktestRequest backtest;
  std::vector<std::string> paths, roles;
  std::string init_kind = "event";
  std::string name, what, kind, at, to, from, scope, hash, expires, detail,
      owner = "team-name", data = "./showcaller-state";
  std::string fleet, subject, duration;
  std::int64_t revision = 0, pace = 0;
  bool all = false, force = false, failed = false, break_glass = false;
};

class CommandLine {
 public:
  CommandLine()
      : app_(
            "Showcaller: live events of online games, proven, admitted stage by stage, judged, "
            "undone.",
            "showcaller") {
    app_.set_version_flag("--version", std::string(kVersion));
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.footer(
        "Exit codes: 0 done, 1 refused or not reached, 2 wrong words or manifest, 3 no server, 4 "
        "internal, 5 `serve` cannot start.\n"
        "Server and token: --server or SHOWCALLER_SERVER; SHOWCALLER_TOKEN, --token-file or "
        "SHOWCALLER_TOKEN_FILE.\n"
        "`showcaller VERB --help` has examples.");
    ClientContext& c = words_.context;
    app_.add_option("--server", c.address.url, "URL of the server")
        ->envname("SHOWCALLER_SERVER")
        ->default_val("http://127.0.0.1:8700");
    app_.add_option("--token-file", c.address.token_file, "File with the token")
        ->envname("SHOWCALLER_TOKEN_FILE");
    app_.add_option("--ca", c.address.ca_file, "PEM of the CA that signed the server's certificate")
        ->envname("SHOWCALLER_CA");
    app_.add_option("--client-cert", c.address.certificate_file,
                    "PEM certificate to show to a server that asks for one")
        ->envname("SHOWCALLER_CLIENT_CERT");
    app_.add_option("--client-key", c.address.key_file, "PEM key of that certificate")
        ->envname("SHOWCALLER_CLIENT_KEY");
    app_.add_option("-o,--output", words_.output, "table, json or yaml")
        ->check(CLI::IsMember({"table", "json", "yaml"}));
    app_.add_option("--reason", c.reason, "Why; kept in the journal");
    app_.add_option("--key", c.key, "Idempotency key: the same key again has one effect");
    add_serve_words(&app_, &code_);
    add_server_verbs();
    add_manifest_verbs();
    add_look_verbs();
    add_event_verbs();
    add_house_verbs();
    add_journal_verbs();
    add_series_verbs();
    add_flag_words(&app_, [this]() -> const ClientContext& { return context(); }, &code_);
    add_alert_words(&app_, [this]() -> const ClientContext& { return context(); }, &code_);
    add_config_words(&app_, [this]() -> const ClientContext& { return context(); }, &code_);
    add_feature_words(&app_, [this]() -> const ClientContext& { return context(); }, &code_);
    add_rehearse_words(&app_, [this]() -> const ClientContext& { return context(); }, &code_);
    add_incident_words(&app_, [this]() -> const ClientContext& { return context(); }, &code_);
    add_flagd_words(&app_, &code_);
    add_relay_words(&app_, &code_);
    add_probe_words(&app_, [this]() -> const ClientContext& { return context(); }, &code_);
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      if (const auto word = unknown_verb()) {
        print_error(no_such_verb(*word));
        return kExitUsage;
      }
      return app_.exit(error) == 0 ? kExitOk : kExitUsage;
    }
    return code_;
  }

 private:
  // The first word that is no option, where there is no verb.
  std::optional<std::string> unknown_verb() const {
    if (!app_.get_subcommands().empty()) return std::nullopt;
    for (const std::string& word : app_.remaining()) {
      if (!word.starts_with('-')) return word;
    }
    return std::nullopt;
  }

  Error no_such_verb(const std::string& word) const {
    std::vector<std::string> known;
    for (const CLI::App* each : app_.get_subcommands({})) known.push_back(each->get_name());
    const auto near = nearest_word(word, known);
    return {ErrorCode::Invalid, fmt::format("there is no verb '{}'; {}", word,
                                            near ? fmt::format("did you mean '{}'?", *near)
                                                 : "`showcaller --help` lists what there is")};
  }

  CLI::App* verb(const std::string& name, const std::string& help, const std::string& examples,
                 std::function<int()> act) {
    CLI::App* sub = app_.add_subcommand(name, help);
    sub->footer("Examples:\n" + examples);
    sub->callback([this, act = std::move(act)] {
      (void)context();
      code_ = act();
    });
    return sub;
  }

  // What every verb may be told, once the words are read.
  const ClientContext& context() {
    words_.context.form = words_.output == "json"   ? OutputForm::Json
                          : words_.output == "yaml" ? OutputForm::Yaml
                                                    : OutputForm::Table;
    if (const char* token = std::getenv("SHOWCALLER_TOKEN");
        token && words_.context.address.token_file.empty()) {
      words_.context.address.token = token;
    }
    return words_.context;
  }

  void add_server_verbs() {
    Words& w = words_;
    CLI::App* sidecar =
        verb("sidecar", "The Agones SDK server for one game server at a desk",
             "  showcaller sidecar --local\n  showcaller sidecar --local --grpc-port 9357 "
             "--http-port 9358",
             [&w] {
               if (!w.sidecar_local) {
                 print_error({ErrorCode::Invalid,
                              "the sidecar runs alone only with --local; fleets start their own"});
                 return int(kExitUsage);
               }
               return sidecar_command(w.sidecar);
             });
    sidecar->add_flag("--local", w.sidecar_local, "Without a server or a fleet");
    sidecar->add_option("--address", w.sidecar.address, "Address to listen on")
        ->capture_default_str();
    sidecar->add_option("--grpc-port", w.sidecar.grpc_port, "0: the system chooses")
        ->capture_default_str();
    sidecar->add_option("--http-port", w.sidecar.http_port, "0: the system chooses")
        ->capture_default_str();
    sidecar->add_option("-f,--file", w.sidecar.file, "GameServer manifest to start from");
    sidecar->add_option("--state-file", w.sidecar.state_file,
                        "Write the game server there after each change");
  }

  CLI::App* may_be_tried(CLI::App* sub) {
    sub->add_flag("--dry-run", words_.context.dry_run, kDryRunHelp);
    return sub;
  }

  CLI::App* files(CLI::App* sub) {
    sub->add_option("files", words_.paths, "Manifest files, folders, or - for standard input")
        ->required();
    return sub;
  }

  void add_manifest_verbs() {
    Words& w = words_;
    CLI::App* init = verb(
        "init", "Print a commented manifest to start from",
        "  showcaller init event winter-raid --owner team-raids > winter-raid.yaml", [&w] {
          return init_verb(w.init_kind, w.name.empty() ? "my-" + w.init_kind : w.name, w.owner);
        });
    init->add_option("kind", w.init_kind,
                     "event, pipeline, drill, fleet, flag, config, metric, service, policy, "
                     "ExclusionGroup, holdout or team")
        ->capture_default_str();
    init->add_option("name", w.name, "Its name");
    init->add_option("--owner", w.owner, "The team that owns it")->capture_default_str();
    files(verb("validate", "Check manifests offline; every finding with its place",
               "  showcaller validate winter-raid.yaml\n  showcaller validate manifests/ -o json",
               [&w] { return validate_verb(w.paths, w.context.form); }));
    CLI::App* policy =
        verb("policy", "Hold the rules of a Policy against its own examples, offline",
             "  showcaller policy test policy.yaml\n  showcaller policy test "
             "manifests/ -o json\nExit codes: 0 all are good, 1 one is not, 2 the "
             "files have errors.",
             [&w] { return policy_test_verb(w.paths, w.context.form); });
    policy->add_option("do", w.what, "test")->required()->check(CLI::IsMember({"test"}));
    files(policy);
    CLI::App* schema =
        verb("schema", "Print the JSON Schema of manifests, for editors",
             "  showcaller schema > manifests.schema.json\n  showcaller schema Fleet",
             [&w] { return schema_verb(w.kind); });
    schema->add_option("kind", w.kind, "One kind alone");
    files(
        verb("plan",
             "What applying would do: differences, defaults, approvals, what each stage can detect",
             "  showcaller plan winter-raid.yaml", [&w] { return plan_verb(w.context, w.paths); }));
    CLI::App* apply =
        files(verb("apply", "Apply manifests: all of them or none",
                   "  showcaller apply winter-raid.yaml\n  showcaller apply manifests/ --dry-run",
                   [&w] { return apply_verb(w.context, w.paths, w.context.dry_run); }));
    may_be_tried(apply);
    CLI::App* drift =
        files(verb("drift", "Hold the server against manifests; 0 when they agree",
                   "  showcaller drift manifests/\n  showcaller drift manifests/ --all",
                   [&w] { return drift_verb(w.context, w.paths, w.all); }));
    drift->add_flag("--all", w.all,
                    "Tell all that only the server has, not only what has a kind and owner of the "
                    "files");
  }

  void add_look_verbs() {
    Words& w = words_;
    CLI::App* get = verb("get", "List what there is, or print a manifest",
                         "  showcaller get events\n  showcaller get instances raid\n  showcaller "
                         "get LiveEvent winter-raid > winter-raid.yaml",
                         [&w] { return get_verb(w.context, w.what, w.name); });
    get->add_option("what", w.what,
                    "events, fleets, instances, manifests, flags, services, quarantines, probes, "
                    "drills, lines, tokens, or a kind")
        ->required();
    get->add_option("name", w.name, "One of them; for instances: a fleet");
    CLI::App* status = verb("status", "Where a LiveEvent stands and what it waits for",
                            "  showcaller status\n  showcaller status winter-raid",
                            [&w] { return status_verb(w.context, w.name); });
    status->add_option("event", w.name, "Its name; absent: the server and all events");
    CLI::App* explain =
        verb("explain", "Why did it do that, with the evidence",
             "  showcaller explain winter-raid\n  showcaller explain winter-raid -o json",
             [&w] { return explain_verb(w.context, w.name); });
    explain->add_option("event", w.name, "Its name")->required();
    CLI::App* watch = verb("watch", "Show records as they become durable",
                           "  showcaller watch\n  showcaller watch winter-raid --until Live "
                           "--until RolledBack --timeout 2h",
                           [&w] {
                             if (!w.watch_timeout.empty()) {
                               const auto timeout = parse_duration(w.watch_timeout);
                               if (!timeout) {
                                 print_error(timeout.error());
                                 return int(kExitUsage);
                               }
                               w.watch.timeout = *timeout;
                             }
                             return watch_verb(w.context, w.watch);
                           });
    watch->add_option("event", w.watch.event, "One event; absent: everything");
    watch->add_option("--until", w.watch.until,
                      "End in this phase; the first one named gives exit code 0, others 1");
    watch->add_option("--timeout", w.watch_timeout, "Give up after so long, with exit code 1");
    watch->add_flag("--instances", w.watch.instances, "Show instances and session counts too");
    CLI::App* history = verb("history", "The journal's records, in order",
                             "  showcaller history --event winter-raid\n  showcaller history "
                             "--kind verdict_changed -o json",
                             [&w] { return history_verb(w.context, w.history); });
    history->add_option("--event", w.history.event, "About one event");
    history->add_option("--kind", w.history.kind, "Of one kind");
    history->add_option("--from", w.history.from, "First record")->capture_default_str();
    history->add_option("--limit", w.history.limit, "At most so many")->capture_default_str();
    CLI::App* ledger = verb("ledger", "Who may have been exposed, as pseudonyms",
                            "  showcaller ledger winter-raid",
                            [&w] { return ledger_verb(w.context, w.name, w.revision); });
    ledger->add_option("event", w.name, "Its name")->required();
    ledger->add_option("--revision", w.revision, "Absent: the present one");
    CLI::App* admitted =
        verb("admitted", "Whom of a list of players an event admitted, and note them in its ledger",
             "  showcaller admitted winter-raid players.txt      # an id a line\n"
             "  showcaller admitted winter-raid players.jsonl    # {\"id\": \"p-17\", "
             "\"region\": \"eu\", \"party\": \"x\"}\n"
             "  select-active-players | showcaller admitted winter-raid - --revision 3 -o json",
             [&w] { return admitted_verb(w.context, w.name, w.revision, w.from); });
    admitted->add_option("event", w.name, "Its name")->required();
    admitted->add_option("players", w.from, "A file of players, a line each; - is standard input")
        ->required();
    admitted->add_option("--revision", w.revision, "Absent: the present one");
  }

  void add_event_verbs() {
    Words& w = words_;
    struct Row {
      const char* name;
      const char* help;
    };
    static constexpr Row kRows[] = {
        {"hold", "Stop advancing; gates and rollback stay alive"},
        {"resume", "Lift a hold"},
        {"promote", "Go to the next stage now"},
        {"step-back", "Go back to the stage before"},
        {"rollback", "Undo the change-set: close intake, drain, restore"},
        {"cancel", "Give up an event that exposed nobody"},
        {"retire", "End a live event: close, settle, deprecate, retire"},
        {"divert", "Send new sessions to the safe version"},
        {"undivert", "End a diversion"}};
    for (const Row& row : kRows) {
      const std::string name = row.name;
      CLI::App* sub = may_be_tried(verb(
          name, row.help, fmt::format("  showcaller {} winter-raid --reason \"queue times\"", name),
          [&w, name] { return event_verb(w.context, name, w.name, expected(w)); }));
      sub->add_option("event", w.name, "Its name")->required();
      sub->add_option("--revision", w.revision, "Refuse if it is at another revision");
    }
    CLI::App* pace = verb(
        "pace", "Limit new sessions of the canary a minute",
        "  showcaller pace winter-raid 600\n  showcaller pace winter-raid 0   # no limit", [&w] {
          json::object body = expected(w);
          body["pace_per_minute"] = w.pace;
          return event_verb(w.context, "pace", w.name, body);
        });
    may_be_tried(pace)->add_option("event", w.name, "Its name")->required();
    pace->add_option("per_minute", w.pace, "Sessions; 0: no limit")->required();
    CLI::App* ready = verb(
        "ready", "Report what came of a readiness check",
        "  showcaller ready winter-raid bundle:raid-assets --detail \"93 % have it\"\n"
        "  showcaller ready winter-raid probe:raid-join --failed --detail \"no answer in 5 s\"",
        [&w] {
          json::object body{{"check", w.what}, {"ready", !w.failed}};
          if (!w.detail.empty()) body["detail"] = w.detail;
          return event_verb(w.context, "ready", w.name, body);
        });
    may_be_tried(ready)->add_option("event", w.name, "Its name")->required();
    ready->add_option("check", w.what, "client, bundle:ID or probe:NAME, as the event asks for it")
        ->required();
    ready->add_flag("--failed", w.failed, "It is not ready");
    ready->add_option("--detail", w.detail, "What is missing, or what is there");
    CLI::App* approve =
        verb("approve", "Approve the manifest that you read",
             "  showcaller approve winter-raid --hash 3f2a…", [&w] {
               std::string hash = w.hash;
               if (hash.empty()) {
                 auto client = ApiClient::open(w.context.address);
                 auto event = client ? client->get("/api/v1/events/" + percent_encode(w.name))
                                     : Result<json::value>(std::unexpected(client.error()));
                 if (!event) {
                   print_error(event.error());
                   return exit_of(event.error());
                 }
                 const json::value* proposed = get_if(event->as_object(), "proposed");
                 hash = get_string(proposed ? proposed->as_object() : event->as_object(), "hash");
               }
               json::object body{{"hash", hash}};
               if (w.break_glass) body["break_glass"] = true;
               return event_verb(w.context, "approve", w.name, body);
             });
    may_be_tried(approve)->add_option("event", w.name, "Its name")->required();
    approve->add_option("--hash", w.hash, "Of what was read; absent: of what the server has now");
    approve->add_flag("--break-glass", w.break_glass,
                      "Set approvals and freezes aside for an hour, once a second person does too; "
                      "needs --reason, and pages the owner");
  }

  static json::object expected(const Words& w) {
    if (w.revision > 0) return {{"expected_revision", w.revision}};
    return {};
  }

  void add_house_verbs() {
    Words& w = words_;
    CLI::App* stop = verb("stop-the-line", "Hold everything in a scope",
                          "  showcaller stop-the-line\n  showcaller stop-the-line owner/team-raids",
                          [&w] { return line_verb(w.context, true, w.scope); });
    may_be_tried(stop)->add_option("scope", w.scope,
                                   "owner/NAME, fleet/NAME, event/NAME; absent: everything");
    CLI::App* resume = verb("resume-the-line", "Let a stopped scope go on",
                            "  showcaller resume-the-line owner/team-raids",
                            [&w] { return line_verb(w.context, false, w.scope); });
    may_be_tried(resume)->add_option("scope", w.scope, "As it was stopped");
    for (const bool release : {false, true}) {
      CLI::App* sub =
          verb(release ? "release" : "quarantine",
               release ? "End a quarantine" : "Isolate an instance, build, host or region",
               release ? "  showcaller release build raid 2.4.0"
                       : "  showcaller quarantine instance raid raid-17 --for 1h",
               [&w, release] {
                 json::object body{{"scope", w.scope}, {"fleet", w.fleet}, {"subject", w.subject}};
                 if (!w.duration.empty()) body["for"] = w.duration;
                 return quarantine_verb(w.context, release, body);
               });
      may_be_tried(sub)
          ->add_option("scope", w.scope, "instance, build, host or region")
          ->required()
          ->check(CLI::IsMember({"instance", "build", "host", "region"}));
      sub->add_option("fleet", w.fleet, "The fleet")->required();
      sub->add_option("subject", w.subject, "Which one")->required();
      if (!release) sub->add_option("--for", w.duration, "Absent: until released");
    }
    CLI::App* token =
        verb("token", "Make, list and revoke tokens",
             "  showcaller token create ann --role operator --expires 30d\n  showcaller token "
             "list\n  showcaller token revoke 3f2a91c0d4e5",
             [&w] { return token_verb(w.context, w.what, w.name, w.roles, w.expires); });
    may_be_tried(token)
        ->add_option("do", w.what, "create, list or revoke")
        ->required()
        ->check(CLI::IsMember({"create", "list", "revoke"}));
    token->add_option("name", w.name, "A name to create, an id to revoke");
    token->add_option("--role", w.roles,
                      "admin, operator, viewer, game-server, client, relay, prober, or a role of a "
                      "Policy");
    token->add_option("--expires", w.expires, "A duration");
    CLI::App* privacy =
        verb("privacy", "Export or erase what the ledgers know of a player",
             "  showcaller privacy export player-17\n  showcaller privacy erase player-17",
             [&w] { return privacy_verb(w.context, w.what, w.name); });
    privacy->add_option("do", w.what, "export or erase")
        ->required()
        ->check(CLI::IsMember({"export", "erase"}));
    privacy->add_option("player", w.name, "As the game names the player")->required();
  }

  void add_journal_verbs() {
    Words& w = words_;
    CLI::App* gate = app_.add_subcommand("gate", "Hold the gate against recorded evidence");
    CLI::App* judge = gate->add_subcommand(
        "judge", "Judge a recorded stage: JSON Lines in, JSON Lines out (docs/gate-judge.md)");
    gate->require_subcommand(1);
    judge->add_option("file", w.from, "A file, or - for standard input");
    judge->footer(
        "Examples:\n  showcaller gate judge stage.jsonl\nExit codes: 0 pass, 1 fail, 2 malformed, "
        "3 thin, 4 blind, 5 skewed.");
    judge->callback([this, &w] { code_ = judge_verb(w.from); });
    CLI::App* backtest =
        verb("backtest", "Hold a gate against recorded evidence of past stages",
             "  showcaller backtest --over evidence/\n"
             "  showcaller backtest --over evidence/ --record winter-raid\n"
             "  showcaller backtest stricter.jsonl --over evidence/ -o json\n"
             "exit codes: 0 right, 1 something good undone or bad missed, 2 malformed",
             [&w] {
               w.backtest.form = w.context.form;
               w.backtest.server = w.context;
               return backtest_verb(w.backtest);
             });
    backtest->add_option("gate", w.backtest.gate,
                         "A file that begins with a stage line; absent: each recording's own");
    backtest->add_option("--over", w.backtest.over, "Recordings, or folders of them")->required();
    backtest->add_option("--record", w.backtest.proves,
                         "An event: tell the server which of its gates they have proven");
    const auto data = [&w](CLI::App* sub) {
      sub->add_option("--data", w.data, "The server's folder, or its journal.db")
          ->envname("SHOWCALLER_DATA");
      return sub;
    };
    data(verb("doctor", "Check the journal: chain, records, snapshot; beside a running server too",
              "  showcaller doctor --data ./state", [&w] { return doctor_verb(w.data); }));
    CLI::App* backup = data(verb(
        "backup", "Copy journal, secret, ledger and evidence, verified, beside a running server",
        "  showcaller backup --data ./state friday\n  showcaller backup --data "
        "./state/journal.db friday.db   # the journal alone",
        [&w] { return backup_verb(w.data, w.to); }));
    backup->add_option("to", w.to, "Folder to make; it holds secrets")->required();
    CLI::App* restore = data(verb("restore", "Put a backup in place of a stopped server's state",
                                  "  showcaller restore --data ./state friday",
                                  [&w] { return restore_verb(w.from, w.data, w.force); }));
    restore->add_option("from", w.from, "The backup: a folder, or a journal alone")->required();
    restore->add_flag("--force", w.force, "Even if the journal holds newer records");
    CLI::App* replay =
        data(verb("replay", "The world as it was",
                  "  showcaller replay --at 2026-12-18T18:00:00Z winter-raid\n  showcaller replay "
                  "--at 1200 -o json",
                  [&w] { return replay_verb(w.data, w.at, w.what, w.context.form); }));
    replay->add_option("what", w.what,
                       "An event's name, instances or manifests; absent: a summary");
    replay->add_option("--at", w.at, "A time or a record's number; absent: now");
    CLI::App* docs = verb("docs", "Print pages of the documentation that are made from the program",
                          "  showcaller docs lifecycle", [&w] { return docs_verb(w.what); });
    docs->add_option("page", w.what, "lifecycle, manifests, metrics or openapi")->required();
    CLI::App* completion =
        verb("completion", "Print the completion of this command line for a shell",
             "  source <(showcaller completion bash)\n"
             "  showcaller completion zsh > \"${fpath[1]}/_showcaller\"\n"
             "  showcaller completion fish > ~/.config/fish/completions/showcaller.fish",
             [this, &w] {
               const auto script = completion_script(w.what, completion_tree(app_));
               std::fwrite(script.data(), 1, script.size(), stdout);
               return int(kExitOk);
             });
    completion->add_option("shell", w.what, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  void add_series_verbs() {
    Words& w = words_;
    add_export_verb(&app_, &code_);
    CLI::App* forecast = verb(
        "forecast", "Forecast a series, and the capacity that its peak needs (docs/forecast.md)",
        "  showcaller forecast sessions.csv --horizon 48h\n  showcaller forecast sessions.csv "
        "--uplift 1.3@2026-12-18T18:00Z/48h -o json\n  zcat sessions.csv.gz | showcaller "
        "forecast -",
        [&w] { return forecast_verb(w.forecast, w.context.form); });
    forecast->add_option("file", w.forecast.file,
                         "CSV with the header timestamp,value; - or nothing: standard input");
    forecast->add_option("--horizon", w.forecast.horizon, "How far to look")->capture_default_str();
    forecast->add_option("--step", w.forecast.step,
                         "Shortest step of the forecast, and what timestamps count that are "
                         "counts; absent: the usual gap, and 1h");
    forecast->add_option("--uplift", w.forecast.uplifts,
                         "FACTOR@TIME/DURATION of a planned event; may be repeated");
    CLI::App* anomaly =
        verb("anomaly", "How odd each row of a series is, given those before it (docs/forecast.md)",
             "  showcaller anomaly latency.csv\n  tail -f latency.csv | showcaller anomaly -\n  "
             "showcaller anomaly latency.csv -o json",
             [&w] { return anomaly_verb(w.anomaly, w.context.form); });
    anomaly->add_option("file", w.anomaly.file,
                        "CSV with the header timestamp,value; - or nothing: standard input");
    anomaly->add_option("--step", w.anomaly.step,
                        "What timestamps count that are counts; absent: 1h");
  }

  CLI::App app_;
  Words words_;
  int code_ = kExitOk;
};

}  // namespace

int run_cli(int argc, char** argv) {
  return CommandLine().run(argc, argv);
}

}  // namespace showcaller
