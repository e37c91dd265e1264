// SPDX-License-Identifier: Apache-2.0
// Spans come from records, so that those which a process took with it when it was killed can be
// told again: a file remembers from which record on they may not have been taken by the collector,
// and the next start folds the journal from there.
//
//   DATA/spans-untold = SEQ LF         the first record whose spans may be untold
//
// A span that is told twice has the same ids both times. Threads: SpanMark by any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "codec/span.h"
#include "flow/port/journal.h"
#include "host/port/span_sink.h"

namespace showcaller {

class SpanMark {
 public:
  // A file that is not there, or not ours, says that all is told up to `last_seq`.
  SpanMark(std::filesystem::path file, std::uint64_t last_seq);

  std::uint64_t first_untold() const;
  // The collector took a batch; `waiting`: how many spans came after it. Those of one record come
  // together, and may leave in two batches. The error: the file cannot be written.
  Status told(const std::vector<Span>& batch, std::size_t waiting);
  // Nobody is told: the file goes.
  void forget();

 private:
  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::uint64_t first_untold_;
};

// At most so many records are folded again, and so many more from the last snapshot before them.
inline constexpr std::uint64_t kRetoldRecordsMax = 20'000;
inline constexpr std::uint64_t kFoldedRecordsMax = 200'000;

// Spans of the records from `first` to `last`; those of the oldest are left out where there are too
// many. Limit: the journal has no snapshot near enough.
Result<std::vector<Span>> spans_again(Journal* journal, std::uint64_t first, std::uint64_t last);

}  // namespace showcaller
