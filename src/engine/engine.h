// SPDX-License-Identifier: Apache-2.0
// The engine: a world, and inputs taken one after another. Each input's decision is folded into the
// world at once, so that the next input of the same batch sees it; the records it gives out are the
// host's to make durable.
//
// Pure but for its own world. Threads: one. Limits: kFollowUpsMax rounds an input; reaching it is a
// programmer's error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/decide.h"
#include "engine/input.h"
#include "model/record.h"
#include "model/world.h"

namespace showcaller {

class Engine {
 public:
  Engine(World world, std::uint64_t epoch) : world_(std::move(world)), epoch_(epoch) {}

  // Appends the records that the input causes. An error caused none.
  Result<Receipt> take(const Input& input, Instant now, std::vector<Record>* records);

  const World& world() const { return world_; }
  std::uint64_t epoch() const { return epoch_; }

 private:
  struct Envelope {
    std::string actor, key, trace, traceparent, tracestate;
    std::uint64_t command = 0, cause = 0;
  };
  void add(Payload payload, Envelope* envelope, Instant now, std::vector<Record>* records);
  void follow_up(std::vector<std::string> touched, Envelope* envelope, Instant now,
                 std::vector<Record>* records);
  void follow_up_alerts(Envelope* envelope, Instant now, std::vector<Record>* records);

  World world_;
  std::uint64_t epoch_;
};

}  // namespace showcaller
