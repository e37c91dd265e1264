// SPDX-License-Identifier: Apache-2.0
// Turns what is reported and observed into counts per judged stage, arm and group. Pure: time comes
// in as a value.
//
// Sessions are counted by the server itself, from what the drivers show: a session that ends is an
// exposure of session.crashed, and an event too if its instance died or stopped answering under it.
// Everything else is reported in deltas by game servers, probes and clients. They are never mixed:
// a metric is counted by the most trusted who speak of it in the stage. Clients are capped, a unit
// and a token. A delta belongs to the arms of its
// session, or of the session its instance runs; or it names event, arm and unit itself. Only
// sessions that the present stage drew are counted: who came in otherwise is no random sample.
// What probes measure (model/probe_metrics.h) belongs to no session: it is of the game as it is
// now, and counts for the canary of every judged stage, with the trust of a probe. session.crashed
// of a session that the server sees is the server's to count; reports of it are ignored. What
// became of each delta is told to its sender.
//
// A batch is counted once: a source's sequences may arrive out of order, within the last 64.
//
// What servers say is also kept for an hour, by build, whether or not a stage is judged: the
// baseline of the next one (baseline_history.h).
//
// Limits: IntakeLimits; over them a batch is refused whole (Limit) and may come again. Of sources,
// the one that has been silent longest is forgotten. Threads: none.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "evidence/histogram.h"
#include "evidence/tick.h"
#include "flow/baseline_history.h"
#include "flow/felt_tally.h"
#include "model/arm_assignment.h"
#include "model/spec/others.h"

namespace showcaller {

// What a driver shows of an instance, as far as its sessions are concerned.
struct InstanceSessions {
  std::string id, build;
  bool died = false;  // crashed, or stopped answering: its open sessions crashed with it
  std::vector<std::string> sessions;  // that run on it
  std::string arms;                   // arms_to_text() of the session given to it last
};

struct ReportedDelta {
  std::string metric;             // "session.error", "join.latency"
  std::string instance, session;  // where it happened; either may be empty
  std::string event;  // with arm and unit: the reporter knows its arm itself (flag rollouts)
  std::optional<Arm> arm;
  std::string unit;
  std::string stratum;  // compared within itself
  std::int64_t n = 0;   // exposures: sessions, or player-seconds for rates
  std::int64_t x = 0;   // events
  std::optional<ExponentialHistogram> histogram;  // instead of n and x, for quantiles
};

struct Report {
  std::string token;           // whose word it is
  std::string source;          // who reports; one sequence each
  std::uint64_t sequence = 0;  // from 1, rising; a batch seen before is accepted and ignored
  Trust trust = Trust::Client;
  std::vector<ReportedDelta> deltas;
};

struct IntakeLimits {
  std::size_t deltas_max = 10'000;  // a batch
  std::size_t sources_max = 200'000;
  std::size_t counters_max = 1'000'000;     // (stage, metric, arm, group)
  std::size_t metrics_max = 1'000;          // names, a stage
  std::size_t strata_max = 64;              // a stage; more are one, "other"
  std::size_t client_units_max = 200'000;   // a stage and tick
  std::int64_t client_n_max = 20;           // a unit and tick: what one client's word can weigh
  std::int64_t client_token_n_max = 5'000;  // a token and tick: a client may invent units
  HistoryLimits history;
};

struct GroupKey {
  Arm arm = Arm::Baseline;
  std::string id;  // instance, or hash bucket of the unit
  std::string stratum;
  friend auto operator<=>(const GroupKey&, const GroupKey&) = default;
};

// What was counted since the stage's last tick.
struct StageTick {
  using Groups = std::vector<std::pair<GroupKey, MetricCounts>>;  // in order, each once
  std::map<std::string, Groups> metrics;
  std::map<std::string, Trust> trust;  // of a metric's counts: the best that spoke in this stage
  std::vector<GroupKey> alive;         // instances that run sessions of it now, in order
};

// What became of a delta.
enum class DeltaFate : std::uint8_t {
  Taken,
  NoStage,          // what it speaks of is not judged now
  NoSession,        // nobody knows its session or instance
  CountedByServer,  // the server sees this itself
  TooManyMetrics,   // names, in the stage
  ClientLimit,      // the unit or token has said as much as it may in this tick
};
inline constexpr std::size_t kDeltaFates = 6;
std::string_view to_string(DeltaFate fate);  // "taken", "no_stage", ...

struct ReportReceipt {
  bool repeated = false;  // the batch was counted before
  std::array<std::int64_t, kDeltaFates> deltas{};
  std::int64_t count(DeltaFate fate) const { return deltas[std::size_t(fate)]; }
};

inline constexpr std::string_view kSessionCrashed = "session.crashed";

class TelemetryIntake {
 public:
  explicit TelemetryIntake(IntakeLimits limits = {}) : limits_(limits), history_(limits.history) {}

