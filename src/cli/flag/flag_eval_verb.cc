// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/flag_eval_verb.h"

#include <fmt/format.h>

#include "adapters/clock/system_clock.h"
#include "cli/cli.h"
#include "cli/client_answers.h"
#include "cli/flag/flag_files.h"
#include "flag/flag_diff.h"
#include "flow/flag_explanation.h"
#include "flow/flag_snapshot.h"
#include "net/http_message.h"

namespace showcaller {
namespace {

constexpr std::string_view kServer = "server";
constexpr std::size_t kMovesShown = 3;

// Of files no salt is known: nobody is in their events.
std::string no_salt(const std::string&) {
  return "none";
}

Result<Instant> instant_or_now(const std::string& at) {
  if (at.empty()) return SystemClock().wall();
  return parse_instant(at);
}

Result<json::object> one_context(const std::string& path) {
  if (path.empty()) return json::object();
  TRY(const auto contexts, read_contexts(path));
  if (contexts.size() == 1) return contexts.front();
  return fail(ErrorCode::Invalid,
              fmt::format("{} holds {} contexts; --as takes one", path, contexts.size()));
}

// Who is in the stages of a file's event follows from a secret that the server alone has.
void note_events(const FlagFiles& files, const std::string& flag, std::vector<std::string>* notes) {
  for (const auto& event : files.events) {
    for (const Change& change : event->as<LiveEventSpec>().changes) {
      const auto target = flag_target(change);
      if (!target || target->flag != flag) continue;
      notes->push_back(
          fmt::format("LiveEvent '{}' would give '{}'; whom it lets in only its server can tell",
                      event->name, target->variant));
    }
  }
}

Result<json::value> evaluate_files(const FlagEvalRequest& request, const json::object& who) {
  if (request.revision > 0) {
    return fail(ErrorCode::Invalid,
                "files have no revisions; ask the server, or give the file as it was");
  }
  TRY(const FlagFiles files, read_flag_files(request.files));
  TRY(const Instant at, instant_or_now(request.at));
  std::vector<std::string> notes;
  const World world = foreseen(files.world, at, &notes);
  TRY(FlagExplanation told, explain_flag(world, no_salt, request.flag, who, at));
  note_events(files, request.flag, &told.notes);
  return explanation_view(told);
}

Result<json::value> evaluate_on_server(const ClientContext& context, const FlagEvalRequest& request,
                                       const json::object& who) {
  TRY(ApiClient client, ApiClient::open(context.address));
  json::object body{{"context", who}};
  if (!request.at.empty()) body["at"] = request.at;
  if (request.revision > 0) body["revision"] = request.revision;
  return client.post(fmt::format("/api/v1/flags/{}/evaluate", percent_encode(request.flag)), body);
}

void say_answer(const json::object& told) {
  const json::value* value = told.if_contains("value");
  say(fmt::format("{} gives {} ({}{})", coloured(text_at(told, "flag"), "bold"),
                  value ? fmt::format("'{}': {}", text_at(told, "variant"), to_json_text(*value))
                        : "what its caller falls back on",
                  text_at(told, "reason"),
                  told.contains("error") ? ", " + text_at(told, "error") : ""));
  for (const json::value& each : told.at("steps").as_array()) {
    const json::object& step = each.as_object();
    say(fmt::format("  {:<14}{}", text_at(step, "rule"), text_at(step, "says")));
  }
  say_list(told, "notes", "note");
}

Result<json::object> document_of(const ClientContext& context, const std::string& what) {
  if (what.starts_with(kServer) && (what.size() == kServer.size() || what[kServer.size()] == '@')) {
    std::string target = "/api/v1/flags/document";
    if (what.size() > kServer.size())
      target += "?at=" + percent_encode(what.substr(kServer.size() + 1));
    TRY(ApiClient client, ApiClient::open(context.address));
    TRY(json::value document, client.get(target));
    return std::move(document.as_object());
  }
  const std::vector<std::string> paths{what};
  TRY(const FlagFiles files, read_flag_files(paths));
  std::vector<std::string> notes;
  return flag_snapshot(foreseen(files.world, SystemClock().wall(), &notes), no_salt).document;
}

json::object difference_view(const FlagDifference& difference) {
  json::array keys, moves;
  for (const std::string& key : difference.keys) keys.emplace_back(key);
  json::object out{{"flag", difference.flag}, {"change", to_string(difference.kind)}};
  if (difference.kind != FlagDifference::Kind::Changed) return out;
  out["keys"] = std::move(keys);
  if (difference.answers.asked == 0) return out;
  for (const auto& move : difference.answers.moves) {
    moves.push_back(
        json::object{{"from", move.from}, {"to", move.to}, {"contexts", move.contexts}});
  }
  out["answers"] = {{"asked", difference.answers.asked},
                    {"changed", difference.answers.changed},
                    {"moves", std::move(moves)}};
  return out;
}

void say_difference(const FlagDifference& difference) {
  std::string line = fmt::format("{:<8} {}", to_string(difference.kind), difference.flag);
  if (!difference.keys.empty()) line += fmt::format("  in {}", fmt::join(difference.keys, ", "));
  const AnswersChanged& answers = difference.answers;
  if (answers.asked > 0) {
    line += fmt::format("  {:.1f} % of {} contexts get another answer",
                        100.0 * double(answers.changed) / double(answers.asked), answers.asked);
  }
  say(line);
  for (std::size_t i = 0; i < std::min(kMovesShown, answers.moves.size()); ++i) {
    const auto& move = answers.moves[i];
    say(fmt::format("         {} → {}: {}", move.from, move.to, move.contexts));
  }
}

Result<std::vector<FlagDifference>> differences(const ClientContext& context,
                                                const FlagDiffRequest& request) {
  TRY(const json::object before, document_of(context, request.before));
  TRY(const json::object after, document_of(context, request.after));
  std::vector<json::object> contexts;
  if (!request.contexts.empty()) {
    TRY(contexts, read_contexts(request.contexts));
  }
  return diff_flags(before, after, contexts, SystemClock().wall());
}

}  // namespace

int flag_eval_verb(const ClientContext& context, const FlagEvalRequest& request) {
  const auto who = one_context(request.who);
  if (!who) return failed(who.error());
  const auto told = request.files.empty() ? evaluate_on_server(context, request, *who)
                                          : evaluate_files(request, *who);
  if (!told) return failed(told.error());
  if (context.form == OutputForm::Table)
    say_answer(told->as_object());
  else
    print_value(*told, context.form);
  return told->as_object().contains("error") ? kExitRefused : kExitOk;
}

int flag_diff_verb(const ClientContext& context, const FlagDiffRequest& request) {
  const auto found = differences(context, request);
  if (!found) return failed(found.error());
  if (context.form == OutputForm::Table) {
    for (const FlagDifference& each : *found) say_difference(each);
    if (found->empty()) say("no difference");
  } else {
    json::array rows;
    for (const FlagDifference& each : *found) rows.push_back(difference_view(each));
    print_value(rows, context.form);
  }
  return found->empty() ? kExitOk : kExitRefused;
}

int flag_stale_verb(const ClientContext& context, const std::string& after) {
  return with_server(context, [&](ApiClient& client) {
    auto answer = client.get("/api/v1/flags/stale?after=" + percent_encode(after));
    if (!answer) return failed(answer.error());
    if (context.form != OutputForm::Table) {
      print_value(*answer, context.form);
      return int(kExitOk);
    }
    const json::object& told = answer->as_object();
    say(fmt::format("evaluations are {}{}", text_at(told, "evaluations"),
                    text_at(told, "evaluations") == "known"
                        ? " since " + text_at(told, "counted_since")
                        : ": nobody tells of any"));
    for (const json::value& each : told.at("flags").as_array()) {
      const json::object& row = each.as_object();
      say(fmt::format("{}  {}  evaluations: {}", coloured(text_at(row, "flag"), "bold"),
                      text_at(row, "owner"), text_at(row, "evaluations")));
      for (const json::value& why : row.at("why").as_array())
        say(fmt::format("  {:<16}{}", text_at(why.as_object(), "rule"),
                        text_at(why.as_object(), "says")));
    }
    return int(kExitOk);
  });
}

}  // namespace showcaller
