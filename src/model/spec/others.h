// SPDX-License-Identifier: Apache-2.0
// What the other manifests say, typed: Fleet, Flag, Metric, Service, Policy, Team, Pipeline.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "evidence/trust.h"
#include "model/spec/group_share.h"
#include "model/spec/health_probe.h"
#include "model/spec/slo.h"
#include "model/spec/team.h"

namespace showcaller {

// ---- Fleet
// ----------------------------------------------------------------------------------------------------------

struct BuildSpec {
  std::string version;
  std::vector<std::string> command;  // argv of one instance
  std::map<std::string, std::string> env;
  std::string work_folder;        // where it runs; empty: a folder of the instance's own
  std::vector<int> protocols;     // client protocols it speaks; empty: any
  int sessions_per_instance = 1;  // sessions one instance runs at once
};

struct RegionSpec {
  std::string name;
  std::string zone = "UTC";        // IANA zone of its players
  std::vector<std::string> hosts;  // empty: one host named after the region
};

// Scale ahead: what is ready covers the peak that is forecast from now until `scale_up` has passed.
struct ForecastCapacity {
  std::int64_t headroom_ppm = 0;  // free capacity over that peak
  Duration scale_up{};            // from wishing for instances to their being ready
};

struct CapacitySpec {
  int instances_min = 1;         // a region, of the base build
  int instances_max = 100;       // a region, all builds together
  int buffer = 0;                // Ready instances kept free a region
  std::int64_t buffer_ppm = 0;   // or a share of those in use; the larger counts
  int canary_instances_min = 1;  // a region, of a build under rollout
  struct Scheduled {
    Instant from;
    Instant to;
    int instances_min = 0;
  };
  std::vector<Scheduled> schedule;
  std::optional<ForecastCapacity> forecast;
  int players_per_session = 0;  // for headroom in players; 0: count sessions
};

struct HealthSpec {
  Duration period = seconds(5);
  int failures = 3;
  Duration start_timeout = seconds(60);
  Duration backoff_first = seconds(1);
  Duration backoff_max = minutes(5);
  int quarantine_after = 5;  // start failures in a row of one build, host or build x host
  Duration quarantine_for = minutes(10);  // 0: until released by hand
  std::optional<HealthProbe> probe;       // beside the pings of the game server itself
};

struct FleetSpec {
  std::string driver = "process";
  std::string base;                 // version of the build outside of any event
  std::vector<BuildSpec> builds;    // sorted as written; versions unique
  std::vector<RegionSpec> regions;  // at least one; default "local"
  CapacitySpec capacity;
  HealthSpec health;
  Duration session_length_max = hours(1);  // bounds drains; plan uses it
  Duration unclaimed_after = seconds(30);  // an allocation nobody claimed
  Duration stop_grace = seconds(10);
  std::int64_t memory_mib_max = 0;
  std::int64_t open_files_max = 0;
  std::int64_t log_bytes_max = 4 << 20;
  bool reuse = true;                          // an instance returns to Ready after a session
  std::vector<std::string> ports{"default"};  // names of the ports that an instance is given
  std::string user;  // of this machine, whom its game servers run as; empty: the server's own
  // What its game servers count with the Agones SDK; name → capacity.
  std::map<std::string, std::int64_t> counters, lists;

  const BuildSpec* build(std::string_view version) const {
    for (const auto& b : builds)
      if (b.version == version) return &b;
    return nullptr;
  }
};

// ---- Flag
// -----------------------------------------------------------------------------------------------------------

// The flag is on only where another one gives this variant.
struct FlagPrerequisite {
  std::string flag, variant;
};
// From a time on some keys of the definition say something else.
struct FlagScheduledChange {
  Instant at{};
  json::object definition;  // those of state, defaultVariant and targeting that change
};
struct FlagSpec {
  json::object definition;  // flagd's: state, variants, defaultVariant, targeting, metadata, and
                            // $evaluators, which are the flag's own
  bool client_visible = false;  // visibility: client
  // What is given where the flag may not be on: it is killed, or a prerequisite does not hold.
  // Empty: the default variant.
  std::string off_variant;
  std::vector<FlagPrerequisite> prerequisites;
  std::vector<FlagScheduledChange> schedule;  // by time
  std::optional<GroupShare> exclusion;        // of the flag's own targeting

