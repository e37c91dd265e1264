// SPDX-License-Identifier: Apache-2.0
// The people of a rehearsal: somebody approves what waits for it, after a while, whoever is called
// answers his page, after a while, and the tools of a release report on the readiness checks that
// are theirs. Nobody else touches the event unless the run's spec has operators (operators.h): what
// the engine does by itself is what is rehearsed.
// Threads: none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/command.h"
#include "model/world.h"
#include "sim/truth.h"

namespace showcaller::sim {

class People {
 public:
  People(const Truth* truth, std::uint64_t seed)
      : truth_(truth), random_(seed), answers_(seed ^ kAnswers) {}

  // What they do now.
  std::vector<Command> act(const World& world, Duration now, Instant engine_now);

 private:
  static constexpr std::uint64_t kAnswers = 0x70616765;  // so that pages move nothing else

  bool is_time(const std::string& task, Duration mean, Duration now, Random* random);
  void answer_pages(const World& world, Duration now, Instant engine_now,
                    std::vector<Command>* out);

  const Truth* truth_;
  Random random_, answers_;
  std::map<std::string, Duration> due_;  // by task
};

}  // namespace showcaller::sim
