// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/small_game.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "model/manifest/manifest.h"

namespace showcaller::sim {
namespace {

constexpr const char* kHouse = R"(
apiVersion: showcaller.dev/v1
kind: Team
metadata: { name: raids, owner: raids }
spec: { members: [ann, bob], escalation: [bob, ann], escalate_after: [1m] }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: grants, owner: raids }
spec: { url: "http://127.0.0.1:1/api" }
---
apiVersion: showcaller.dev/v1
kind: Metric
metadata: { name: session.error, owner: raids }
spec: { type: binary, better: lower }
---
apiVersion: showcaller.dev/v1
kind: Flag
metadata: { name: lobby, owner: raids }
spec: { variants: { new: new, old: old }, defaultVariant: old }
---
apiVersion: showcaller.dev/v1
kind: Policy
metadata: { name: house-rules, owner: raids }
spec:
  approvals: [ { name: second, when: { risk: [high] }, count: 1 } ]
---
apiVersion: showcaller.dev/v1
kind: Fleet
metadata: { name: raid, owner: raids }
spec:
  base: 1.0.0
  builds:
    - { version: 1.0.0, command: [raid, --old] }
    - { version: 1.1.0, command: [raid, --new] }
  regions: [ { name: eu, zone: Europe/Berlin, hosts: [eu-1, eu-2] }, { name: na, zone: America/Chicago } ]
  capacity: { min: 40, max: 300, buffer: 30, canary_min: 6 }
  session: { length_max: 4m }
---
apiVersion: showcaller.dev/v1
kind: Service
metadata: { name: lobby, owner: raids }
spec:
  depends_on: [grants]
  degradation_order: [ { feature: news, flag: lobby, fallback: old } ]
  degradation: { headroom: 20%, fleets: [raid], after: 10s, dwell: 20s, calm: 30s }
---
apiVersion: showcaller.dev/v1
kind: LiveEvent
metadata: { name: gala, owner: raids }
spec:
  risk: high
  changes:
    - build: { fleet: raid, version: 1.1.0 }
    - action: { do: grants/open, undo: grants/close }
  rollout:
    unit: party
    stages:
      - { name: canary, exposure: 20%, bake: { min: 5m, max: 40m } }
      - { name: half, exposure: 50%, bake: 3m, gated: false }
      - { name: world, exposure: 100%, bake: 1m, gated: false }
  analysis: { tick: 10s, warmup: 20s, profile: C }
  gates:
    - { metric: session.crashed, worse_by_at_most: 0%, must_detect: 8x, on_fail: rollback }
    - { metric: session.error, worse_by_at_most: 0%, must_detect: 5x, on_fail: rollback }
  rollback: { sessions: { drain: 5m, then: leave }, within: 30m }
)";

std::vector<std::shared_ptr<const Manifest>> parsed(const std::string& text) {
  const SourceFile source{"house.yaml", text};
  ParseOutcome outcome = parse_manifests(std::span(&source, 1), {});
  EXPECT_TRUE(outcome.ok()) << format_findings(outcome.findings, std::span(&source, 1));
  std::vector<std::shared_ptr<const Manifest>> out;
  for (Manifest& manifest : outcome.manifests)
    out.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  return out;
}

const std::vector<std::shared_ptr<const Manifest>>& house() {
  static const auto manifests = parsed(kHouse);
  return manifests;
}

}  // namespace

std::shared_ptr<const Manifest> revised_gala(int within_minutes) {
  std::string text = kHouse;
  const std::string_view written = "within: 30m";
  text.replace(text.find(written), written.size(), fmt::format("within: {}m", within_minutes));
  return parsed(text).back();
}

std::shared_ptr<const Manifest> freeze_until(Instant end) {
  return parsed(fmt::format(R"(
apiVersion: showcaller.dev/v1
kind: Policy
metadata: {{ name: quiet-hours, owner: raids }}
spec:
  freezes: [ {{ name: quiet, from: 2026-01-01T00:00:00Z, to: {} }} ]
)",
                            format_instant(end)))
      .front();
}

RunSpec small_game(const std::string& faults) {
  RunSpec spec;
  spec.manifests = house();
  spec.event = "gala";
  std::vector<Finding> findings;
  auto population =
      read_population({"people.yaml",
                       "players: 900\nsession: { length: 90s, players: 4, crashes: 1% }\n"
                       "shocks_per_hour: 0\nhouse: { approval: 1m, answer: 2m }\n"},
                      &findings);
  EXPECT_TRUE(population);
  spec.population = fitted(*population, spec.manifests);
  spec.start = parse_instant("2026-06-01T12:00:00Z").value();
  spec.watched = minutes(3);
  spec.horizon = hours(2);
  for (std::size_t from = 0; from < faults.size();) {
    const std::size_t comma = std::min(faults.find(',', from), faults.size());
    auto fault = parse_fault(faults.substr(from, comma - from));
    EXPECT_TRUE(fault) << fault.error().message;
    spec.faults.push_back(*fault);
    from = comma + 1;
  }
  return spec;
}

}  // namespace showcaller::sim
