// SPDX-License-Identifier: Apache-2.0
#include "sim/rehearsal.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "engine/plan_stages.h"
#include "flow/telemetry_intake.h"

namespace showcaller::sim {
namespace {

const LiveEventSpec& event_of(const RehearsalSpec& spec) {
  for (const auto& manifest : spec.run.manifests) {
    if (manifest->kind() == Kind::LiveEvent && manifest->name == spec.run.event)
      return manifest->as<LiveEventSpec>();
  }
  CHECK(false);  // The caller names an event that is there.
  std::abort();
}

bool has_actions(const LiveEventSpec& event) {
  return std::any_of(event.changes.begin(), event.changes.end(), [](const Change& change) {
    return std::holds_alternative<ActionChange>(change.what);
  });
}

bool has_approvals(const RehearsalSpec& spec) {
  return std::any_of(spec.run.manifests.begin(), spec.run.manifests.end(),
                     [](const auto& manifest) {
                       return manifest->kind() == Kind::Policy &&
                              !manifest->template as<PolicySpec>().approvals.empty();
                     });
}

Fault usual(FaultKind kind, Duration from = {}, std::optional<Duration> lasts = {}) {
  return {kind, usual_size(kind), from, lasts, {}};
}

bool harms(const std::vector<Fault>& faults) {
  return std::any_of(faults.begin(), faults.end(),
                     [](const Fault& fault) { return harms_players(fault.kind); });
}

bool of_kind(const std::vector<Fault>& faults, FaultKind kind) {
  return std::any_of(faults.begin(), faults.end(),
                     [&](const Fault& fault) { return fault.kind == kind; });
}

bool harms_batch(const RehearsalSpec& spec, int batch) {
  return batch >= 0 && harms(spec.faults[std::size_t(batch)]);
}

}  // namespace

std::string_view to_string(RehearsalVerdict verdict) {
  switch (verdict) {
    case RehearsalVerdict::Pass:
      return "pass";
    case RehearsalVerdict::Fail:
      return "fail";
    case RehearsalVerdict::Thin:
      return "thin";
  }
  return "";
}

std::string faults_text(const std::vector<Fault>& faults) {
  std::vector<std::string> parts;
  for (const Fault& fault : faults) parts.push_back(to_text(fault));
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ","));
}

std::vector<std::vector<Fault>> usual_faults(const RehearsalSpec& spec) {
  using enum FaultKind;
  const LiveEventSpec& event = event_of(spec);
  const auto metrics = metrics_of(spec.run.manifests, spec.run.population);
  const bool counts = std::any_of(metrics.begin(), metrics.end(), [](const Measured& metric) {
    return !metric.is_crash && metric.type != MetricType::Quantile;
  });
  const bool measures = std::any_of(metrics.begin(), metrics.end(), [](const Measured& metric) {
    return metric.type == MetricType::Quantile;
  });
  const bool build = event.changes_build();
  std::vector<std::vector<Fault>> out{{usual(Crashes)}};
  if (counts) out.push_back({usual(Errors)});
  if (measures) {
    out.push_back({usual(Latency)});
    out.push_back({usual(Tail)});
  }
  if (build) out.push_back({usual(Leak)});
  if (has_actions(event)) out.push_back({usual(Crashes), usual(UndoFails)});
  if (has_approvals(spec)) out.push_back({usual(NoApproval)});
  if (build) {
    out.push_back({usual(SlowStart)});
    out.push_back({usual(Quota)});
    out.push_back({usual(Split)});
    out.push_back({usual(InstanceLoss, minutes(2))});
    out.push_back({usual(Addresses)});
    if (spec.run.population.regions.size() > 1) {
      out.push_back({usual(RegionLoss, minutes(2), minutes(10))});
      out.push_back({usual(Partition, minutes(2), minutes(10))});
    }
    out.push_back({usual(Lies)});
  }
  out.push_back({usual(Herd, minutes(1), minutes(10))});
  out.push_back({usual(Writes, minutes(1), minutes(10))});
  out.push_back({usual(Blind, minutes(2), minutes(5))});
  out.push_back({usual(Restart, minutes(3))});
  out.push_back({usual(DiskFull, minutes(2))});
  out.push_back({usual(TornWrite, minutes(2))});
  out.push_back({usual(ClockJump, minutes(2))});
  out.push_back({usual(Duplicates)});
  return out;
}

