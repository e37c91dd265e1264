// SPDX-License-Identifier: Apache-2.0
// Idempotency keys that were used, oldest first: which record each one's command first caused.
//
// A value whose copies are free, for a world is copied at every batch. Keys come and go in the
// order of records, so no tree is needed: they stand in runs of growing size, each with a hash
// table of its own, which never change once they are full; two runs of about the same size are
// merged into one. A key is kept as the first 16 bytes of its SHA-256, so that nobody can make
// another's key look used, and nothing a client wrote stays here.
//
// Threads: one writer a copy; any number of readers of other copies. Memory: 56 to 72 bytes a key.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/counted_ref.h"
#include "base/time.h"

namespace showcaller {

struct DoneKey {
  std::array<std::uint64_t, 2> digest{};
  std::uint64_t seq = 0;      // of the first record that the command caused
  std::uint64_t command = 0;  // its digest (command.h); 0: not known
  Instant at{};
};

class DoneKeys {
 public:
  static std::array<std::uint64_t, 2> digest_of(std::string_view key);

  std::size_t size() const { return size_; }
  const DoneKey* find(std::string_view key) const;  // until the next change
  const DoneKey* oldest() const;                    // null if there is none

  void add(const DoneKey& key);
  void drop_oldest();

  // visit(key), oldest first.
  template <class Visit>
  void each(Visit&& visit) const {
    for (std::size_t r = 0; r < runs_.size(); ++r) {
      const std::vector<DoneKey>& keys = runs_[r]->keys;
      for (std::size_t i = r == 0 ? dropped_ : 0; i < keys.size(); ++i) visit(keys[i]);
    }
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;    // of the digest, so that a table is searched without its keys
    std::uint32_t place = 0;  // 1 + index into keys; 0 is free
  };
  struct Run {
    std::atomic<std::uint32_t> count{1};
    std::vector<DoneKey> keys;  // by seq
    std::vector<Slot> slots;    // by the digest's first word

    explicit Run(std::size_t capacity);
    Run(const Run& other) : keys(other.keys), slots(other.slots) {}
    void add(const DoneKey& key);
    const Slot* slot_of(const std::array<std::uint64_t, 2>& digest) const {
      return &slots[digest[0] & (slots.size() - 1)];
    }
    std::size_t find(const std::array<std::uint64_t, 2>& digest) const;  // size() if absent
  };
  using RunRef = CountedRef<Run>;

  void merge_last();

  std::vector<RunRef> runs_;  // the last may grow
  std::size_t dropped_ = 0;   // of the first run's keys
  std::size_t size_ = 0;
};

}  // namespace showcaller
