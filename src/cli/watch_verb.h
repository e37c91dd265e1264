// SPDX-License-Identifier: Apache-2.0
// `showcaller watch`: records as they come, until an event is where it is waited for.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "cli/client_verbs.h"

namespace showcaller {

// With `until`, ends when the event is in one of these phases: 0 for the first, 1 for others. With
// a timeout, ends with 1 when it is over, whether or not anything came.
struct WatchRequest {
  std::string event;
  std::vector<std::string> until;
  Duration timeout{};
  bool instances = false;
};
int watch_verb(const ClientContext& context, const WatchRequest& request);

}  // namespace showcaller
