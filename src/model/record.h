// SPDX-License-Identifier: Apache-2.0
// One entry of the journal: an envelope and a payload, and its stored form, one line of JSON:
//
//   record   = '{"seq":' N ',"time":"' RFC3339 '","kind":"' NAME '","version":' N ',"epoch":' N
//              [',"actor":"' TEXT '"'] [',"cause":' SEQ] [',"key":"' TEXT '"' [',"command":' N]]
//              [',"trace":"' HEX '"'] [',"traceparent":"' TEXT '"' [',"tracestate":"' TEXT '"']]
//              ',"payload":' OBJECT '}'
//   hash_n   = SHA-256(hash_{n-1} ‖ record_n), 32 zero bytes before the first
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "model/payloads.h"

namespace showcaller {

struct RecordKindRow {
  std::uint16_t number;  // On disk. Never renumber, never reuse.
  std::string_view name;
  std::uint16_t version;  // of the payload, as written now
};

// One row an alternative of Payload, in its order.
inline constexpr std::array<RecordKindRow, std::variant_size_v<Payload::variant>> kRecordKinds{{
    {1, "manifest_applied", 1},
    {2, "manifest_removed", 1},
    {10, "event_revised", 1},
    {11, "phase_changed", 1},
    {12, "stage_entered", 1},
    {13, "exposure_widened", 1},
    {14, "hold_set", 1},
    {15, "hold_lifted", 1},
    {16, "intake_changed", 1},
    {17, "pace_set", 1},
    {18, "divert_set", 1},
    {19, "verdict_changed", 1},
    {20, "approval_granted", 1},
    {21, "step_started", 1},
    {22, "step_finished", 1},
    {23, "readiness_changed", 1},
    {24, "sessions_counted", 1},
    {25, "ledger_sealed", 1},
    {26, "page_raised", 1},
    {27, "revision_adopted", 1},
    {28, "glass_broken", 1},
    {29, "gate_proven", 1},
    {40, "instance_requested", 1},
    {41, "instance_moved", 1},
    {42, "starts_delayed", 1},
    {43, "quarantine_set", 1},
    {44, "quarantine_lifted", 1},
    {60, "line_stopped", 1},
    {61, "line_resumed", 1},
    {62, "token_created", 1},
    {63, "token_revoked", 1},
    {64, "clock_stepped", 1},
    {65, "server_started", 1},
    {66, "time_noted", 1},
    {67, "journal_restored", 1},
    {80, "drill_started", 1},
    {81, "drill_injected", 1},
    {82, "drill_ended", 1},
    {100, "flag_killed", 1},
    {101, "flag_reopened", 1},
    {102, "flag_schedule_reached", 1},
    {30, "exposure_bounded", 1},
    {103, "flag_bounded", 1},
    {104, "flag_switch_merged", 1},
    {120, "alert_opened", 1},
    {121, "alert_changed", 1},
    {122, "alert_delivered", 1},
    {123, "silence_set", 1},
    {124, "silence_ended", 1},
    {140, "breaker_changed", 1},
    {141, "stress_changed", 1},
    {142, "feature_withdrawn", 1},
    {143, "feature_returned", 1},
}};

// Whose name Showcaller's own records have; no token may be called so.
inline constexpr std::string_view kEngineActor = "engine";

struct Record {
  std::uint64_t seq = 0;
  Instant time{};
  std::uint64_t epoch = 0;
  std::string actor;  // a token's name, or kEngineActor
  std::uint64_t cause =
      0;            // seq of the record that led to this one; 0: a command or the world outside
  std::string key;  // idempotency key of the command
  std::uint64_t command = 0;  // digest of the command that came with the key; 0: not known
  std::string trace;          // W3C trace id, 32 hex digits
  // Of the request that a command came with, when its caller had a trace; on what the command
  // itself did, not on what followed. The span is that of the request.
  std::string traceparent, tracestate;
  Payload payload;

  const RecordKindRow& kind() const { return kRecordKinds[payload.index()]; }
};

// The stored line, without the hash.
std::string encode_record(const Record& record);
// Unsupported: a kind or version that a newer program wrote. Corrupt: anything else.
Result<Record> decode_record(std::string_view bytes);

struct Upcaster {
  std::uint16_t kind = 0;
  std::uint16_t from_version = 0;
  void (*lift)(json::object*) = nullptr;  // to from_version + 1
};
// Those of this program (upcast.cc).
std::span<const Upcaster> upcasters();
// A payload that an older version wrote, as version `to` would have written it. Corrupt: a row is
// missing.
Result<json::object> upcast(const RecordKindRow& to, std::uint16_t version, json::object payload,
                            std::span<const Upcaster> table = upcasters());

}  // namespace showcaller
