// SPDX-License-Identifier: Apache-2.0
// What two documents of flags say differently: by meaning, not by text, and for whom of a sample of
// contexts the answer is another.
//
// Alike are rules that differ in how evaluators are named or split up, a `targeting` that is
// absent, null or empty, and a `state` that is absent or ENABLED. Pure. Threads: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace showcaller {

// Of the contexts that were asked.
struct AnswersChanged {
  std::int64_t asked = 0, changed = 0;
  // From which variant to which ("-": the caller's own), and for how many; most first.
  struct Move {
    std::string from, to;
    std::int64_t contexts = 0;
    friend bool operator==(const Move&, const Move&) = default;
  };
  std::vector<Move> moves;
};

struct FlagDifference {
  enum class Kind { Added, Removed, Changed };
  std::string flag;
  Kind kind = Kind::Changed;
  std::vector<std::string> keys;  // of the definition, that differ
  AnswersChanged answers;         // of a flag that changed
};
std::string_view to_string(FlagDifference::Kind kind);

// Sorted by flag. Fails where a document does not compile.
Result<std::vector<FlagDifference>> diff_flags(const json::object& before,
                                               const json::object& after,
                                               const std::vector<json::object>& contexts,
                                               Instant now);

}  // namespace showcaller
