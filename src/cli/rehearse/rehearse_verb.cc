// SPDX-License-Identifier: Apache-2.0
#include "cli/rehearse/rehearse_verb.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/cli.h"
#include "cli/client_answers.h"
#include "cli/rehearse/gate_proofs.h"
#include "cli/rehearse/rehearsal_input.h"
#include "cli/terminal.h"
#include "sim/rehearsal.h"
#include "sim/report_html.h"

namespace showcaller {
namespace {

constexpr Duration kWatchedMost = hours(24 * 400);

using namespace sim;

constexpr int kRunsMax = 100'000, kQuickRuns = 60;
constexpr Duration kQuickWithin = minutes(2);
constexpr int kFullCleanRuns = 300, kFullFaultRuns = 150, kFullTroubleRuns = 20;

Result<std::vector<Fault>> faults_of(const std::string& together) {
  std::vector<Fault> faults;
  for (std::size_t from = 0; from <= together.size();) {
    const std::size_t comma = std::min(together.find(',', from), together.size());
    const std::string text = together.substr(from, comma - from);
    from = comma + 1;
    if (text == "none") continue;
    TRY(Fault fault, parse_fault(text));
    faults.push_back(std::move(fault));
  }
  return faults;
}

// Of one event of the files, among the others of its time.
Result<RehearsalSpec> spec_of(const RehearseRequest& request, const PlayedManifests& manifests,
                              const std::string& name, const Population& population) {
  RehearsalSpec spec;
  spec.run.manifests = manifests;
  spec.run.event = name;
  TRY(spec.run.start, start_of(played_event(spec.run), request.at));
  keep_its_time(&spec.run);
  spec.run.population = fitted(population, spec.run.manifests);
  TRY(check_population(spec.run.population, spec.run.manifests));
  spec.seed = request.seed;
  if (!request.watch.empty()) {
    spec.run.watched = kWatchedMost;
    if (request.watch != "end") {
      TRY(spec.run.watched, parse_duration(request.watch));
    }
    spec.run.horizon += spec.run.watched;
  }
  if (request.level == "session") spec.level = RehearsalLevel::Session;
  if (request.level == "evidence") spec.level = RehearsalLevel::Evidence;
  const LiveEventSpec& event = played_event(spec.run);
  for (const std::string& together : request.faults) {
    TRY(std::vector<Fault> faults, faults_of(together));
    for (const Fault& fault : faults) TRY(check_fault(fault, event, spec.run.manifests));
    if (!faults.empty()) spec.faults.push_back(std::move(faults));
  }
  if (request.faults.empty()) spec.faults = usual_faults(spec);
  if (request.runs < 0 || request.runs > kRunsMax)
    return fail(ErrorCode::Invalid, fmt::format("--runs takes 1 to {}", kRunsMax));
  share_out(request.runs > 0 ? request.runs : kQuickRuns, &spec);
  if (request.full) {
    spec.clean_runs = kFullCleanRuns;
    spec.fault_runs = kFullFaultRuns;
    spec.trouble_runs = kFullTroubleRuns;
  }
  return spec;
}

// The calendar in the order of its events' beginnings.
Result<std::vector<RehearsalSpec>> specs_of(const RehearseRequest& request) {
  TRY(const PlayedManifests manifests, read_played_manifests(request.paths));
  TRY(const auto names, events_named(manifests, request.event));
  TRY(const Population population, read_players(request.population, request.curve));
  std::vector<RehearsalSpec> specs;
  for (const std::string& name : names) {
    auto spec = spec_of(request, manifests, name, population);
    if (!spec) return fail(spec.error().code, name + ": " + spec.error().message);
    specs.push_back(*std::move(spec));
  }
  std::stable_sort(specs.begin(), specs.end(),
                   [](const auto& a, const auto& b) { return a.run.start < b.run.start; });
  return specs;
}

// For how long runs are begun. Absent: until all are done.
Result<std::optional<Duration>> time_for(const RehearseRequest& request) {
  if (!request.within.empty()) {
    TRY(const Duration within, parse_duration(request.within));
    return std::optional(within);
  }
  if (request.full || request.runs > 0) return std::optional<Duration>();
  return std::optional(kQuickWithin);
}

struct Done {
  std::vector<Job> jobs;
  std::vector<RunResult> results;
};

// Each thread takes the next job while there is time for one as long as the longest so far; the
// first is done in any case. What was done stays in the order of the jobs.
Done run_all(std::vector<Job> jobs, std::optional<Duration> within, int threads) {
  std::vector<std::optional<RunResult>> results(jobs.size());
  std::atomic<std::size_t> next = 0, done = 0;
  std::atomic<std::int64_t> longest_ms = 0;
  const bool shown = on_terminal(2);
  using Steady = std::chrono::steady_clock;
  const Steady::time_point begun = Steady::now();
  const auto work = [&] {
    for (std::size_t i = next++; i < jobs.size(); i = next++) {
      const Steady::time_point start = Steady::now();
      if (i > 0 && within && start - begun + Duration(longest_ms) >= *within) return;
      results[i] = run(jobs[i].run);
      const auto took = std::chrono::duration_cast<Duration>(Steady::now() - start).count();
      for (std::int64_t known = longest_ms; took > known;) {
        if (longest_ms.compare_exchange_weak(known, took)) break;
      }
      const std::size_t count = ++done;
      if (shown) std::fprintf(stderr, "\rrehearsed %zu of %zu runs", count, jobs.size());
    }
  };
  const int cores = std::max(1u, std::thread::hardware_concurrency());
  const int count = std::clamp<int>(threads > 0 ? threads : cores, 1, int(jobs.size()));
  std::vector<std::jthread> pool;
  for (int i = 1; i < count; ++i) pool.emplace_back(work);
  work();
  pool.clear();
  if (shown) std::fputs("\n", stderr);
  Done out;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!results[i]) continue;
    out.jobs.push_back(std::move(jobs[i]));
    out.results.push_back(*std::move(results[i]));
  }
  return out;
}

