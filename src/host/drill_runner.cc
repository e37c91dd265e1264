// SPDX-License-Identifier: Apache-2.0
#include "host/drill_runner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "model/manifest/drill_faults.h"
#include "model/manifest/manifest.h"

namespace showcaller {
namespace {

constexpr double kUsualShare = 0.3;
constexpr std::size_t kNotedMax = 100'000;

DrillMoment moment_of(const FleetView& view, Duration at) {
  const BuildCounts all = view.total();
  DrillMoment out{at, all.ready + all.allocated, all.desired, {}, {}};
  if (all.sessions > 0) out.headroom = double(view.headroom_ppm()) / double(kPpmWhole);
  return out;
}

bool serves(const ObservedInstance& instance) {
  return instance.state == InstanceState::Ready || instance.state == InstanceState::Reserved ||
         instance.state == InstanceState::Allocated;
}

// A share of those that serve, at least one: which, only the drill's name and the inject's say.
std::vector<std::string> chosen(const std::string& drill, const DrillInject& inject,
                                std::span<const ObservedInstance> instances) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const ObservedInstance& one : instances) {
    const std::string& target = inject.fault.target;
    if (!serves(one) || (!target.empty() && one.host != target && one.region != target)) continue;
    all.emplace_back(to_hex(sha256(fmt::format("{}/{}/{}", drill, inject.name, one.id))), one.id);
  }
  std::sort(all.begin(), all.end());
  const double share = inject.fault.size.value_or(kUsualShare);
  const auto count = std::size_t(std::ceil(share * double(all.size())));
  std::vector<std::string> out;
  for (std::size_t i = 0; i < all.size() && i < std::max<std::size_t>(1, count); ++i)
    out.push_back(all[i].second);
  return out;
}

std::string pause_key(const std::string& drill, const std::string& inject,
                      const DrillStrike& strike) {
  return fmt::format("{}/{}@{}", drill, inject, to_ms(strike.at));
}

}  // namespace

void DrillRunner::note(const World& world, std::span<const Record> records) {
  bool any = false;
  world.drills.each([&](const std::string&, const DrillRun& run) { any = any || run.goes_on(); });
  if (!any) return;
  std::lock_guard lock(mutex_);
  for (const Record& record : records) {
    if (noted_.size() < kNotedMax) noted_.push_back(record);
  }
}

// Null: its document can't be read, or it began under another process.
DrillRunner::Play* DrillRunner::play_of(const std::string& name, const DrillRun& run) {
  const auto at = plays_.find(name);
  if (at != plays_.end() && at->second.started == run.started) return &at->second;
  if (at != plays_.end()) plays_.erase(at);
  if (run.started < opened_ || !run.goes_on()) return nullptr;
  const auto manifest = manifest_from_json(run.document);
  if (!manifest || manifest->kind() != Kind::Drill) return nullptr;
  const auto& drill = manifest->as<DrillSpec>();
  // On a staging fleet any event is one of the drill's.
  DrillSpec played = drill;
  played.event.clear();
  return &plays_.emplace(name, Play{run.started, played, DrillScore(played, run.fleet), {}, {}, {}})
              .first->second;
}

// It is over and told, and none of its pauses can still hold.
bool DrillRunner::is_settled(const std::string& name, const DrillRun& run) const {
  const bool resumed = std::ranges::all_of(run.strikes, [&](const auto& strike) {
    return strike.second.fault != manifest::kPause ||
           resumed_.contains(pause_key(name, strike.first, strike.second));
  });
  return !run.goes_on() && !run.report.empty() && resumed;
}

std::vector<Error> DrillRunner::pass(const ViewOf& view_of, const FleetsOf& fleets_of) {
  std::vector<Error> errors;
  const auto world = host_->published();
  bool settled = true;
  world->drills.each([&](const std::string& name, const DrillRun& run) {
    settled = settled && is_settled(name, run);
  });
  if (settled) return errors;
  const std::vector<FleetPass> fleets = fleets_of();
  const std::vector<Record> noted = [&] {
    std::lock_guard lock(mutex_);
    return std::exchange(noted_, {});
  }();
  const Instant now = host_->now();
  world->drills.each([&](const std::string& name, const DrillRun& run) {
    const auto seen = std::ranges::find(fleets, run.fleet, &FleetPass::fleet);
    if (seen == fleets.end()) return;
    const FleetView view = view_of(run.fleet);
    const Turn one{*world, name, run, now, view, *seen->instances, &errors};
    end_pauses(one);
    Play* play = play_of(name, run);
    if (play) {
      for (const Record& record : noted) {
        if (record.time >= run.started) play->score.note(record, record.time - run.started);
      }
      turn(one, play);
    } else if (run.goes_on()) {
      end(one, "stopped", "the server was started anew in the middle of it", {});
    }
  });
  return errors;
}

