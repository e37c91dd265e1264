// SPDX-License-Identifier: Apache-2.0
// plan, apply and drift: manifests held against a server.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/cli.h"
#include "cli/client_answers.h"
#include "cli/manifest_files.h"
#include "cli/terminal.h"
#include "model/lifecycle.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

// Findings as a compiler tells them, on standard error.
void say_findings(const json::value* findings) {
  if (!findings || !findings->is_array()) return;
  for (const json::value& value : findings->get_array()) {
    if (value.is_object()) std::fprintf(stderr, "%s\n", finding_line(value.get_object()).c_str());
  }
}

// The server reads manifests against its own world: pipelines, fleets and flags it has need not be
// in the files.
Result<json::object> server_plan(ApiClient& client, std::span<const SourceFile> files) {
  TRY(json::value plan, client.post("/api/v1/plan", files_to_json(files)));
  if (!plan.is_object()) return fail(ErrorCode::Internal, "the server's plan is no object");
  say_findings(plan.get_object().if_contains("findings"));
  if (!get_bool(plan.get_object(), "ok", true))
    return fail(ErrorCode::Invalid, "the manifests have errors; nothing was applied");
  return std::move(plan.get_object());
}

std::string change_line(const json::object& change) {
  const std::string path = text_at(change, "path");
  if (!change.contains("before"))
    return coloured(fmt::format("    + {}: {}", path, text_at(change, "after")), "green");
  if (!change.contains("after")) return coloured(fmt::format("    - {}", path), "red");
  return coloured(
      fmt::format("    ~ {}: {} -> {}", path, text_at(change, "before"), text_at(change, "after")),
      "yellow");
}

// A list of names: "a, b".
std::string names_at(const json::object& object, std::string_view key) {
  std::vector<std::string> names;
  for (const json::value& name : object.at(key).as_array()) names.emplace_back(name.as_string());
  return fmt::format("{}", fmt::join(names, ", "));
}

void say_layers(const json::object& event) {
  const json::value* layers = event.if_contains("layers");
  for (const json::value& value :
       layers && layers->is_array() ? layers->get_array() : json::array{}) {
    const json::object& layer = value.as_object();
    std::string line = "    layer " + text_at(layer, "path");
    if (get_bool(layer, "irreversible")) line += ", irreversible";
    if (layer.contains("shared_with")) line += ", shared with " + names_at(layer, "shared_with");
    if (layer.contains("below")) line += "; on top of it: " + names_at(layer, "below");
    say(line);
  }
}

std::string exposure_text(const json::object& stage) {
  return fmt::format("{:g}%", stage.at("exposure_percent").to_number<double>());
}

std::string risk_text(const json::object& stage) {
  const bool of_audience = get_bool(stage, "of_audience");
  std::string who = exposure_text(stage) + (of_audience ? " of its audience" : " of sessions");
  if (stage.contains("sessions_at_risk_max"))
    who = text_at(stage, "sessions_at_risk_max") + " sessions";
  if (stage.contains("players_at_risk_max"))
    who += fmt::format(" ({} players)", text_at(stage, "players_at_risk_max"));
  if (stage.contains("regions")) who += " in " + names_at(stage, "regions");
  return fmt::format("at worst {} for {}", who, text_at(stage, "risk_lasts"));
}

std::string rate_text(const json::object& gate) {
  return fmt::format("{:.4g}", gate.at("baseline_rate").to_number<double>());
}

std::string gate_text(const json::object& gate) {
  std::string line =
      gate.contains("note")
          ? fmt::format("      {}: {}", text_at(gate, "gate"), text_at(gate, "note"))
          : fmt::format(
                "      {} detects {} with {} canary sessions (baseline {} {})",
                text_at(gate, "gate"), text_at(gate, "detects"),
                gate.contains("canary_units_needed") ? text_at(gate, "canary_units_needed") : "?",
                rate_text(gate), text_at(gate, "baseline_rate_is"));
  if (gate.contains("bake_needed"))
    line += fmt::format(", in {} at today's traffic", text_at(gate, "bake_needed"));
  if (gate.contains("detectable"))
    line += fmt::format("; its bake shows {}", text_at(gate, "detectable"));
  if (gate.contains("advice"))
    line += coloured("; too short: " + text_at(gate, "advice"), "yellow");
  return line;
}

