// SPDX-License-Identifier: Apache-2.0
// What a LiveEvent manifest says, typed. A Pipeline is already expanded into it; defaults are
// already in it.
//
// Shares are in ppm (1 % = 10'000). Times of a schedule are resolved to UTC when the manifest is
// applied.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "model/spec/group_share.h"

namespace showcaller {

constexpr std::int64_t kPpmWhole = 1'000'000;

// ---- schedule
// -------------------------------------------------------------------------------------------------------

// One instant, or one per region when the schedule's zone is `local`; regions sorted by name.
struct ScheduledTime {
  Instant at{};                                            // the earliest
  std::vector<std::pair<std::string, Instant>> by_region;  // empty unless local
  friend bool operator==(const ScheduledTime&, const ScheduledTime&) = default;
};

struct ScheduleSpec {
  std::string zone = "UTC";  // IANA name, or "local"
  std::string tzdata;        // version that resolved it
  std::optional<ScheduledTime> announce;
  std::optional<ScheduledTime> start;  // absent: as soon as ready and proven
  std::optional<ScheduledTime> end;    // absent: no end
  Duration claim_until{};              // settling lasts this long after the end
  Duration retire{};                   // after settling
};

enum class Risk { Low, Normal, High };

// ---- change-set
// -----------------------------------------------------------------------------------------------------

struct BuildChange {
  std::string fleet;
  std::string version;
  std::vector<int> protocols;  // empty: as the fleet declares for the build
};
struct FlagChange {
  std::string key;
  std::string to;  // variant
};
struct ConfigChange {
  std::string document;
  std::int64_t version = 0;
  std::optional<json::value> value;  // put in when the manifest is read, if some event had it
};
struct BundleChange {
  std::string id;
  Duration preload{};
};
struct ActionChange {
  std::string act;         // "grants/open": path below the service's URL, or a URL
  std::string undo;        // empty: cannot be undone (then irreversible must be true)
  std::string compensate;  // per player; empty: none
  std::string verify;      // empty: none
  Duration timeout = seconds(30);
};
struct Change {
  std::variant<BuildChange, FlagChange, ConfigChange, BundleChange, ActionChange> what;
  bool irreversible = false;
  // The layer's path: "build:raid", "flag:raid-entrance", "config:drop-tables",
  // "bundle:raid-assets", "action:grants/open".
  std::string path() const;
};

// ---- readiness, rollout, intake
// -------------------------------------------------------------------------------------

struct ReadinessSpec {
  std::optional<std::int64_t>
      capacity_headroom_ppm;  // free capacity of the canary's fleet over need
  std::string capacity_fleet;
  bool capacity_from_forecast = false;  // need is the peak that is forecast, not what runs
  std::string client_protocol;          // ">=48"; empty: not asked
  std::int64_t client_adoption_ppm = 0;
  std::string client_by;  // "platform"
  std::int64_t bundle_ready_at_ppm = 0;
  std::vector<std::string> probes;
  Duration timeout = hours(1);  // Preparing longer than this pages and holds
};

enum class Unit { Player, Party, Guild, Match };

struct StageSpec {
  std::string name;
  std::optional<json::value> audience;    // JSONLogic over the unit's context; absent: everyone
  std::int64_t exposure_ppm = kPpmWhole;  // of the audience
  std::vector<std::string> regions;       // empty: all
  Duration bake_min{};
  std::optional<Duration> bake_max;  // absent: bake_min
  bool gated = true;                 // false: advances when baked (staff stages)
};

struct AnalysisSpec {
  Duration tick = seconds(10);
  Duration warmup = Duration(150'000);
  std::string profile = "G1";  // G1 guaranteed, C calibrated
  double strictness = 1;       // above 1: false rollbacks are rarer than the profile makes them
  std::string
      noise_unit;  // "player" | "instance"; empty: instance when a build changes, else player
  int instances_min = 4;  // of the canary; with fewer, small effects fail no gate
};

enum class IfNotProven { Postpone, OpenProvenShare, Ask };

struct IntakeSpec {
  std::string waves;                  // "none" | "by_zone"; empty: by_zone if there are zones
  std::int64_t pace_per_minute = 0;   // 0: no limit
  std::int64_t expected_players = 0;  // at its best hour, beside those who come anyhow
  IfNotProven if_not_proven = IfNotProven::Postpone;
};

// ---- gates, failure, watch
// ------------------------------------------------------------------------------------------

enum class GateAction { Rollback, StepBack, Hold, Pace, Divert, Warn };

// One condition on one metric. Either relative (worse_by_at_most, compared with the baseline arm),
// or absolute (at_most / at_least on the canary), or both.
struct GateSpec {
  std::string name;  // unique in the event; default: the metric, with its quantile
  std::string metric;
  std::optional<double> quantile;                // 0.99
  std::optional<double> worse_by_at_most_ratio;  // 0.10 for 10 %; 0 is "not worse"
  std::optional<double>
      worse_by_at_most_points;    // 0.001 for 0.1pp; converted with the frozen baseline rate
  std::optional<double> at_most;  // in the metric's unit
  std::optional<double> at_least;
  std::optional<double> must_detect;  // ratio: 2 for 2x
  double importance = 1;              // relative; normalised over the event's gates
  std::vector<std::string> stages;    // empty: all gated stages
  GateAction on_fail = GateAction::Rollback;
};

enum class OnThin { Hold, Ask, Widen };

struct WatchSpec {
  std::optional<Duration> duration;  // after 100 %; absent with until_end
  bool until_end = false;
  std::int64_t holdback_ppm = 0;
  Duration keep_previous_build{};
};

enum class DrainThen { Leave, End };

struct RollbackSpec {
  Duration drain = minutes(45);
  DrainThen then = DrainThen::Leave;  // End: matches still running after the drain are ended
  std::optional<Duration> within;     // absent: as long as it may take (engine/rollback_time.h)
};

struct LiveEventSpec {
  std::string pipeline;  // the template it came from; empty: none
  ScheduleSpec schedule;
  Risk risk = Risk::Normal;
  int priority = 0;                // higher layers win
  std::vector<std::string> after;  // names of events whose layers lie below
  std::vector<Change> changes;
  ReadinessSpec readiness;
  Duration rollout_begin_before_start{};  // 0: at once when ready
  std::optional<Unit> unit;               // absent: a party where a build changes, else a player
  std::vector<StageSpec> stages;          // at least one
  std::optional<GroupShare> exclusion;
  AnalysisSpec analysis;
  IntakeSpec intake;
  std::vector<GateSpec> gates;
  OnThin on_thin = OnThin::Hold;
  WatchSpec watch;
  RollbackSpec rollback;
  std::string runbook;
  std::vector<std::string> disturbs;  // "Service/NAME", "Fleet/NAME": silent while it is active
  bool rehearsal_required = false;

  bool changes_build() const;
  Unit assigned_unit() const;
};

}  // namespace showcaller