  std::string variant_when_off() const;  // empty: the caller's own default
};

// ---- Config
// ---------------------------------------------------------------------------------------------------------

// A document of a shape, in versions.
struct ConfigSpec {
  std::int64_t version = 0;
  json::value schema;  // JSON Schema, draft 7; null: none
  json::value value;
};

// ---- Metric
// ---------------------------------------------------------------------------------------------------------

enum class MetricType { Binary, Count, Rate, Quantile };
enum class MetricSource { Sdk, Otlp, Prometheus };

// How data points that arrive by OTLP become a metric. `total` counts what is below the line; what
// is above it is what `bad` counts, or those points of `total` that `bad_where` fits, or the values
// of a distribution that lie above `bad_above`.
struct OtlpMapping {
  std::string total;                         // an instrument; empty: it has the metric's own name
  std::string bad;                           // another one
  std::map<std::string, std::string> where;  // attributes of the points that are meant; empty: all
  std::map<std::string, std::string> bad_where;  // attributes of the bad ones among these
  std::optional<double> bad_above;
  // "stratum" -> "cloud.region": the attribute that says it, instead of showcaller.stratum.
  std::map<std::string, std::string> attributes;
};

struct MetricSpec {
  MetricType type = MetricType::Binary;
  bool lower_is_better = true;
  std::string unit;  // "ms", "1"
  Trust trust = Trust::Server;
  MetricSource source = MetricSource::Sdk;
  std::string per = "session";  // what n counts: session, player, match, second
  OtlpMapping otlp;
  std::string query_bad;  // Prometheus
  std::string query_total;
  Duration query_every{};    // 0: at every tick
  std::vector<double> cuts;  // quantile: cut points when no baseline is known yet
};

// ---- Service
// --------------------------------------------------------------------------------------------------------

// Something that a service can do without for a while.
struct FeatureSpec {
  std::string name;
  std::string flag, fallback;  // the variant that withdraws it; no flag: nothing can
  std::string message;         // that players' clients may show meanwhile
};
// When features are withdrawn and given back (policy/degradation.h).
struct DegradationSpec {
  double burn_max = 6;                // of the error budget of an objective; 0: not looked at
  std::int64_t headroom_min_ppm = 0;  // of each of `fleets`; 0: not looked at
  std::vector<std::string> fleets;
  Duration after = seconds(30);  // that stress has to last before a feature goes
  Duration dwell = minutes(1);   // between two moves, either way
  Duration calm = minutes(5);    // that it has to be over before one comes back
};
// When calls to a service are let be for a while (base/circuit_breaker.h).
struct BreakerSpec {
  std::int64_t failure_max_ppm = 500'000;
  int calls_min = 10;
  Duration window = minutes(1);
  Duration open_for = seconds(30);
  int trials = 2;
};
struct ServiceSpec {
  std::string url;  // base of actions; empty: none
  std::vector<SloSpec> slos;
  std::vector<std::string> fleets;  // whose sessions its SLOs are about; empty: of all fleets
  std::string runbook;
  std::vector<std::string> probes;
  std::vector<std::string> depends_on;
  std::vector<FeatureSpec> features;  // least important first
  DegradationSpec degradation;
  BreakerSpec breaker;
  std::string team;
};

// ---- Policy
// ---------------------------------------------------------------------------------------------------------

// Verbs: apply approve hold resume promote rollback cancel retire divert pace step-back stop-line
// resume-line quarantine release allocate report read flags token policy privacy ready break-glass
// drill prove kill-flag reopen-flag withdraw-feature restore-feature acknowledge own resolve
// silence unsilence. "*" is all.
struct RoleSpec {
  std::string name;
  std::vector<std::string> verbs;
  std::vector<std::string> owners;  // of the things it may touch; empty: any
};
// Whom a role is given that signs in by an issuer of identities, as the issuer names people and
// groups.
struct MemberSpec {
  std::string role;
  std::vector<std::string> groups, people;  // any of them
};
struct ApprovalRule {
  std::string name;
  std::vector<std::string> risks;  // low normal high; empty: any
  bool irreversible_only = false;
  int count = 1;                   // different people, none of them the author
  std::vector<std::string> roles;  // whose approval counts; empty: whoever may approve
  Duration valid_for = hours(72);
};
struct FreezeSpec {
  std::string name;
  Instant from, to;
  std::vector<std::string> owners;  // scope; empty: all
  std::vector<std::string> except_events;
  std::string reason;
};
struct ExceptionSpec {
  std::string name, rule, event, reason;
  Instant until;
};
struct QuotaSpec {
  std::string name;
  int events_active_max = 0;
  int instances_max = 0;
};
// What a manifest that is applied has to be like: where the condition holds, it is denied, or
// warned of.
struct AdmissionRule {
  std::string name;
  std::vector<std::string> kinds;  // of manifests; empty: any
  json::value when;                // JSONLogic over {"manifest", "before", "actor"}
  std::string deny, warn;          // one of them says why
};
enum class AdmissionOutcome { Allow, Warn, Deny };
// A case that the policy's author decided: `showcaller policy test` holds the rules against it.
struct PolicyExample {
  std::string name;
  json::object manifest;
  json::value before, actor;  // null: there is none
  AdmissionOutcome expect = AdmissionOutcome::Allow;
  std::string rule;  // that has to be the one that speaks; empty: any
};
// What a gate does that no rehearsal and no backtest has proven.
enum class UnprovenGates { Act, Warn };
struct PolicySpec {
  std::vector<RoleSpec> roles;
  std::vector<MemberSpec> members;
  std::vector<ApprovalRule> approvals;
  std::vector<FreezeSpec> freezes;
  std::vector<ExceptionSpec> exceptions;
  std::vector<QuotaSpec> quotas;
  std::vector<AdmissionRule> rules;
  std::vector<PolicyExample> examples;
  UnprovenGates unproven_gates = UnprovenGates::Act;
  int commands_per_minute_max = 0;  // an actor; 0: none
  bool audit_only = false;          // log what it would refuse, refuse nothing
};

// ---- Pipeline
// -------------------------------------------------------------------------------------------------

struct PipelineSpec {
  std::map<std::string, json::value> parameters;  // name -> default; null: required
  json::object body;  // the LiveEvent spec parts, "${name}" where a parameter goes
};

}  // namespace showcaller