std::string false_rollback_text(const json::object& told) {
  const auto number = [&](std::string_view key) {
    return fmt::format("{:g}", told.at(key).to_number<double>());
  };
  std::string line =
      fmt::format("      a good release is rolled back in {}% of {} simulated stages ({}% to {}%)",
                  number("percent"), number("runs"), number("low"), number("high"));
  if (told.contains("without")) line += "; not simulated: " + names_at(told, "without");
  if (told.contains("strictness_for_2_percent")) {
    line += coloured(
        fmt::format("; analysis.strictness {} makes it 2%", number("strictness_for_2_percent")),
        "yellow");
  }
  return line;
}

void say_stage(const json::object& stage) {
  say(fmt::format("    stage {} {} bake {}: {}", text_at(stage, "name"), exposure_text(stage),
                  text_at(stage, "bake"), risk_text(stage)));
  for (const json::value& gate : stage.at("gates").as_array()) say(gate_text(gate.as_object()));
  if (stage.contains("false_rollback"))
    say(false_rollback_text(stage.at("false_rollback").as_object()));
}

void say_flag_schedule(const json::value& schedule) {
  for (const json::value& each : schedule.as_array()) {
    const json::object& change = each.as_object();
    say(fmt::format("    from {}{} on: {}", text_at(change, "at"),
                    get_bool(change, "has_come") ? " (has come)" : "", text_at(change, "says")));
  }
}

void say_event_plan(const json::object& event) {
  if (const json::value* schedule = event.if_contains("schedule"))
    say_schedule(schedule->as_object());
  say_layers(event);
  say_list(event, "disturbs", "disturbs");
  say_list(event, "approvals", "needs");
  say_capacity(event);
  say_list(event, "waits_for", "would wait");
  say_list(event, "notes", "note");
  const json::value* stages = event.if_contains("stages");
  for (const json::value& value :
       stages && stages->is_array() ? stages->get_array() : json::array{}) {
    say_stage(value.as_object());
  }
  if (const json::value* rollback = event.if_contains("rollback");
      rollback && rollback->is_object()) {
    const json::object& r = rollback->get_object();
    say(fmt::format("    rollback takes {} at worst ({}); allowed {}", text_at(r, "worst"),
                    text_at(r, "bound_by"), text_at(r, "within")));
  }
}

int print_plan(const ClientContext& context, const json::object& object) {
  if (context.form != OutputForm::Table) {
    print_value(object, context.form);
  } else {
    const json::value* manifests = object.if_contains("manifests");
    for (const json::value& value :
         manifests && manifests->is_array() ? manifests->get_array() : json::array{}) {
      const json::object& line = value.as_object();
      say(fmt::format("{} {}/{}", coloured(text_at(line, "action"), "bold"), text_at(line, "kind"),
                      text_at(line, "name")));
      for (const json::value& change : line.at("changes").as_array())
        say(change_line(change.as_object()));
      for (const json::value& taken : line.at("defaults").as_array()) {
        say(coloured(fmt::format("    default {}: {}", text_at(taken.as_object(), "path"),
                                 text_at(taken.as_object(), "value")),
                     "dim"));
      }
      if (const json::value* schedule = line.if_contains("schedule")) say_flag_schedule(*schedule);
      if (const json::value* event = line.if_contains("event")) say_event_plan(event->as_object());
    }
    say_list(object, "notes", "note");
    say_list(object, "problems", "problem");
  }
  const json::value* problems = object.if_contains("problems");
  const bool bad = !get_bool(object, "ok", true) ||
                   (problems && problems->is_array() && !problems->get_array().empty());
  return bad ? kExitRefused : kExitOk;
}

// An event that the server rejected was applied for nothing.
int report_rejected(ApiClient& client, const Result<json::value>& applied) {
  int code = kExitOk;
  const json::value* manifests = applied->as_object().if_contains("manifests");
  for (const json::value& value :
       manifests && manifests->is_array() ? manifests->get_array() : json::array{}) {
    const json::object& line = value.as_object();
    if (text_at(line, "kind") != to_string(Kind::LiveEvent)) continue;
    const auto event = client.get("/api/v1/events/" + percent_encode(text_at(line, "name")));
    if (!event) return failed(event.error());
    if (text_at(event->as_object(), "phase") != enum_name(Phase::Rejected)) continue;
    code = failed({ErrorCode::Conflict,
                   fmt::format("LiveEvent '{}' is rejected: {}; mend it and apply again",
                               text_at(line, "name"), text_at(event->as_object(), "reason"))});
  }
  return code;
}

struct Drifted {
  std::string kind, name, how;  // "differs", "is not on the server", "is not in the files"
  json::array changes;
};

