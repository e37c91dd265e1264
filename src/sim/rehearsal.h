// SPDX-License-Identifier: Apache-2.0
// A rehearsal: clean runs of a manifest, and a batch of runs for each thing that may go wrong, and
// what they say together. The runs are independent: whoever has threads gives each a job.
// docs/rehearse.md has the report.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "sim/run.h"

namespace showcaller::sim {

// Exit codes of `rehearse`. Scripts use them. Never renumber.
enum class RehearsalVerdict : std::uint8_t {
  Pass = 0,  // goes live when all is well; what harms players is caught and undone
  Fail = 1,  // does not go live, or a rollback does not come home, or a promise is broken
  Thin = 3,  // something that harms players may pass unseen
};
std::string_view to_string(RehearsalVerdict verdict);

struct RehearsalSpec {
  RunSpec run;                             // without seed, faults and level
  std::optional<RehearsalLevel> level;     // absent: rates as evidence, paths session by session
  std::vector<std::vector<Fault>> faults;  // a batch each; they act together
  int clean_runs = 20;
  int fault_runs = 4;      // of faults that harm players
  int trouble_runs = 1;    // of the others
  std::uint64_t seed = 1;  // of the first run; the others follow
};

// What can go wrong with this event: the kinds of fault that touch something it has.
std::vector<std::vector<Fault>> usual_faults(const RehearsalSpec& spec);
// About so many runs in all: a third of them clean.
void share_out(int runs, RehearsalSpec* spec);

struct Job {
  int batch = -1;  // index of the faults; -1: clean
  int round = 0;   // how many of the batch come before it
  RunSpec run;
};
// The first of each batch, then the second of each, and so on: whoever stops early has seen
// something of all.
std::vector<Job> jobs_of(const RehearsalSpec& spec);

struct RehearsalReport {
  RehearsalVerdict verdict = RehearsalVerdict::Pass;
  json::object json;  // docs/rehearse.md
};
// Of the jobs that were done; `results` in their order. A batch without any is thin.
RehearsalReport report_of(const RehearsalSpec& spec, std::span<const Job> jobs,
                          std::span<const RunResult> results);

// A share of `of` runs, and between what it is at 95 % (Wilson).
json::object share_json(std::int64_t count, std::int64_t of);
std::string faults_text(const std::vector<Fault>& faults);  // "crashes:5,undo_fails"; "none"

}  // namespace showcaller::sim
