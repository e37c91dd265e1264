// SPDX-License-Identifier: Apache-2.0
// The engine behind its host: commands on the journal in memory, rebuilding the world from a long
// journal, and starting from a snapshot.
#include <fmt/format.h>

#include "adapters/clock/system_clock.h"
#include "adapters/sqlite/sqlite_journal.h"
#include "bench/bare_log.h"
#include "bench/figure.h"
#include "bench/filled_host.h"
#include "flow/memory_journal.h"

namespace showcaller {
namespace {

using bench::Scratch;

using bench::fill;
using bench::Operator;

bench::Figure commands() {
  SystemClock clock;
  const auto disk = std::make_shared<MemoryDisk>();
  MemoryJournal journal(disk);
  const auto host = EngineHost::open(&journal, &clock, {.snapshot_every = 1u << 30}).value();
  fill(host.get(), 10);
  Operator ops(host.get());
  ops.command(20'000);
  std::vector<std::string> lines;
  CHECK(journal.read(host->published()->seq - 19'999, [&](const StoredRecord& stored) {
    lines.push_back(stored.bytes);
    return true;
  }));
  Sha256 hash{};
  return bench::compare(
      "engine_commands", "command/s", [&] { return ops.command(20'000); },
      [&] {
        for (const std::string& line : lines) hash = chain_hash(hash, line);
        return lines.size();
      },
      "only the chain's hash of the same records");
}

struct LongJournal {
  LongJournal(std::size_t records, bool snapshot) : path(scratch.file("journal.db")) {
    const auto journal = SqliteJournal::open(path).value();
    const auto host = EngineHost::open(journal.get(), &clock, {.snapshot_every = 1u << 30}).value();
    fill(host.get(), 10);
    Operator ops(host.get());
    ops.command(records);
    if (snapshot) CHECK(host->write_snapshot());
  }
  std::uint64_t open() const {
    const auto journal = SqliteJournal::open(path).value();
    SystemClock now;
    const auto host = EngineHost::open(journal.get(), &now, {.snapshot_every = 1u << 30}).value();
    return host->published()->seq;
  }

  SystemClock clock;
  Scratch scratch;
  std::string path;
};

// Every record is read, verified, parsed and folded, against a loop that reads, verifies and
// parses.
bench::Figure rebuilding(std::size_t records) {
  const LongJournal journal(records, false);
  bench::BareLog bare(journal.path);
  return bench::compare(
      fmt::format("world_rebuild_{}", records), "record/s", [&] { return journal.open(); },
      [&] {
        return bare.verify([](std::string_view bytes) {
          unsigned char arena[8192];
          json::monotonic_resource resource(arena, sizeof arena);
          CHECK(json::parse({bytes.data(), bytes.size()}, &resource).is_object());
        });
      },
      "SELECT, verify and parse the same rows", 5, bench::Clock::Wall);
}

bench::Figure from_snapshot() {
  const LongJournal journal(1'000'000, true);
  return bench::compare(
      "start_from_snapshot_1m_records", "ms/op",
      [&] {
        journal.open();
        return std::uint64_t(1);
      },
      [&] {
        CHECK(SqliteJournal::open(journal.path).has_value());
        return std::uint64_t(1);
      },
      "only opening the journal", 5, bench::Clock::Wall);
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  using namespace showcaller;
  bench::print_figures(argc, argv,
                       {commands(), rebuilding(50'000), rebuilding(400'000), from_snapshot()});
}
