// SPDX-License-Identifier: Apache-2.0
// Admission rules: what a manifest has to be like to be applied, as JSONLogic over
//
//   {"manifest": as it was written, "before": the one in force or null,
//    "actor": {"name", "roles"} or null}
//
// Policies themselves are not judged: a rule that denies too much can always be mended. A rule that
// can't be evaluated within its budget denies. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/command.h"
#include "model/world.h"

namespace showcaller {

// What one rule says of a manifest.
struct AdmissionFinding {
  std::string rule, says;
  AdmissionOutcome outcome = AdmissionOutcome::Allow;
};

// What the rules of one policy say of one manifest, exceptions and mode aside.
std::vector<AdmissionFinding> judge_manifest(const PolicySpec& policy, const json::object& manifest,
                                             const json::value& before, const json::value& actor);

// Conflict: a rule denies one of the manifests. Those that would change nothing are not judged.
[[nodiscard]] Status check_admission(const World& world, const ApplyCommand& apply,
                                     const Actor& actor, Instant now);
// Warnings, exceptions in use, and what policies in audit mode would deny.
std::vector<std::string> admission_notes(const World& world, const ApplyCommand& apply,
                                         const Actor& actor, Instant now);

// How the rules stand to one of the policy's own examples.
struct ExampleStanding {
  std::string name;
  std::string wrong;  // what came instead of what was expected; empty: good
};
std::vector<ExampleStanding> try_examples(const PolicySpec& policy);

}  // namespace showcaller
