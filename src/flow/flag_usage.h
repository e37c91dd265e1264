// SPDX-License-Identifier: Apache-2.0
// How often flags were evaluated, and with what answers, as far as anybody tells: the server's own
// evaluations, and what SDKs report of theirs. Kept since the start of the server; bounded.
//
// Threads: none; the host has a lock of its own. Limits: flags_max flags, variants_max answers of
// each; what is beyond is not counted, and the flag is said not to be known.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"

namespace showcaller {

struct FlagUsageLimits {
  std::size_t flags_max = 10'000;
  std::size_t variants_max = 64;
};

class FlagUsage {
 public:
  struct Answer {
    std::int64_t times = 0;
    Instant last{};
  };
  struct Seen {
    std::int64_t times = 0;
    Instant last{};
    std::map<std::string, Answer> variants;  // "": the caller's own
    bool all_known = true;                   // no answer was left out
  };

  FlagUsage() = default;
  explicit FlagUsage(Instant since, FlagUsageLimits limits = {}) : limits_(limits), since_(since) {}

  void note(std::string_view flag, std::string_view variant, std::int64_t times, Instant now);
  // Null: nobody told of it.
  const Seen* of(std::string_view flag) const;
  // Somebody tells: what was not heard of was not evaluated there.
  bool anybody_tells() const { return !seen_.empty(); }
  bool is_full() const { return full_; }
  Instant since() const { return since_; }

 private:
  FlagUsageLimits limits_;
  Instant since_{};
  std::map<std::string, Seen, std::less<>> seen_;
  bool full_ = false;
};

}  // namespace showcaller
