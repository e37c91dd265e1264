// SPDX-License-Identifier: Apache-2.0
// A large world: what it weighs, what a pass over it costs, and that a batch's cost does not depend
// on its size.
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "adapters/clock/system_clock.h"
#include "bench/figure.h"
#include "bench/filled_host.h"
#include "flow/memory_evidence_store.h"
#include "flow/memory_journal.h"
#include "flow/memory_ledger.h"
#include "host/host.h"

namespace showcaller {
namespace {

using bench::fill;
using bench::Operator;

// A host with a world of events and instances; every instance runs.
class ManyInstances final : public FleetDriver {
 public:
  Result<std::vector<ObservedInstance>> observe() override { return seen; }
  std::uint64_t epoch() const override { return 0; }
  Status apply(std::uint64_t, std::span<const FleetAction>) override { return {}; }
  Status disturb(std::uint64_t, const DisturbInstance&) override { return {}; }
  void allocate(const AllocateInstance&) override {}
  std::vector<ObservedInstance> seen;
};

struct LargeWorld {
  explicit LargeWorld(int instances) {
    host = Host::open({&journal, &clock, {{"process", &driver}}, nullptr, &evidence, &ledger},
                      {.engine = {.snapshot_every = 1u << 30}, .secret = "bench"})
               .value();
    fill(&host->engine(), 10);
    const Instant now = host->engine().now();
    for (int i = 0; i < instances; ++i) {
      const std::string fleet = fmt::format("fleet-{}", i % 10);
      ObservedInstance one;
      one.fleet = fleet;
      one.id = fmt::format("{}-{:06}", fleet, i);
      one.build = "1.0.0";
      one.region = "eu";
      one.host = i % 20 < 10 ? "h1" : "h2";
      one.state = InstanceState::Ready;
      one.was_ready = true;
      one.address = "10.0.0.1";
      one.ports = {7000};
      one.started_at = now;
      driver.seen.push_back(std::move(one));
    }
  }
  // Until the world has adopted what runs.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      host->pass();
      while (host->engine().run_batch().value()) continue;
    }
  }

  SystemClock clock;
  MemoryJournal journal{std::make_shared<MemoryDisk>()};
  MemoryEvidenceStore evidence;
  MemoryLedger ledger;
  ManyInstances driver;
  std::unique_ptr<Host> host;
};

// One command a batch, so that every command pays for a publication.
bench::Figure publishing(LargeWorld* large) {
  LargeWorld small(100);
  small.settle();
  const auto batches = [](EngineHost* host, Operator* ops) {
    for (int i = 0; i < 1'000; ++i) {
      CHECK(host->submit(ops->next(), ops->count()));
      CHECK(host->run_batch().value());
    }
    return std::uint64_t(1'000);
  };
  Operator on_large(&large->host->engine()), on_small(&small.host->engine());
  return bench::compare(
      "batch_of_one_100k_instances", "us/op",
      [&] { return batches(&large->host->engine(), &on_large); },
      [&] { return batches(&small.host->engine(), &on_small); }, "the same with 100 instances");
}

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return double(resident) * double(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

std::vector<bench::Figure> large_world() {
  const double before = resident_mib();
  LargeWorld large(100'000);
  large.settle();
  CHECK(large.host->world()->instances.size() == 100'000);
  const double weight = resident_mib() - before;
  std::vector<bench::Figure> figures;
  figures.push_back(
      {"resident_1k_events_100k_instances", "MiB", weight, 1024, "the budget", weight / 1024});
  figures.push_back(bench::compare(
      "host_pass_1k_events_100k_instances", "ms/op",
      [&] {
        large.host->pass();
        while (large.host->engine().run_batch().value()) continue;
        return std::uint64_t(1);
      },
      [&] {
        CHECK(large.driver.observe()->size() == 100'000);
        return std::uint64_t(1);
      },
      "only copying what the driver sees", 5, bench::Clock::Wall));
  figures.push_back(publishing(&large));
  return figures;
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  showcaller::bench::print_figures(argc, argv, showcaller::large_world());
}
