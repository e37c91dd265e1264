// SPDX-License-Identifier: Apache-2.0
#include "engine/drill_score.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/alert_plan.h"

namespace showcaller {
namespace {

constexpr std::array<std::string_view, 9> kResponses{"hold", "rollback",  "step_back",
                                                     "pace", "divert",    "quarantine",
                                                     "page", "recovered", "capacity_restored"};

void put_time(json::object* out, std::string_view key, const std::optional<Duration>& time) {
  if (!time) return;
  (*out)[key] = format_duration(std::chrono::floor<std::chrono::seconds>(*time));
  (*out)[fmt::format("{}_s", key)] = double(time->count()) / 1000;
}

// The first of what comes.
void keep_first(std::optional<Duration>* kept, Duration at) {
  if (!*kept) *kept = at;
}

}  // namespace

std::string_view to_string(DrillVerdict verdict) {
  static constexpr std::array<std::string_view, 3> kNames{"pass", "fail", "stopped"};
  return kNames[std::size_t(verdict)];
}

std::string_view to_string(DrillResponse response) {
  return kResponses[std::size_t(response)];
}

bool takes_instances(std::string_view kind) {
  static constexpr std::array<std::string_view, 6> kKinds{
      "instance_loss", "host_loss", "region_loss", "leak", "kill", "pause"};
  return std::ranges::find(kKinds, kind) != kKinds.end();
}

std::string inject_text(const DrillInject& inject) {
  std::string out = inject.fault.kind;
  if (inject.fault.size) out += fmt::format(":{:g}", *inject.fault.size);
  if (!inject.fault.target.empty()) out += "/" + inject.fault.target;
  if (inject.lasts) out += " for " + format_duration(*inject.lasts);
  return out;
}

DrillScore::DrillScore(const DrillSpec& drill, std::string fleet)
    : drill_(drill),
      fleet_(std::move(fleet)),
      injects_(drill.injects.size()),
      came_(drill.expect.size()) {}

void DrillScore::begin(std::size_t inject, const DrillMoment& moment) {
  injects_[inject].began = moment.at;
  // What was on its way out anyhow need not come back.
  injects_[inject].to_serve = std::min(moment.serving, moment.desired);
}

void DrillScore::respond(DrillResponse response, Duration at) {
  for (std::size_t i = 0; i < came_.size(); ++i) {
    if (drill_.expect[i].that != response) continue;
    for (std::size_t k = 0; k < injects_.size(); ++k) {
      if (drill_.injects[k].name == drill_.expect[i].after && injects_[k].began)
        keep_first(&came_[i], at - *injects_[k].began);
    }
  }
  if (response != DrillResponse::Recovered && response != DrillResponse::CapacityRestored)
    detect(at, false);
}

// A loss of instances tells of what takes instances alone: single ones end at any time.
void DrillScore::detect(Duration at, bool of_instances) {
  for (std::size_t k = 0; k < injects_.size(); ++k) {
    if (!injects_[k].began) continue;
    if (of_instances && !takes_instances(drill_.injects[k].fault.kind)) continue;
    keep_first(&injects_[k].detected, at - *injects_[k].began);
  }
}

void DrillScore::note_instance(const InstanceMoved& moved, Duration at) {
  if (moved.fleet != fleet_) return;
  if (moved.to == InstancePhase::Draining || moved.to == InstancePhase::Stopping)
    stopping_.insert(moved.id);
  const bool lost = moved.to == InstancePhase::Unhealthy || moved.to == InstancePhase::Gone;
  if (lost && !stopping_.contains(moved.id)) detect(at, true);
}

void DrillScore::note_phase(const PhaseChanged& phase, Duration at) {
  if (phase.to == Phase::RollingBack) respond(DrillResponse::Rollback, at);
  if (phase.input == PhaseInput::StepBack) respond(DrillResponse::StepBack, at);
  if (phase.to != Phase::RolledBack && phase.to != Phase::Live) return;
  for (Inject& inject : injects_) {
    if (inject.began) keep_first(&inject.recovered, at - *inject.began);
  }
  respond(DrillResponse::Recovered, at);
}

void DrillScore::note(const Record& record, Duration at) {
  using enum DrillResponse;
  const auto ours = [&](const std::string& event) {
    return drill_.event.empty() || event == drill_.event;
  };
  const Payload& payload = record.payload;
  if (const auto* hold = std::get_if<HoldSet>(&payload); hold && ours(hold->event))
    respond(Hold, at);
  if (const auto* phase = std::get_if<PhaseChanged>(&payload); phase && ours(phase->event))
    note_phase(*phase, at);
  if (const auto* pace = std::get_if<PaceSet>(&payload); pace && ours(pace->event)) {
    if (pace->per_minute > 0) respond(Pace, at);
  }
  if (const auto* divert = std::get_if<DivertSet>(&payload); divert && ours(divert->event)) {
    if (divert->on) respond(Divert, at);
  }
  if (const auto* set = std::get_if<QuarantineSet>(&payload); set && set->fleet == fleet_)
    respond(Quarantine, at);
  if (calls_somebody(payload)) respond(Page, at);
  if (const auto* verdict = std::get_if<VerdictChanged>(&payload);
      verdict && ours(verdict->event)) {
    const bool calm =
        verdict->verdict == VerdictName::Pass || verdict->verdict == VerdictName::Thin;
    if (!calm) detect(at, false);
  }
  if (const auto* moved = std::get_if<InstanceMoved>(&payload)) note_instance(*moved, at);
}

// Until it has fallen, nothing was lost yet. What is wished for now says nothing: where sessions
// died with their instances, less is wished for.
void DrillScore::follow_capacity(Inject* inject, const DrillMoment& moment) {
  if (!inject->began || inject->restored) return;
  if (moment.serving < inject->to_serve)
    inject->fell = true;
  else if (inject->fell)
    inject->restored = moment.at - *inject->began;
}

void DrillScore::look(const DrillMoment& moment) {
  for (std::size_t k = 0; k < injects_.size(); ++k) {
    follow_capacity(&injects_[k], moment);
    if (!injects_[k].restored) continue;
    for (std::size_t i = 0; i < came_.size(); ++i) {
      const DrillExpectation& expected = drill_.expect[i];
      // Where no event is played, all is well when everything serves again.
      const bool is_it = expected.that == DrillResponse::CapacityRestored ||
                         (expected.that == DrillResponse::Recovered && drill_.event.empty());
      if (is_it && expected.after == drill_.injects[k].name)
        keep_first(&came_[i], *injects_[k].restored);
    }
  }
  check_stops(moment);
}

void DrillScore::check_stops(const DrillMoment& moment) {
  std::optional<Duration> first;
  for (const Inject& inject : injects_) {
    if (inject.began && (!first || *inject.began < *first)) first = inject.began;
  }
  if (!first || stopped_) return;
  for (const DrillStop& stop : drill_.stop_when) {
    if (stop.headroom_below_ppm && moment.headroom &&
        *moment.headroom < double(*stop.headroom_below_ppm) / 1e6) {
      stopped_ = fmt::format("headroom is {:.3g} %, below {:.4g} %", *moment.headroom * 100,
                             double(*stop.headroom_below_ppm) / 1e4);
    } else if (stop.players_harmed_over && moment.players_harmed &&
               *moment.players_harmed > *stop.players_harmed_over) {
      stopped_ = fmt::format("{} players were harmed, more than {}", *moment.players_harmed,
                             *stop.players_harmed_over);
    } else if (stop.lasts_over && moment.at - *first > *stop.lasts_over) {
      stopped_ = fmt::format("it lasts longer than {}", format_duration(*stop.lasts_over));
    }
    if (stopped_) return;
  }
}

bool DrillScore::waits(Duration at, Until until) const {
  if (stopped_) return false;
  const int patience = until == Until::Late ? 3 : 1;
  for (std::size_t k = 0; k < injects_.size(); ++k) {
    if (is_left_out(k)) continue;
    if (!injects_[k].began) return true;
    const auto& lasts = drill_.injects[k].lasts;
    if (lasts && at < *injects_[k].began + *lasts) return true;
    for (std::size_t i = 0; i < came_.size(); ++i) {
      const DrillExpectation& expected = drill_.expect[i];
      if (expected.after == drill_.injects[k].name && !came_[i] &&
          at < *injects_[k].began + patience * expected.within)
        return true;
    }
  }
  return false;
}

std::string_view DrillScore::state_of(std::size_t expectation) const {
  const DrillExpectation& expected = drill_.expect[expectation];
  if (came_[expectation]) return *came_[expectation] <= expected.within ? "met" : "late";
  for (std::size_t k = 0; k < injects_.size(); ++k) {
    if (drill_.injects[k].name == expected.after && is_left_out(k)) return "left_out";
  }
  if (stopped_) return "stopped";
  for (std::size_t k = 0; k < injects_.size(); ++k) {
    if (drill_.injects[k].name == expected.after && injects_[k].began) return "missed";
  }
  return "not_played";
}

DrillVerdict DrillScore::verdict() const {
  if (stopped_) return DrillVerdict::Stopped;
  for (const Inject& inject : injects_) {
    if (!inject.began && !inject.left_out) return DrillVerdict::Fail;
  }
  for (std::size_t i = 0; i < came_.size(); ++i) {
    if (state_of(i) != "met" && state_of(i) != "left_out") return DrillVerdict::Fail;
  }
  return DrillVerdict::Pass;
}

std::optional<Duration> DrillScore::recovery_of(std::size_t inject) const {
  return takes_instances(drill_.injects[inject].fault.kind) || drill_.event.empty()
             ? injects_[inject].restored
             : injects_[inject].recovered;
}

json::object DrillScore::report() const {
  json::array injects, expectations, why;
  if (stopped_) why.push_back(json::value("stopped: " + *stopped_));
  for (std::size_t k = 0; k < injects_.size(); ++k) {
    json::object line{{"name", drill_.injects[k].name}, {"fault", inject_text(drill_.injects[k])}};
    put_time(&line, "at", injects_[k].began);
    put_time(&line, "detected_after", injects_[k].detected);
    put_time(&line, "recovered_after", recovery_of(k));
    if (is_left_out(k)) {
      line["left_out"] = *injects_[k].left_out;
      why.push_back(json::value(
          fmt::format("{} was left out: {}", drill_.injects[k].name, *injects_[k].left_out)));
    } else if (!injects_[k].began && !stopped_)
      why.push_back(json::value(fmt::format("{} was never played", drill_.injects[k].name)));
    injects.push_back(std::move(line));
  }
  for (std::size_t i = 0; i < came_.size(); ++i) {
    const DrillExpectation& expected = drill_.expect[i];
    json::object line{{"that", to_string(expected.that)},
                      {"after", expected.after},
                      {"within", format_duration(expected.within)},
                      {"state", state_of(i)}};
    put_time(&line, "took", came_[i]);
    if (!stopped_ && (state_of(i) == "late" || state_of(i) == "missed"))
      why.push_back(json::value(
          fmt::format("{} after {} {}", to_string(expected.that), expected.after,
                      came_[i] ? fmt::format("took {}, not {}", format_duration(*came_[i]),
                                             format_duration(expected.within))
                               : std::string("never came"))));
    expectations.push_back(std::move(line));
  }
  json::object out{{"verdict", to_string(verdict())}, {"why", std::move(why)}};
  if (stopped_) out["stopped"] = *stopped_;
  out["injects"] = std::move(injects);
  out["expectations"] = std::move(expectations);
  return out;
}

}  // namespace showcaller