void share_out(int runs, RehearsalSpec* spec) {
  const auto batches = int(spec->faults.size());
  const auto harmful = int(std::count_if(spec->faults.begin(), spec->faults.end(), harms));
  const int others = batches - harmful;
  if (batches == 0) {
    spec->clean_runs = std::max(1, runs);
    return;
  }
  spec->clean_runs = std::max(1, runs / 3);
  const int left = std::max(batches, runs - spec->clean_runs);
  spec->trouble_runs = harmful == 0 ? left / others : std::max(1, runs / 60);
  spec->fault_runs = harmful == 0 ? 1 : std::max(1, (left - others * spec->trouble_runs) / harmful);
}

// What harms players is a matter of rates; the rest is one of paths.
RehearsalLevel level_of(const std::vector<Fault>& faults) {
  const bool rates = std::all_of(faults.begin(), faults.end(), [](const Fault& fault) {
    return harms_players(fault.kind) || fault.kind == FaultKind::Herd;
  });
  return rates ? RehearsalLevel::Evidence : RehearsalLevel::Session;
}

std::vector<Job> jobs_of(const RehearsalSpec& spec) {
  std::vector<Job> out;
  std::uint64_t seed = spec.seed;
  const auto add = [&](int batch, const std::vector<Fault>& faults, int runs) {
    for (int i = 0; i < runs; ++i) {
      Job job{batch, i, spec.run};
      job.run.faults = faults;
      job.run.seed = seed++;
      // The first of each is played session by session all the same: its ledger, its reports.
      job.run.level = spec.level ? *spec.level
                      : i == 0   ? RehearsalLevel::Session
                                 : level_of(faults);
      out.push_back(std::move(job));
    }
  };
  add(-1, {}, spec.clean_runs);
  for (std::size_t i = 0; i < spec.faults.size(); ++i)
    add(int(i), spec.faults[i], harms(spec.faults[i]) ? spec.fault_runs : spec.trouble_runs);
  std::stable_sort(out.begin(), out.end(),
                   [](const Job& a, const Job& b) { return a.round < b.round; });
  return out;
}

json::object share_json(std::int64_t count, std::int64_t of) {
  constexpr double z = 1.959963984540054;
  const double n = double(of), p = n > 0 ? double(count) / n : 0;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  if (of == 0) return {{"count", 0}, {"of", 0}};
  return {{"count", count},
          {"of", of},
          {"share", p},
          {"at_least", std::max(0.0, middle - half)},
          {"at_most", std::min(1.0, middle + half)}};
}

namespace {

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double place = q * double(values.size() - 1);
  return values[std::size_t(std::lround(place))];
}

json::object spread_json(const std::vector<double>& values) {
  return {{"median", quantile(values, 0.5)},
          {"p99", quantile(values, 0.99)},
          {"worst", quantile(values, 1)}};
}

std::string text_of(Duration d) {
  return format_duration(std::chrono::floor<std::chrono::seconds>(d));
}

// What the runs of one batch came to.
struct Tally {
  std::vector<const RunResult*> runs;
  std::int64_t endings[9] = {};
  std::map<std::string, std::int64_t> gates;  // that fired, by name
  std::vector<double> found_s, home_s, harmed, harm_player_s, headroom, refused_share;

  std::string why_not_live;  // the first that did not

  void add(const RunResult& run) {
    runs.push_back(&run);
    ++endings[std::size_t(run.ending)];
    if (run.ending != Ending::Live && why_not_live.empty()) why_not_live = run.why;
    if (run.fired) {
      ++gates[run.fired->gate.empty() ? "stage (" + run.fired->verdict + ")" : run.fired->gate];
      found_s.push_back(double(run.fired->at.count()) / 1000);
    }
    if (run.to_rolled_back) home_s.push_back(double(run.to_rolled_back->count()) / 1000);
    harmed.push_back(double(run.counts.harmed_players));
    harm_player_s.push_back(run.counts.harm_player_s);
    headroom.push_back(run.headroom_least);
    const double asked = double(run.counts.sessions + run.counts.refused);
    refused_share.push_back(asked > 0 ? double(run.counts.refused) / asked : 0);
  }
  std::int64_t of(Ending ending) const { return endings[std::size_t(ending)]; }
  std::int64_t size() const { return std::int64_t(runs.size()); }
};