// ---- what a person reads ----

std::string share_text(const json::object& share) {
  if (get_int(share, "of") == 0) return "none of 0";
  return fmt::format("{} of {} (at 95 %: {:.0f} to {:.0f} %)", get_int(share, "count"),
                     get_int(share, "of"), 100 * get_double(share, "at_least"),
                     100 * get_double(share, "at_most"));
}

// So that a shell takes it as one word.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@+-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string counts_text(const json::object& counts) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts)
    parts.push_back(fmt::format("{} {}", count.as_int64(), std::string_view(name)));
  return parts.empty() ? "nobody" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string spread_text(const json::object& spread) {
  return fmt::format("{:.0f}, at worst {:.0f}", get_double(spread, "median"),
                     get_double(spread, "worst"));
}

void say_fault(const json::object& fault) {
  const bool harms = get_bool(fault, "harms_players");
  std::string line = fmt::format("  {:<22} {}", get_string(fault, "fault"),
                                 counts_text(fault.at("endings").as_object()));
  if (harms) {
    line += fmt::format("; caught by {}", counts_text(fault.at("caught_by").as_object()));
    if (!fault.at("caught_by").as_object().empty())
      line += fmt::format(" after {}", get_string(fault, "found_after"));
    if (get_int(fault, "never_acted") > 0)
      line += fmt::format("; never acted in {}", get_int(fault, "never_acted"));
    line += fmt::format("; harmed {} players", spread_text(fault.at("harmed_players").as_object()));
  }
  say(line);
  say(coloured("                         " + get_string(fault, "says"), "dim"));
}

void print_stage_of_rehearsal(const json::object& stage) {
  std::string line = fmt::format("  {:<12} {:>6.4g} %  lasts {}", get_string(stage, "stage"),
                                 100 * get_double(stage, "exposure"), get_string(stage, "lasts"));
  if (get_int(stage, "reached_with_harm") > 0) {
    line += fmt::format("; harm bound {} players, {} player-seconds",
                        spread_text(stage.at("harmed_players").as_object()),
                        spread_text(stage.at("harm_player_seconds").as_object()));
  }
  const double refused = get_double(stage.at("sessions_refused").as_object(), "median");
  if (refused > 0)
    line += coloured(fmt::format("; {:.0f} sessions found no place", refused), "yellow");
  say(line);
}

