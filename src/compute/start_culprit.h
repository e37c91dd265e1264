// SPDX-License-Identifier: Apache-2.0
// Who is to blame when instances fail to start: the narrowest single factor that explains the
// failures.
//
//   host    several builds fail on it, or a build that runs elsewhere fails there, and nothing runs
//   there region  several builds fail on several of its hosts, and nothing runs there build   it
//   fails on several hosts, or where another build runs, or nothing else can be told; and it runs
//   nowhere build@host  the build runs elsewhere and others run on the host, but not the two
//   together
//
// What runs is never blamed: then only the back-off goes on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/payloads.h"

namespace showcaller {

struct StartPlace {
  std::string build, region, host;
  friend auto operator<=>(const StartPlace&, const StartPlace&) = default;
};
struct FailingStart {
  StartPlace place;
  std::int64_t failures = 0;  // in a row
};

struct Culprit {
  QuarantineScope scope = QuarantineScope::Build;
  std::string subject;
  std::string reason;  // names the culprit and the evidence
};

// At most one culprit a failing place; each named once; in the order of the places.
std::vector<Culprit> name_culprits(std::span<const FailingStart> failing,
                                   std::span<const StartPlace> running, std::int64_t failures_min);

}  // namespace showcaller
