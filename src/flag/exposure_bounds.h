// SPDX-License-Identifier: Apache-2.0
// Whom an event, or a flag's own rule, may touch at all, whatever its stages say: its part of an
// exclusion group's space of buckets, and nobody of those that holdouts keep out. Compiles to plain
// flagd conditions, so that every provider draws alike.
//
// A group's space is drawn by the group's name, a holdout by the holdout's, for as long as they
// are called so: parts of one group never meet, and who is held out stays so from event to event.
// All of a party have the party's bucket. Pure. Threads: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace showcaller {

// [from, to) of 1'000'000 buckets; sorted, none touches another.
using BucketRanges = std::vector<std::pair<std::int64_t, std::int64_t>>;

struct ExposureBounds {
  std::string group;  // empty: in none
  BucketRanges buckets;
  std::map<std::string, std::int64_t> holdouts;  // name → share held out, in ppm

  bool empty() const { return group.empty() && holdouts.empty(); }
  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("group", self.group);
    visit("buckets", self.buckets);
    visit("holdouts", self.holdouts);
  }
  friend bool operator==(const ExposureBounds&, const ExposureBounds&) = default;
};

// Buckets of a unit in a group's space and in a holdout's draw.
std::uint32_t group_bucket_ppm(std::string_view group, std::string_view unit);
std::uint32_t holdout_bucket_ppm(std::string_view holdout, std::string_view unit);

// Conditions that all have to hold; `unit` is the path of the attribute that names the unit.
json::array bounds_conditions(const ExposureBounds& bounds, std::string_view unit);
// A flag whose own targeting is for those within the bounds alone; others get `off_variant` (empty:
// the caller's own default).
void bound_flag(const ExposureBounds& bounds, std::string_view unit, std::string_view off_variant,
                json::object* definition);

// Who keeps a unit out, as words for people; nothing: nobody does.
struct BoundsRefusal {
  bool by_holdout = false;
  std::string says;
};
std::optional<BoundsRefusal> refused_by(const ExposureBounds& bounds, std::string_view unit);

// ---- dividing a group's space ----

std::int64_t size_of(const BucketRanges& ranges);
// The first `size` free buckets below `limit`, those of `kept` before all others: what grows keeps
// what it has, and what shrinks gives back what it got last. Limit: so many are not free.
Result<BucketRanges> take_buckets(std::int64_t size, const BucketRanges& kept,
                                  const std::vector<BucketRanges>& taken, std::int64_t limit);
// How many buckets below the limit nobody has.
std::int64_t free_buckets(const std::vector<BucketRanges>& taken, std::int64_t limit);

}  // namespace showcaller
