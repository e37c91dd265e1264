// SPDX-License-Identifier: Apache-2.0
// How much faster than the game a rehearsal plays it: a staged rollout of a flag and of a build to
// 100,000 players at both levels, three days and ten weeks of an event played to its end, and how
// runs share the machine's cores. The reference is the time that was asked for, or the other level
// in the same run.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"
#include "bench/figure.h"
#include "model/manifest/manifest.h"
#include "sim/run.h"

namespace showcaller {
namespace {

using sim::RehearsalLevel;
using sim::RunSpec;

constexpr const char* kGame = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: {{ name: raids, owner: raids }}
spec: {{ members: [ann] }}
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: {{ name: session.error, owner: raids }}
spec: {{ type: binary, better: lower }}
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: {{ name: join.latency, owner: raids }}
spec: {{ type: quantile, better: lower, unit: ms }}
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: {{ name: shop-v2, owner: raids }}
spec: {{ state: ENABLED, variants: {{ "on": true, "off": false }}, defaultVariant: "off" }}
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: {{ name: raid, owner: raids }}
spec:
  base: 1.0.0
  builds:
    - {{ version: 1.0.0, command: [raid], sessions_per_instance: 50 }}
    - {{ version: 1.1.0, command: [raid], sessions_per_instance: 50 }}
  regions: [ {{ name: eu, zone: Europe/Berlin }} ]
  capacity: {{ min: 500, max: 2000, buffer: 40, canary_min: 20 }}
  session: {{ length_max: 2h }}
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: {{ name: shop, owner: raids }}
spec:
  {schedule}
  changes: [ {change} ]
  rollout:
    unit: {unit}
    stages:
      - {{ name: canary, exposure: 20%, bake: 40m }}
      - {{ name: half, exposure: 50%, bake: 40m }}
      - {{ name: world, exposure: 100%, bake: 30m, gated: false }}
  analysis: {{ tick: {tick}, profile: G1 }}
  gates:
    {crashes}
    - {{ metric: session.error, worse_by_at_most: 0%, must_detect: 3x, on_fail: rollback }}
    - {{ metric: join.latency, quantile: 0.99, worse_by_at_most: 10%, must_detect: 3x, on_fail: rollback }}
  on_thin: widen
)";

constexpr const char* kCrashes =
    "- { metric: session.crashed, worse_by_at_most: 0%, must_detect: 10x, on_fail: rollback }";

struct Game {
  std::string change = "flag: { key: shop-v2, to: \"on\" }", unit = "player", tick = "10s";
  std::string schedule, crashes = kCrashes;
  double players = 100'000, registered = 1'000'000;
  Duration watched = minutes(1);
};

RunSpec spec_of(const Game& game, RehearsalLevel level) {
  const std::string text = fmt::format(
      kGame, fmt::arg("schedule", game.schedule), fmt::arg("change", game.change),
      fmt::arg("unit", game.unit), fmt::arg("tick", game.tick), fmt::arg("crashes", game.crashes));
  const SourceFile source{"game.yaml", text};
  ParseOutcome parsed = parse_manifests(std::span(&source, 1), {});
  CHECK(parsed.ok());
  RunSpec spec;
  for (Manifest& manifest : parsed.manifests)
    spec.manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  spec.event = "shop";
  spec.population.players = game.players;
  spec.population.registered = game.registered;
  spec.population.session = minutes(20);
  spec.population.session_players = 4;
  spec.population.crash_ppm = 5'000;
  spec.population.regions = {{"eu"}};
  spec.population = fitted(spec.population, spec.manifests);
  spec.start = parse_instant("2026-06-01T12:00:00Z").value();
  spec.watched = game.watched;
  spec.horizon = hours(24 * 100);
  spec.level = level;
  return spec;
}

struct Played {
  double cpu_s = 0, simulated_s = 0;
};

Played play(const RunSpec& spec) {
  const double start = bench::now_s(CLOCK_PROCESS_CPUTIME_ID);
  const sim::RunResult result = run(spec);
  const double end = bench::now_s(CLOCK_PROCESS_CPUTIME_ID);
  if (result.ending != sim::Ending::Live)
    std::fprintf(stderr, "rehearsal_bench: %s\n", result.why.c_str());
  return {end - start, double((result.took - result.skipped).count()) / 1000};
}

bench::Figure figure(std::string name, std::string unit, double ours, double reference,
                     std::string reference_name) {
  return {std::move(name),           std::move(unit),  ours, reference,
          std::move(reference_name), ours / reference, 0};
}

// CPU seconds for two simulated hours, seeds and levels in turn; then what the quick level saves.
void two_hours(const char* name, const Game& game, std::vector<bench::Figure>* out) {
  std::vector<double> evidence, session, ratio;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto two_hours_of = [&](RehearsalLevel level) {
      RunSpec spec = spec_of(game, level);
      spec.seed = seed;
      const Played played = play(spec);
      return played.cpu_s * 7'200 / played.simulated_s;
    };
    evidence.push_back(two_hours_of(RehearsalLevel::Evidence));
    session.push_back(two_hours_of(RehearsalLevel::Session));
    ratio.push_back(evidence.back() / session.back());
  }
  out->push_back(figure(fmt::format("rehearse_2h_100k_{}_evidence", name), "cpu s",
                        bench::median(evidence), 0.5, "asked at most"));
  out->push_back(figure(fmt::format("rehearse_2h_100k_{}_session", name), "cpu s",
                        bench::median(session), 20, "asked at most"));
  bench::Figure saved = figure(fmt::format("rehearse_{}_levels", name), "cpu s",
                               bench::median(evidence), bench::median(session), "session level");
  saved.ratio = bench::median(ratio);
  out->push_back(saved);
}

