// SPDX-License-Identifier: Apache-2.0
#include "policy/admission.h"

#include <algorithm>

#include <fmt/format.h>

#include "flag/logic.h"
#include "policy/policies.h"

namespace showcaller {
namespace {

bool concerns(const AdmissionRule& rule, std::string_view kind) {
  if (kind == to_string(Kind::Policy)) return false;
  return rule.kinds.empty() || std::ranges::find(rule.kinds, kind) != rule.kinds.end();
}

Result<bool> holds(const AdmissionRule& rule, const json::value& input) {
  TRY(const Logic condition, Logic::compile(rule.when));
  return condition.test(input);
}

std::shared_ptr<const Manifest> in_force(const World& world, const Manifest& next) {
  if (next.kind() != Kind::LiveEvent) return world.manifest(next.kind(), next.name);
  const EventState* event = world.event(next.name);
  return event ? event->manifest : nullptr;
}

// An event that is over begins a new life, with the same manifest too.
bool changes_nothing(const World& world, const Manifest& next) {
  if (next.kind() != Kind::LiveEvent) {
    const auto present = world.manifest(next.kind(), next.name);
    return present && present->hash == next.hash;
  }
  const EventState* event = world.event(next.name);
  if (!event || is_over(event->phase)) return false;
  return event->manifest->hash == next.hash ||
         (event->proposed && event->proposed->manifest->hash == next.hash);
}

json::value actor_json(const Actor& actor) {
  return {{"name", actor.name}, {"roles", json::value_from(actor.roles)}};
}

struct Spoken {
  const Manifest& policy;
  const PolicySpec& spec;
  const Manifest& next;
  const AdmissionFinding& finding;
};

// All that any rule in force says of any of the manifests.
template <class Visit>
void each_finding(const World& world, const ApplyCommand& apply, const Actor& actor,
                  const Visit& visit) {
  for (const auto& next : apply.manifests) {
    if (changes_nothing(world, *next)) continue;
    const auto before = in_force(world, *next);
    const json::value present = before ? json::value(before->document) : json::value();
    each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
      if (policy.rules.empty()) return;
      for (const AdmissionFinding& finding :
           judge_manifest(policy, next->document, present, actor_json(actor)))
        visit(Spoken{manifest, policy, *next, finding});
    });
  }
}

const ExceptionSpec* exception_of(const World& world, const Spoken& spoken, Instant now) {
  if (spoken.next.kind() != Kind::LiveEvent) return nullptr;
  return exception_for(spoken.spec, spoken.finding.rule, spoken.next.name, world.wall(now));
}

std::string sentence(const Spoken& spoken) {
  const bool denies = spoken.finding.outcome == AdmissionOutcome::Deny;
  std::string_view says = spoken.finding.says;
  if (says.ends_with('.')) says.remove_suffix(1);  // The sentence may go on.
  return fmt::format("{} is {} by rule '{}' of policy '{}': {}", spoken.next.key(),
                     denies ? "denied" : "warned of", spoken.finding.rule, spoken.policy.name,
                     says);
}

std::string_view word_of(AdmissionOutcome outcome) {
  switch (outcome) {
    case AdmissionOutcome::Allow:
      return "allow";
    case AdmissionOutcome::Warn:
      return "warn";
    case AdmissionOutcome::Deny:
      return "deny";
  }
  return "allow";
}

std::string what_is_wrong(const PolicyExample& example,
                          const std::vector<AdmissionFinding>& findings) {
  AdmissionOutcome outcome = AdmissionOutcome::Allow;
  std::string said;
  bool by_that_rule = example.rule.empty();
  for (const AdmissionFinding& finding : findings) {
    outcome = std::max(outcome, finding.outcome);
    by_that_rule |= finding.rule == example.rule && finding.outcome == example.expect;
    said += fmt::format("{}'{}' says {}: {}", said.empty() ? "" : "; ", finding.rule,
                        word_of(finding.outcome), finding.says);
  }
  if (outcome == example.expect && by_that_rule) return {};
  const std::string by = example.rule.empty() ? "" : fmt::format(" by rule '{}'", example.rule);
  return fmt::format("expected {}{}, and {}", word_of(example.expect), by,
                     said.empty() ? "no rule says anything" : said);
}

}  // namespace

std::vector<AdmissionFinding> judge_manifest(const PolicySpec& policy, const json::object& manifest,
                                             const json::value& before, const json::value& actor) {
  const std::string kind = get_string(manifest, "kind");
  const json::value input{{"manifest", manifest}, {"before", before}, {"actor", actor}};
  std::vector<AdmissionFinding> out;
  for (const AdmissionRule& rule : policy.rules) {
    if (!concerns(rule, kind)) continue;
    const auto held = holds(rule, input);
    if (!held) {
      out.push_back(
          {rule.name, "it can't be judged: " + held.error().message, AdmissionOutcome::Deny});
    } else if (*held) {
      const bool denies = !rule.deny.empty();
      out.push_back({rule.name, denies ? rule.deny : rule.warn,
                     denies ? AdmissionOutcome::Deny : AdmissionOutcome::Warn});
    }
  }
  return out;
}

Status check_admission(const World& world, const ApplyCommand& apply, const Actor& actor,
                       Instant now) {
  std::string denied;
  each_finding(world, apply, actor, [&](const Spoken& spoken) {
    if (!denied.empty() || spoken.spec.audit_only) return;
    if (spoken.finding.outcome != AdmissionOutcome::Deny || exception_of(world, spoken, now))
      return;
    denied = sentence(spoken) + "; change the manifest, or have an exception for it applied";
  });
  if (!denied.empty()) return fail(ErrorCode::Conflict, std::move(denied));
  return {};
}

std::vector<std::string> admission_notes(const World& world, const ApplyCommand& apply,
                                         const Actor& actor, Instant now) {
  std::vector<std::string> notes;
  each_finding(world, apply, actor, [&](const Spoken& spoken) {
    if (spoken.finding.outcome == AdmissionOutcome::Warn) {
      notes.push_back(sentence(spoken));
    } else if (const ExceptionSpec* exception = exception_of(world, spoken, now)) {
      notes.push_back(fmt::format("rule '{}' is lifted from {} by exception '{}' until {}: {}",
                                  spoken.finding.rule, spoken.next.name, exception->name,
                                  format_instant(exception->until), exception->reason));
    } else if (spoken.spec.audit_only) {
      notes.push_back("audit mode, nothing is refused: " + sentence(spoken));
    }
  });
  return notes;
}

std::vector<ExampleStanding> try_examples(const PolicySpec& policy) {
  std::vector<ExampleStanding> out;
  for (const PolicyExample& example : policy.examples) {
    out.push_back(
        {example.name, what_is_wrong(example, judge_manifest(policy, example.manifest,
                                                             example.before, example.actor))});
  }
  return out;
}

}  // namespace showcaller
