// SPDX-License-Identifier: Apache-2.0
// `flag eval`: what somebody is given of a flag, and by which rule. `flag diff`: what two documents
// of flags say differently, and for whom. Both with a server or with files alone.
#pragma once

#include <string>
#include <vector>

#include "cli/client_verbs.h"

namespace showcaller {

struct FlagEvalRequest {
  std::string flag;
  std::string who;                 // a file with one context; empty: nobody in particular
  std::string at;                  // empty: now
  std::int64_t revision = 0;       // of the flag's manifest; 0: the one in force then
  std::vector<std::string> files;  // empty: ask the server
};
int flag_eval_verb(const ClientContext& context, const FlagEvalRequest& request);

struct FlagDiffRequest {
  std::string before, after;  // a file or folder, "server", or "server@TIME"
  std::string contexts;       // a file of contexts; empty: nobody is asked
};
// kExitRefused where they differ.
// Flags that may be taken out; `after` is a duration.
int flag_stale_verb(const ClientContext& context, const std::string& after);
int flag_diff_verb(const ClientContext& context, const FlagDiffRequest& request);

}  // namespace showcaller