json::object endings_json(const Tally& tally) {
  json::object out;
  for (std::size_t i = 0; i < std::size(tally.endings); ++i) {
    if (tally.endings[i] > 0) out[to_string(Ending(i))] = tally.endings[i];
  }
  return out;
}

json::object gates_json(const Tally& tally) {
  json::object out;
  for (const auto& [gate, count] : tally.gates) out[gate] = count;
  return out;
}

// Of a run in which a fault that harms players was to act.
enum class Answer : std::uint8_t {
  Caught,  // a gate failed of it, and no more are let in
  Missed,  // players were harmed, and nothing stopped it
  Idle,    // nobody was harmed: it never acted
};

Answer answer_of(const RunResult& run) {
  if (run.counts.harmed_players == 0) return Answer::Idle;
  const bool stopped = run.ending == Ending::RolledBack || run.ending == Ending::Stuck ||
                       (run.ending == Ending::Held && run.fired);
  return stopped && run.fired ? Answer::Caught : Answer::Missed;
}

json::object clean_json(const Tally& clean) {
  return {{"runs", clean.size()},
          {"live", share_json(clean.of(Ending::Live), clean.size())},
          {"rolled_back", share_json(clean.of(Ending::RolledBack), clean.size())},
          {"held", share_json(clean.of(Ending::Held), clean.size())},
          {"endings", endings_json(clean)},
          {"headroom_least", quantile(clean.headroom, 0.5)},
          {"sessions_refused_share", quantile(clean.refused_share, 0.5)}};
}

json::object fault_json(const std::vector<Fault>& faults, const Tally& tally) {
  std::string says;
  for (const Fault& fault : faults) {
    says += (says.empty() ? "" : "; and ") +
            fmt::format(fmt::runtime(std::string(describe(fault.kind))), fault.size);
  }
  json::object out{{"fault", faults_text(faults)},   {"says", says},
                   {"harms_players", harms(faults)}, {"runs", tally.size()},
                   {"endings", endings_json(tally)}, {"caught_by", gates_json(tally)}};
  if (harms(faults)) {
    std::int64_t caught = 0, idle = 0;
    for (const RunResult* each : tally.runs) {
      caught += answer_of(*each) == Answer::Caught ? 1 : 0;
      idle += answer_of(*each) == Answer::Idle ? 1 : 0;
    }
    out["caught"] = share_json(caught, tally.size() - idle);
    if (idle > 0) out["never_acted"] = idle;
    out["found_after"] = text_of(Duration(std::int64_t(1000 * quantile(tally.found_s, 0.5))));
    out["harmed_players"] = spread_json(tally.harmed);
    out["harm_player_seconds"] = spread_json(tally.harm_player_s);
  }
  if (!tally.home_s.empty())
    out["rolled_back_in"] = text_of(Duration(std::int64_t(1000 * quantile(tally.home_s, 1))));
  return out;
}

// Of each stage: what was at stake in it, over all runs in which a fault harmed players there.
json::array stages_json(const RehearsalSpec& spec, std::span<const Job> jobs,
                        std::span<const RunResult> results) {
  json::array out;
  for (const StageSpec& stage : event_of(spec).stages) {
    std::vector<double> harmed, harm_player_s, lasted_s, refused;
    for (std::size_t i = 0; i < results.size(); ++i) {
      for (const StageResult& entered : results[i].stages) {
        if (entered.name != stage.name) continue;
        if (harms_batch(spec, jobs[i].batch)) {
          if (entered.counts.harm_player_s == 0) continue;  // It had not begun.
          harmed.push_back(double(entered.counts.stage_harmed_players));
          harm_player_s.push_back(entered.counts.harm_player_s);
        } else if (jobs[i].batch < 0) {
          lasted_s.push_back(double((entered.left - entered.entered).count()) / 1000);
          refused.push_back(double(entered.counts.refused));
        }
      }
    }
    out.push_back(
        json::object{{"stage", stage.name},
                     {"exposure", double(stage.exposure_ppm) / double(kPpmWhole)},
                     {"lasts", text_of(Duration(std::int64_t(1000 * quantile(lasted_s, 0.5))))},
                     {"reached_with_harm", std::int64_t(harmed.size())},
                     {"harmed_players", spread_json(harmed)},
                     {"harm_player_seconds", spread_json(harm_player_s)},
                     {"sessions_refused", spread_json(refused)}});
  }
  return out;
}

