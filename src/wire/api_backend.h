// SPDX-License-Identifier: Apache-2.0
// What the API needs from the program behind it: the composition root implements this over the
// host, tests over a fake. JSON shapes are those of docs/api.md.
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
#include "codec/telemetry.h"
#include "flag/flag_set.h"
#include "model/command.h"
#include "model/manifest/finding.h"
#include "net/responder.h"

namespace showcaller {

struct HistoryQuery {
  std::uint64_t from_seq = 1;
  std::uint64_t to_seq = 0;  // 0: the end
  std::string event;         // only records about it; empty: all
  std::string kind;          // only this kind; empty: all
  std::size_t limit = 1'000;
};

// The flags that an actor may see. Clients are answered, but never shown the rules.
struct FlagView {
  std::shared_ptr<const FlagSet> flags;
  bool client_visible_only = false;
};

// Manifest files as the server reads it, against its own world.
struct ManifestReading {
  std::vector<std::shared_ptr<const Manifest>> manifests;  // empty when there are errors
  json::array findings;                                    // errors and warnings
  bool ok = false;
};

using CommandReply = std::move_only_function<void(Result<Receipt>)>;
struct Submission {
  Command command;
  CommandReply reply;
};

// What became of a batch.
struct TelemetryReceipt {
  bool repeated = false;  // it was counted before
  std::int64_t taken = 0;
  std::map<std::string, std::int64_t> dropped;  // why -> how many deltas
  std::int64_t report_every_ms = 0;             // how often to report
};

class ApiBackend {
 public:
  virtual ~ApiBackend() = default;

  virtual Instant now() const = 0;  // by the clock on the wall: for dates
  // By the token of "Authorization: Bearer"; empty: none was sent. Unauthenticated: unknown or
  // expired.
  virtual Result<Actor> authenticate(std::string_view token) const = 0;
  // May the actor do this to something of this owner (empty: of the whole house)? Forbidden says
  // who would have to allow it. Commands are checked again by the engine, at their own place in the
  // journal.
  virtual Status authorize(const Actor& actor, std::string_view verb,
                           std::string_view owner) const = 0;

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
  virtual json::value drills() const = 0;
  virtual Result<json::value> drill(std::string_view name) const = 0;  // its last run
  virtual json::value lines() const = 0;
  virtual json::value tokens() const = 0;
  // {"ready":bool,"checks":[{"name","ok","detail"}]}
  virtual json::object readiness() const = 0;

  // ---- sessions and what they report ----
  virtual Result<json::value> allocate(const json::object& request) = 0;
  virtual Status release(std::string_view session) = 0;
  // Limit: push back with 429.
  virtual Result<TelemetryReceipt> report(TelemetryBatch batch, const Actor& actor) = 0;
  virtual FlagView flags(const Actor& actor) const = 0;
  // An evaluation with this context is answered; `flag` empty: of all flags.
  virtual void evaluated(const json::object& context, std::string_view flag) = 0;

  // ---- slow: parse large texts, read the journal, the evidence or the ledger ----
  virtual ManifestReading read_manifests(std::span<const SourceFile> files) const = 0;
  virtual json::value validate(std::span<const SourceFile> files) const = 0;  // {"ok","findings"}
  // As this actor would apply them.
  virtual Result<json::value> plan(std::span<const SourceFile> files, const Actor& actor) const = 0;
  virtual Result<json::value> history(
      const HistoryQuery& query) const = 0;  // {"records":[...],"next":SEQ|null}
  virtual Result<json::value> explain(std::string_view event) const = 0;
  virtual Result<json::value> ledger(std::string_view event,
                                     std::int64_t revision) const = 0;  // 0: the present one
  // Whom of {"players":[...]} a revision admitted; each gets a row in its ledger.
  virtual Result<json::value> admitted(std::string_view event, const json::object& request) = 0;
  virtual Result<json::value> privacy_export(std::string_view player) = 0;
  virtual Result<json::value> privacy_erase(std::string_view player, const Actor& actor) = 0;
};

}  // namespace showcaller
