// SPDX-License-Identifier: Apache-2.0
// Reads a journal on a thread of its own, so that the disk and the chain's check do not wait for
// whoever folds the records, nor they for them. Records are decoded by whichever side is ahead.
#pragma once

#include <functional>

#include "base/hash.h"
#include "flow/port/journal.h"
#include "model/record.h"

namespace showcaller {

// Each record from `from` on with its chain hash, in order, on the caller's thread, until fold()
// fails or the journal ends. At most a few thousand records are read ahead.
Status read_ahead(Journal* journal, std::uint64_t from,
                  const std::function<Status(const Record&, const Sha256&)>& fold);

}  // namespace showcaller