// What is true of the virtual game, as the planner takes it.
PlanFacts facts_of(const RehearsalSpec& spec) {
  PlanFacts facts;
  for (const Measured& metric : metrics_of(spec.run.manifests, spec.run.population)) {
    if (metric.type != MetricType::Quantile)
      facts.baselines[metric.name] = {1'000'000, metric.rate};
  }
  facts.baselines[std::string(kSessionCrashed)] = {
      1'000'000, double(spec.run.population.crash_ppm) / double(kPpmWhole)};
  double sessions = 0, fleets = 0;
  for (const RegionCrowd& region : spec.run.population.regions)
    sessions += sessions_per_s(spec.run.population, region, spec.run.start, {}, {});
  for (const auto& manifest : spec.run.manifests) fleets += manifest->kind() == Kind::Fleet ? 1 : 0;
  facts.sessions_per_s[""] = sessions;  // of events that change no build
  for (const auto& manifest : spec.run.manifests) {
    if (manifest->kind() == Kind::Fleet) facts.sessions_per_s[manifest->name] = sessions / fleets;
  }
  return facts;
}

// What would make the stages see more, and the fleets hold.
json::array advice_of(const RehearsalSpec& spec, const json::array& stages) {
  World world;
  for (const auto& manifest : spec.run.manifests) {
    if (manifest->kind() != Kind::LiveEvent) world.manifests[manifest->key()] = {manifest, 1};
  }
  json::array out;
  for (const json::value& value : planned_stages(world, event_of(spec), facts_of(spec))) {
    const json::object& stage = value.as_object();
    for (const json::value& judged : stage.at("gates").as_array()) {
      const json::object& gate = judged.as_object();
      const bool blind = gate.contains("note") || !get_bool(gate, "enough", true);
      if (!blind || get_double(stage, "exposure_percent") >= 100) continue;
      out.push_back(json::string(
          fmt::format("stage {} cannot see {} grow to {} in {}: {}", get_string(stage, "name"),
                      get_string(gate, "gate"), get_string(gate, "detects"),
                      get_string(stage, stage.contains("bake_max") ? "bake_max" : "bake"),
                      get_string(gate, gate.contains("note") ? "note" : "advice"))));
    }
  }
  for (const json::value& value : stages) {
    const json::object& stage = value.as_object();
    const double refused = get_double(stage.at("sessions_refused").as_object(), "median");
    if (refused < 1) continue;
    out.push_back(json::string(fmt::format(
        "stage {} begins with too few instances: {:.0f} sessions found no place; raise the fleet's "
        "buffer or its scheduled capacity before it",
        get_string(stage, "stage"), refused)));
  }
  return out;
}

std::string why_it_surprises(const RehearsalSpec& spec, const Job& job, const RunResult& run) {
  if (!run.violations.empty()) return run.violations.front();
  if (run.ending == Ending::RanOut) return "it came to no end: " + run.why;
  if (job.batch < 0) return run.ending == Ending::Live ? std::string() : "all was well: " + run.why;
  const auto& faults = spec.faults[std::size_t(job.batch)];
  if (run.ending == Ending::Stuck && !of_kind(faults, FaultKind::UndoFails))
    return "the rollback did not come home: " + run.why;
  if (harms(faults)) {
    return answer_of(run) == Answer::Missed ? "players were harmed, and nothing stopped it"
                                            : std::string();
  }
  // What strikes the server alone says nothing of the release.
  const bool of_server = std::all_of(faults.begin(), faults.end(), [](const Fault& fault) {
    using enum FaultKind;
    return fault.kind == Restart || fault.kind == DiskFull || fault.kind == TornWrite ||
           fault.kind == ClockJump || fault.kind == Duplicates;
  });
  if (of_server && run.ending == Ending::RolledBack)
    return "a good release was rolled back: " + run.why;
  return {};
}

}  // namespace

namespace {

// What the report's verdict rests on.
class Findings {
 public:
  void fail(std::string why) { add(RehearsalVerdict::Fail, std::move(why)); }
  void thin(std::string why) { add(RehearsalVerdict::Thin, std::move(why)); }
  RehearsalVerdict verdict() const { return verdict_; }
  json::array take_why() { return std::move(why_); }

