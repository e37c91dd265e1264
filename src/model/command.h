// SPDX-License-Identifier: Apache-2.0
// What can be asked of the engine. Commands come from people and programs and are authorised; the
// other inputs come from the host itself: what it observed, and that time has passed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "flag/flag_switchboard.h"
#include "model/payloads.h"
#include "model/spec/manifest.h"

namespace showcaller {

struct Actor {
  std::string name;  // a token's name; "engine" is ours alone
  std::vector<std::string> roles;
};

// ---- commands ----
struct ApplyCommand {
  std::vector<std::shared_ptr<const Manifest>> manifests;  // parsed and resolved; all or none
};
struct RemoveCommand {
  Kind kind = Kind::Flag;  // any but LiveEvent, which is cancelled, rolled back or retired
  std::string name;
};
struct ApproveCommand {
  std::string event;
  std::string hash;          // of the manifest that was read; another one is refused
  bool break_glass = false;  // sets approvals and freezes aside for a while, once two people did so
};
// A rehearsal or a backtest has shown that the gate finds what it is there for.
struct ProveGateCommand {
  std::string event, gate;
  std::string hash;  // of the gate as it was proven (model/gate_hash.h); another one is refused
  ProofMethod method = ProofMethod::Rehearsal;
  std::int64_t runs = 0;
  std::string verdict;
};
enum class EventVerb : std::uint8_t {
  Hold,
  Resume,
  Promote,
  StepBack,
  Rollback,
  Cancel,
  Retire,
  Divert,
  Undivert,
  Pace
};
template <>
struct EnumNames<EventVerb> {
  static constexpr std::array<std::string_view, 10> names{
      "hold",   "resume", "promote", "step-back", "rollback",
      "cancel", "retire", "divert",  "undivert",  "pace"};
};
struct EventCommand {
  std::string event;
  EventVerb verb = EventVerb::Hold;
  std::int64_t pace_per_minute = 0;               // Pace
  std::optional<std::int64_t> expected_revision;  // another one is a Conflict
};
// What came of a readiness check that others make: "client", "bundle:raid-assets",
// "probe:raid-join".
struct ReadyCommand {
  std::string event, check;
  bool ready = true;
  std::string detail;
};
struct LineCommand {
  bool stop = true;
  std::string scope;  // "" everything, "owner/NAME", "fleet/NAME", "event/NAME"
};
struct QuarantineCommand {
  bool release = false;
  QuarantineScope scope = QuarantineScope::Instance;
  std::string fleet, subject;
  Duration for_how_long{};  // 0: until released
};
// A Drill that was applied, on the staging fleet that it names.
struct DrillCommand {
  bool stop = false;
  std::string drill;
};
// The kill switch of a flag ("config.NAME": of a configuration document).
struct FlagCommand {
  bool reopen = false;
  std::string flag;
};
enum class AlertVerb : std::uint8_t { Acknowledge, Resolve, Own };
template <>
struct EnumNames<AlertVerb> {
  static constexpr std::array<std::string_view, 3> names{"acknowledge", "resolve", "own"};
};
struct AlertCommand {
  std::string alert;
  AlertVerb verb = AlertVerb::Acknowledge;
  std::string owner{};  // Own: whose it is from now on; empty: whoever asks
};
struct SilenceCommand {
  std::string subject;  // as in SilenceSet
  std::string event;    // ends with it; empty: with its time
  Duration for_how_long{};
};
struct UnsilenceCommand {
  std::string silence;
};
// A feature of a service's degradation order.
struct FeatureCommand {
  bool restore = false;
  std::string service, feature;
};
// Back to a version of a configuration document that is kept.
struct ConfigUndoCommand {
  std::string config;
  std::int64_t to = 0;
};
// Kill switches as they were moved at a relay that was cut off.
struct MergeFlagsCommand {
  std::string place;
  std::vector<FlagMoves> flags;
};
struct CreateTokenCommand {
  std::string id, name, sha256;  // the caller made the token; only its hash comes here
  std::vector<std::string> roles;
  Instant expires{};
};
struct RevokeTokenCommand {
  std::string id;
};

// Its copies, moves and end are compiled once, as those of Payload are.
struct CommandBody
    : std::variant<ApplyCommand, RemoveCommand, ApproveCommand, ProveGateCommand, EventCommand,
                   ReadyCommand, LineCommand, QuarantineCommand, DrillCommand, FlagCommand,
                   FeatureCommand, ConfigUndoCommand, MergeFlagsCommand, AlertCommand,
                   SilenceCommand, UnsilenceCommand, CreateTokenCommand, RevokeTokenCommand> {
  using variant::variant;
  CommandBody();
  CommandBody(const CommandBody& other);
  CommandBody(CommandBody&& other) noexcept;
  CommandBody& operator=(const CommandBody& other);
  CommandBody& operator=(CommandBody&& other) noexcept;
  ~CommandBody();
};

struct Command {
  CommandBody body;
  Actor actor;
  std::string key;  // idempotency key; empty: none
  std::string trace;
  std::string reason;
  std::string traceparent{}, tracestate{};  // of its request, when the caller had a trace
};

// The verb that a policy speaks of: "apply", "rollback", "stop-line", … (see PolicySpec::RoleSpec).
std::string_view verb_of(const CommandBody& body);
// Moves toward safety never wait: hold, rollback, step-back, divert, pace, cancel, stop-line,
// quarantine, kill-flag, withdraw-feature, unsilence, acknowledge, own, and what was moved at a
// relay.
bool is_toward_safety(const CommandBody& body);

// Eight bytes that tell one command from another: its verb and body. The reason, and what is new at
// every attempt (a token's secret, its end), are no part of it.
std::uint64_t digest_of(const CommandBody& body);

// What a command is told when its records are durable.
struct Receipt {
  std::uint64_t seq = 0;           // of the first record it caused (0: none, nothing had to change)
  bool repeated = false;           // the key was seen before: nothing happened again
  std::vector<std::string> notes;  // for people: "winter-raid r3 is a draft", …
};

}  // namespace showcaller
