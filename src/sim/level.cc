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

// Parties of one kind have equal contexts.
std::uint64_t kind_of(std::uint64_t party) {
  return party % std::size(kPlatforms) * 2 + (party % kStaffOneIn == 0 ? 1 : 0);
}

void append_number(std::string* out, std::uint64_t number) {
  const fmt::format_int text(number);
  out->append(text.data(), text.size());
}

void name(const Population& population, const Visit& visit, AllocationRequest* request) {
  request->session = session_name(visit.session);
  request->fleet = visit.door.fleet;
  request->region = population.regions[visit.door.region].name;
  request->party = party_id(population, visit.door.region, visit.party);
  for (std::size_t i = 0; i < request->players.size(); ++i) {
    std::string& id = request->players[i].id;
    id = request->party;
    id += '-';
    append_number(&id, i);
  }
}

}  // namespace

std::string party_id(const Population& population, std::size_t region, std::uint64_t party) {
  std::string out = population.regions[region].name + "-party-";
  append_number(&out, party);
  return out;
}

// The party that came together is bucketed; the others of the session came alone and follow it.
AllocationRequest request_of(const Population& population, const Visit& visit) {
  AllocationRequest request;
  const AllocationPlayer player{{}, context_of(visit.party)};
  request.players.assign(std::size_t(population.party), player);
  name(population, visit, &request);
  return request;
}

const AllocationRequest& Requests::of(const Population& population, const Visit& visit) {
  AllocationRequest& request = by_kind_[kind_of(visit.party)];
  if (request.players.empty()) request = request_of(population, visit);
  name(population, visit, &request);
  return request;
}

}  // namespace showcaller::sim