 private:
  void add(RehearsalVerdict verdict, std::string why) {
    if (verdict_ != RehearsalVerdict::Fail) verdict_ = verdict;
    why_.push_back(json::string(why));
  }

  RehearsalVerdict verdict_ = RehearsalVerdict::Pass;
  json::array why_;
};

// One clean run in twenty may be held for want of evidence; a good release may not be undone.
void judge_clean(const Tally& clean, Findings* findings) {
  if (clean.size() == 0) return findings->thin("no clean run was played in the time there was");
  const std::int64_t not_live = clean.size() - clean.of(Ending::Live);
  if (not_live == 0) return;
  std::string why = fmt::format("with nothing wrong, {} of {} runs did not go live ({})", not_live,
                                clean.size(), clean.why_not_live);
  const std::int64_t held = clean.of(Ending::Held);
  if (held == not_live && clean.of(Ending::Live) > 0 &&
      held <= std::max<std::int64_t>(1, clean.size() / 20))
    findings->thin(std::move(why));
  else
    findings->fail(std::move(why));
}

void judge_faults(const RehearsalSpec& spec, const std::vector<Tally>& batches,
                  Findings* findings) {
  std::size_t unplayed = 0;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    unplayed += batches[i].runs.empty() ? 1 : 0;
    if (!harms(spec.faults[i])) continue;
    const auto& runs = batches[i].runs;
    const std::int64_t missed = std::count_if(runs.begin(), runs.end(), [](const RunResult* each) {
      return answer_of(*each) == Answer::Missed;
    });
    if (missed > 0) {
      findings->thin(fmt::format("{} was not stopped in {} of {} runs", faults_text(spec.faults[i]),
                                 missed, batches[i].size()));
    }
  }
  if (unplayed > 0) {
    findings->thin(
        fmt::format("{} of {} faults were not played in the time there was; give more "
                    "with --within, or say --runs",
                    unplayed, batches.size()));
  }
}

}  // namespace

RehearsalReport report_of(const RehearsalSpec& spec, std::span<const Job> jobs,
                          std::span<const RunResult> results) {
  Tally clean;
  std::vector<Tally> batches(spec.faults.size());
  json::array surprises, violations;
  std::int64_t stuck = 0, endless = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RunResult& result = results[i];
    const int batch = jobs[i].batch;
    (batch < 0 ? clean : batches[std::size_t(batch)]).add(result);
    for (const std::string& violation : result.violations) violations.emplace_back(violation);
    endless += result.ending == Ending::RanOut ? 1 : 0;
    const std::string surprise = why_it_surprises(spec, jobs[i], result);
    if (surprise.empty()) continue;
    stuck += result.ending == Ending::Stuck ? 1 : 0;
    surprises.push_back(json::object{{"seed", std::int64_t(result.seed)},
                                     {"level", to_string(jobs[i].run.level)},
                                     {"fault", faults_text(jobs[i].run.faults)},
                                     {"ending", to_string(result.ending)},
                                     {"why", surprise}});
  }
  json::array faults;
  for (std::size_t i = 0; i < batches.size(); ++i)
    faults.push_back(fault_json(spec.faults[i], batches[i]));
  json::array stages = stages_json(spec, jobs, results);
  json::array advice = advice_of(spec, stages);
  Findings findings;
  judge_clean(clean, &findings);
  judge_faults(spec, batches, &findings);
  if (stuck > 0) findings.fail(fmt::format("{} rollbacks did not come home", stuck));
  if (endless > 0) findings.fail(fmt::format("{} runs came to no end", endless));
  if (!violations.empty()) findings.fail(fmt::format("{} promises were broken", violations.size()));
  RehearsalReport report{findings.verdict(), {}};
  report.json = {{"event", spec.run.event},           {"at", format_instant(spec.run.start)},
                 {"seed", std::int64_t(spec.seed)},   {"verdict", to_string(report.verdict)},
                 {"why", findings.take_why()},        {"runs", std::int64_t(results.size())},
                 {"clean", clean_json(clean)},        {"faults", std::move(faults)},
                 {"stages", std::move(stages)},       {"advice", std::move(advice)},
                 {"surprises", std::move(surprises)}, {"violations", std::move(violations)}};
  return report;
}

}  // namespace showcaller::sim
