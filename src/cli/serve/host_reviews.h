// SPDX-License-Identifier: Apache-2.0
// What people look back on, over the host, its journal and the shelf of rehearsals.
//
// Threads: any. The incidents are folded from the journal when they are asked for, from where the
// last asking came to; of a long journal the last kIncidentRecordsMax records.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "engine/incident_book.h"
#include "flow/port/journal.h"
#include "flow/port/rehearsal_shelf.h"
#include "host/host.h"
#include "wire/review_backend.h"

namespace showcaller {

inline constexpr std::uint64_t kIncidentRecordsMax = 1'000'000;

class HostReviews final : public ReviewBackend {
 public:
  // Without a shelf no rehearsals are kept.
  HostReviews(const Host* host, Journal* journal, RehearsalShelf* shelf)
      : host_(*host), journal_(*journal), shelf_(shelf) {}

  Result<json::value> decisions(const DecisionSearch& search) const override;
  Result<json::value> decision(std::uint64_t seq) const override;
  Result<json::value> incidents() const override;
  Result<json::value> incident(std::uint64_t id) const override;
  json::value policy() const override;
  Result<json::value> publish_rehearsal(const json::object& report, const Actor& actor) override;
  Result<json::value> rehearsals() const override;
  Result<json::value> rehearsal(const std::string& id) const override;

 private:
  // Records first..last that pass the filter, decoded, in order.
  using Wanted = std::function<bool(const StoredRecord&)>;
  Result<std::vector<Record>> read(std::uint64_t first, std::uint64_t last,
                                   const Wanted& wanted) const;
  Result<Record> record_at(std::uint64_t seq) const;
  Result<std::uint64_t> last_before(Instant until) const;
  Result<std::string> version_at(std::uint64_t seq) const;
  Status catch_up() const;  // with the mutex

  const Host& host_;
  Journal& journal_;
  RehearsalShelf* shelf_;
  mutable std::mutex mutex_;
  mutable IncidentBook book_;
  mutable std::uint64_t read_to_ = 0;
};

}  // namespace showcaller
