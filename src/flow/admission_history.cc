// SPDX-License-Identifier: Apache-2.0
#include "flow/admission_history.h"

#include <algorithm>

#include "flow/flag_snapshot.h"

namespace showcaller {

Status AdmissionHistory::add(Record record) {
  // A world of one event has records of its own count, and no commands.
  record.seq = world_.seq + 1;
  record.key.clear();
  TRY(evolve(&world_, record));
  const EventState* event = world_.event(event_);
  if (!event || event->revision != revision_ || !may_admit(event->phase) ||
      !concerns_flags(record.payload))
    return {};
  FlagReach reach(world_, *event, salt_);
  if (reach.reaches_nobody()) return {};
  std::string text = reach.text();
  const bool known = std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    return rule.in_force.visit == event->visit && rule.text == text;
  });
  if (known) return {};
  const std::string& stage = event->spec().stages[std::size_t(event->stage)].name;
  rules_.push_back({{event->visit, stage, record.time}, std::move(reach), std::move(text)});
  return {};
}

std::vector<StageAdmission> AdmissionHistory::of(const EvaluationContext& who) const {
  std::vector<StageAdmission> out;
  for (const Rule& rule : rules_) {
    if (!out.empty() && out.back().visit == rule.in_force.visit) continue;
    if (rule.reach.reaches({}, who, rule.in_force.at)) out.push_back(rule.in_force);
  }
  return out;
}

bool AdmissionHistory::knows_no_unit_of(const EvaluationContext& who) const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [&](const Rule& rule) { return rule.reach.knows_no_unit_of(who); });
}

}  // namespace showcaller
