// SPDX-License-Identifier: Apache-2.0
#include "cli/alert_words.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/client_answers.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

struct AlertWords {
  std::string alert, state, subject, event, length, team, route, owner;
  bool dry_run = false;
};
using AlertVerbOf = int (*)(const ClientContext&, const AlertWords&);

int listed(const ClientContext& context, const std::string& target,
           const std::vector<std::string>& columns) {
  return with_server(context, [&](ApiClient& client) {
    const auto answer = client.get(target);
    if (!answer) return failed(answer.error());
    print_value(*answer, context.form, columns);
    return int(kExitOk);
  });
}

int posted(ClientContext context, const AlertWords& words, const std::string& target,
           json::object body) {
  context.dry_run = words.dry_run;
  return send_command(context, target, std::move(body));
}

std::string alert_target(const AlertWords& words) {
  return "/api/v1/alerts/" + percent_encode(words.alert);
}

int list_alerts(const ClientContext& context, const AlertWords& words) {
  const std::string state = words.state == "all" ? "" : words.state;
  if (!state.empty() || words.state == "all")
    return listed(context, "/api/v1/alerts" + (state.empty() ? "" : "?state=" + state),
                  {"id", "state", "severity", "subject", "team", "owner", "opened_at", "text"});
  return with_server(context, [&](ApiClient& client) {
    const auto answer = client.get("/api/v1/alerts");
    if (!answer) return failed(answer.error());
    json::array open;
    for (const json::value& alert : answer->as_array()) {
      if (text_at(alert.as_object(), "state") != "resolved") open.push_back(alert);
    }
    print_value(open, context.form,
                {"id", "state", "severity", "subject", "team", "owner", "opened_at", "text"});
    return int(kExitOk);
  });
}

void say_alert(const json::object& alert) {
  const std::string state = text_at(alert, "state");
  say(fmt::format("{}  {} {}  {}", coloured(text_at(alert, "id"), "bold"),
                  coloured(state, state == "firing" ? "red" : "dim"), text_at(alert, "severity"),
                  text_at(alert, "text")));
  say(fmt::format("  {} since {}; team {}{}", text_at(alert, "subject"),
                  text_at(alert, "opened_at"), text_at(alert, "team"),
                  text_at(alert, "owner").empty() ? "" : ", for " + text_at(alert, "owner")));
  if (const auto by = text_at(alert, "acknowledged_by"); !by.empty())
    say("  acknowledged by " + by);
  if (const auto at = text_at(alert, "escalates_at"); !at.empty()) say("  escalates at " + at);
  if (const auto by = text_at(alert, "silenced_by"); !by.empty()) say("  silenced by " + by);
  if (const auto why = text_at(alert, "resolved_reason"); !why.empty())
    say(fmt::format("  resolved at {}: {}", text_at(alert, "resolved_at"), why));
  for (const json::value& each : alert.at("group").as_array()) {
    const json::object& member = each.as_object();
    say(fmt::format("  part of it: {} {} {}{}", text_at(member, "subject"),
                    text_at(member, "cause"), text_at(member, "detail"),
                    get_bool(member, "over") ? " (over)" : ""));
  }
  say_list(alert, "next_steps", "next");
  if (const auto runbook = text_at(alert, "runbook"); !runbook.empty())
    say("    runbook: " + runbook);
}

int show_alert(const ClientContext& context, const AlertWords& words) {
  return with_server(context, [&](ApiClient& client) {
    const auto answer = client.get(alert_target(words));
    if (!answer) return failed(answer.error());
    if (context.form == OutputForm::Table)
      say_alert(answer->as_object());
    else
      print_value(*answer, context.form);
    return int(kExitOk);
  });
}

int acknowledge_alert(const ClientContext& context, const AlertWords& words) {
  return posted(context, words, alert_target(words) + "/acknowledge", {});
}

int own_alert(const ClientContext& context, const AlertWords& words) {
  json::object body;
  if (!words.owner.empty()) body["owner"] = words.owner;
  return posted(context, words, alert_target(words) + "/own", std::move(body));
}

int resolve_alert(const ClientContext& context, const AlertWords& words) {
  return posted(context, words, alert_target(words) + "/resolve", {});
}

int silence_subject(const ClientContext& context, const AlertWords& words) {
  json::object body{{"subject", words.subject}};
  if (!words.length.empty()) body["for"] = words.length;
  if (!words.event.empty()) body["event"] = words.event;
  return posted(context, words, "/api/v1/silences", std::move(body));
}

int end_silence(const ClientContext& context, const AlertWords& words) {
  return posted(context, words, fmt::format("/api/v1/silences/{}/end", percent_encode(words.alert)),
                {});
}

int list_silences(const ClientContext& context, const AlertWords&) {
  return listed(context, "/api/v1/silences",
                {"id", "subject", "event", "by", "since", "until", "reason"});
}

int list_dead_letters(const ClientContext& context, const AlertWords&) {
  return listed(context, "/api/v1/alerts/dead-letters",
                {"alert", "route", "change", "attempts", "at", "detail"});
}

int list_objectives(const ClientContext& context, const AlertWords&) {
  return listed(context, "/api/v1/objectives",
                {"service", "slo", "event", "metric", "objective", "window", "n", "bad",
                 "budget_left", "players_at_risk"});
}

