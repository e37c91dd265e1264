// SPDX-License-Identifier: Apache-2.0
// The unchanged host over a virtual clock, the journal, evidence and ledger in memory, a lying
// driver, scripted actions and virtual players. What a conversation or a property test speaks to.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/dry_run.h"
#include "flow/memory_evidence_store.h"
#include "flow/memory_journal.h"
#include "flow/memory_ledger.h"
#include "host/host.h"
#include "tests/host/lying_driver.h"

namespace showcaller::test {

class VirtualClock final : public Clock {
 public:
  Instant wall() const override { return wall_; }
  Duration monotonic() const override { return monotonic_; }
  void advance(Duration d) {
    wall_ += d;
    monotonic_ += d;
  }
  void step(Duration d) { wall_ += d; }

 private:
  Instant wall_ = parse_instant("2026-12-01T12:00:00Z").value();
  Duration monotonic_{};
};

// Answers as told: "ok" (default), "fails" for good, "unknown" (the reply is lost, the effect
// happened).
class ScriptedActions final : public ActionPort {
 public:
  struct Answer {
    StepOutcome outcome = StepOutcome::Done;
    int times = 1 << 30;
  };
  std::map<std::string, Answer> answers;  // by path
  std::map<std::string, int> effects;     // by idempotency key: how often the effect happened
  std::vector<std::string> calls;         // "path key#attempt"
  void call(const ActionCall& call, Outcome done) override;
};

// Answers as told; what arrived is kept.
class ScriptedAlerts final : public AlertSender {
 public:
  std::map<std::string, AlertSent> answers;               // by route name; default: delivered
  std::map<std::string, std::vector<json::object>> told;  // by route name, also what failed
  void send(const AlertMessage& message, Outcome done) override {
    told[message.route.name].push_back(message.alert);
    const auto answer = answers.find(message.route.name);
    done(answer == answers.end() ? AlertSent::Delivered : answer->second, "as told");
  }
};

// Every journey is good but those of probes of which it is told what is wrong.
class ScriptedProbes final : public ProbePort {
 public:
  std::map<std::string, std::string> wrong;  // by probe
  std::int64_t journeys = 0;
  void run(const ProbeCall& call, Outcome done) override;
};

// A server that counts: each query answers what has been counted since the curtain rose, or fails.
class ScriptedQueries final : public MetricQueries {
 public:
  explicit ScriptedQueries(const VirtualClock* clock) : clock_(clock) {}
  std::map<std::string, double> per_s;  // by query
  std::string failure;                  // empty: it answers
  void ask(const std::string& query, Done done) override;

 private:
  const VirtualClock* clock_;
};

// What the game servers or clients of a build report of each session that ends: whether something
// happened in it, or how long something took.
struct Reporting {
  std::string metric, build;
  double share = 0;      // of sessions, of a metric that counts
  double median_ms = 0;  // of a lognormal time, of a quantile metric
  Trust trust = Trust::Server;
};

struct Traffic {
  double sessions_per_s = 0;
  Duration length = seconds(20);
  std::map<std::string, double> crash_share;  // by build: of sessions, at half their length
  int party_size = 2;
  std::string region;
  std::vector<Reporting> reporting;
};

class Theatre {
 public:
  // With an evidence store of the test's own, or one in memory.
  explicit Theatre(std::uint64_t seed = 1, EvidenceStore* evidence = nullptr);

  Result<Receipt> command(CommandBody body, const std::string& actor = "ann",
                          const std::string& reason = "", const std::string& key = "");
  // Parses and applies; findings become the error. Early: checked before the other events came.
  enum class Check { Now, Early };
  Result<Receipt> apply(const std::string& file, const std::string& text,
                        const std::string& actor = "ann", Check check = Check::Now);
  // Second by second: players, driver, passes, batches.
  void advance(Duration d);
  // The process dies and starts again on what is durable; soft state is gone.
  void restart(Duration down);
  // The fleet's past, as if it had been watched: from `before` now until this hour, each hour's
  // most sessions between `least` and `most`, by the hour of the day. Read at the next restart.
  struct PastDemand {
    std::string fleet, region;
    Duration before{};
    double least = 0, most = 0;
    int busiest_hour = 20;  // UTC
  };
  void remember(const PastDemand& past);
  // Commands are dry runs, the last of which is told in `tried`.
  bool only_try = false;
  json::object tried;
  // Decides what waits.
  void settle();

  std::vector<Record> take_records();  // since the last call, as the journal has them
  Host& host() { return *host_; }
  std::shared_ptr<const World> world() const { return host_->world(); }

  VirtualClock clock;
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  LyingDriver driver;
  ScriptedActions actions;
  ScriptedAlerts alerts;
  ScriptedProbes probes;
  ScriptedQueries queries{&clock};
  Traffic traffic;
  std::vector<Error> errors;
  std::map<std::string, std::vector<std::string>> builds_of_party;  // in the order played
  std::int64_t sessions_played = 0, sessions_refused = 0;

 private:
  struct Session {
    std::string instance, build;
    Instant ends{}, crashes{};
  };
  void expect_came_true(const Result<DryRun>& foretold, std::uint64_t before,
                        const Result<Receipt>& answer);
  void open();
  Status start_host();
  void play();
  void tell_of(const std::string& id, const Session& session);
  void send_reports();

  Random random_, reported_;
  std::map<Trust, std::vector<ReportedDelta>> unsent_;
  std::uint64_t next_report_ = 1;
  std::shared_ptr<MemoryJournal> journal_;
  MemoryEvidenceStore own_evidence_;
  EvidenceStore* evidence_;
  MemoryLedger ledger_;
  std::unique_ptr<Host> host_;
  std::map<std::string, Session> sessions_;
  std::uint64_t next_session_ = 1;
  std::uint64_t taken_ = 0;
};

}  // namespace showcaller::test
