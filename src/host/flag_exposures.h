// SPDX-License-Identifier: Apache-2.0
// Whom the flag and configuration changes of events reach: asked with each evaluation that the
// server itself makes and with each session that it places, and told what clients report of their
// own. Gives ledger rows, each once for as long as it is remembered.
//
// Threads: any. Limits: kRememberedMax rows are remembered; past it they are given again, which the
// ledger takes for the same.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compute/allocation.h"
#include "flow/flag_reach.h"
#include "flow/flag_snapshot.h"
#include "flow/port/ledger.h"
#include "flow/telemetry_intake.h"

namespace showcaller {

class FlagExposures {
 public:
  // When a record concerns flags.
  void publish(const World& world, const FlagSaltOf& salt_of);
  // Of an evaluation with this context; `flag` empty: of all flags. The targeting key is the
  // player.
  std::vector<LedgerEntry> of_evaluation(const json::object& context, std::string_view flag,
                                         Instant now);
  // Of the players of a session that was given its place: its game server evaluates flags by itself
  // and need not report whom it showed what. Without events of which the ledger has the session.
  std::vector<LedgerEntry> of_session(const AllocationRequest& request,
                                      const Allocation& allocation, Instant now);
  // Of the units that a report says were shown the canary.
  std::vector<LedgerEntry> of_report(const Report& report, Instant now);
  // Of those whom a relay found exposed by what it was told of reaches(): it knows when, and by
  // which stage.
  std::vector<LedgerEntry> of_relay(std::vector<LedgerEntry> entries, Instant now);
  std::shared_ptr<const EventReaches> reaches() const;

 private:
  bool is_new(const LedgerEntry& entry);

  mutable std::mutex mutex_;
  std::shared_ptr<const EventReaches> reaches_ = std::make_shared<const EventReaches>();
  std::set<std::uint64_t> remembered_;  // hashes of rows
};

}  // namespace showcaller
