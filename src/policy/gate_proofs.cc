// SPDX-License-Identifier: Apache-2.0
#include "policy/gate_proofs.h"

#include <fmt/format.h>

#include "base/suggest.h"
#include "model/gate_hash.h"
#include "policy/policies.h"

namespace showcaller {
namespace {

struct AskingPolicies {
  std::string in_force, in_audit;  // the first of each; empty: none asks for proofs
};

AskingPolicies asking_policies(const World& world) {
  AskingPolicies out;
  each_policy(world, [&](const Manifest& manifest, const PolicySpec& policy) {
    if (policy.unproven_gates != UnprovenGates::Warn) return;
    std::string& first = policy.audit_only ? out.in_audit : out.in_force;
    if (first.empty()) first = manifest.name;
  });
  return out;
}

bool lacks_proof(const EventState& event, const GateSpec& gate) {
  return gate.on_fail != GateAction::Warn && !proof_of(event, gate);
}

std::string unproven(const EventState& event, const GateSpec& gate, std::string_view policy) {
  return fmt::format(
      "gate {} only warns: no rehearsal and no backtest has proven it, as policy '{}' asks; "
      "`showcaller rehearse FILES --event {} --record` proves it",
      gate.name, policy, event.manifest->name);
}

}  // namespace

const GateProof* proof_of(const EventState& event, const GateSpec& gate) {
  if (event.proofs.empty()) return nullptr;
  const auto at = event.proofs.find(gate_hash(gate));
  return at == event.proofs.end() ? nullptr : &at->second;
}

std::string why_only_warns(const World& world, const EventState& event, const GateSpec& gate) {
  const std::string policy = asking_policies(world).in_force;
  return policy.empty() || !lacks_proof(event, gate) ? "" : unproven(event, gate, policy);
}

std::vector<std::string> gate_notes(const World& world, const EventState& event) {
  const AskingPolicies policies = asking_policies(world);
  std::vector<std::string> out;
  for (const GateSpec& gate : event.spec().gates) {
    if (!lacks_proof(event, gate)) continue;
    if (!policies.in_force.empty())
      out.push_back(unproven(event, gate, policies.in_force));
    else if (!policies.in_audit.empty())
      out.push_back("audit mode, it acts: " + unproven(event, gate, policies.in_audit));
  }
  return out;
}

Status may_be_proven(const EventState& event, std::string_view gate, std::string_view hash) {
  std::vector<std::string> names;
  bool is_there = false;
  for (const Manifest* manifest :
       {event.manifest.get(), event.proposed ? event.proposed->manifest.get() : nullptr}) {
    if (!manifest) continue;
    for (const GateSpec& each : manifest->as<LiveEventSpec>().gates) {
      names.push_back(each.name);
      if (each.name != gate) continue;
      if (gate_hash(each) == hash) return {};
      is_there = true;
    }
  }
  const std::string& name = event.manifest->name;
  if (!is_there) {
    return fail(ErrorCode::NotFound,
                fmt::format("LiveEvent '{}' has no gate '{}'{}", name, gate,
                            did_you_mean(gate, names, "`showcaller get LiveEvent` prints it")));
  }
  return fail(
      ErrorCode::Conflict,
      fmt::format("gate {} of LiveEvent '{}' is not the one that was proven; prove it as it "
                  "is on the server (`showcaller get LiveEvent {}`)",
                  gate, name, name));
}

}  // namespace showcaller
