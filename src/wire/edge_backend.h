// SPDX-License-Identifier: Apache-2.0
// What games and game servers need of the program behind a server: who they are, their flags, and
// somebody who takes what they report. A server has it over its host, a relay over what it last had
// from its server.
//
// Threads: all calls come from the server's threads, several at once, and must return within
// microseconds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "codec/telemetry.h"
#include "flag/flag_set.h"
#include "model/command.h"

namespace showcaller {

// The flags that an actor may see. Clients are answered, but never shown the rules.
struct FlagView {
  std::shared_ptr<const FlagSet> flags;
  bool client_visible_only = false;
};

// What became of a batch.
struct TelemetryReceipt {
  bool repeated = false;  // it was counted before
  std::int64_t taken = 0;
  std::map<std::string, std::int64_t> dropped;  // why -> how many deltas
  std::int64_t report_every_ms = 0;             // how often to report
};

// Who sent what a relay hands on, as it says; name empty: whose token asks, himself.
struct SenderBelow {
  std::string name;
  bool server = true;  // a game server, if the relay's token is believed so much
};

class EdgeBackend {
 public:
  virtual ~EdgeBackend() = default;

  virtual Instant now() const = 0;  // by the clock on the wall: for dates
  // By the token of "Authorization: Bearer"; empty: none was sent. Unauthenticated: unknown or
  // expired.
  virtual Result<Actor> authenticate(std::string_view token) const = 0;
  // May the actor do this to something of this owner (empty: of the whole house)? Forbidden says
  // who would have to allow it. Commands are checked again by the engine, at their own place in the
  // journal.
  virtual Status authorize(const Actor& actor, std::string_view verb,
                           std::string_view owner) const = 0;

  // Limit: push back with 429.
  virtual Result<TelemetryReceipt> report(TelemetryBatch batch, const Actor& actor) = 0;
  virtual FlagView flags(const Actor& actor) const = 0;
  // An evaluation with this context is about to be answered; `flag` empty: of all flags. Whom it
  // may expose is noted before he can know.
  virtual void evaluated(const json::object& context, std::string_view flag) = 0;
  // These answers (FlagSet::answer) of flags that were given by flags(), or chosen from them, were
  // given: counted once each, for who asks which flags are stale.
  virtual void answered(const FlagSet& flags, std::span<const std::uint32_t> answers) = 0;
};

}  // namespace showcaller
