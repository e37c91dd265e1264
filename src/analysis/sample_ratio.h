// SPDX-License-Identifier: Apache-2.0
// Sample-ratio check: do units reach the arms in the share that was asked for? A canary that dies
// before its first event shows up here first. Anytime-valid: a Bayes factor against a Beta prior
// around the share; false alarm at most 0.1 %.
#pragma once

#include <cstdint>

namespace showcaller {

inline constexpr double kSampleRatioAlarm = 6.907755278982137;  // log 1000

// log of how much better some other share explains `canary` of `all` units. 0 < share < 1.
double log_sample_ratio(std::int64_t canary, std::int64_t all, double share);

}  // namespace showcaller
