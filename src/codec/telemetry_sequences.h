// SPDX-License-Identifier: Apache-2.0
// Which batches have been counted: a window of the last 64 sequences a source. A batch that comes
// again, because its answer was lost, is recognised; one older than the window is taken for a
// repetition too.
//
// Threads: none. Limits: sources_max; the source that was silent longest is forgotten first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>

namespace showcaller {

class TelemetrySequences {
 public:
  explicit TelemetrySequences(std::size_t sources_max = 100'000) : sources_max_(sources_max) {}

  // True the first time a batch is seen.
  bool accept(std::string_view source, std::int64_t sequence);
  // Takes back an accept() whose batch could not be kept after all, so that its repetition counts.
  void forget(std::string_view source, std::int64_t sequence);
  std::size_t size() const { return windows_.size(); }

 private:
  struct Window {
    std::int64_t newest = 0;
    std::uint64_t seen = 0;  // bit i: newest - i
    std::list<std::string>::iterator age;
  };

  std::size_t sources_max_;
  std::map<std::string, Window, std::less<>> windows_;
  std::list<std::string> ages_;  // longest silent first
};

}  // namespace showcaller
