// SPDX-License-Identifier: Apache-2.0
#include "sim/drill.h"

#include <utility>

#include <fmt/format.h>

#include "model/manifest/drill_faults.h"

namespace showcaller::sim {
namespace {

std::string fleet_of(const DrillSpec& drill, const RunSpec& run) {
  for (const auto& manifest : run.manifests) {
    if (manifest->kind() != Kind::LiveEvent || manifest->name != drill.event) continue;
    for (const Change& change : manifest->as<LiveEventSpec>().changes) {
      if (const auto* build = std::get_if<BuildChange>(&change.what)) return build->fleet;
    }
  }
  return drill.fleet;
}

class DrillWatcher final : public RunWatcher {
 public:
  DrillWatcher(const DrillSpec& drill, const std::vector<Fault>& faults, std::string fleet)
      : faults_(faults), score_(drill, std::move(fleet)) {}

  // Told when the step's injects have begun: what they led to may be in the same step.
  void note(const Record& record, Duration) override { noted_.push_back(record); }

  std::optional<std::string> look(const RunMoment& moment) override {
    const DrillMoment seen = moment_of(moment);
    for (std::size_t k = 0; k < faults_.size(); ++k) {
      const auto since =
          is_of_preparation(faults_[k].kind) ? moment.since_applied : moment.since_admitted;
      if (score_.begun(k) || !since || *since < faults_[k].from) continue;
      before_.at = moment.at - (*since - faults_[k].from);
      score_.begin(k, before_);
    }
    before_ = seen;
    for (const Record& record : std::exchange(noted_, {})) score_.note(record, moment.at);
    score_.look(seen);
    if (score_.stopped()) return "stopped: " + *score_.stopped();
    if (score_.waits(moment.at, DrillScore::Until::Late)) return std::nullopt;
    return "everything of the drill has come, or is too late";
  }

  // Until the first players are in nothing has begun, and what never begins is not waited for.
  bool waits(Duration at) const override { return score_.waits(at) && began_any(); }

  const DrillScore& score() const { return score_; }

 private:
  bool began_any() const {
    for (std::size_t k = 0; k < faults_.size(); ++k) {
      if (score_.begun(k)) return true;
    }
    return false;
  }

  static DrillMoment moment_of(const RunMoment& moment) {
    const BuildCounts all = moment.fleet.total();
    DrillMoment out{moment.at, all.ready + all.allocated, all.desired, {}, {}};
    if (all.sessions > 0) out.headroom = double(moment.fleet.headroom_ppm()) / double(kPpmWhole);
    if (moment.counts) out.players_harmed = moment.counts->harmed_players;
    return out;
  }

  const std::vector<Fault>& faults_;
  DrillScore score_;
  DrillMoment before_;
  std::vector<Record> noted_;  // of this step
};

}  // namespace

Result<std::vector<Fault>> faults_of(const DrillSpec& drill) {
  std::vector<Fault> out;
  for (const DrillInject& inject : drill.injects) {
    if (manifest::is_of_network(inject.fault.kind)) {
      return fail(ErrorCode::Invalid,
                  fmt::format("inject {}: the simulator has no network, so there is no {} in it; "
                              "play the drill on a server with --against, or take latency or "
                              "partition",
                              inject.name, inject.fault.kind));
    }
    const bool of_servers = manifest::is_of_servers(inject.fault.kind);
    std::string text =
        of_servers ? std::string(to_string(FaultKind::InstanceLoss)) : inject.fault.kind;
    if (inject.fault.size) text += fmt::format(":{}", *inject.fault.size);
    auto fault = parse_fault(text);
    if (!fault)
      return fail(fault.error().code,
                  fmt::format("inject {}: {}", inject.name, fault.error().message));
    fault->from = inject.at;
    fault->lasts = inject.lasts;
    fault->target = inject.fault.target;
    out.push_back(*std::move(fault));
  }
  return out;
}

Result<DrillPlayed> play_drill(const DrillSpec& drill, RunSpec run, bool with_story) {
  TRY(run.faults, faults_of(drill));
  DrillWatcher watcher(drill, run.faults, fleet_of(drill, run));
  run.watcher = &watcher;
  DrillPlayed out;
  out.run = sim::run(run, with_story);
  out.verdict = watcher.score().verdict();
  out.report = watcher.score().report();
  out.report["ending"] = to_string(out.run.ending);
  out.report["ended_because"] = out.run.why;
  out.report["took"] = format_duration(out.run.took);
  out.report["harmed_players"] = out.run.counts.harmed_players;
  out.report["refused_sessions"] = out.run.counts.refused;
  out.report["seed"] = out.run.seed;
  out.report["hash"] = out.run.hash;
  return out;
}

}  // namespace showcaller::sim
