// SPDX-License-Identifier: Apache-2.0
// The SQLite journal against bare SQLite loops that do the same durable work: the same chained
// rows, the same batch size, the same pragmas, in the same run. What is left over is what the port,
// its checks and its locks cost.
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "adapters/sqlite/sqlite_journal.h"
#include "base/check.h"
#include "bench/bare_log.h"
#include "bench/figure.h"
#include "flow/port/journal_rules.h"

namespace showcaller {
namespace {

using bench::BareLog;
using bench::Scratch;

// About the size of a command's record.
std::vector<StoredRecord> records_after(std::uint64_t seq, std::size_t count) {
  std::vector<StoredRecord> batch(count);
  for (StoredRecord& record : batch) {
    record.kind = 11;
    record.time_ms = 1'700'000'000'000 + std::int64_t(++seq);
    record.bytes = fmt::format(
        "{{\"seq\":{},\"time\":\"2026-12-18T18:00:00Z\",\"kind\":\"phase_changed\",\"version\":1,"
        "\"epoch\":1,\"actor\":"
        "\"ops@example\",\"key\":\"k-{:016x}\",\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
        "\"payload\":{{\"event\":"
        "\"winter-raid\",\"revision\":7,\"from\":\"ready\",\"to\":\"rolling_out\",\"reason\":"
        "\"start\"}}}}",
        seq, seq * 0x9e3779b97f4a7c15ULL);
  }
  return batch;
}

void append(SqliteJournal* journal, std::size_t count) {
  const JournalTail tail = journal->tail().value();
  auto batch = records_after(tail.seq, count);
  seal_batch(tail, batch);
  CHECK(journal->append(1, tail.seq, batch).has_value());
}

bench::Figure appending(std::size_t batch, int batches) {
  const Scratch scratch;
  const auto journal = SqliteJournal::open(scratch.file("journal.db")).value();
  BareLog bare(scratch.file("bare.db"));
  return bench::compare(
      fmt::format("journal_append_{}", batch), "record/s",
      [&] {
        for (int i = 0; i < batches; ++i) append(journal.get(), batch);
        return std::uint64_t(batch) * std::uint64_t(batches);
      },
      [&] {
        for (int i = 0; i < batches; ++i) bare.commit(records_after(bare.seq(), batch));
        return std::uint64_t(batch) * std::uint64_t(batches);
      },
      "bare SQLite, same rows and batch", 9, bench::Clock::Wall);
}

bench::Figure reading() {
  constexpr std::size_t kBatch = 2000;
  constexpr int kBatches = 50;
  const Scratch scratch;
  const auto journal = SqliteJournal::open(scratch.file("journal.db")).value();
  BareLog bare(scratch.file("bare.db"));
  for (int i = 0; i < kBatches; ++i) {
    append(journal.get(), kBatch);
    bare.commit(records_after(bare.seq(), kBatch));
  }
  return bench::compare(
      "journal_read_and_verify", "record/s",
      [&] {
        std::uint64_t rows = 0;
        CHECK(journal->read(1, [&](const StoredRecord&) { return ++rows > 0; }).has_value());
        return rows;
      },
      [&] { return bare.verify([](std::string_view) {}); }, "bare SELECT loop with the chain");
}

// Opening checks the last thousand links and nothing else, so it does not depend on how long the
// journal is.
bench::Figure opening() {
  const Scratch scratch;
  const std::string small = scratch.file("small.db"), large = scratch.file("large.db");
  for (int i = 0; i < 2; ++i) append(SqliteJournal::open(small).value().get(), 1000);
  {
    const auto journal = SqliteJournal::open(large).value();
    for (int i = 0; i < 40; ++i) append(journal.get(), 5000);
  }
  return bench::compare(
      "journal_open_200000", "ms/op",
      [&] { return std::uint64_t(SqliteJournal::open(large).has_value()); },
      [&] { return std::uint64_t(SqliteJournal::open(small).has_value()); },
      "the same with 2,000 records", 9, bench::Clock::Wall);
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  using namespace showcaller;
  bench::print_figures(
      argc, argv,
      {appending(1, 200), appending(64, 100), appending(1000, 20), reading(), opening()});
}
