// SPDX-License-Identifier: Apache-2.0
// A studio's own list of players held against what a revision admitted: the answer, and the rows
// for the ledger.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "compute/allocation.h"
#include "flow/admission_history.h"
#include "flow/port/ledger.h"

namespace showcaller {

inline constexpr std::size_t kAdmittedPlayersMax = 10'000;  // a request

struct AdmittedRequest {
  LedgerRevision revision;
  std::vector<AllocationPlayer> players;
};

struct AdmittedPlayers {
  json::object answer;
  std::vector<LedgerEntry> rows;
};

// {"players":[ID | {"id":…, attributes…}],"revision":N}; without a revision, the present one.
Result<AdmittedRequest> admitted_request(const World& world, std::string_view event,
                                         const json::object& body);
AdmittedPlayers admitted_players(const AdmittedRequest& request, const AdmissionHistory& history);

}  // namespace showcaller
