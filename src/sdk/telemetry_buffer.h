// SPDX-License-Identifier: Apache-2.0
// What was reported since the last batch, merged by metric and labels. Its memory is bounded by the
// number of distinct series, not by the number of reports.
//
// Past the bound a report gives up its unit first, so that counts stay right where only their
// breakdown is lost; if that does not help it is dropped, and counted. Threads: one. Limits:
// series_max series, and as many again that have no unit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "codec/telemetry.h"
#include "sdk/report_queue.h"

namespace showcaller::sdk {

class TelemetryBuffer {
 public:
  TelemetryBuffer(std::size_t series_max, std::string instance)
      : series_max_(series_max), instance_(std::move(instance)) {}

  // False: dropped.
  bool add(const Report& report);
  bool empty() const { return series_.empty(); }
  std::size_t size() const { return series_.size(); }
  // Everything so far, as deltas; the buffer is empty after.
  std::vector<TelemetryDelta> take();

 private:
  // metric, event, arm, instance, unit, stratum
  using Key =
      std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;
  struct Series {
    std::int64_t n = 0;
    std::int64_t x = 0;
    std::optional<ExponentialHistogram> histogram;
  };

  using KeyView = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view,
                             std::string_view, std::string_view>;

  Series* find(const KeyView& key, std::size_t series_max);

  std::size_t series_max_;
  std::string instance_;
  std::map<Key, Series, std::less<>>
      series_;  // found by views: nothing is copied for what is there
};

}  // namespace showcaller::sdk
