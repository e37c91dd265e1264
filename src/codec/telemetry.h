// SPDX-License-Identifier: Apache-2.0
// What SDKs and game servers report: batches of deltas, JSON over POST /api/v1/telemetry.
// docs/telemetry.md tells it from the sender's side.
//
//   batch = {"source": text, "sequence": whole, "trust"?: "server"|"probe"|"client", "sent_ms"?:
//   whole,
//            "dropped"?: whole, "trace"?: text, "deltas": [delta…]}
//   delta = {"metric": text, "event"?: text, "arm"?: "canary"|"baseline", "instance"?: text,
//   "session"?: text, "unit"?: text,
//            "stratum"?: text, ("n": whole, "x"?: whole | "histogram":
//            {"scale","zero","offset","counts"})}
//
// A batch is counted once, however often it arrives: by its source (one run of one process) and
// sequence. Fields that are not known are ignored, so that senders may be newer than the server,
// and named. Errors name the place: "deltas[3].n: …". Threads: none. Limits: TelemetryLimits.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evidence/histogram.h"
#include "evidence/tick.h"
#include "evidence/trust.h"

namespace showcaller {

// Metrics that senders and gates know by these names. Others are the game's own.
namespace metric {
inline constexpr std::string_view kSessionStarted = "session.started";  // n: sessions
inline constexpr std::string_view kSessionEnded =
    "session.ended";  // n: sessions that ended, however
inline constexpr std::string_view kSessionCrashed =
    "session.crashed";  // n: sessions that ended; x: of these, crashed
inline constexpr std::string_view kSessionError =
    "session.error";                                 // n: sessions that ended; x: with an error
inline constexpr std::string_view kError = "error";  // n: errors met, sessions going on
inline constexpr std::string_view kFlagEvaluated =
    "flag.evaluated";  // n: evaluations of the flag and variant in the stratum, "door=open"
inline constexpr std::string_view kUnitExposed =
    "unit.exposed";  // n: 1, with the unit: for the ledger
}  // namespace metric

struct TelemetryDelta {
  std::string metric;
  std::string event;  // the LiveEvent; empty: none
  std::optional<Arm> arm;
  std::string instance;  // game server process; empty: not told
  std::string session;   // the match; empty: not told
  std::string unit;      // player, party, …; empty: not told
  std::string stratum;   // region, platform, …; empty: not told
  std::int64_t n = 0;    // observed
  std::int64_t x = 0;    // of these (or while these were watched) it happened
  std::optional<ExponentialHistogram> histogram;  // instead of n and x
  friend bool operator==(const TelemetryDelta&, const TelemetryDelta&) = default;
};

struct TelemetryBatch {
  std::string source;
  std::int64_t sequence = 0;
  // What the sender claims; the server lowers it to what the token allows.
  Trust trust = Trust::Client;
  std::int64_t sent_ms = 0;  // the sender's clock; 0: not told
  std::int64_t dropped = 0;  // deltas the sender had to leave out
  std::string trace;         // W3C traceparent
  std::vector<TelemetryDelta> deltas;
  friend bool operator==(const TelemetryBatch&, const TelemetryBatch&) = default;
};

struct TelemetryLimits {
  std::size_t bytes_max = 4u << 20;
  std::size_t deltas_max = 10'000;
  std::size_t text_bytes_max = 256;
};

// Limit: the batch is too large, and will be when it comes again. `ignored` gets the names of the
// fields that are not known, some of them.
Result<TelemetryBatch> decode_telemetry(std::string_view body, const TelemetryLimits& limits = {},
                                        std::set<std::string>* ignored = nullptr);
std::string encode_telemetry(const TelemetryBatch& batch);

}  // namespace showcaller
