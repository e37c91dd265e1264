// SPDX-License-Identifier: Apache-2.0
#include "flow/stored_record.h"

#include <fmt/format.h>

namespace showcaller {

Result<Record> decode_stored(const StoredRecord& stored) {
  auto record = decode_record(stored.bytes);
  if (!record) return record;
  const char* wrong = record->seq != stored.seq               ? "seq"
                      : record->kind().number != stored.kind  ? "kind"
                      : to_ms(record->time) != stored.time_ms ? "time_ms"
                                                              : nullptr;
  if (!wrong) return record;
  return fail(ErrorCode::Corrupt,
              fmt::format("record {} of the journal: its column {} is not what its bytes say; "
                          "somebody has changed it; restore a backup",
                          stored.seq, wrong));
}

}  // namespace showcaller
