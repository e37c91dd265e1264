// SPDX-License-Identifier: Apache-2.0
// npm's @openfeature/flagd-core in a process of its own, asked the same questions in the same run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "bench/flag/workload.h"

namespace showcaller::bench {

class FlagdCorePeer {
 public:
  // Installs it under build/peers when it is not there. Fails, and says why, without node, npm or
  // the network.
  static Result<std::unique_ptr<FlagdCorePeer>> start(const Workload& workload);
  ~FlagdCorePeer();
  FlagdCorePeer(const FlagdCorePeer&) = delete;
  FlagdCorePeer& operator=(const FlagdCorePeer&) = delete;

  struct Answer {
    double ns = 0;         // of CPU, a question
    std::uint64_t on = 0;  // of all questions
  };
  Result<Answer> ask(FlagKind kind, int rounds);

 private:
  FlagdCorePeer() = default;

  int pid_ = -1;
  int to_ = -1, from_ = -1;
};

}  // namespace showcaller::bench