std::string replay_command(const RehearseRequest& request, const RehearsalSpec& spec,
                           const json::object& surprise) {
  std::string out = "showcaller rehearse";
  for (const std::string& path : request.paths) out += " " + quoted(path);
  out += " --event " + spec.run.event;
  if (!request.population.empty()) out += " --population " + quoted(request.population);
  if (!request.curve.empty()) out += " --curve " + quoted(request.curve);
  if (!request.watch.empty()) out += " --watch " + request.watch;
  out += fmt::format(" --at {} --level {}", format_instant(spec.run.start),
                     get_string(surprise, "level"));
  return fmt::format("{} --seed {} --fault {} --story", out, get_int(surprise, "seed"),
                     get_string(surprise, "fault"));
}

void say_report(const json::object& report) {
  const std::string verdict = get_string(report, "verdict");
  const std::string colour = verdict == "pass" ? "green" : verdict == "thin" ? "yellow" : "red";
  say(fmt::format("{}: {} in {} runs, applied at {}", get_string(report, "event"),
                  coloured(verdict, colour), get_int(report, "runs"), get_string(report, "at")));
  for (const json::value& why : report.at("why").as_array())
    say("  " + std::string(why.as_string()));
  const json::object& clean = report.at("clean").as_object();
  say(fmt::format("with nothing wrong: live in {}; rolled back in {}",
                  share_text(clean.at("live").as_object()),
                  share_text(clean.at("rolled_back").as_object())));
  say("stages");
  for (const json::value& stage : report.at("stages").as_array())
    print_stage_of_rehearsal(stage.as_object());
  say("faults");
  for (const json::value& fault : report.at("faults").as_array()) say_fault(fault.as_object());
  for (const json::value& advice : report.at("advice").as_array())
    say(coloured("advice: " + std::string(advice.as_string()), "yellow"));
  const json::array& surprises = report.at("surprises").as_array();
  if (!surprises.empty()) say(fmt::format("{} surprises", surprises.size()));
  for (const json::value& each : surprises) {
    const json::object& surprise = each.as_object();
    say(fmt::format("  {} ({}): {}", get_string(surprise, "fault"), get_string(surprise, "ending"),
                    get_string(surprise, "why")));
    say(coloured("    " + get_string(surprise, "replay"), "dim"));
  }
}

// One run of each kind, told in full: with nothing wrong, and with what harms players.
Status write_page(const std::string& path, const json::object& report, std::span<const Job> jobs) {
  std::vector<ToldRun> told;
  std::set<int> batches;
  for (const Job& job : jobs) {
    const bool harmful = std::any_of(job.run.faults.begin(), job.run.faults.end(),
                                     [](const Fault& fault) { return harms_players(fault.kind); });
    if ((job.batch < 0 || harmful) && batches.insert(job.batch).second)
      told.push_back({faults_text(job.run.faults), run(job.run, true)});
  }
  std::ofstream file(path, std::ios::binary);
  file << report_html(report, told);
  file.close();
  if (file) return {};
  return fail(ErrorCode::Invalid, fmt::format("{} can't be written; check its folder", path));
}

int tell_story(const RehearsalSpec& spec) {
  RunSpec one = spec.run;
  one.seed = spec.seed;
  if (spec.level) one.level = *spec.level;
  if (!spec.faults.empty()) one.faults = spec.faults.front();
  const RunResult told = run(one, true);
  for (const std::string& line : told.story) say(line);
  say(fmt::format("{} after {}: {}", to_string(told.ending), format_duration(told.took), told.why));
  for (const std::string& violation : told.violations) say(coloured(violation, "red"));
  say(fmt::format("seed {}, applied at {}, hash {}", told.seed, format_instant(one.start),
                  told.hash));
  return told.violations.empty() ? kExitOk : kExitRefused;
}

}  // namespace

