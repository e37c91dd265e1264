// SPDX-License-Identifier: Apache-2.0
#include "model/gate_hash.h"

#include "base/hash.h"
#include "base/json.h"

namespace showcaller {
namespace {

std::string_view name_of(GateAction action) {
  switch (action) {
    case GateAction::Rollback:
      return "rollback";
    case GateAction::StepBack:
      return "step_back";
    case GateAction::Hold:
      return "hold";
    case GateAction::Pace:
      return "pace";
    case GateAction::Divert:
      return "divert";
    case GateAction::Warn:
      return "warn";
  }
  return "";
}

}  // namespace

std::string gate_hash(const GateSpec& gate) {
  json::object text{
      {"name", gate.name}, {"metric", gate.metric}, {"on_fail", name_of(gate.on_fail)}};
  const auto add = [&](std::string_view key, const std::optional<double>& value) {
    if (value) text[key] = *value;
  };
  add("quantile", gate.quantile);
  add("worse_by_at_most_ratio", gate.worse_by_at_most_ratio);
  add("worse_by_at_most_points", gate.worse_by_at_most_points);
  add("at_most", gate.at_most);
  add("at_least", gate.at_least);
  add("must_detect", gate.must_detect);
  if (gate.importance != 1) text["importance"] = gate.importance;
  if (!gate.stages.empty()) text["stages"] = json::value_from(gate.stages);
  return to_hex(sha256(to_canonical_json_text(text)));
}

}  // namespace showcaller
