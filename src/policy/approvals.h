// SPDX-License-Identifier: Apache-2.0
// Which approvals a LiveEvent needs before it may be prepared, and which of them are still missing.
//
// An approval is bound to the hash of the manifest that was read, is never its author's own, and
// expires. Nothing is asked while two people have broken the glass. One approval counts for every
// rule whose roles it meets; each rule counts different people. What cannot be undone needs more:
// an event with an irreversible change that no rule for irreversible changes meets needs one
// approval more than its other rules ask (the built-in rule "irreversible").
//
// Pure. Only the way forward asks here: moves toward safety never wait for an approval.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/command.h"
#include "model/world.h"

namespace showcaller {

inline constexpr std::string_view kIrreversibleRule = "irreversible";

// How one rule stands.
struct RuleStanding {
  std::string policy;  // empty: the built-in rule
  std::string rule;
  int needed = 0;
  std::vector<std::string> roles;      // whose approval counts; empty: whoever may approve
  std::vector<std::string> approvers;  // who counts, sorted
  std::optional<Instant> expires;      // when the first of those lapses
  std::string waived;                  // by this exception; empty: in force
  bool audit_only = false;

  bool met() const { return !waived.empty() || audit_only || int(approvers.size()) >= needed; }
};

struct ApprovalNeed {
  std::vector<RuleStanding> rules;
  std::vector<std::string> missing;  // a sentence each; empty: complete
  std::vector<std::string> notes;  // exceptions used, and what policies in audit mode would ask for

  bool complete() const { return missing.empty(); }
};

ApprovalNeed approvals_needed(const World& world, const EventState& event, Instant now);
bool approvals_complete(const World& world, const EventState& event, Instant now);

// The hash, 12 digits of it at least, is that of the manifest somebody read; empty: he read the
// present one. Conflict: it has changed since.
[[nodiscard]] Status check_hash_read(const EventState& event, std::string_view hash);
// May this actor's approval be taken? The right to approve at all is authorize()'s.
[[nodiscard]] Status may_approve(const World& world, const EventState& event, const Actor& actor,
                                 Instant now);
// How long an approval given now lasts: as long as the most patient rule lets it. Each rule still
// counts its own time.
Instant approval_until(const World& world, const EventState& event, Instant now);

}  // namespace showcaller
