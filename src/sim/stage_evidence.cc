// SPDX-License-Identifier: Apache-2.0
#include "sim/stage_evidence.h"

#include <numbers>
#include <optional>

#include <fmt/format.h>

#include "analysis/gate_stream.h"

namespace showcaller::sim {
namespace {

constexpr std::int64_t kPointEveryS = 30;

void look_at(const std::string& stream, const GateState& gate, std::vector<EvidencePoint>* out) {
  const GateLook look = gate.look();
  for (const MetricLook& metric : look.metrics) {
    const double log_e = metric.log_e_unats == kLogZero ? 0 : double(metric.log_e_unats) / 1e6;
    out->push_back({seconds(look.t_s), stream, metric.name, log_e / std::numbers::ln10,
                    metric.ratio, metric.ratio_low, metric.ratio_high, metric.canary_n,
                    metric.canary_x, metric.baseline_n, metric.baseline_x});
  }
}

}  // namespace

std::vector<EvidencePoint> stage_evidence(EvidenceStore* store, const std::string& event,
                                          std::int64_t revisions, std::int64_t visits) {
  std::vector<EvidencePoint> out;
  for (std::int64_t revision = 1; revision <= revisions; ++revision) {
    for (std::int64_t visit = 1; visit <= visits; ++visit) {
      const std::string stream = fmt::format("{}/r{}/v{}", event, revision, visit);
      std::optional<GateState> gate;
      std::int64_t looked_s = 0;
      (void)store->read(stream, [&](std::string_view text, const EvidenceMark&) {
        const auto line = parse_json(text);
        if (!line || !line->is_object()) return false;
        if (line->get_object().contains("stage")) {
          auto config = gate_config_from_json(*line);
          if (config && !config->metrics.empty()) gate.emplace(*std::move(config));
          return true;
        }
        if (!gate) return true;
        if (const auto tick = tick_from_json(*line, shape_of(gate->config()))) gate->feed(*tick);
        if (gate->t_s() - looked_s >= kPointEveryS) {
          looked_s = gate->t_s();
          look_at(stream, *gate, &out);
        }
        return true;
      });
    }
  }
  return out;
}

}  // namespace showcaller::sim
