// SPDX-License-Identifier: Apache-2.0
// Drills on a server: only on a staging fleet of its own, only with what it can do and undo there,
// and never for longer than is said before.
#include "engine/decide_drill.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/decide_parts.h"
#include "model/manifest/drill_faults.h"

namespace showcaller {
namespace {

constexpr std::string_view kStageLabel = "stage", kStaging = "staging";
// Of a drill that sets no end of its own: so long after what is expected.
constexpr Duration kPatience = minutes(10);
constexpr Duration kLongest = hours(4);
constexpr double kDelayMsMax = 10'000;

Status check_size(const DrillInject& inject) {
  const double size = inject.fault.size.value_or(0);
  const bool is_delay = inject.fault.kind == manifest::kNetDelay;
  if (size >= 0 && size <= (is_delay ? kDelayMsMax : 1)) return {};
  const std::string_view asked = is_delay ? "milliseconds, from 0 to 10000"
                                 : inject.fault.kind == manifest::kNetLoss
                                     ? "a share of the packets, from 0 to 1"
                                     : "a share of the instances, from 0 to 1";
  return fail(ErrorCode::Invalid,
              fmt::format("inject '{}' is of a size of {:g}; say {}", inject.name, size, asked));
}

}  // namespace

Status check_injects(const DrillSpec& drill) {
  for (const DrillInject& inject : drill.injects) {
    const std::string& kind = inject.fault.kind;
    if (!manifest::is_of_servers(kind)) {
      return fail(
          ErrorCode::Invalid,
          fmt::format("a server can only kill and pause its own instances and disturb their "
                      "network, and inject '{}' is {}; play the drill in the simulator: "
                      "`showcaller drill run FILES`",
                      inject.name, kind));
    }
    if (manifest::must_be_ended(kind) && !inject.lasts) {
      return fail(
          ErrorCode::Invalid,
          fmt::format("inject '{}' ({}) does not say how long; add `for: 1m`", inject.name, kind));
    }
    TRY(check_size(inject));
  }
  return {};
}

namespace {

Status check_fleet(const World& world, const std::string& name) {
  if (name.empty()) {
    return fail(ErrorCode::Invalid,
                "the drill names no fleet that a server could play it on; add `spec.fleet`");
  }
  const auto fleet = world.manifest(Kind::Fleet, name);
  if (!fleet)
    return fail(ErrorCode::NotFound,
                fmt::format("there is no Fleet '{}'; `showcaller get fleets` lists them", name));
  const auto label = fleet->labels.find(std::string(kStageLabel));
  if (label == fleet->labels.end() || label->second != kStaging) {
    return fail(ErrorCode::Forbidden,
                fmt::format("Fleet '{}' is not labelled `stage: staging`, and drills are played on "
                            "no other; label it in its metadata if no player is on it",
                            name));
  }
  return {};
}

// When all is over at the latest.
Duration length_of(const DrillSpec& drill) {
  Duration out{};
  for (const DrillInject& inject : drill.injects) {
    out = std::max(out, inject.at + inject.lasts.value_or(Duration{}));
    for (const DrillExpectation& expected : drill.expect) {
      if (expected.after == inject.name) out = std::max(out, inject.at + expected.within);
    }
  }
  out += kPatience;
  for (const DrillStop& stop : drill.stop_when) {
    if (stop.lasts_over) out = std::min(out, drill.injects.front().at + *stop.lasts_over);
  }
  return std::min(out, kLongest);
}

// Of two drills on a fleet neither would know whose doing anything is.
Status check_alone(const World& world, const std::string& fleet) {
  std::string other;
  world.drills.each([&](const std::string& name, const DrillRun& run) {
    if (run.goes_on() && run.fleet == fleet) other = name;
  });
  if (other.empty()) return {};
  return fail(
      ErrorCode::Conflict,
      fmt::format("drill '{}' goes on on fleet '{}'; wait for its end, or stop it", other, fleet));
}

}  // namespace

Result<Decision> decide_drill(const World& world, const DrillCommand& command,
                              const std::string& reason, Instant now) {
  if (command.stop) {
    const DrillRun* run = world.drills.find(command.drill);
    if (!run || !run->goes_on())
      return fail(ErrorCode::Conflict, fmt::format("no drill '{}' goes on", command.drill));
    // The report of what came until now is the host's to add, and it is told by this record alone.
    return Decision{{DrillEnded{command.drill, "stopped", reason, {}}}, {}, {}};
  }
  const auto manifest = world.manifest(Kind::Drill, command.drill);
  if (!manifest) {
    return fail(ErrorCode::NotFound,
                fmt::format("there is no Drill '{}'; apply it first", command.drill));
  }
  const auto& drill = manifest->as<DrillSpec>();
  TRY(check_fleet(world, drill.fleet));
  TRY(check_injects(drill));
  TRY(check_alone(world, drill.fleet));
  const Instant until = now + length_of(drill);
  return Decision{{DrillStarted{command.drill, drill.fleet, manifest->document, until}},
                  {},
                  {fmt::format("drill '{}' begins on fleet '{}' and ends at {} at the latest",
                               command.drill, drill.fleet, format_instant(world.wall(until)))}};
}

}  // namespace showcaller
