// SPDX-License-Identifier: Apache-2.0
// Sessions that run, by the minute that they end in: those of the next hours in a ring of rows,
// later ones in a map. A session is written once, where it will be read when it is over, so that
// neither beginning nor ending looks anything up.
//
// Threads: none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "base/time.h"

namespace showcaller::sim {

// A session that runs. As small as can be: very many are there at once.
struct Playing {
  std::uint64_t id = 0;
  Duration ends{};  // when it is over, well or not
  std::uint32_t lasts_ms = 0;
  std::uint32_t party = 0;
  std::uint32_t instance = 0;  // the virtual instance's number; 0: not on servers of ours
  std::uint16_t kind = 0;      // as its seat said
  std::uint16_t region : 13 = 0;
  std::uint16_t canary : 1 = 0;
  std::uint16_t crashes : 1 = 0;  // then, and its instance with it
  std::uint16_t failed : 1 = 0;   // known when it is over: it crashed, or its instance went first
};
static_assert(sizeof(Playing) == 32);  // Two share a line of memory.
inline constexpr std::size_t kRegionsMax = 1 << 13;

class RunningSessions {
 public:
  // One that is over already is taken with the next.
  void add(const Playing& session) {
    const std::int64_t span = std::max(span_of(session.ends), next_);
    if (span - next_ >= kRing) {
      later_[span].push_back(session);
      return;
    }
    std::vector<Playing>& there = ring_[std::size_t(span % kRing)];
    if (there.capacity() == 0 && !spare_.empty()) {
      there = std::move(spare_.back());
      spare_.pop_back();
    }
    there.push_back(session);
  }

  // The same for many: where one goes is fetched while others before it are written.
  void add_all(std::span<const Playing> sessions) {
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      if (i + kSoon < sessions.size()) {
        const std::vector<Playing>& there =
            ring_[std::size_t(span_of(sessions[i + kSoon].ends) % kRing)];
        __builtin_prefetch(there.data() + there.size(), 1);
      }
      add(sessions[i]);
    }
  }

  // Adds those to `out` that are over by then.
  void take_until(Duration end, std::vector<Playing>* out) {
    const std::int64_t last = span_of(end);
    for (; next_ < last; ++next_) {
      std::vector<Playing>& here = span_here();
      out->insert(out->end(), here.begin(), here.end());
      here.clear();
      if (here.capacity() > 0) spare_.push_back(std::exchange(here, {}));
    }
    take(&span_here(), out, [&](const Playing& session) { return session.ends <= end; });
  }

  // Adds those to `out` that `which` holds of, whenever they end.
  template <class Which>
  void take_if(const Which& which, std::vector<Playing>* out) {
    for (std::vector<Playing>& span : ring_) take(&span, out, which);
    for (auto& [number, span] : later_) take(&span, out, which);
  }

  template <class Sink>
  void each(Sink&& sink) const {
    for (const std::vector<Playing>& span : ring_) std::for_each(span.begin(), span.end(), sink);
    for (const auto& [number, span] : later_) std::for_each(span.begin(), span.end(), sink);
  }

 private:
  static constexpr std::int64_t kSpanMs = 65'536;
  static constexpr std::int64_t kRing = 128;
  static constexpr std::size_t kSoon = 8;

  static std::int64_t span_of(Duration at) { return at.count() / kSpanMs; }

  // Those that end in the span that is taken next.
  std::vector<Playing>& span_here() {
    std::vector<Playing>& here = ring_[std::size_t(next_ % kRing)];
    if (!later_.empty() && later_.begin()->first == next_) {
      const auto far = later_.extract(later_.begin());
      here.insert(here.end(), far.mapped().begin(), far.mapped().end());
    }
    return here;
  }

  template <class Which>
  static void take(std::vector<Playing>* span, std::vector<Playing>* out, const Which& which) {
    std::size_t kept = 0;
    for (const Playing& session : *span) {
      if (which(session))
        out->push_back(session);
      else
        (*span)[kept++] = session;
    }
    span->resize(kept);
  }

  std::vector<std::vector<Playing>> ring_ = std::vector<std::vector<Playing>>(kRing);
  std::map<std::int64_t, std::vector<Playing>> later_;
  // Rows that were taken, for their memory: what was read last is the next to be written.
  std::vector<std::vector<Playing>> spare_;
  std::int64_t next_ = 0;  // not taken yet, or not all of it
};

}  // namespace showcaller::sim
