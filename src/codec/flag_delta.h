// SPDX-License-Identifier: Apache-2.0
// What changes one document of flags into the next, as servers tell it by stream and clients apply
// it: whole definitions of the flags that changed, and nothing of the others.
//
//   delta = {"from": REVISION, "patch": {MEMBER: VALUE…}}
//
// Of the members "flags" and "$evaluators" VALUE has those entries alone that changed, null for one
// that is gone; any other member is replaced. A member whose VALUE is null is gone.
//
// For whom must not see rules there are decided flags: their rules are answered already for one
// context, so that whoever evaluates them gets value, variant and reason of that answer.
//
// Pure. Threads: none.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "flag/flag_set.h"

namespace showcaller {

struct FlagDelta {
  std::string from;  // the revision that it changes
  json::object patch;
};

std::string encode_flag_delta(const FlagDelta& delta);
Result<FlagDelta> decode_flag_delta(std::string_view text);

json::object flag_patch(const json::object& before, const json::object& after);
// Invalid when the patch is none; the document is then as it was.
Status apply_flag_patch(json::object* document, const json::object& patch);

// Makes `first` the patch of both, one after the other. False: no patch can say that, `first` is
// good for nothing then, and whoever asks has to be told all flags.
bool join_flag_patches(json::object* first, const json::object& second);

json::object decided_flag(const Evaluation& answer);

}  // namespace showcaller
