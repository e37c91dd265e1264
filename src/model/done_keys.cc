// SPDX-License-Identifier: Apache-2.0
#include "model/done_keys.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace showcaller {
namespace {

constexpr std::size_t kGrowingMax = 256;  // keys in the run that is copied before it grows again

}  // namespace

std::array<std::uint64_t, 2> DoneKeys::digest_of(std::string_view key) {
  const Sha256 whole = sha256(key);
  std::array<std::uint64_t, 2> digest;
  std::memcpy(digest.data(), whole.data(), sizeof digest);
  return digest;
}

DoneKeys::Run::Run(std::size_t capacity) : slots(std::bit_ceil(2 * capacity)) {
  keys.reserve(capacity);
}

void DoneKeys::Run::add(const DoneKey& key) {
  keys.push_back(key);
  const std::size_t mask = slots.size() - 1;
  std::size_t at = key.digest[0] & mask;
  while (slots[at].place != 0) at = (at + 1) & mask;
  slots[at] = {std::uint32_t(key.digest[1]), std::uint32_t(keys.size())};
}

// Of two equal ones the newer: the older may have been dropped already.
std::size_t DoneKeys::Run::find(const std::array<std::uint64_t, 2>& digest) const {
  const std::size_t mask = slots.size() - 1;
  std::size_t found = keys.size();
  for (std::size_t at = digest[0] & mask; slots[at].place != 0; at = (at + 1) & mask) {
    if (slots[at].tag != std::uint32_t(digest[1])) continue;
    if (keys[slots[at].place - 1].digest == digest) found = slots[at].place - 1;
  }
  return found;
}

const DoneKey* DoneKeys::find(std::string_view key) const {
  const auto digest = digest_of(key);
  // Each run's table lies elsewhere in memory: all are fetched at once.
  for (const RunRef& run : runs_) __builtin_prefetch(run->slot_of(digest));
  for (std::size_t r = runs_.size(); r-- > 0;) {
    const Run& run = *runs_[r].get();
    const std::size_t at = run.find(digest);
    if (at < run.keys.size() && (r > 0 || at >= dropped_)) return &run.keys[at];
  }
  return nullptr;
}

const DoneKey* DoneKeys::oldest() const {
  return size_ == 0 ? nullptr : &runs_.front()->keys[dropped_];
}

void DoneKeys::add(const DoneKey& key) {
  if (runs_.empty() || runs_.back()->keys.size() >= kGrowingMax) {
    runs_.emplace_back(new Run(kGrowingMax));
  } else if (!runs_.back().unique()) {
    runs_.back() = RunRef(new Run(*runs_.back().get()));
  }
  runs_.back()->add(key);
  ++size_;
  if (runs_.back()->keys.size() < kGrowingMax) return;
  while (runs_.size() > 1 && runs_[runs_.size() - 2]->keys.size() <= runs_.back()->keys.size()) {
    merge_last();
  }
}

void DoneKeys::merge_last() {
  const RunRef newer = std::move(runs_.back());
  runs_.pop_back();
  const RunRef older = std::move(runs_.back());
  const std::size_t from = runs_.size() == 1 ? std::exchange(dropped_, 0) : 0;
  RunRef merged(new Run(older->keys.size() - from + newer->keys.size()));
  for (std::size_t i = from; i < older->keys.size(); ++i) merged->add(older->keys[i]);
  for (const DoneKey& key : newer->keys) merged->add(key);
  runs_.back() = std::move(merged);
}

void DoneKeys::drop_oldest() {
  CHECK(size_ > 0);
  --size_;
  if (++dropped_ < runs_.front()->keys.size()) return;
  runs_.erase(runs_.begin());
  dropped_ = 0;
}

}  // namespace showcaller
