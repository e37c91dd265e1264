// SPDX-License-Identifier: Apache-2.0
#include "engine/gate_readings.h"

#include <algorithm>

#include <fmt/format.h>

namespace showcaller {
namespace {

int gravity(Verdict verdict) {
  switch (verdict) {
    case Verdict::Pass:
      return 0;
    case Verdict::Thin:
      return 1;
    case Verdict::Blind:
      return 2;
    case Verdict::Skewed:
      return 3;
    case Verdict::Fail:
      return 4;
  }
  return 4;
}

void merge(GateReading* into, GateReading more) {
  // Clients alone: nobody better said what decided.
  if (into->verdict == more.verdict)
    into->client_evidence_only = into->client_evidence_only && more.client_evidence_only;
  else if (graver(into->verdict, more.verdict) == more.verdict)
    into->client_evidence_only = more.client_evidence_only;
  into->verdict = graver(into->verdict, more.verdict);
  into->why += (into->why.empty() ? "" : "; ") + more.why;
  for (auto& member : more.statistics) {
    const std::string name = into->statistics.contains(member.key())
                                 ? fmt::format("absolute_{}", std::string(member.key()))
                                 : std::string(member.key());
    into->statistics[name] = std::move(member.value());
  }
}

}  // namespace

Verdict graver(Verdict a, Verdict b) {
  return gravity(a) >= gravity(b) ? a : b;
}

std::vector<GateReading> readings_of_stage(std::vector<GateReading> gates, GateReading stage) {
  std::vector<GateReading> out;
  for (GateReading& reading : gates) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const GateReading& other) {
      return other.gate == reading.gate;
    });
    if (same == out.end())
      out.push_back(std::move(reading));
    else
      merge(&*same, std::move(reading));
  }
  for (const GateReading& gate : out) {
    if (graver(stage.verdict, gate.verdict) == stage.verdict) continue;
    stage.verdict = gate.verdict;
    stage.why =
        gate.why.starts_with("gate ") ? gate.why : fmt::format("gate {}: {}", gate.gate, gate.why);
  }
  out.push_back(std::move(stage));
  return out;
}

}  // namespace showcaller
