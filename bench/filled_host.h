// SPDX-License-Identifier: Apache-2.0
// A host filled with fleets and LiveEvents through its own commands, and an operator who gives it
// many more.
#pragma once

#include <string>

#include <fmt/format.h>

#include "base/check.h"
#include "engine/known.h"
#include "host/engine_host.h"
#include "model/manifest/manifest.h"

namespace showcaller::bench {

constexpr int kEvents = 1'000;
constexpr std::size_t kBatch = 1'000;

inline std::string house(int fleets) {
  std::string text =
      "apiVersion: showcaller.dev/v1\nkind: Team\nmetadata: { name: live-ops, owner: live-ops }\n"
      "spec: { members: [on-call] }\n";
  for (int f = 0; f < fleets; ++f) {
    text += fmt::format(
        "---\napiVersion: showcaller.dev/v1\nkind: Fleet\n"
        "metadata: {{ name: fleet-{}, owner: live-ops }}\n"
        "spec:\n  driver: process\n  base: 1.0.0\n  builds:\n"
        "    - {{ version: 1.0.0, command: [./server] }}\n"
        "    - {{ version: 1.1.0, command: [./server] }}\n"
        "  regions: [ {{ name: eu, zone: UTC, hosts: [h1, h2] }} ]\n"
        "  capacity: {{ min: 10, max: 100000, buffer: 10 }}\n",
        f);
  }
  return text;
}

inline std::string events(int from, int to, int fleets) {
  std::string text;
  for (int e = from; e < to; ++e) {
    text += fmt::format(
        "---\napiVersion: showcaller.dev/v1\nkind: LiveEvent\n"
        "metadata: {{ name: event-{:04}, owner: live-ops }}\nspec:\n"
        "  changes:\n    - config: {{ document: rules-{}, version: 2, value: {{ gravity: 0.9 }} "
        "}}\n"
        "  schedule: {{ start: 2037-01-0{}T10:00:00Z }}\n"
        "  rollout:\n    unit: party\n    stages:\n"
        "      - {{ name: canary, exposure: 5%, bake: 10m, gated: false }}\n"
        "      - {{ name: all, exposure: 100%, gated: false, bake: 10m }}\n",
        e, e, 1 + e % fleets % 9);
  }
  return text;
}

inline ApplyCommand apply_of(const World& world, const std::string& text) {
  const SourceFile source{"bench.yaml", text};
  ParseOptions options;
  options.tzdata_version = "bench";
  options.known = known_manifests(std::make_shared<const World>(world));
  ParseOutcome parsed = parse_manifests(std::span(&source, 1), options);
  for (const Finding& finding : parsed.findings) {
    if (finding.severity != Severity::Error) continue;
    fmt::print(stderr, "{}:{}: {}\n", finding.line, finding.column, finding.message);
    std::abort();
  }
  ApplyCommand apply;
  for (Manifest& manifest : parsed.manifests) {
    apply.manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  }
  return apply;
}

inline Command by_ops(CommandBody body, std::string key = {}) {
  return {std::move(body), {"ops", {"admin"}}, std::move(key), {}, "bench"};
}

// Events by name, ready to be held and resumed.
inline void fill(EngineHost* host, int fleets) {
  const auto run = [&](CommandBody body) {
    CHECK(host->submit(by_ops(std::move(body)), [](Result<Receipt> receipt) {
      if (!receipt) fmt::print(stderr, "{}\n", receipt.error().message);
      CHECK(receipt.has_value());
    }));
    CHECK(host->run_batch().value());
  };
  run(apply_of(*host->published(), house(fleets)));
  for (int e = 0; e < kEvents; e += 100)
    run(apply_of(*host->published(), events(e, e + 100, fleets)));
}

// Holds and resumes, each with a key of its own, a thousand a batch.
class Operator {
 public:
  explicit Operator(EngineHost* host) : host_(host) {}

  std::uint64_t command(std::size_t commands) {
    for (std::size_t done = 0; done < commands; done += kBatch) {
      for (std::size_t i = 0; i < kBatch; ++i) CHECK(host_->submit(next(), count()));
      CHECK(host_->run_batch().value());
    }
    CHECK(answered_ == serial_);
    return commands;
  }
  Command next() {
    const std::uint64_t serial = serial_++;
    const EventVerb verb = serial / kEvents % 2 ? EventVerb::Resume : EventVerb::Hold;
    return by_ops(EventCommand{fmt::format("event-{:04}", serial % kEvents), verb},
                  fmt::format("key-{:016x}", serial * 0x9e3779b97f4a7c15ULL));
  }
  Reply count() {
    return [this](Result<Receipt> receipt) {
      CHECK(receipt.has_value() && receipt->seq > 0);
      ++answered_;
    };
  }

 private:
  EngineHost* host_;
  std::uint64_t serial_ = 0, answered_ = 0;
};

}  // namespace showcaller::bench
