// SPDX-License-Identifier: Apache-2.0
// From what a journal stores to a record. The columns beside the bytes are outside the chain: what
// they say is held against what stands in the bytes.
#pragma once

#include "base/result.h"
#include "flow/port/journal.h"
#include "model/record.h"

namespace showcaller {

// Errors as decode_record(); Corrupt too when a column says something else than the bytes.
Result<Record> decode_stored(const StoredRecord& stored);

}  // namespace showcaller
