// SPDX-License-Identifier: Apache-2.0
// Batches of plain records for tests of journals.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "flow/port/journal.h"
#include "flow/port/journal_rules.h"

namespace showcaller {

inline std::vector<StoredRecord> make_batch(const JournalTail& tail, int count,
                                            std::string_view note = "") {
  std::vector<StoredRecord> batch;
  for (int i = 0; i < count; ++i) {
    const auto seq = tail.seq + 1 + std::uint64_t(i);
    batch.push_back({.kind = std::uint16_t(1 + seq % 7),
                     .time_ms = 1'700'000'000'000 + std::int64_t(seq) * 10,
                     .bytes = fmt::format("{{\"seq\":{},\"note\":\"{}é\\u0000\"}}", seq, note)});
  }
  seal_batch(tail, batch);
  return batch;
}

inline Result<std::uint64_t> append_some(Journal& journal, int count, std::string_view note = "") {
  TRY(const JournalTail tail, journal.tail());
  return journal.append(tail.epoch, tail.seq, make_batch(tail, count, note));
}

inline Result<std::vector<StoredRecord>> read_all(Journal& journal, std::uint64_t from = 1) {
  std::vector<StoredRecord> records;
  TRY(journal.read(from, [&](const StoredRecord& record) {
    records.push_back(record);
    return true;
  }));
  return records;
}

}  // namespace showcaller
