// SPDX-License-Identifier: Apache-2.0
// What the whole API needs from the program behind it: the composition root implements this over
// the host, tests over a fake. JSON shapes are those of docs/api.md.
//
// Threads: all calls come from the server's threads, several at once, and must return within
// microseconds, except those under "slow", which come from a worker. Replies may come later, on any
// thread, once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "base/trace_context.h"
#include "evidence/data_points.h"
#include "flow/port/ledger.h"
#include "model/command.h"
#include "model/identity.h"
#include "model/manifest/finding.h"
#include "net/responder.h"
#include "wire/edge_backend.h"
#include "wire/review_backend.h"

namespace showcaller {

struct HistoryQuery {
  std::uint64_t from_seq = 1;
  std::uint64_t to_seq = 0;  // 0: the end
  std::string event;         // only records about it; empty: all
  std::string kind;          // only this kind; empty: all
  std::size_t limit = 1'000;
};

// Of a judged stage; 0: the present revision, the present visit.
struct EvidenceQuery {
  std::string event;
  std::int64_t revision = 0, visit = 0;
  bool live = false;  // the watch after the last stage
};

// Manifest files as the server reads it, against its own world.
struct ManifestReading {
  std::vector<std::shared_ptr<const Manifest>> manifests;  // empty when there are errors
  json::array findings;                                    // errors and warnings
  bool ok = false;
};

// What became of an export of data points, and of the deltas that were made of them: how many, by
// why.
struct PointsReceipt {
  std::map<std::string, std::int64_t> points, deltas;
  std::int64_t rejected = 0;
  std::string why;  // of the first that was rejected
};

using CommandReply = std::move_only_function<void(Result<Receipt>)>;
struct Submission {
  Command command;
  CommandReply reply;
};

class ApiBackend : public EdgeBackend {
 public:
  // Somebody whom the issuer of identities vouches for. Unauthenticated: no policy knows them.
  virtual Result<Actor> recognize(const Identity& person) const = 0;
  // Who owns a manifest; empty: nobody, or there is none.
  virtual std::string owner_of(std::string_view kind, std::string_view name) const = 0;

  // ---- commands: decided at the next settle(), together with all that came; replied to when
  // durable. Limit when the mailbox is full. ----
  virtual void submit(Command command, CommandReply reply) = 0;
  // The same for many, which may then share an fsync.
  virtual void submit_all(std::vector<Submission> commands) = 0;
  // Called by a thread of the server after the requests that it found together.
  virtual void settle() = 0;

  // ---- readings of the published world ----
  virtual std::uint64_t last_seq() const = 0;  // of its last record
  virtual json::value status() const = 0;      // seq, time, epoch, version, counts
  virtual json::value events() const = 0;      // array of short forms
  virtual Result<json::value> event(std::string_view name) const = 0;
  virtual json::value manifests(std::string_view kind) const = 0;  // empty: all kinds
  virtual Result<json::value> manifest(std::string_view kind, std::string_view name) const = 0;
  virtual json::value fleets() const = 0;
  virtual Result<json::value> fleet(std::string_view name) const = 0;
  virtual json::value instances(std::string_view fleet) const = 0;  // empty: all
  virtual json::value quarantines() const = 0;
  // [{"probe","service","owner","ready","says","places":[{"region","heard","wrong","ms","journeys",
  // "failed"}]}]
  virtual json::value probes() const = 0;
  // [{"probe","base_url","document","traceparent"?}] of the probes that are made from a region.
  virtual json::value probes_of(std::string_view region) const = 0;
  virtual json::value services() const = 0;
  virtual Result<json::value> service(std::string_view name) const = 0;
  virtual json::value drills() const = 0;
  virtual Result<json::value> drill(std::string_view name) const = 0;  // its last run
  virtual json::value alerts(std::string_view state) const = 0;        // empty: all
  virtual Result<json::value> alert(std::string_view id) const = 0;
  virtual json::value silences() const = 0;
  virtual json::value dead_letters() const = 0;  // of alerts
  virtual json::value objectives() const = 0;    // of services, as they stand
  // Sends a test; {"delivered":bool,"detail"} once it is known.
  using RouteTested = std::move_only_function<void(Result<json::value>)>;
  virtual void test_route(std::string_view team, std::string_view route, RouteTested done) = 0;
  virtual json::value flag_list() const = 0;
  virtual Result<json::value> config(std::string_view name) const = 0;  // its versions
  virtual json::value lines() const = 0;
  virtual json::value tokens() const = 0;
  // {"ready":bool,"checks":[{"name","ok","detail"}]}
  virtual json::object readiness() const = 0;
  // The same of all that the server rests on: journal, evidence, drivers, relays.
  virtual json::object health() const = 0;
  // A relay has asked for relay_state().
  virtual void heard_of_relay(const Actor& relay, std::string_view place) = 0;

  virtual ReviewBackend& review() = 0;  // slow, all of it

  // What a relay below is told: cli/relay/relay_state.h.
  virtual json::value relay_state() const = 0;
  // Whom it says that its answers exposed, and when.
  virtual void exposed_at_relay(std::vector<LedgerEntry> entries) = 0;

  // ---- sessions; what they report is in edge_backend.h ----
  virtual Result<json::value> allocate(const json::object& request, const TraceContext& trace) = 0;
  virtual Status release(std::string_view session) = 0;

  // ---- OpenTelemetry's data points, which Metrics with `source: otlp` are made of. Limit: push
  // back with 429. ----
  virtual Result<PointsReceipt> take_points(const DataPoints& points, const Actor& actor,
                                            const SenderBelow& below) = 0;

  // ---- slow: parse large texts, read the journal, the evidence or the ledger ----
  virtual ManifestReading read_manifests(std::span<const SourceFile> files) const = 0;
  virtual json::value validate(std::span<const SourceFile> files) const = 0;  // {"ok","findings"}
  // What each would lead to, one after another (engine/dry_run.h); nothing is done.
  virtual std::vector<Result<json::value>> dry_run(std::span<const Command> commands) const = 0;
  // As this actor would apply them.
  virtual Result<json::value> plan(std::span<const SourceFile> files, const Actor& actor) const = 0;
  virtual Result<json::value> history(
      const HistoryQuery& query) const = 0;  // {"records":[...],"next":SEQ|null}
  virtual Result<json::value> explain(std::string_view event) const = 0;
  virtual json::value calendar() const = 0;  // engine/calendar.h
  virtual Result<json::value> evidence(
      const EvidenceQuery& query) const = 0;                                // host/evidence_curve.h
  virtual Result<json::value> fleet_map(std::string_view fleet) const = 0;  // engine/fleet_map.h
  virtual Result<json::value> fleet_demand(
      std::string_view fleet) const = 0;  // the same, and looks
  // {"context"?,"at"?,"revision"?} → the answer and the rule that gave it.
  virtual Result<json::value> evaluate_flag(std::string_view flag,
                                            const json::object& request) const = 0;
  // Flags that may be taken out; `after` is a duration, empty: 30 days.
  virtual Result<json::value> stale_flags(std::string_view after) const = 0;
  virtual Result<json::value> flag_document(std::string_view at) const = 0;  // empty: now
  virtual Result<json::value> ledger(std::string_view event,
                                     std::int64_t revision) const = 0;  // 0: the present one
  // Whom of {"players":[...]} a revision admitted; each gets a row in its ledger.
  virtual Result<json::value> admitted(std::string_view event, const json::object& request) = 0;
  virtual Result<json::value> privacy_export(std::string_view player) = 0;
  virtual Result<json::value> privacy_erase(std::string_view player, const Actor& actor) = 0;
};

}  // namespace showcaller
