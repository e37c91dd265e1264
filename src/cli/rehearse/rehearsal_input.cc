// SPDX-License-Identifier: Apache-2.0
#include "cli/rehearse/rehearsal_input.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "adapters/tzdata/tzdata_version.h"
#include "base/check.h"
#include "base/suggest.h"
#include "cli/manifest_files.h"
#include "cli/terminal.h"

namespace showcaller {

using namespace sim;

namespace {

constexpr Duration kAheadOfSchedule = hours(4);
constexpr double kSessionsASecondMax = 5'000;

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  std::error_code none;
  if (!std::filesystem::is_directory(path, none)) text << file.rdbuf();
  if (!file || text.str().empty()) {
    return fail(ErrorCode::Invalid,
                fmt::format("{} can't be read; is it a file, and not empty?", path));
  }
  return std::move(text).str();
}

bool has_place(const Manifest& manifest, const Fault& fault) {
  if (manifest.kind() != Kind::Fleet) return false;
  for (const RegionSpec& region : manifest.as<FleetSpec>().regions) {
    if (region.name == fault.target && (fault.kind != FaultKind::HostLoss || region.hosts.empty()))
      return true;
    if (fault.kind == FaultKind::HostLoss &&
        std::find(region.hosts.begin(), region.hosts.end(), fault.target) != region.hosts.end())
      return true;
  }
  return false;
}

}  // namespace

Result<std::vector<std::shared_ptr<const Manifest>>> read_played_manifests(
    const std::vector<std::string>& paths) {
  TRY(const auto files, read_manifest_files(paths));
  ParseOptions options;
  options.tzdata_version = read_tzdata_version();
  ParseOutcome parsed = parse_manifests(files, options);
  if (!parsed.findings.empty())
    std::fputs(format_findings(parsed.findings, files, on_terminal(2)).c_str(), stderr);
  if (!parsed.ok()) {
    return fail(ErrorCode::Invalid,
                "the manifests cannot be rehearsed; mend them, and give the files of all that they "
                "refer to (a folder will do)");
  }
  std::vector<std::shared_ptr<const Manifest>> out;
  for (Manifest& manifest : parsed.manifests)
    out.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  return out;
}

Result<std::vector<std::string>> events_named(
    std::span<const std::shared_ptr<const Manifest>> manifests, const std::string& asked) {
  std::vector<std::string> names;
  for (const auto& manifest : manifests) {
    if (manifest->kind() == Kind::LiveEvent) names.push_back(manifest->name);
  }
  if (names.empty())
    return fail(ErrorCode::Invalid, "no LiveEvent is in the files; give its file too");
  if (asked.empty()) return names;
  if (std::find(names.begin(), names.end(), asked) != names.end()) return std::vector{asked};
  return fail(ErrorCode::Invalid, fmt::format("there is no LiveEvent '{}'; the files have {}",
                                              asked, fmt::join(names, ", ")));
}

Result<std::string> event_named(std::span<const std::shared_ptr<const Manifest>> manifests,
                                const std::string& asked) {
  TRY(const auto names, events_named(manifests, asked));
  if (names.size() == 1) return names.front();
  return fail(ErrorCode::Invalid, fmt::format("the files have several LiveEvents; say which with "
                                              "--event: {}",
                                              fmt::join(names, ", ")));
}

Result<Population> read_players_text(const SourceFile& file) {
  std::vector<Finding> findings;
  auto population = read_population(file, &findings);
  if (!findings.empty())
    std::fputs(format_findings(findings, std::span(&file, 1), on_terminal(2)).c_str(), stderr);
  if (!population) return fail(ErrorCode::Invalid, "the population cannot be read");
  return *std::move(population);
}

Result<Population> read_players(const std::string& path, const std::string& curve_path) {
  SourceFile file{"population", "{}"};
  if (!path.empty()) {
    file.name = path;
    TRY(file.text, read_text(path));
  }
  TRY(Population population, read_players_text(file));
  if (curve_path.empty()) return population;
  TRY(const std::string csv, read_text(curve_path));
  auto curve = read_curve(csv);
  if (!curve) return fail(curve.error().code, curve_path + ": " + curve.error().message);
  population.curve = *std::move(curve);
  return population;
}

Result<Instant> start_of(const LiveEventSpec& event, const std::string& at) {
  if (!at.empty()) return parse_instant(at);
  if (event.schedule.start)
    return event.schedule.start->at - event.rollout_begin_before_start - kAheadOfSchedule;
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  return Instant(std::chrono::floor<std::chrono::minutes>(now));
}