// Played on to its end with a holdback, every tick of it judged.
Played to_the_end(int days) {
  const Instant start = parse_instant("2026-06-01T18:00:00Z").value();
  Game game;
  game.tick = "1m";
  game.schedule = fmt::format(
      "schedule: {{ start: \"{}\", end: \"{}\" }}\n"
      "  watch: {{ for: until_end, holdback: 2% }}",
      format_instant(start), format_instant(start + hours(24 * days)));
  game.watched = hours(24 * 100);
  return play(spec_of(game, RehearsalLevel::Evidence));
}

bench::Figure times_real_time(const char* name, const Played& played) {
  return figure(name, "times real time", played.simulated_s / played.cpu_s, 100'000,
                "asked at least");
}

void days(std::vector<bench::Figure>* out) {
  out->push_back(times_real_time("rehearse_3_days_to_the_end", to_the_end(3)));
}

void weeks(std::vector<bench::Figure>* out) {
  const Played played = to_the_end(70);
  out->push_back(times_real_time("rehearse_10_weeks_to_the_end", played));
  out->push_back(figure("rehearse_10_weeks", "cpu s", played.cpu_s, 60, "asked at most"));
}

struct Spent {
  double wall_s = 0, cpu_s = 0;
};

// Sixteen runs on so many threads.
Spent sixteen_runs(int threads) {
  constexpr int kRuns = 16;
  std::atomic<int> next = 0;
  const auto work = [&] {
    for (int i = next++; i < kRuns; i = next++) {
      RunSpec spec = spec_of({}, RehearsalLevel::Evidence);
      spec.seed = std::uint64_t(i + 1);
      (void)run(spec);
    }
  };
  const double wall = bench::now_s(CLOCK_MONOTONIC);
  const double cpu = bench::now_s(CLOCK_PROCESS_CPUTIME_ID);
  {
    std::vector<std::jthread> pool;
    for (int i = 1; i < threads; ++i) pool.emplace_back(work);
    work();
  }
  return {bench::now_s(CLOCK_MONOTONIC) - wall, bench::now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu};
}

// Wall time on one thread over that on all times the threads, which needs an idle machine; and the
// same of CPU time, which says what runs beside each other cost one another.
void cores(std::vector<bench::Figure>* figures) {
  const int threads = int(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<double> of_wall, of_cpu;
  Spent one, all;
  for (int round = 0; round < 3; ++round) {
    one = sixteen_runs(1);
    all = sixteen_runs(threads);
    of_wall.push_back(one.wall_s / (all.wall_s * threads));
    of_cpu.push_back(one.cpu_s / all.cpu_s);
  }
  const auto told = [&](const char* name, const char* unit, double ours, double reference,
                        const std::vector<double>& ratios) {
    bench::Figure out = figure(name, unit, ours, reference, "one core");
    out.ratio = bench::median(ratios);
    out.spread = bench::spread_of(ratios);
    figures->push_back(out);
  };
  told("rehearse_core_efficiency", "wall s", all.wall_s * threads, one.wall_s, of_wall);
  told("rehearse_core_cost", "cpu s", all.cpu_s, one.cpu_s, of_cpu);
}

void flag(std::vector<bench::Figure>* out) {
  two_hours("flag", {}, out);
}

void build(std::vector<bench::Figure>* out) {
  Game game;
  game.change = "build: { fleet: raid, version: 1.1.0 }";
  game.unit = "party";
  game.crashes.clear();  // Instances that die are too few events to be judged in two hours.
  two_hours("build", game, out);
}

constexpr struct {
  std::string_view name;
  void (*measure)(std::vector<bench::Figure>* out);
} kParts[] = {{"flag", flag}, {"build", build}, {"days", days}, {"weeks", weeks}, {"cores", cores}};

}  // namespace
}  // namespace showcaller

// Those of the parts that are named, or all.
int main(int argc, char** argv) {
  using namespace showcaller;
  const auto is_named = [&](std::string_view part) {
    return std::find(argv + 1, argv + argc, part) != argv + argc;
  };
  const bool some = std::any_of(std::begin(kParts), std::end(kParts),
                                [&](const auto& part) { return is_named(part.name); });
  std::vector<bench::Figure> figures;
  for (const auto& part : kParts) {
    if (!some || is_named(part.name)) part.measure(&figures);
  }
  bench::print_figures(argc, argv, figures);
}