namespace {

// One that is worse comes later in this list.
int rank(RehearsalVerdict verdict) {
  return verdict == RehearsalVerdict::Pass ? 0 : verdict == RehearsalVerdict::Thin ? 1 : 2;
}

Result<RehearsalReport> report_on(const RehearseRequest& request, const RehearsalSpec& spec,
                                  std::span<const Job> jobs, std::span<const RunResult> results,
                                  const std::string& page) {
  RehearsalReport report = report_of(spec, jobs, results);
  for (json::value& surprise : report.json.at("surprises").as_array())
    surprise.as_object()["replay"] = replay_command(request, spec, surprise.as_object());
  if (!page.empty()) {
    TRY(write_page(page, report.json, jobs));
  }
  return report;
}

// "report.html" of an event of several: "report-winter-raid.html".
std::string page_of(const std::string& path, const std::string& event, bool several) {
  if (path.empty() || !several) return path;
  const std::filesystem::path whole(path);
  return (whole.parent_path() / (whole.stem().string() + "-" + event)).string() +
         whole.extension().string();
}

void print_reports(const RehearseRequest& request, std::span<const RehearsalReport> reports,
                   RehearsalVerdict worst) {
  if (request.form == OutputForm::Table) {
    for (const RehearsalReport& report : reports) say_report(report.json);
    if (reports.size() > 1)
      say(fmt::format("calendar of {} events: {}", reports.size(), to_string(worst)));
  } else if (reports.size() == 1) {
    print_value(reports.front().json, request.form);
  } else {
    json::array calendar;
    for (const RehearsalReport& report : reports) calendar.push_back(report.json);
    print_value({{"verdict", to_string(worst)}, {"calendar", std::move(calendar)}}, request.form);
  }
}

int tell_one(const RehearseRequest& request, std::span<RehearsalSpec> specs) {
  if (request.form != OutputForm::Table || !request.html.empty() || request.full ||
      request.record || request.publish || request.faults.size() > 1)
    return failed(
        {ErrorCode::Invalid,
         "--story tells one run as text: without -o, --html, --full, --record and --publish, "
         "with one "
         "--fault (several act together with commas)"});
  if (specs.size() > 1)
    return failed({ErrorCode::Invalid, "--story tells of one event; say which with --event"});
  if (request.faults.empty()) specs.front().faults.clear();
  return tell_story(specs.front());
}

// The events' rounds in turn, so that each has its share of the time.
Done rehearse_all(std::span<const RehearsalSpec> specs, std::optional<Duration> within,
                  int threads) {
  std::vector<Job> jobs;
  for (const RehearsalSpec& spec : specs) {
    std::vector<Job> more = jobs_of(spec);
    std::move(more.begin(), more.end(), std::back_inserter(jobs));
  }
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const Job& a, const Job& b) { return a.round < b.round; });
  return run_all(std::move(jobs), within, threads);
}

Done of_event(const Done& all, const std::string& event) {
  Done out;
  for (std::size_t i = 0; i < all.jobs.size(); ++i) {
    if (all.jobs[i].run.event != event) continue;
    out.jobs.push_back(all.jobs[i]);
    out.results.push_back(all.results[i]);
  }
  return out;
}

int record(const RehearseRequest& request, std::span<const RehearsalSpec> specs,
           std::span<const RehearsalReport> reports) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const GateProofs proofs =
        proven_by_rehearsal(specs[i].run.event, played_event(specs[i].run), reports[i].json);
    if (const int code = record_proofs(request.server, proofs); code != kExitOk) return code;
  }
  return kExitOk;
}

int publish(const ClientContext& context, std::span<const RehearsalReport> reports) {
  return with_server(context, [&](ApiClient& client) {
    for (const RehearsalReport& report : reports) {
      const auto kept = client.post("/api/v1/rehearsals", report.json);
      if (!kept) return failed(kept.error());
      if (context.form == OutputForm::Table)
        say(fmt::format("published as rehearsal {}", text_at(kept->as_object(), "id")));
    }
    return int(kExitOk);
  });
}

}  // namespace

int rehearse_verb(const RehearseRequest& request) {
  auto specs = specs_of(request);
  if (!specs) return failed(specs.error());
  if (request.story) return tell_one(request, *specs);
  const auto within = time_for(request);
  if (!within) return failed(within.error());
  const Done all = rehearse_all(*specs, *within, request.threads);
  std::vector<RehearsalReport> reports;
  RehearsalVerdict worst = RehearsalVerdict::Pass;
  for (const RehearsalSpec& spec : *specs) {
    const Done own = of_event(all, spec.run.event);
    auto report = report_on(request, spec, own.jobs, own.results,
                            page_of(request.html, spec.run.event, specs->size() > 1));
    if (!report) return failed(report.error());
    if (rank(report->verdict) > rank(worst)) worst = report->verdict;
    reports.push_back(*std::move(report));
  }
  print_reports(request, reports, worst);
  if (request.record) {
    if (const int code = record(request, *specs, reports); code != kExitOk) return code;
  }
  if (request.publish) {
    if (const int code = publish(request.server, reports); code != kExitOk) return code;
  }
  return int(worst);
}

}  // namespace showcaller
