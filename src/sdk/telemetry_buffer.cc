// SPDX-License-Identifier: Apache-2.0
#include "sdk/telemetry_buffer.h"

#include <utility>

namespace showcaller::sdk {

TelemetryBuffer::Series* TelemetryBuffer::find(const KeyView& key, std::size_t series_max) {
  const auto found = series_.find(key);
  if (found != series_.end()) return &found->second;
  if (series_.size() >= series_max) return nullptr;
  return &series_[Key(key)];
}

bool TelemetryBuffer::add(const Report& report) {
  const Labels labels = report.labels();
  KeyView key{
      report.metric(), labels.event,
      labels.arm,      labels.instance.empty() ? std::string_view(instance_) : labels.instance,
      labels.unit,     labels.stratum};
  Series* series = labels.unit.empty() ? nullptr : find(key, series_max_);
  if (series == nullptr) {
    std::get<4>(key) = {};
    series = find(key, series_max_ * 2);
  }
  if (series == nullptr) return false;
  if (report.kind == Report::Kind::Latency) {
    if (!series->histogram) series->histogram.emplace();
    series->histogram->record(report.value);
  } else {
    series->n += report.n;
    series->x += report.x;
  }
  return true;
}

std::vector<TelemetryDelta> TelemetryBuffer::take() {
  std::vector<TelemetryDelta> out;
  out.reserve(series_.size());
  for (auto& [key, series] : series_) {
    TelemetryDelta delta{.metric = std::get<0>(key),
                         .event = std::get<1>(key),
                         .arm = parse_arm(std::get<2>(key)),
                         .instance = std::get<3>(key),
                         .unit = std::get<4>(key),
                         .stratum = std::get<5>(key),
                         .n = series.n,
                         .x = series.x,
                         .histogram = std::nullopt};
    // A metric reported both ways is two deltas.
    if (series.n != 0 || series.x != 0 || !series.histogram) out.push_back(delta);
    if (series.histogram) {
      delta.n = delta.x = 0;
      delta.histogram = std::move(series.histogram);
      out.push_back(std::move(delta));
    }
  }
  series_.clear();
  return out;
}

}  // namespace showcaller::sdk