void DrillRunner::turn(const Turn& turn, Play* play) {
  if (!turn.run.goes_on()) {
    // Stopped by hand: what came until then is told.
    if (turn.run.report.empty() && !play->asked.contains("report")) {
      play->asked.insert("report");
      end(turn, turn.run.verdict, turn.run.reason, play->score.report());
    }
    return;
  }
  const Duration at = turn.now - turn.run.started;
  carry_out(turn, play);
  ask_for_what_is_due(turn, play);
  play->before = moment_of(turn.view, at);
  play->score.look(play->before);
  if (const auto& why = play->score.stopped())
    return end(turn, "stopped", *why, play->score.report());
  const bool over = !play->score.waits(at, DrillScore::Until::Late);
  if (!over && turn.now < turn.run.until) return;
  end(turn, std::string(to_string(play->score.verdict())),
      over ? "everything has come, or is too late" : "its time is over", play->score.report());
}

void DrillRunner::ask_for_what_is_due(const Turn& turn, Play* play) {
  for (const DrillInject& inject : play->drill.injects) {
    const Duration at = turn.now - turn.run.started;
    if (at < inject.at || turn.run.strikes.contains(inject.name)) continue;
    if (play->asked.contains(inject.name)) continue;
    auto instances = chosen(turn.name, inject, turn.instances);
    if (instances.empty()) continue;  // Nobody is there yet.
    const Instant until = inject.lasts ? turn.now + *inject.lasts : Instant{};
    const Status sent = host_->submit(
        DrillDue{turn.name, inject.name, inject.fault.kind, std::move(instances), until});
    if (sent) play->asked.insert(inject.name);
  }
}

void DrillRunner::carry_out(const Turn& turn, Play* play) {
  for (std::size_t k = 0; k < play->drill.injects.size(); ++k) {
    const std::string& inject = play->drill.injects[k].name;
    const auto strike = turn.run.strikes.find(inject);
    if (strike == turn.run.strikes.end() || !play->done.insert(inject).second) continue;
    play->before.at = turn.now - turn.run.started;
    play->score.begin(k, play->before);
    const bool pauses = strike->second.fault == manifest::kPause;
    for (const std::string& id : strike->second.instances) {
      disturb(turn, {id, pauses ? Disturbance::Pause : Disturbance::Kill,
                     pauses ? strike->second.until - turn.now : Duration{}});
    }
  }
}

// Also those of a process before this one.
void DrillRunner::end_pauses(const Turn& turn) {
  for (const auto& [inject, strike] : turn.run.strikes) {
    if (strike.fault != manifest::kPause) continue;
    if (turn.run.goes_on() && turn.now < strike.until) continue;
    if (!resumed_.insert(pause_key(turn.name, inject, strike)).second) continue;
    for (const std::string& id : strike.instances) disturb(turn, {id, Disturbance::Resume, {}});
  }
}

void DrillRunner::disturb(const Turn& turn, const DisturbInstance& one) {
  const FleetSpec* spec = turn.world.fleet(turn.run.fleet);
  const auto driver = drivers_.find(spec ? spec->driver : "");
  if (driver == drivers_.end()) return;
  const Status done = driver->second->disturb(host_->epoch(), one);
  if (!done) turn.errors->push_back(done.error());
}

void DrillRunner::end(const Turn& turn, std::string verdict, std::string reason,
                      json::object report) {
  if (report.empty()) report = {{"verdict", verdict}, {"why", json::array{json::value(reason)}}};
  (void)host_->submit(
      DrillOver{turn.name, std::move(verdict), std::move(reason), std::move(report)});
}

}  // namespace showcaller
