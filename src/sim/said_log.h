// SPDX-License-Identifier: Apache-2.0
// What sessions said at their end, a row each in the order in which they ended: of the last hour,
// and as far back as somebody has not read yet. Whoever asks reads on from where he was, so that
// what nobody asks is never added up.
//
// Threads: none.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/time.h"

namespace showcaller::sim {

class SaidLog {
 public:
  struct Row {
    std::uint32_t place = 0;  // the instance's number; 0: none of ours
    std::uint16_t kind = 0;   // of the session
    std::uint8_t bucket = 0;  // of its unit
    bool hushed = false;      // the place alone tells that it crashed
  };
  // Of one metric: exposures and events, or what was measured (more than 0), in one word.
  class Said {
   public:
    Said() = default;
    static Said counted(std::int32_t n, std::int32_t x) {
      return Said(std::bit_cast<std::uint64_t>(std::array{n, x}));
    }
    static Said measured(double value) { return Said(std::bit_cast<std::uint64_t>(value)); }

    bool is_nothing() const { return bits_ == 0; }
    std::int32_t n() const { return std::bit_cast<std::array<std::int32_t, 2>>(bits_)[0]; }
    std::int32_t x() const { return std::bit_cast<std::array<std::int32_t, 2>>(bits_)[1]; }
    double value() const { return std::bit_cast<double>(bits_); }

   private:
    explicit Said(std::uint64_t bits) : bits_(bits) {}
    std::uint64_t bits_ = 0;
  };

  // Rows of `metrics` each; they are kept for `keeps`, in chapters of `chapter`.
  SaidLog(std::size_t metrics, Duration chapter, Duration keeps)
      : metrics_(metrics), chapter_(chapter), keeps_(keeps) {}

  // Time goes on. Rows before `unread` may go once they are old.
  void turn_to(Instant now, std::uint64_t unread) {
    if (chapters_.empty() || number_of(now) != number_of(chapters_.back().at)) {
      Chapter next = std::move(spare_);
      next.rows.clear();
      next.said.clear();
      next.first_row = end();
      next.at = now;
      chapters_.push_back(std::move(next));
    }
    chapters_.back().at = now;
    while (number_of(chapters_.front().at) <= number_of(now) - keeps_ / chapter_ &&
           chapters_.front().first_row + chapters_.front().rows.size() <= unread) {
      spare_ = std::move(chapters_.front());
      chapters_.pop_front();
    }
  }

  // The new row's sayings, to be filled in. After the first turn_to().
  std::span<Said> add(const Row& row) {
    Chapter& chapter = chapters_.back();
    chapter.rows.push_back(row);
    chapter.said.resize(chapter.said.size() + metrics_);
    return std::span(chapter.said).last(metrics_);
  }

  // The last row's crash is told by its place alone.
  void hush() { chapters_.back().rows.back().hushed = true; }

  // The number of the next row.
  std::uint64_t end() const {
    return chapters_.empty() ? 0 : chapters_.back().first_row + chapters_.back().rows.size();
  }

  // sink(row, said) for each from `from` on; after a chapter's, end_of(at), when it was told last.
  template <class Sink, class EndOf>
  void read(std::uint64_t from, Sink&& sink, EndOf&& end_of) const {
    for (const Chapter& chapter : chapters_) {
      if (chapter.first_row + chapter.rows.size() <= from) continue;
      const std::uint64_t first = std::max(from, chapter.first_row) - chapter.first_row;
      for (std::size_t i = first; i < chapter.rows.size(); ++i)
        sink(chapter.rows[i], std::span(chapter.said).subspan(i * metrics_, metrics_));
      end_of(chapter.at);
    }
  }

 private:
  struct Chapter {
    std::uint64_t first_row = 0;
    Instant at{};
    std::vector<Row> rows;
    std::vector<Said> said;  // metrics_ a row
  };
  std::int64_t number_of(Instant at) const { return at.time_since_epoch() / chapter_; }

  std::size_t metrics_;
  Duration chapter_, keeps_;
  std::deque<Chapter> chapters_;
  Chapter spare_;  // for its memory
};

}  // namespace showcaller::sim
