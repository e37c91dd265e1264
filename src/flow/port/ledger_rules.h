// SPDX-License-Identifier: Apache-2.0
// What every ledger computes alike, so that a root and a pseudonym are the same wherever they are
// made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/result.h"
#include "flow/port/ledger.h"

namespace showcaller {

// Another pseudonym in each revision: once the key is gone, nobody can follow a player from one
// revision to the next.
inline std::string ledger_pseudonym(std::string_view key, std::string_view event,
                                    std::int64_t revision) {
  return to_hex(hmac_sha256(key, fmt::format("showcaller-ledger 1 {} r{}", event, revision)));
}

inline std::string_view to_string(LedgerSource source) {
  switch (source) {
    case LedgerSource::Served:
      return "served";
    case LedgerSource::Reported:
      return "reported";
    case LedgerSource::Admitted:
      return "admitted";
  }
  return "served";
}

inline Result<LedgerSource> ledger_source_from(std::string_view text) {
  for (const auto source : {LedgerSource::Served, LedgerSource::Reported, LedgerSource::Admitted}) {
    if (text == to_string(source)) return source;
  }
  return fail(ErrorCode::Corrupt, fmt::format("'{}' is no source of a ledger row", text));
}

// The root is a chain over the rows, sorted by region, pseudonym, visit, session and source:
//   root_n = SHA-256(root_{n-1} ‖ row_n), 32 zero bytes before the first
//   row    = PSEUDONYM ' ' VISIT ' ' SOURCE ' ' AT-MS ' ' SIZE ':' REGION ' ' SIZE ':' SESSION '\n'
class LedgerRoot {
 public:
  void add(const LedgerRow& row) {
    hash_ =
        sha256(as_bytes(hash_), fmt::format("{} {} {} {} {}:{} {}:{}\n", row.pseudonym, row.visit,
                                            to_string(row.source), to_ms(row.at), row.region.size(),
                                            row.region, row.session.size(), row.session));
    ++rows_;
  }
  // The rows' order does not tell how many players there are.
  LedgerSeal seal(std::int64_t players) const {
    return {.rows = rows_, .players = players, .root = to_hex(hash_)};
  }

 private:
  Sha256 hash_{};
  std::int64_t rows_ = 0;
};

// The event's name becomes the name of a file.
inline Status check_ledger_entry(const LedgerEntry& entry) {
  const bool clean =
      !entry.event.empty() && entry.event.size() <= 63 && entry.event.front() != '.' &&
      entry.event.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
  if (!clean || entry.revision < 0) {
    return fail(
        ErrorCode::Invalid,
        fmt::format("'{}' r{} cannot name a ledger; use a-z, 0-9, '-', '_' and '.', at most 63",
                    entry.event, entry.revision));
  }
  if (entry.player.empty()) return fail(ErrorCode::Invalid, "a ledger entry names no player");
  return {};
}

}  // namespace showcaller
