// SPDX-License-Identifier: Apache-2.0
#include "host/drill_runner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "engine/decide_drill.h"
#include "model/manifest/drill_faults.h"
#include "model/manifest/manifest.h"

namespace showcaller {
namespace {

constexpr double kUsualShare = 0.3;
constexpr double kUsualDelayMs = 200, kUsualLoss = 0.2;
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
  const auto& said =
      manifest::is_of_network(inject.fault.kind) ? inject.fault.share : inject.fault.size;
  const double share = said.value_or(kUsualShare);
  const auto count = std::size_t(std::ceil(share * double(all.size())));
  std::vector<std::string> out;
  for (std::size_t i = 0; i < all.size() && i < std::max<std::size_t>(1, count); ++i)
    out.push_back(all[i].second);
  return out;
}

std::string lasting_key(const std::string& drill, const std::string& inject,
                        const DrillStrike& strike) {
  return fmt::format("{}/{}@{}", drill, inject, to_ms(strike.at));
}

// What is done to each instance; `lasts`: from now on.
DisturbInstance disturbance_of(const std::string& id, const DrillFault& fault, Duration lasts) {
  if (fault.kind == manifest::kPause) return {id, Disturbance::Pause, lasts, {}};
  if (fault.kind == manifest::kKill) return {id, Disturbance::Kill, {}, {}};
  NetworkFault network;
  if (fault.kind == manifest::kNetDelay)
    network.delay = Duration(std::int64_t(fault.size.value_or(kUsualDelayMs)));
  else
    network.loss = fault.kind == manifest::kNetCut ? 1 : fault.size.value_or(kUsualLoss);
  return {id, Disturbance::Network, {}, network};
}

Disturbance needed_for(std::string_view kind) {
  return manifest::is_of_network(kind) ? Disturbance::Network
         : kind == manifest::kPause    ? Disturbance::Pause
                                       : Disturbance::Kill;
}

}  // namespace

Status DrillRunner::may_play(const World& world, const std::string& fleet,
                             const DrillInject& inject) const {
  const FleetSpec* spec = world.fleet(fleet);
  const auto driver = drivers_.find(spec ? spec->driver : "");
  if (driver == drivers_.end()) return {};  // The engine says what is wrong.
  return driver->second->may_disturb(needed_for(inject.fault.kind));
}

Status DrillRunner::may_begin(const World& world, const DrillCommand& command) const {
  const auto manifest = command.stop ? nullptr : world.manifest(Kind::Drill, command.drill);
  if (!manifest) return {};
  const auto& drill = manifest->as<DrillSpec>();
  if (!check_injects(drill)) return {};  // The engine says what is wrong.
  for (const DrillInject& inject : drill.injects) {
    if (inject.optional) continue;
    const Status may = may_play(world, drill.fleet, inject);
    if (may) continue;
    return fail(may.error().code,
                fmt::format("inject '{}' cannot be played here: {}; or let it be left out, with "
                            "`optional: true`",
                            inject.name, may.error().message));
  }
  return {};
}

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

// It is over and told, and nothing of it can still hold.
bool DrillRunner::is_settled(const std::string& name, const DrillRun& run) const {
  const bool resumed = std::ranges::all_of(run.strikes, [&](const auto& strike) {
    return !manifest::must_be_ended(strike.second.fault) ||
           ended_.contains(lasting_key(name, strike.first, strike.second));
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
    end_what_lasts(one);
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
  for (std::size_t k = 0; k < play->drill.injects.size(); ++k) {
    const DrillInject& inject = play->drill.injects[k];
    const Duration at = turn.now - turn.run.started;
    if (at < inject.at || turn.run.strikes.contains(inject.name)) continue;
    if (play->asked.contains(inject.name) || play->score.is_left_out(k)) continue;
    if (const Status may = may_play(turn.world, turn.run.fleet, inject); !may) {
      play->score.leave_out(k, may.error().message);
      continue;
    }
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
    const DrillFault& fault = play->drill.injects[k].fault;
    for (const std::string& id : strike->second.instances)
      disturb(turn, disturbance_of(id, fault, strike->second.until - turn.now));
  }
}

// Also those of a process before this one.
void DrillRunner::end_what_lasts(const Turn& turn) {
  for (const auto& [inject, strike] : turn.run.strikes) {
    if (!manifest::must_be_ended(strike.fault)) continue;
    if (turn.run.goes_on() && turn.now < strike.until) continue;
    if (!ended_.insert(lasting_key(turn.name, inject, strike)).second) continue;
    const bool is_pause = strike.fault == manifest::kPause;
    for (const std::string& id : strike.instances)
      disturb(turn, {id, is_pause ? Disturbance::Resume : Disturbance::Network, {}, {}});
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
