// SPDX-License-Identifier: Apache-2.0
#include "cli/client_verbs.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "cli/alert_words.h"
#include "cli/cli.h"
#include "cli/client_answers.h"
#include "cli/terminal.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

const std::map<std::string, std::pair<std::string, std::vector<std::string>>>& listings() {
  static const std::map<std::string, std::pair<std::string, std::vector<std::string>>> kListings{
      {"events",
       {"/api/v1/events",
        {"name", "phase", "stage", "exposure_percent", "intake", "revision", "owner", "held"}}},
      {"fleets", {"/api/v1/fleets", {"name", "base", "headroom_percent", "driver"}}},
      {"instances",
       {"/api/v1/instances",
        {"id", "fleet", "build", "region", "phase", "state", "players", "session", "since"}}},
      {"manifests", {"/api/v1/manifests", {"kind", "name", "owner", "generation"}}},
      {"quarantines", {"/api/v1/quarantines", {"subject", "since", "until", "reason"}}},
      {"probes", {"/api/v1/probes", {"probe", "ready", "says", "service", "owner"}}},
      {"services", {"/api/v1/services", {"service", "stressed", "breaker", "stress_reason"}}},
      {"drills", {"/api/v1/drills", {"drill", "fleet", "started", "verdict", "reason"}}},
      {"flags", {"/api/v1/flags", {"flag", "state", "visibility", "events", "owner", "killed"}}},
      {"lines", {"/api/v1/line", {"scope", "actor", "since", "reason"}}},
      {"tokens", {"/api/v1/tokens", {"id", "name", "roles", "expires"}}},
  };
  return kListings;
}

}  // namespace

int get_verb(const ClientContext& context, const std::string& what, const std::string& name) {
  const auto listing = listings().find(what);
  return with_server(context, [&](ApiClient& client) {
    std::string target;
    if (listing == listings().end()) {
      // A kind: `get Fleet`, `get Fleet raid`.
      target = name.empty() ? "/api/v1/manifests?kind=" + percent_encode(what)
                            : fmt::format("/api/v1/manifests/{}/{}", percent_encode(what),
                                          percent_encode(name));
    } else {
      target = listing->second.first;
      if (!name.empty())
        target +=
            what == "instances" ? "?fleet=" + percent_encode(name) : "/" + percent_encode(name);
    }
    auto answer = client.get(target);
    if (!answer) return failed(answer.error());
    // A manifest is given as it was written, ready to be applied again.
    if (listing == listings().end() && !name.empty() && context.form != OutputForm::Json) {
      print_value(answer->as_object().at("document"), OutputForm::Yaml);
      return int(kExitOk);
    }
    print_value(
        *answer, context.form,
        listing == listings().end() ? listings().at("manifests").second : listing->second.second);
    return int(kExitOk);
  });
}

int status_verb(const ClientContext& context, const std::string& event) {
  return with_server(context, [&](ApiClient& client) {
    auto answer =
        client.get(event.empty() ? "/api/v1/status" : "/api/v1/events/" + percent_encode(event));
    if (!answer) return failed(answer.error());
    if (context.form != OutputForm::Table || event.empty()) {
      print_value(*answer, context.form);
      if (!event.empty() || context.form != OutputForm::Table) return int(kExitOk);
      if (const auto alerts = client.get("/api/v1/alerts?state=firing"))
        say_firing_alerts(alerts->as_array());
      return get_verb(context, "events", "");
    }
    const json::object& o = answer->as_object();
    say(fmt::format("{} r{}  {}  {}", coloured(event, "bold"), text_at(o, "revision"),
                    phase_coloured(text_at(o, "phase")), text_at(o, "reason")));
    if (const json::value* stage = o.if_contains("stage"); stage && stage->is_object()) {
      const json::object& s = stage->get_object();
      say(fmt::format("  stage {} ({} of {}) at {}% for {}", text_at(s, "name"),
                      get_int(s, "index") + 1, text_at(s, "of"), text_at(s, "exposure_percent"),
                      text_at(s, "for")));
    }
    if (const json::value* schedule = o.if_contains("schedule"))
      say_schedule(schedule->as_object());
    say(fmt::format("  intake {}", text_at(o, "intake")));
    if (const json::value* hold = o.if_contains("hold"))
      say(coloured("  held: " + text_at(hold->as_object(), "reason"), "yellow"));
    for (const auto& [gate, standing] : o.at("gates").as_object()) {
      const json::object& g = standing.as_object();
      say(fmt::format("  gate {}: {}  {}", gate.empty() ? "(stage)" : std::string(gate),
                      text_at(g, "verdict"), text_at(g, "why")));
    }
    say_capacity(o);
    say_list(o, "waits_for", "waits for");
    say_list(o, "notes", "note");
    return int(kExitOk);
  });
}

