// SPDX-License-Identifier: Apache-2.0
// Port: the ledger, everyone who may have been exposed to a revision of a LiveEvent.
//
// Outside the journal. Players are kept as pseudonyms, HMAC-SHA-256 under a key of their own:
// erasing a player destroys the key, the rows stay, and nobody can tell any more whose they were.
// Adding a row twice is adding it once.
//
// Who is exposed is noted before he is told so, which is quick, and settled into rows by batches.
// What was noted survives the death of the process: whoever opens the ledger next settles it. A
// power cut may lose the notes of the last moment.
//
// Threads: any. Errors: Limit (disk full), Corrupt, Unavailable, NotFound.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace showcaller {

// How we know that the player may have been exposed.
enum class LedgerSource : std::uint8_t {  // On disk by name.
  Served,                                 // an assignment was given
  Reported,                               // a client reported it
  Admitted,                               // the assignment admits the player, who does not report
};

struct LedgerEntry {
  std::string event;
  std::int64_t revision = 0;
  std::int64_t visit = 0;  // of the stage
  std::string region;
  std::string player;  // as the game names the player; never stored
  std::string session;
  LedgerSource source = LedgerSource::Served;
  Instant at{};  // first seen
};

struct LedgerRow {
  std::string pseudonym;  // hex
  std::int64_t visit = 0;
  std::string region, session;
  LedgerSource source = LedgerSource::Served;
  Instant at{};
};

struct LedgerSeal {
  std::int64_t rows = 0;
  std::int64_t players = 0;  // different ones
  std::string root;          // hex; depends on every row and on nothing else
};

struct LedgerRevision {
  std::string event;
  std::int64_t revision = 0;
  friend auto operator<=>(const LedgerRevision&, const LedgerRevision&) = default;
};

class Ledger {
 public:
  virtual ~Ledger() = default;

  // An entry that could not be noted waits in memory alone, and is settled with the others.
  [[nodiscard]] virtual Status note(std::span<const LedgerEntry> entries) = 0;
  // On an error all that was noted waits on.
  [[nodiscard]] virtual Status settle() = 0;
  [[nodiscard]] virtual std::size_t noted() const = 0;  // entries that wait
  // Rows at once, on disk when it returns.
  [[nodiscard]] virtual Status add(std::span<const LedgerEntry> entries) = 0;
  [[nodiscard]] virtual Result<LedgerSeal> seal(std::string_view event, std::int64_t revision) = 0;
  // Rows of a revision by time, until sink returns false.
  [[nodiscard]] virtual Status read(std::string_view event, std::int64_t revision,
                                    const std::function<bool(const LedgerRow&)>& sink) = 0;
  // Every row of a player over all revisions, with the event's name and revision.
  [[nodiscard]] virtual Status export_player(
      std::string_view player,
      const std::function<void(std::string_view event, std::int64_t revision, const LedgerRow&)>&
          sink) = 0;
  // Destroys the player's key. NotFound: there was none.
  [[nodiscard]] virtual Status erase_player(std::string_view player) = 0;
  // Those that have rows, in order.
  [[nodiscard]] virtual Result<std::vector<LedgerRevision>> revisions() = 0;
  // When its time of retention is over. NotFound: there is none.
  [[nodiscard]] virtual Status remove(std::string_view event, std::int64_t revision) = 0;
};

}  // namespace showcaller
