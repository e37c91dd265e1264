// SPDX-License-Identifier: Apache-2.0
#include "codec/telemetry_sequences.h"

namespace showcaller {
namespace {

constexpr std::int64_t kWindow = 64;

}  // namespace

bool TelemetrySequences::accept(std::string_view source, std::int64_t sequence) {
  auto found = windows_.find(source);
  if (found == windows_.end()) {
    if (sources_max_ == 0) return true;
    if (windows_.size() >= sources_max_) {
      windows_.erase(ages_.front());
      ages_.pop_front();
    }
    ages_.emplace_back(source);
    windows_.emplace(source, Window{.newest = sequence, .seen = 1, .age = std::prev(ages_.end())});
    return true;
  }
  Window& window = found->second;
  ages_.splice(ages_.end(), ages_, window.age);
  if (sequence > window.newest) {
    const std::int64_t ahead = sequence - window.newest;
    window.seen = ahead < kWindow ? (window.seen << ahead) | 1 : 1;
    window.newest = sequence;
    return true;
  }
  const std::int64_t behind = window.newest - sequence;
  if (behind >= kWindow) return false;
  const std::uint64_t bit = std::uint64_t(1) << behind;
  if (window.seen & bit) return false;
  window.seen |= bit;
  return true;
}

void TelemetrySequences::forget(std::string_view source, std::int64_t sequence) {
  const auto found = windows_.find(source);
  if (found == windows_.end()) return;
  const std::int64_t behind = found->second.newest - sequence;
  if (behind >= 0 && behind < kWindow) found->second.seen &= ~(std::uint64_t(1) << behind);
}

}  // namespace showcaller