const LiveEventSpec& played_event(const RunSpec& run) {
  const auto event = std::ranges::find_if(run.manifests, [&](const auto& manifest) {
    return manifest->kind() == Kind::LiveEvent && manifest->name == run.event;
  });
  CHECK(event != run.manifests.end());  // event_named() found it.
  return (*event)->as<LiveEventSpec>();
}

Status check_population(const Population& population,
                        std::span<const std::shared_ptr<const Manifest>> manifests) {
  std::vector<std::string> known;
  for (const auto& manifest : manifests) {
    if (manifest->kind() != Kind::Fleet) continue;
    for (const RegionSpec& region : manifest->as<FleetSpec>().regions) known.push_back(region.name);
  }
  std::set<std::string> seen;
  double sessions = 0, share = 0;
  for (const RegionCrowd& region : population.regions) {
    if (!known.empty() && std::find(known.begin(), known.end(), region.name) == known.end()) {
      return fail(ErrorCode::Invalid,
                  fmt::format("the population's region '{}' is no fleet's{}", region.name,
                              did_you_mean(region.name, known,
                                           fmt::format("they have {}", fmt::join(known, ", ")))));
    }
    if (!seen.insert(region.name).second)
      return fail(ErrorCode::Invalid,
                  fmt::format("the population names the region '{}' twice", region.name));
    share += region.share;
    sessions += sessions_per_s(population, region, {}, {}, {});
  }
  if (!(share > 0)) return fail(ErrorCode::Invalid, "nobody plays: every region's share is 0");
  if (population.session < seconds(1))
    return fail(ErrorCode::Invalid, "sessions shorter than a second are not played");
  if (sessions > kSessionsASecondMax) {
    return fail(ErrorCode::Limit,
                fmt::format("{:.0f} sessions begin in a second; at most {:.0f} are played: take "
                            "fewer players, or longer sessions",
                            sessions, kSessionsASecondMax));
  }
  return {};
}

Status check_fault(const Fault& fault, const LiveEventSpec& event,
                   std::span<const std::shared_ptr<const Manifest>> manifests) {
  const bool placed = fault.kind == FaultKind::RegionLoss || fault.kind == FaultKind::HostLoss ||
                      fault.kind == FaultKind::Partition;
  if (needs_a_build(fault.kind) && !event.changes_build()) {
    return fail(ErrorCode::Invalid,
                fmt::format("the fault {}: the event brings no build for it", to_text(fault)));
  }
  if (fault.target.empty()) return {};
  if (!placed) {
    return fail(ErrorCode::Invalid,
                fmt::format("the fault {}: only region_loss, partition and host_loss take "
                            "a target",
                            to_text(fault)));
  }
  const bool there = std::any_of(manifests.begin(), manifests.end(),
                                 [&](const auto& manifest) { return has_place(*manifest, fault); });
  if (there) return {};
  return fail(ErrorCode::Invalid,
              fmt::format("the fault {}: no fleet has '{}'", to_text(fault), fault.target));
}

void keep_one_event(std::string_view verb, RunSpec* run) {
  std::vector<std::string> left_out;
  std::erase_if(run->manifests, [&](const auto& manifest) {
    if (manifest->kind() == Kind::Drill) return true;
    if (manifest->kind() != Kind::LiveEvent || manifest->name == run->event) return false;
    left_out.push_back(manifest->name);
    return true;
  });
  if (!left_out.empty())
    std::fputs(fmt::format("{}: only {} is played, without {}\n", verb, run->event,
                           fmt::join(left_out, ", "))
                   .c_str(),
               stderr);
}

void keep_its_time(RunSpec* run) {
  std::vector<std::string> over;
  std::erase_if(run->manifests, [&](const auto& manifest) {
    if (manifest->kind() == Kind::Drill) return true;
    if (manifest->kind() != Kind::LiveEvent || manifest->name == run->event) return false;
    const auto& end = manifest->template as<LiveEventSpec>().schedule.end;
    if (!end || end->at > run->start) return false;
    over.push_back(manifest->name);
    return true;
  });
  if (!over.empty())
    std::fputs(fmt::format("rehearse: {} is played without {}, over by then\n", run->event,
                           fmt::join(over, ", "))
                   .c_str(),
               stderr);
}

}  // namespace showcaller
