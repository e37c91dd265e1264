// SPDX-License-Identifier: Apache-2.0
// The flags of a client: the last good ones, in memory for evaluations and on disk for the next
// start. What does not compile, or applies to another revision, changes nothing.
//
// Threads: any. Evaluations read flags() without a lock.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flag/flag_set.h"
#include "sdk/snapshot_cell.h"
#include "showcaller/context.h"

namespace showcaller::sdk {

// What an evaluation reads.
struct LiveFlags {
  FlagSet set;
  bool loaded = false;
  Context context;  // the client's own
};

class FlagStore {
 public:
  FlagStore(std::string state_file, Context context);

  // What was saved. NotFound: nothing was.
  Status load();
  const SnapshotCell<LiveFlags>& flags() const { return flags_; }
  std::string revision() const;  // empty: none, or what is there can't be built upon
  Context context() const;

  // Both give the keys that changed.
  Result<std::vector<std::string>> replace(std::string_view document, std::string revision);
  Result<std::vector<std::string>> apply_delta(std::string_view delta, std::string revision);
  void set_context(Context context);
  // Flags of which the server's definitions say that they can't be evaluated.
  std::vector<std::string> broken() const;
  // The disk refused; evaluations go on.
  std::string take_disk_trouble();

 private:
  Result<std::vector<std::string>> put(json::value document, std::string revision);
  void publish();

  const std::string state_file_;
  SnapshotCell<LiveFlags> flags_;
  mutable std::mutex mutex_;  // what follows
  LiveFlags live_;
  std::string revision_;
  std::string disk_trouble_;
};

}  // namespace showcaller::sdk