int test_a_route(const ClientContext& context, const AlertWords& words) {
  return with_server(context, [&](ApiClient& client) {
    const auto answer =
        client.post(fmt::format("/api/v1/teams/{}/routes/{}/test", percent_encode(words.team),
                                percent_encode(words.route)),
                    json::object(), context.key);
    if (!answer) return failed(answer.error());
    const json::object& told = answer->as_object();
    const bool delivered = get_bool(told, "delivered");
    if (context.form == OutputForm::Table)
      say(fmt::format("{}: {}", delivered ? "delivered" : "not delivered",
                      text_at(told, "detail")));
    else
      print_value(*answer, context.form);
    return int(delivered ? kExitOk : kExitRefused);
  });
}

class AlertCommandLine {
 public:
  AlertCommandLine(CLI::App* alert, const std::function<const ClientContext&()>& context, int* code)
      : alert_(alert), context_(context), code_(code) {}

  CLI::App* add(const std::string& name, const std::string& help, const std::string& examples,
                AlertVerbOf act) {
    CLI::App* sub = alert_->add_subcommand(name, help);
    sub->footer("Examples:\n  " + examples);
    sub->callback([words = words_, context = context_, code = code_, act] {
      *code = act(context(), *words);
    });
    return sub;
  }
  CLI::App* with_id(CLI::App* sub, const std::string& help) {
    sub->add_option("id", words_->alert, help)->required();
    return sub;
  }
  // One that changes something, and can be tried dry.
  CLI::App* command(CLI::App* sub) {
    sub->add_flag("--dry-run", words_->dry_run, kDryRunHelp);
    return sub;
  }
  AlertWords& words() { return *words_; }

 private:
  CLI::App* alert_;
  std::function<const ClientContext&()> context_;
  int* code_;
  std::shared_ptr<AlertWords> words_ = std::make_shared<AlertWords>();
};

void add_silence_words(AlertCommandLine& line) {
  AlertWords& w = line.words();
  CLI::App* silence =
      line.add("silence", "Let alerts of a subject call nobody for a while, or with an event",
               "showcaller alert silence Service/join --for 1h --reason \"the racks move\"\n"
               "  showcaller alert silence Fleet/raid --event winter-raid",
               silence_subject);
  silence->add_option("subject", w.subject, "Service/NAME, Fleet/NAME or LiveEvent/NAME")
      ->required();
  silence->add_option("--for", w.length, "How long: 30m, 2h; at most 30d");
  line.command(silence);
  silence->add_option("--event", w.event, "Until this LiveEvent ends");
  line.command(line.with_id(
      line.add("unsilence", "End a silence", "showcaller alert unsilence s812", end_silence),
      "The silence's id"));
  line.add("silences", "Silences in force", "showcaller alert silences", list_silences);
}

void add_delivery_words(AlertCommandLine& line) {
  AlertWords& w = line.words();
  CLI::App* test = line.add("test-route", "Send what is plainly a test by a team's route",
                            "showcaller alert test-route team-raids pager", test_a_route);
  test->add_option("team", w.team, "The Team's name")->required();
  test->add_option("route", w.route, "The route's name in its manifest")->required();
  line.add("dead-letters", "What a route was not told, after all attempts",
           "showcaller alert dead-letters", list_dead_letters);
  line.add("objectives", "Each objective: its budget, and how many were bad",
           "showcaller alert objectives -o json", list_objectives);
}

}  // namespace

void add_alert_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                     int* code) {
  CLI::App* alert =
      app->add_subcommand("alert", "What is wrong, who looks after it, what is silent");
  alert->require_subcommand(1);
  AlertCommandLine line(alert, context, code);
  line.add("list", "Open alerts, the newest first",
           "showcaller alert list\n  showcaller alert list --state resolved", list_alerts)
      ->add_option("--state", line.words().state, "firing, acknowledged, resolved, or all")
      ->check(CLI::IsMember({"firing", "acknowledged", "resolved", "all"}));
  line.with_id(
      line.add("show", "One alert, with its next steps", "showcaller alert show a812", show_alert),
      "The alert's id");
  line.command(
      line.with_id(line.add("ack", "I look after it: nobody else is called",
                            "showcaller alert ack a812 --reason \"on it\"", acknowledge_alert),
                   "The alert's id"));
  line.command(line.with_id(line.add("own", "It is mine, or somebody else's by name",
                                     "showcaller alert own a812\n"
                                     "  showcaller alert own a812 --owner bob",
                                     own_alert),
                            "The alert's id"))
      ->add_option("--owner", line.words().owner, "Whose it is; absent: mine");
  line.command(line.with_id(line.add("resolve", "It is over, whatever it waits for",
                                     "showcaller alert resolve a812", resolve_alert),
                            "The alert's id"));
  add_silence_words(line);
  add_delivery_words(line);
}

void say_firing_alerts(const json::array& alerts) {
  for (const json::value& each : alerts) {
    const json::object& alert = each.as_object();
    say(fmt::format("{}  {}  {}{}", coloured("alert " + text_at(alert, "id"), "red"),
                    text_at(alert, "subject"), text_at(alert, "text"),
                    text_at(alert, "silenced_by").empty() ? "" : "  (silenced)"));
  }
}

}  // namespace showcaller
