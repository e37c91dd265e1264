// SPDX-License-Identifier: Apache-2.0
#include "cli/drill_verb.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/cli.h"
#include "cli/client_answers.h"
#include "cli/manifest_files.h"
#include "cli/rehearse/rehearsal_input.h"
#include "cli/terminal.h"
#include "sim/drill.h"

namespace showcaller {
namespace {

using namespace sim;

constexpr int kDrillStopped = 3;

Result<std::shared_ptr<const Manifest>> drill_named(const PlayedManifests& manifests,
                                                    const std::string& asked) {
  std::vector<std::string> names;
  std::shared_ptr<const Manifest> found;
  for (const auto& manifest : manifests) {
    if (manifest->kind() != Kind::Drill) continue;
    names.push_back(manifest->name);
    if (asked.empty() || manifest->name == asked) found = manifest;
  }
  if (names.empty()) return fail(ErrorCode::Invalid, "no Drill is in the files; give its file too");
  if (found && (names.size() == 1 || !asked.empty())) return found;
  return fail(ErrorCode::Invalid,
              fmt::format("{}; say which with --drill: {}",
                          asked.empty() ? "the files have several Drills"
                                        : fmt::format("there is no Drill '{}'", asked),
                          fmt::join(names, ", ")));
}

Result<Population> players_of(const DrillSpec& drill, const DrillRequest& request) {
  if (!request.population.empty() || drill.population.empty())
    return read_players(request.population, "");
  return read_players_text({"spec.population", to_json_text(drill.population)});
}

Result<RunSpec> run_of(const DrillSpec& drill, PlayedManifests manifests,
                       const DrillRequest& request) {
  if (drill.event.empty()) {
    return fail(
        ErrorCode::Invalid,
        "the drill names no event, and the simulator plays one; add `spec.event`, or run it "
        "`--against` a server");
  }
  RunSpec run;
  run.manifests = std::move(manifests);
  TRY(run.event, event_named(run.manifests, drill.event));
  keep_one_event("drill", &run);
  TRY(Population population, players_of(drill, request));
  run.population = fitted(std::move(population), run.manifests);
  TRY(check_population(run.population, run.manifests));
  TRY(run.start, start_of(played_event(run), request.at));
  TRY(const auto faults, faults_of(drill));
  for (const Fault& fault : faults) TRY(check_fault(fault, played_event(run), run.manifests));
  run.seed = request.seed;
  return run;
}

std::string_view colour_of(std::string_view state) {
  if (state == "met" || state == "pass") return "green";
  const bool half = state == "late" || state == "stopped" || state == "left_out";
  return half ? "yellow" : "red";
}

void say_inject(const json::object& inject) {
  std::string line = fmt::format("  {:<20} {}", text_at(inject, "name"), text_at(inject, "fault"));
  if (!inject.contains("at")) {
    say(line + (inject.contains("left_out") ? ": left out" : ": never played"));
    return;
  }
  line += fmt::format(" at {}; ", text_at(inject, "at"));
  line += inject.contains("detected_after")
              ? fmt::format("noticed after {}, ", text_at(inject, "detected_after"))
              : std::string("never noticed, ");
  line += inject.contains("recovered_after")
              ? fmt::format("all well after {}", text_at(inject, "recovered_after"))
              : std::string("not over");
  say(line);
}

}  // namespace

int drill_exit_code(std::string_view verdict) {
  if (verdict == to_string(DrillVerdict::Pass)) return kExitOk;
  return verdict == to_string(DrillVerdict::Stopped) ? kDrillStopped : kExitRefused;
}

void say_drill(const std::string& name, const json::object& report) {
  const std::string verdict = text_at(report, "verdict");
  say(fmt::format("{}: {}", name, coloured(verdict, colour_of(verdict))));
  for (const json::value& why : report.at("why").as_array())
    say("  " + std::string(why.as_string()));
  say("injects");
  for (const json::value& inject : report.at("injects").as_array()) say_inject(inject.as_object());
  say("expectations");
  for (const json::value& value : report.at("expectations").as_array()) {
    const json::object& expected = value.as_object();
    const std::string state = text_at(expected, "state");
    say(fmt::format("  {:<20} after {} within {}: {}{}", text_at(expected, "that"),
                    text_at(expected, "after"), text_at(expected, "within"),
                    coloured(state, colour_of(state)),
                    expected.contains("took") ? ", took " + text_at(expected, "took") : ""));
  }
}

int drill_verb(const DrillRequest& request) {
  auto manifests = read_played_manifests(request.paths);
  if (!manifests) return failed(manifests.error());
  const auto drill = drill_named(*manifests, request.drill);
  if (!drill) return failed(drill.error());
  const auto run = run_of((*drill)->as<DrillSpec>(), *std::move(manifests), request);
  if (!run) return failed(run.error());
  auto played = play_drill((*drill)->as<DrillSpec>(), *run, request.story);
  if (!played) return failed(played.error());
  if (request.form == OutputForm::Table)
    for (const std::string& line : played->run.story) say(line);
  played->report["drill"] = (*drill)->name;
  if (request.form != OutputForm::Table) {
    print_value(played->report, request.form);
  } else {
    say_drill((*drill)->name, played->report);
    say(fmt::format("{} {} after {}: {}; {} players were harmed", run->event,
                    text_at(played->report, "ending"), text_at(played->report, "took"),
                    text_at(played->report, "ended_because"),
                    text_at(played->report, "harmed_players")));
    say(coloured(fmt::format("seed {}, applied at {}, hash {}", run->seed,
                             format_instant(run->start), text_at(played->report, "hash")),
                 "dim"));
  }
  return drill_exit_code(to_string(played->verdict));
}

namespace {

constexpr auto kAskEvery = std::chrono::milliseconds(500);

// What the server does not know yet is its own to say: here the drill's name alone is wanted.
Result<std::string> name_in(const std::vector<SourceFile>& files, const std::string& asked) {
  ParseOptions options;
  options.missing = MissingReference::Warning;
  ParseOutcome parsed = parse_manifests(files, options);
  if (!parsed.ok()) {
    std::fputs(format_findings(parsed.findings, files, on_terminal(2)).c_str(), stderr);
    return fail(ErrorCode::Invalid, "the drill cannot be played; mend its manifest");
  }
  PlayedManifests manifests;
  for (Manifest& manifest : parsed.manifests)
    manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  TRY(const auto drill, drill_named(manifests, asked));
  return drill->name;
}

// The report of the run that was begun.
Result<json::object> wait_for_end(ApiClient& client, const std::string& target) {
  while (true) {
    TRY(const json::value answer, client.get(target));
    const json::object& run = answer.as_object();
    const json::value* report = run.if_contains("report");
    if (!text_at(run, "verdict").empty() && report && report->is_object() &&
        !report->get_object().empty())
      return run;
    std::this_thread::sleep_for(kAskEvery);
  }
}

}  // namespace

int drill_against_verb(const ClientContext& context, const DrillRequest& request) {
  const auto files = read_manifest_files(request.paths);
  if (!files) return failed(files.error());
  const auto name = name_in(*files, request.drill);
  if (!name) return failed(name.error());
  const std::string target = "/api/v1/drills/" + percent_encode(*name);
  if (context.dry_run) return send_command(context, target + "/run", {});
  return with_server(context, [&](ApiClient& client) {
    const auto applied =
        client.post("/api/v1/manifests", files_to_json(*files), new_idempotency_key());
    if (!applied) return failed(applied.error());
    const auto begun =
        client.post(target + "/run", json::object{{"reason", context.reason}}, context.key);
    if (!begun) return failed(begun.error());
    if (request.form == OutputForm::Table) (void)print_receipt(context, begun);
    const auto run = wait_for_end(client, target);
    if (!run) return failed(run.error());
    if (request.form == OutputForm::Table) {
      say_drill(*name, run->at("report").as_object());
      say(text_at(*run, "reason"));
    } else {
      print_value(*run, request.form);
    }
    return drill_exit_code(text_at(*run, "verdict"));
  });
}

int stop_drill_verb(const ClientContext& context, const std::string& drill) {
  return send_command(context, "/api/v1/drills/" + percent_encode(drill) + "/stop", {});
}

}  // namespace showcaller
