// SPDX-License-Identifier: Apache-2.0
// Reports on their way from game threads to the thread that merges them: a ring of fixed records.
// Whoever reports never waits, allocates or makes a system call; a full ring refuses.
//
// Threads: any number push, one pops. Source: D. Vyukov's bounded queue.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "showcaller/client.h"

namespace showcaller::sdk {

struct Report {
  enum class Kind : std::uint8_t { Count, Latency };
  static constexpr std::size_t kTextMax = 208;

  Kind kind = Kind::Count;
  std::int64_t n = 0;
  std::int64_t x = 0;
  double value = 0;

  // False when the texts together are too long for a record.
  bool set_texts(std::string_view metric, const Labels& labels);
  std::string_view metric() const { return text(0); }
  Labels labels() const { return {text(1), text(2), text(3), text(4), text(5)}; }

 private:
  std::string_view text(int i) const;

  std::uint8_t sizes_[6] = {};
  char texts_[kTextMax];
};

class ReportQueue {
 public:
  // Holds at least this many.
  explicit ReportQueue(std::size_t capacity);

  bool push(const Report& report);
  bool pop(Report* report);
  std::size_t capacity() const { return mask_ + 1; }

 private:
  struct Cell {
    std::atomic<std::size_t> turn;
    Report report;
  };

  std::unique_ptr<Cell[]> cells_;
  std::size_t mask_;
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::size_t head_ = 0;
};

}  // namespace showcaller::sdk