void add_differences(const json::object& plan, std::vector<Drifted>* out) {
  for (const json::value& value : plan.at("manifests").as_array()) {
    const json::object& line = value.as_object();
    const bool there = line.contains("server_hash");
    if (there && text_at(line, "server_hash") == text_at(line, "hash")) continue;
    out->push_back({text_at(line, "kind"), text_at(line, "name"),
                    there ? "differs" : "is not on the server", line.at("changes").as_array()});
  }
}

// What only the server has: of the kinds and owners in the files, or of all. Events that are over
// are history.
Status add_server_only(ApiClient& client, const json::object& plan, bool all,
                       std::vector<Drifted>* out) {
  TRY(const json::value there, client.get("/api/v1/manifests"));
  TRY(const json::value events, client.get("/api/v1/events"));
  std::set<std::string> over, given;
  std::set<std::pair<std::string, std::string>> scopes;
  for (const json::value& event : events.as_array()) {
    const auto phase = enum_from<Phase>(text_at(event.as_object(), "phase"));
    if (phase && is_over(*phase)) over.insert("LiveEvent/" + text_at(event.as_object(), "name"));
  }
  const auto key_of = [](const json::object& o) {
    return text_at(o, "kind") + "/" + text_at(o, "name");
  };
  for (const json::value& line : plan.at("manifests").as_array()) {
    given.insert(key_of(line.as_object()));
    scopes.insert({text_at(line.as_object(), "kind"), text_at(line.as_object(), "owner")});
  }
  for (const json::value& value : there.as_array()) {
    const json::object& o = value.as_object();
    if (given.contains(key_of(o)) || over.contains(key_of(o))) continue;
    if (all || scopes.contains({text_at(o, "kind"), text_at(o, "owner")}))
      out->push_back({text_at(o, "kind"), text_at(o, "name"), "is not in the files", {}});
  }
  return {};
}

void say_drift(const std::vector<Drifted>& drifted) {
  if (drifted.empty()) say("no drift: the server has what the files say");
  for (const Drifted& each : drifted) {
    say(fmt::format("{}/{} {}", each.kind, each.name, each.how));
    for (const json::value& change : each.changes) say(change_line(change.as_object()));
  }
}

}  // namespace

int apply_verb(const ClientContext& context, const std::vector<std::string>& paths, bool dry_run) {
  const auto files = read_manifest_files(paths);
  if (!files) return failed(files.error());
  return with_server(context, [&](ApiClient& client) {
    const auto plan = server_plan(client, *files);
    if (!plan) return failed(plan.error());
    if (dry_run) return print_plan(context, *plan);
    for (const json::value& problem : plan->at("problems").as_array())
      std::fprintf(stderr, "warning: %s\n", problem.as_string().c_str());
    std::string target = "/api/v1/manifests";
    if (!context.reason.empty()) target += "?reason=" + percent_encode(context.reason);
    const auto applied = client.post(target, files_to_json(*files), context.key);
    const int code = print_receipt(context, applied);
    return code == kExitOk ? report_rejected(client, applied) : code;
  });
}

int plan_verb(const ClientContext& context, const std::vector<std::string>& paths) {
  const auto files = read_manifest_files(paths);
  if (!files) return failed(files.error());
  return with_server(context, [&](ApiClient& client) {
    const auto plan = server_plan(client, *files);
    return plan ? print_plan(context, *plan) : failed(plan.error());
  });
}

// What the server has, held against the files: 0 when they agree.
int drift_verb(const ClientContext& context, const std::vector<std::string>& paths, bool all) {
  const auto files = read_manifest_files(paths);
  if (!files) return failed(files.error());
  return with_server(context, [&](ApiClient& client) {
    const auto plan = server_plan(client, *files);
    if (!plan) return failed(plan.error());
    std::vector<Drifted> drifted;
    add_differences(*plan, &drifted);
    if (const Status read = add_server_only(client, *plan, all, &drifted); !read)
      return failed(read.error());
    if (context.form == OutputForm::Table) {
      say_drift(drifted);
    } else {
      json::array out;
      for (const Drifted& each : drifted) {
        out.push_back(json::object{{"kind", each.kind},
                                   {"name", each.name},
                                   {"drift", each.how},
                                   {"changes", each.changes}});
      }
      print_value(out, context.form);
    }
    return drifted.empty() ? int(kExitOk) : int(kExitRefused);
  });
}

}  // namespace showcaller
