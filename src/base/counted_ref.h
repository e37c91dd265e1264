// SPDX-License-Identifier: Apache-2.0
// A counted pointer to a T with a member `std::atomic<std::uint32_t> count{1}`: like shared_ptr,
// one word, and unique() can be trusted by the single writer of a value that others may read.
#pragma once

#include <atomic>
#include <utility>

namespace showcaller {

template <class T>
class CountedRef {
 public:
  CountedRef() = default;
  explicit CountedRef(T* adopted) : at_(adopted) {}
  CountedRef(const CountedRef& other) : at_(other.at_) {
    if (at_) at_->count.fetch_add(1, std::memory_order_relaxed);
  }
  CountedRef(CountedRef&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  CountedRef& operator=(CountedRef other) noexcept {
    std::swap(at_, other.at_);
    return *this;
  }
  ~CountedRef() {
    if (at_ && at_->count.fetch_sub(1, std::memory_order_acq_rel) == 1) delete at_;
  }
  bool unique() const { return at_->count.load(std::memory_order_acquire) == 1; }
  T* get() const { return at_; }
  T* operator->() const { return at_; }
  explicit operator bool() const { return at_ != nullptr; }

 private:
  T* at_ = nullptr;
};

}  // namespace showcaller
