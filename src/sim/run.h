// SPDX-License-Identifier: Apache-2.0
// One rehearsal run: the unchanged host and engine on a virtual clock, over a journal, evidence and
// a ledger in memory, a virtual fleet and virtual players, from the moment the manifest is applied
// to the end of its story. Equal specs give equal results, bit for bit. Threads: none; runs may go
// on beside each other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compute/fleet_view.h"
#include "model/command.h"
#include "sim/crowd.h"
#include "sim/fault.h"
#include "sim/population.h"

namespace showcaller::sim {

enum class RehearsalLevel : std::uint8_t {
  Session,   // session by session, through allocator, reports and ledger: for paths
  Evidence,  // as counts a tick: for rates and statistics, and quick
};
std::string_view to_string(RehearsalLevel level);  // "session", "evidence"

// A run at a moment, after a step.
struct RunMoment {
  Duration at{};                                          // since the run began
  std::optional<Duration> since_applied, since_admitted;  // absent: not yet
  const CrowdCounts* counts = nullptr;
  FleetView fleet;  // whose build changes; else the first
  const EventState* event = nullptr;
};

// Looks on at a run, record by record and step by step, and may have it go on or end.
class RunWatcher {
 public:
  virtual ~RunWatcher() = default;
  virtual void note(const Record& record, Duration at) = 0;
  // Text: the run ends here, and why.
  virtual std::optional<std::string> look(const RunMoment& moment) = 0;
  // The story is over, and the run goes on for what may still come.
  virtual bool waits(Duration at) const = 0;
};

// What an operator asks for, once: when the event has been in that phase for so long, in that
// revision or a later one.
struct ScheduledCommand {
  Phase phase = Phase::Draft;
  Duration after{};
  CommandBody body;
  std::int64_t revision = 1;
  std::string actor = "operator";  // with every right; the manifest's is "author"
};

// A scheduled command that was sent, and what it met.
struct SentCommand {
  std::size_t index = 0;          // in the spec
  Phase phase = Phase::Draft;     // of the event when it was decided
  std::vector<FaultKind> faults;  // that acted then, or had struck
  bool accepted = false;
  // Of the clocks that faults go by: since the manifest was applied, and since the first players
  // were let in.
  std::optional<Duration> since_applied, since_admitted;
};

struct RunSpec {
  std::vector<std::shared_ptr<const Manifest>> manifests;  // the event's, and all that it needs
  std::string event;                                       // whose story it is
  Population population;
  std::vector<Fault> faults;
  std::vector<ScheduledCommand> commands;
  RehearsalLevel level = RehearsalLevel::Session;
  std::uint64_t seed = 1;
  Instant start{};                   // when the manifest is applied; the game runs before
  Duration horizon = hours(24 * 7);  // played at most
  Duration watched = minutes(10);    // how long the event is watched after it is live
  RunWatcher* watcher = nullptr;     // of this run alone
};

enum class Ending : std::uint8_t {
  Live,        // went all the way, and to its end where it was watched for so long
  RolledBack,  // undone by itself, to the end
  Stuck,       // its rollback did not come home
  Held,        // waits for a person
  NotReady,    // never became ready, or was not approved
  Refused,     // the manifest was refused
  Ended,       // by its schedule, or cancelled
  RanOut,      // of simulated time
  Stopped,     // by who watched it
};
std::string_view to_string(Ending ending);  // "live", "rolled_back", …

struct StageResult {
  std::string name;
  std::int64_t exposure_ppm = 0;
  Duration entered{}, left{};  // since the run began
  std::string verdict;         // the last of the stage as a whole; empty: none
  CrowdCounts counts;          // of the time in the stage
};

// The gate that failed first, or the stage that was blind or skewed, after players began to be
// harmed (where no fault harms any: after the first were let in).
struct GateFired {
  std::string gate, verdict;
  Duration at{};  // since then
};

struct Sample {  // for plots, every few minutes
  Duration at{};
  std::int64_t players = 0, canary_players = 0, exposure_ppm = 0, refused = 0;
  double headroom = 0;  // of the fleet whose build changes
};

// What a judged stage's gate saw, tick by tick, for plots.
struct EvidencePoint {
  Duration at{};  // since the stage visit began
  std::string stream, metric;
  double log10_e = 0, ratio = 1, ratio_low = 0, ratio_high = 0;
  std::int64_t canary_n = 0, canary_x = 0, baseline_n = 0, baseline_x = 0;  // so far
};

struct RunResult {
  std::uint64_t seed = 0;
  Ending ending = Ending::RanOut;
  std::string why;
  Duration took{};     // simulated, and
  Duration skipped{};  // of it passed over: nothing was to happen
  std::vector<StageResult> stages;
  std::optional<GateFired> fired;
  std::optional<Duration> to_rolled_back;  // from the decision to the end of the rollback
  CrowdCounts counts;
  std::int64_t ledger_players = 0;
  double headroom_least = 0;
  std::string pages;
  std::vector<SentCommand> sent;
  std::vector<Sample> samples;
  std::vector<std::string> violations;  // of what must always hold
  std::string hash;                     // of the journal's last record and of the counts
  std::vector<std::string> story;       // a line a record, when asked for
  std::vector<EvidencePoint> evidence;  // when asked for
};

// `with_story`: keeps lines and evidence. What happens is the same with and without.
RunResult run(const RunSpec& spec, bool with_story = false);

// Metrics that the event's gates ask for, with what is true of them in the population.
std::vector<Measured> metrics_of(std::span<const std::shared_ptr<const Manifest>> manifests,
                                 const Population& population);
}  // namespace showcaller::sim