  // Judged stages by key ("winter-raid/r1/v3"); counts of others are dropped.
  void watch(const std::set<std::string>& stages);
  // One pass of a fleet: all that its driver shows.
  void observe(const std::string& fleet, std::span<const InstanceSessions> instances, Instant now);
  Result<ReportReceipt> report(const Report& batch, Instant now);
  // One delta, of whose coming once its sender has made sure otherwise. Ask check_room() before.
  DeltaFate add(const ReportedDelta& delta, const std::string& token, Trust trust, Instant now);
  // Limit: it takes nothing before the next tick.
  Status check_room() const;
  // What came since the last call. The stage has to be watched.
  StageTick take_tick(const std::string& stage);
  const BaselineHistory& history() const { return history_; }
  // What players felt of the metrics of objectives: of builds, and of the canary arm of an event.
  void watch_felt(std::set<std::string> metrics) { felt_.watch(std::move(metrics)); }
  std::vector<FeltCounts> take_felt() { return felt_.take(); }

  // By fleet, since this intake was made.
  const std::map<std::string, std::int64_t>& sessions_started() const { return sessions_started_; }
  std::size_t counters() const { return counters_; }

 private:
  struct Speaker {
    std::string token;
    Trust trust = Trust::Server;
  };
  struct Session {
    std::string id;
    std::vector<ArmAssignment> arms;
  };
  struct Instance {
    std::string build;
    std::vector<Session> open;
    std::uint64_t pass = 0;  // that showed it last
  };
  struct Place {
    std::string fleet, build, instance;
  };
  using Counter = std::array<std::optional<MetricCounts>, 3>;  // by Trust; absent: said nothing
  struct Stage {
    std::map<std::string, std::map<GroupKey, Counter>> metrics;
    std::map<std::string, Trust> spoke;  // metric -> the most trusted so far
    std::set<std::string> strata;
    // What each has said in this tick.
    std::map<std::string, std::int64_t> client_units, client_tokens;
  };

  bool first_time(const std::string& source, std::uint64_t sequence);
  DeltaFate count(const ReportedDelta& delta, const Speaker& speaker, Instant now);
  DeltaFate count_probe(const ReportedDelta& delta, const Speaker& speaker);
  DeltaFate count_named(const ReportedDelta& delta, const Speaker& speaker, Instant now);
  void follow(const std::string& fleet, const InstanceSessions& instance, Instance* here,
              Instant now);
  void start_session(const Place& place, const Session& session);
  void end_session(const Place& place, const Session& session, std::int64_t crashes, Instant now);
  void crash_sessions(const Place& place, std::vector<Session>* open, Instant now);
  DeltaFate add(const std::vector<ArmAssignment>& arms, const Place& place,
                const ReportedDelta& delta, const Speaker& speaker, Instant now);
  DeltaFate add_to(Stage* stage, Arm arm, const std::string& group, const ReportedDelta& delta,
                   const Speaker& speaker);
  std::vector<GroupKey> living(const std::string& key) const;
  bool within_client_limit(Stage* stage, const ReportedDelta& delta, const Speaker& speaker) const;

  IntakeLimits limits_;
  std::map<std::string, Stage> stages_;
  std::map<std::string, std::map<std::string, Instance>> instances_;  // fleet -> instance
  std::uint64_t pass_ = 0;
  struct OpenSession {
    Place place;
    std::vector<ArmAssignment> arms;
  };
  struct LastSession {
    Place place;
    std::string crashed;  // its id when it crashed: an instance that died goes on showing it
    std::vector<ArmAssignment> arms;
  };
  std::map<std::string, OpenSession> sessions_;  // by session
  std::map<std::string, LastSession>
      last_session_;  // by instance: for reports that come after the end
  struct Source {
    std::uint64_t last = 0;   // the highest sequence seen
    std::uint64_t seen = 0;   // bit i: last - i was seen
    std::uint64_t heard = 0;  // orders sources by when they were last heard
  };
  std::map<std::string, Source> sources_;
  std::map<std::uint64_t, std::string> sources_by_heard_;
  std::uint64_t heard_ = 0;
  BaselineHistory history_;
  FeltTally felt_;
  std::map<std::string, std::int64_t> sessions_started_;
  std::size_t counters_ = 0;
};

}  // namespace showcaller
