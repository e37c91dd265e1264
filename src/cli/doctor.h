// SPDX-License-Identifier: Apache-2.0
// Looks at a server's folder, beside a running server too, and changes nothing: the journal's
// structure and chain, every record, the snapshot, the evidence that verdicts rest on, and the
// ledgers that were sealed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "adapters/sqlite/sqlite_journal.h"
#include "base/result.h"
#include "model/world.h"

namespace showcaller {

// A server's folder, or its journal alone.
std::string journal_of(const std::string& data);

// Folds the journal up to a seq, with evolve alone; `seen` is told of each record.
Result<World> world_at(SqliteJournal* journal, std::uint64_t seq,
                       const std::function<void(const Record&)>& seen = {});

enum class Health { Good, Bad };

// One line for each thing that was looked at. An error: the journal itself cannot be read.
Result<Health> examine(const std::string& data,
                       const std::function<void(std::uint64_t done, std::uint64_t total)>& progress,
                       const std::function<void(const std::string& line)>& tell);

}  // namespace showcaller