int explain_verb(const ClientContext& context, const std::string& event) {
  return with_server(context, [&](ApiClient& client) {
    auto answer = client.get("/api/v1/explain/" + percent_encode(event));
    if (!answer) return failed(answer.error());
    if (context.form != OutputForm::Table) {
      print_value(*answer, context.form);
      return int(kExitOk);
    }
    const json::object& o = answer->as_object();
    for (const json::value& sentence : o.at("summary").as_array())
      say(std::string(sentence.as_string()));
    say("");
    for (const json::value& value : o.at("decisions").as_array()) {
      const json::object& d = value.as_object();
      const std::string time = text_at(d, "time");
      say(fmt::format("{:>6}  {}  {}  {}", text_at(d, "seq"),
                      coloured(time.size() >= 19 ? time.substr(0, 19) : time, "dim"),
                      text_at(d, "what"), coloured("by " + text_at(d, "by"), "dim")));
      const json::value* evidence = d.if_contains("evidence");
      if (evidence && evidence->is_object()) {
        const json::object& e = evidence->get_object();
        say(coloured(
            fmt::format("        evidence {} at {} s, offset {}, hash {}; {}", text_at(e, "stream"),
                        text_at(e, "judged_seconds"), text_at(e, "offset"),
                        text_at(e, "hash").substr(0, 12), to_json_text(e.at("statistics"))),
            "dim"));
        if (const json::value* ticks = e.if_contains("ticks"); ticks && ticks->is_array()) {
          for (const json::value& tick : ticks->get_array())
            say(coloured("        tick " + to_json_text(tick), "dim"));
        }
        if (e.contains("missing")) say(coloured("        " + text_at(e, "missing"), "dim"));
      }
    }
    return int(kExitOk);
  });
}

int event_verb(const ClientContext& context, const std::string& verb, const std::string& event,
               const json::object& body) {
  return send_command(context, fmt::format("/api/v1/events/{}/{}", percent_encode(event), verb),
                      body);
}

int line_verb(const ClientContext& context, bool stop, const std::string& scope) {
  return send_command(context, stop ? "/api/v1/line/stop" : "/api/v1/line/resume",
                      {{"scope", scope}});
}

int history_verb(const ClientContext& context, const HistoryRequest& request) {
  return with_server(context, [&](ApiClient& client) {
    json::array all;
    const Status read = client.history(request, [&](const json::object& r) {
      if (context.form == OutputForm::Table) {
        say(fmt::format("{:>6}  {}  {:<10}  {}", text_at(r, "seq"), text_at(r, "time"),
                        text_at(r, "actor"), text_at(r, "line")));
      } else {
        all.push_back(r);
      }
      return true;
    });
    if (!read) return failed(read.error());
    if (context.form != OutputForm::Table) print_value(all, context.form);
    return int(kExitOk);
  });
}

int ledger_verb(const ClientContext& context, const std::string& event, std::int64_t revision) {
  return with_server(context, [&](ApiClient& client) {
    auto answer =
        client.get(fmt::format("/api/v1/ledger/{}{}", percent_encode(event),
                               revision > 0 ? fmt::format("?revision={}", revision) : ""));
    if (!answer) return failed(answer.error());
    if (context.form != OutputForm::Table) {
      print_value(*answer, context.form);
      return int(kExitOk);
    }
    const json::object& o = answer->as_object();
    say(fmt::format("{} r{}: {} rows, root {}", event, text_at(o, "revision"), text_at(o, "count"),
                    text_at(o, "root").substr(0, 16)));
    say_list(o, "bounds", "bounds");
    print_value(o.at("rows"), OutputForm::Table,
                {"at", "source", "visit", "region", "session", "pseudonym"});
    return int(kExitOk);
  });
}

int privacy_verb(const ClientContext& context, const std::string& verb, const std::string& player) {
  return with_server(context, [&](ApiClient& client) {
    json::object body{{"player", player}};
    if (!context.reason.empty()) body["reason"] = context.reason;
    auto answer = client.post("/api/v1/privacy/" + verb, body, context.key);
    if (!answer) return failed(answer.error());
    print_value(*answer, context.form == OutputForm::Table ? OutputForm::Yaml : context.form);
    return int(kExitOk);
  });
}

int token_verb(const ClientContext& context, const std::string& verb, const std::string& name,
               const std::vector<std::string>& roles, const std::string& expires) {
  if (verb == "list") return get_verb(context, "tokens", "");
  return with_server(context, [&](ApiClient& client) {
    if (verb == "revoke") {
      std::string target =
          fmt::format("/api/v1/tokens/{}?dry_run={}", percent_encode(name), context.dry_run);
      if (!context.reason.empty()) target += "&reason=" + percent_encode(context.reason);
      return print_receipt(context, client.remove(target, context.key));
    }
    json::array role_list;
    for (const std::string& role : roles) role_list.emplace_back(role);
    json::object body{{"name", name}, {"roles", std::move(role_list)}};
    if (!expires.empty()) body["expires_in"] = expires;
    if (!context.reason.empty()) body["reason"] = context.reason;
    auto answer =
        client.post(fmt::format("/api/v1/tokens?dry_run={}", context.dry_run), body, context.key);
    if (context.dry_run) return print_receipt(context, answer);
    if (!answer) return failed(answer.error());
    if (context.form != OutputForm::Table)
      print_value(*answer, context.form);
    else
      say(text_at(answer->as_object(), "token"));  // Alone on its line: it is shown this once.
    return int(kExitOk);
  });
}

int quarantine_verb(const ClientContext& context, bool release, const json::object& body) {
  return send_command(context, release ? "/api/v1/quarantines/release" : "/api/v1/quarantines",
                      body);
}

}  // namespace showcaller
