// SPDX-License-Identifier: Apache-2.0
#include "cli/incident_words.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/client_answers.h"

namespace showcaller {
namespace {

std::string state_coloured(const std::string& state) {
  return coloured(state, state == "over" ? "green" : state == "told" ? "dim" : "red");
}

int incident_list_verb(const ClientContext& context) {
  return with_server(context, [&](ApiClient& client) {
    const auto answer = client.get("/api/v1/incidents");
    if (!answer) return failed(answer.error());
    print_value(
        *answer, context.form,
        {"id", "opened", "kind", "state", "title", "cause", "detected_after", "recovered_after"});
    return int(kExitOk);
  });
}

void say_suspects(const json::object& incident) {
  const json::array& suspects = incident.at("suspects").as_array();
  say(suspects.empty() ? "no change of the six hours before touches it"
                       : "what changed before it, the likeliest first");
  for (const json::value& each : suspects) {
    const json::object& suspect = each.as_object();
    say(fmt::format("  {:.2f}  {:>6}  {}  {}  {}", get_double(suspect, "score"),
                    text_at(suspect, "seq"), text_at(suspect, "at"), text_at(suspect, "what"),
                    coloured("by " + text_at(suspect, "by"), "dim")));
  }
}

void say_incident(const json::object& incident) {
  say(fmt::format("{}  {} {}  {}", coloured(text_at(incident, "title"), "bold"),
                  text_at(incident, "kind"), text_at(incident, "id"),
                  state_coloured(text_at(incident, "state"))));
  say(fmt::format("  cause: {}", text_at(incident, "cause")));
  std::string times = fmt::format("  began {}, detected after {}", text_at(incident, "began"),
                                  text_at(incident, "detected_after"));
  if (incident.contains("recovered_after"))
    times += fmt::format(", over {} later", text_at(incident, "recovered_after"));
  say(times);
  if (const json::value* exposed = get_if(incident, "exposed"))
    say("  " + text_at(exposed->as_object(), "says"));
  say_suspects(incident);
  say("what happened");
  for (const json::value& each : incident.at("records").as_array()) {
    const json::object& record = each.as_object();
    say(fmt::format("  {:>6}  {}  {}", text_at(record, "seq"), text_at(record, "time"),
                    text_at(record, "line")));
  }
  say_list(incident, "next_steps", "next");
  if (incident.contains("runbook")) say("    runbook: " + text_at(incident, "runbook"));
  const std::size_t similar = incident.at("similar").as_array().size();
  if (similar > 0) say(fmt::format("    {} others are like it: -o json lists them", similar));
}

int incident_show_verb(const ClientContext& context, std::uint64_t id) {
  return with_server(context, [&](ApiClient& client) {
    const auto answer = client.get(fmt::format("/api/v1/incidents/{}", id));
    if (!answer) return failed(answer.error());
    if (context.form == OutputForm::Table)
      say_incident(answer->as_object());
    else
      print_value(*answer, context.form);
    return int(kExitOk);
  });
}

}  // namespace

void add_incident_words(CLI::App* app, const std::function<const ClientContext&()>& context,
                        int* code) {
  CLI::App* incident = app->add_subcommand(
      "incident", "Rollbacks, holds, quarantines and alerts: what led to them, and what helps");
  incident->require_subcommand(1);
  CLI::App* list = incident->add_subcommand("list", "The newest first");
  list->footer("Examples:\n  showcaller incident list\n  showcaller incident list -o json");
  list->callback([context, code] { *code = incident_list_verb(context()); });
  CLI::App* show = incident->add_subcommand("show", "One, with what changed before it");
  const auto id = std::make_shared<std::uint64_t>(0);
  show->add_option("id", *id, "Its number, as the list has it")->required();
  show->footer("Examples:\n  showcaller incident show 412");
  show->callback([context, code, id] { *code = incident_show_verb(context(), *id); });
}

}  // namespace showcaller
