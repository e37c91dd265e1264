// SPDX-License-Identifier: Apache-2.0
// Who a LiveEvent's rollout admits. A unit (player, party, guild, match) is hashed once with the
// event's secret salt; stages only move the line below which hashes are in. So exposure is
// monotone, leaves last-in-first-out, and follows from the rule alone: no list, no state, the same
// in every process and every flagd client.
//
// A unit is admitted when any stage admits it: its audience holds and its bucket lies below the
// stage's exposure. The highest exposure whose audience holds therefore decides, which is how the
// rule compiles to plain flagd targeting. A unit that is absent or empty is never admitted.
// Threads: none. Limits: 64 stages. Never: changes salt or total within an event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "flag/logic.h"

namespace showcaller {

inline constexpr std::uint32_t kExposureWhole = 1'000'000;
inline constexpr std::size_t kExposureStagesMax = 64;

// In [0, 1'000'000): (uint64(murmur3_32(salt + unit)) * 1'000'000) >> 32.
std::uint32_t bucket_ppm(std::string_view salt, std::string_view unit);
// Whether a unit with no audience to pass is in at this exposure.
inline bool is_exposed(std::string_view salt, std::string_view unit, std::uint32_t exposure_ppm) {
  return bucket_ppm(salt, unit) < exposure_ppm;
}

struct ExposureStage {
  json::value audience;  // JSONLogic; null admits everyone
  std::uint32_t exposure_ppm = 0;
};

struct ExposureRule {
  std::string salt;
  std::string unit = "targetingKey";  // path of the attribute that names the unit
  std::vector<ExposureStage> stages;  // every stage reached so far
  std::string canary = "canary";
  std::string baseline = "baseline";
};

// Plain flagd targeting that gives `canary` or `baseline`.
Result<json::value> exposure_targeting(const ExposureRule& rule);
// A flagd flag under an event's layer: admitted units get `to_variant`, all others what `base`
// gives them. The definition is `base`'s but for its targeting. Fails when `base` has no such
// variant.
Result<json::object> layered_flag(const json::object& base, const ExposureRule& rule,
                                  std::string_view to_variant);

// How a rule decided about somebody.
struct ExposureAnswer {
  bool admitted = false;
  bool has_unit = false;         // the attribute that names the unit is there
  int stage = -1;                // the one that decided, by its place in the rule; -1: none
  std::uint32_t bucket_ppm = 0;  // of the unit, where a stage decided
};

// The same decision without a flag, for allocation and ledgers. Copies share what was compiled.
class Exposure {
 public:
  static Result<Exposure> compile(ExposureRule rule);

  bool admits(const EvaluationContext& context, Instant now) const {
    return decide(context, now).admitted;
  }
  ExposureAnswer decide(const EvaluationContext& context, Instant now) const;
  const ExposureRule& rule() const { return rule_; }

 private:
  struct Stage {
    std::optional<Logic> audience;
    std::uint32_t exposure_ppm = 0;
    int place = 0;  // in the rule
  };
  Exposure(ExposureRule rule, std::vector<Stage> stages, Logic unit)
      : rule_(std::move(rule)), stages_(std::move(stages)), unit_(std::move(unit)) {}

  ExposureRule rule_;
  std::vector<Stage> stages_;  // highest exposure first
  Logic unit_;
};

}  // namespace showcaller
