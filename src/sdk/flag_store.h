// SPDX-License-Identifier: Apache-2.0
// The flags of a client: the last good ones, in memory for evaluations and on disk for the next
// start. What does not compile, or applies to another revision, changes nothing.
//
// Threads: any. Evaluations read flags() without a lock. Limit: kCountedMax different answers are
// counted between two take_counts(), however often the flags change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "flag/flag_set.h"
#include "sdk/evaluation_counts.h"
#include "sdk/snapshot_cell.h"
#include "showcaller/context.h"

namespace showcaller::sdk {

// What an evaluation reads.
struct LiveFlags {
  FlagSet set;
  bool loaded = false;
  Context context;                                 // the client's own
  std::shared_ptr<const EvaluationCounts> counts;  // of the set's answers
};

struct CountedAnswer {
  std::string key, variant;  // no variant: the caller's own default
  std::int64_t times = 0;
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
  // Answers given since the last call, at most so many different ones; the rest next time.
  std::vector<CountedAnswer> take_counts(std::size_t most);
  // The disk refused; evaluations go on.
  std::string take_disk_trouble();

 private:
  Result<std::vector<std::string>> put(json::value document, std::string revision);
  void use(FlagSet set);
  void publish();
  void gather(const FlagSet& set, const EvaluationCounts& counts);

  static constexpr std::size_t kCountedMax = 20'000;
  using Answer = std::pair<std::string, std::string>;  // key, variant

  const std::string state_file_;
  SnapshotCell<LiveFlags> flags_;
  mutable std::mutex mutex_;  // what follows
  LiveFlags live_;
  std::string revision_;
  std::string disk_trouble_;
  std::map<Answer, std::int64_t> counted_;
  Answer last_taken_;  // The next call begins behind it, so that everyone's turn comes.
};

}  // namespace showcaller::sdk
