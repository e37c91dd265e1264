// SPDX-License-Identifier: Apache-2.0
#include "compute/start_culprit.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace showcaller {
namespace {

// Failures and what runs, under one condition on the place.
struct Tally {
  std::int64_t failures = 0;
  std::set<std::string> builds, hosts;  // that fail
  bool runs = false;
};

class Blame {
 public:
  Blame(std::span<const FailingStart> failing, std::span<const StartPlace> running,
        std::int64_t failures_min)
      : failing_(failing), running_(running), min_(failures_min) {}

  std::optional<Culprit> of(const StartPlace& place) const {
    const auto [build, region, host] = place;
    const Tally on_host =
        tally([&](const StartPlace& p) { return p.host == host && p.region == region; });
    const Tally in_region = tally([&](const StartPlace& p) { return p.region == region; });
    const Tally of_build = tally([&](const StartPlace& p) { return p.build == build; });
    const Tally of_pair = tally([&](const StartPlace& p) { return p == place; });

    if (in_region.failures >= min_ && !in_region.runs && in_region.builds.size() > 1 &&
        in_region.hosts.size() > 1) {
      return Culprit{
          QuarantineScope::Region, region,
          fmt::format("{} starts in a row failed in region {}: {} builds on {} hosts, and nothing "
                      "runs there",
                      in_region.failures, region, in_region.builds.size(), in_region.hosts.size())};
    }
    if (on_host.failures >= min_ && !on_host.runs && (on_host.builds.size() > 1 || of_build.runs)) {
      return Culprit{QuarantineScope::Host, host,
                     fmt::format("{} starts in a row failed on host {}: {}, and nothing runs there",
                                 on_host.failures, host,
                                 on_host.builds.size() > 1
                                     ? fmt::format("builds {}", fmt::join(on_host.builds, ", "))
                                     : fmt::format("build {} runs elsewhere", build))};
    }
    if (of_build.failures >= min_ && !of_build.runs) {
      return Culprit{
          QuarantineScope::Build, build,
          fmt::format("{} starts in a row of build {} failed, on {} {}, and it runs nowhere",
                      of_build.failures, build, of_build.hosts.size() > 1 ? "hosts" : "host",
                      fmt::join(of_build.hosts, ", "))};
    }
    if (of_pair.failures >= min_ && !of_pair.runs && of_build.runs && on_host.runs) {
      return Culprit{QuarantineScope::Build, build + "@" + host,
                     fmt::format("{} starts in a row of build {} failed on host {}; the build runs "
                                 "elsewhere and other "
                                 "builds run there",
                                 of_pair.failures, build, host)};
    }
    return std::nullopt;
  }

 private:
  template <class Holds>
  Tally tally(Holds holds) const {
    Tally out;
    for (const FailingStart& start : failing_) {
      if (start.failures <= 0 || !holds(start.place)) continue;
      out.failures += start.failures;
      out.builds.insert(start.place.build);
      out.hosts.insert(start.place.host);
    }
    out.runs = std::any_of(running_.begin(), running_.end(), holds);
    return out;
  }

  std::span<const FailingStart> failing_;
  std::span<const StartPlace> running_;
  std::int64_t min_;
};

}  // namespace

std::vector<Culprit> name_culprits(std::span<const FailingStart> failing,
                                   std::span<const StartPlace> running, std::int64_t failures_min) {
  std::vector<Culprit> out;
  if (failures_min <= 0) return out;
  const Blame blame(failing, running, failures_min);
  for (const FailingStart& start : failing) {
    if (start.failures <= 0) continue;
    auto culprit = blame.of(start.place);
    if (!culprit) continue;
    const bool known = std::any_of(out.begin(), out.end(), [&](const Culprit& c) {
      return c.scope == culprit->scope && c.subject == culprit->subject;
    });
    if (!known) out.push_back(std::move(*culprit));
  }
  return out;
}

}  // namespace showcaller
