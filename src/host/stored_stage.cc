// SPDX-License-Identifier: Apache-2.0
#include "host/stored_stage.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "analysis/gate_stream.h"

namespace showcaller {

Result<StoredStage> read_stored_stage(EvidenceStore* store, const std::string& stream,
                                      JudgedStage stage) {
  StoredStage out{.stage = std::move(stage), .lines = {}, .mark = {}};
  std::vector<json::object> stored;
  TRY(store->read(stream, [&](std::string_view text, const EvidenceMark& mark) {
    auto line = parse_json(text);
    if (!line || !line->is_object()) return false;
    out.mark = mark;
    out.is_new = false;
    if (line->get_object().contains("stage")) {
      if (auto frozen = gate_config_from_json(*line)) out.stage.freeze(std::move(*frozen));
    } else {
      stored.push_back(std::move(line->get_object()));
    }
    return true;
  }));
  for (const json::object& line : stored) out.lines.push_back(line_from_json(line, out.stage));
  keep_most_trusted(out.stage, &out.lines);
  return out;
}

void keep_most_trusted(const JudgedStage& stage, std::vector<StageLine>* lines) {
  std::map<std::string, Trust> best;
  for (const StageLine& line : *lines) {
    for (const auto& [metric, trust] : line.trust) {
      const auto at = best.try_emplace(metric, trust).first;
      at->second = std::min(at->second, trust);
    }
  }
  for (StageLine& line : *lines) {
    std::set<std::string> outranked;
    for (const auto& [metric, trust] : line.trust) {
      if (trust > best.at(metric)) outranked.insert(metric);
    }
    leave_out(outranked, stage, &line);
  }
}

}  // namespace showcaller
