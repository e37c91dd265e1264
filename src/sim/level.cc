// SPDX-License-Identifier: Apache-2.0
#include "sim/level.h"

#include <fmt/format.h>

namespace showcaller::sim {
namespace {

constexpr std::uint64_t kStaffOneIn = 200;  // parties
constexpr std::string_view kPlatforms[] = {"pc", "console", "mobile"};

// As game back ends tell them: what audiences are judged on.
json::object context_of(std::uint64_t party) {
  return {{"account", {{"group", party % kStaffOneIn == 0 ? "staff" : "player"}}},
          {"platform", kPlatforms[party % std::size(kPlatforms)]}};
}

}  // namespace

std::string party_id(const Population& population, std::size_t region, std::uint64_t party) {
  return fmt::format("{}-party-{}", population.regions[region].name, party);
}

// The party that came together is bucketed; the others of the session came alone and follow it.
AllocationRequest request_of(const Population& population, const Visit& visit) {
  AllocationRequest request;
  request.session = session_name(visit.session);
  request.fleet = visit.door.fleet;
  request.region = population.regions[visit.door.region].name;
  request.party = party_id(population, visit.door.region, visit.party);
  const json::object context = context_of(visit.party);
  for (int i = 0; i < population.party; ++i)
    request.players.push_back({fmt::format("{}-{}", request.party, i), context});
  return request;
}

}  // namespace showcaller::sim
