// SPDX-License-Identifier: Apache-2.0
// One value that many threads read without a lock while another is put in its place.
//
// A reader announces itself in one of two rows of counters, uses the value, and leaves. A writer
// puts the new value in place, then waits until each counter of a row has been empty once after it
// turned new readers to the other, and only then destroys the old value. Readers never wait;
// writers do, and are few. A row has many counters so that readers on several cores do not share
// one (stripe.h); if two threads meet they are only slower. Source: P. McKenney's sleepable RCU,
// with sequentially consistent atomics instead of barriers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "sdk/stripe.h"

namespace showcaller::sdk {

template <class T>
class SnapshotCell {
 public:
  SnapshotCell() = default;
  ~SnapshotCell() { delete current_.load(); }
  SnapshotCell(const SnapshotCell&) = delete;
  SnapshotCell& operator=(const SnapshotCell&) = delete;

  // Keeps what it found alive while it lives. For moments: a writer waits for it.
  class Reader {
   public:
    explicit Reader(const SnapshotCell& cell)
        : count_(cell.readers_[cell.turn_.load() & 1].counters[own_stripe(kCounterBits)].count) {
      count_.fetch_add(1);
      value_ = cell.current_.load();
    }
    ~Reader() { count_.fetch_sub(1); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    const T* get() const { return value_; }
    const T* operator->() const { return value_; }
    explicit operator bool() const { return value_ != nullptr; }

   private:
    std::atomic<std::uint32_t>& count_;
    const T* value_;
  };

  Reader read() const { return Reader(*this); }

  void publish(std::unique_ptr<const T> value) {
    const std::lock_guard lock(writers_);
    const T* old = current_.exchange(value.release());
    // Twice: a reader may have chosen its counter before the turn and entered it after the first
    // wait.
    for (int i = 0; i < 2; ++i) wait_for_readers();
    delete old;
  }

 private:
  void wait_for_readers() {
    const std::uint32_t turn = turn_.fetch_add(1);
    int spins = 0;
    for (const Counter& counter : readers_[turn & 1].counters) {
      for (; counter.count.load() != 0; ++spins) {
        if (spins < 100) {
          std::this_thread::yield();
        } else {
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
      }
    }
  }

  static constexpr int kCounterBits = 4;

  struct alignas(64) Counter {
    mutable std::atomic<std::uint32_t> count{0};
  };
  struct Row {
    Counter counters[1 << kCounterBits];
  };

  std::atomic<const T*> current_{nullptr};
  alignas(64) std::atomic<std::uint32_t> turn_{0};
  Row readers_[2];
  std::mutex writers_;
};

}  // namespace showcaller::sdk
