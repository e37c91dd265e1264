// SPDX-License-Identifier: Apache-2.0
#include "sdk/report_queue.h"

#include <algorithm>
#include <array>
#include <bit>

namespace showcaller::sdk {

bool Report::set_texts(std::string_view metric, const Labels& labels) {
  const std::array<std::string_view, 6> texts{metric,          labels.event, labels.arm,
                                              labels.instance, labels.unit,  labels.stratum};
  std::size_t end = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (end + texts[i].size() > kTextMax) return false;
    std::ranges::copy(texts[i], texts_ + end);
    sizes_[i] = std::uint8_t(texts[i].size());
    end += texts[i].size();
  }
  return true;
}

std::string_view Report::text(int i) const {
  std::size_t start = 0;
  for (int k = 0; k < i; ++k) start += sizes_[k];
  return {texts_ + start, sizes_[i]};
}

ReportQueue::ReportQueue(std::size_t capacity)
    : cells_(std::make_unique<Cell[]>(std::bit_ceil(std::max<std::size_t>(capacity, 2)))),
      mask_(std::bit_ceil(std::max<std::size_t>(capacity, 2)) - 1) {
  for (std::size_t i = 0; i <= mask_; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
}

bool ReportQueue::push(const Report& report) {
  std::size_t at = tail_.load(std::memory_order_relaxed);
  while (true) {
    Cell& cell = cells_[at & mask_];
    const std::size_t turn = cell.turn.load(std::memory_order_acquire);
    if (turn == at) {
      if (!tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) continue;
      cell.report = report;
      cell.turn.store(at + 1, std::memory_order_release);
      return true;
    }
    if (turn < at) return false;  // a lap behind: full
    at = tail_.load(std::memory_order_relaxed);
  }
}

bool ReportQueue::pop(Report* report) {
  Cell& cell = cells_[head_ & mask_];
  if (cell.turn.load(std::memory_order_acquire) != head_ + 1) return false;
  *report = cell.report;
  cell.turn.store(head_ + mask_ + 1, std::memory_order_release);
  ++head_;
  return true;
}

}  // namespace showcaller::sdk
