// SPDX-License-Identifier: Apache-2.0
// What a document source told, in order, for the tests of its implementations.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

#include "flow/port/document_source.h"

namespace showcaller {

class DocumentHeard {
 public:
  DocumentSink sink() {
    return [this](Result<std::string> text) {
      const std::lock_guard lock(mutex_);
      heard_.push_back(text ? *text : "error " + std::string(to_string(text.error().code)));
      arrived_.notify_all();
    };
  }
  // "nothing" when nothing comes within ten seconds.
  std::string next() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, std::chrono::seconds(10), [this] { return !heard_.empty(); }))
      return "nothing";
    std::string text = std::move(heard_.front());
    heard_.pop_front();
    return text;
  }
  bool is_quiet() const {
    const std::lock_guard lock(mutex_);
    return heard_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::string> heard_;
};

}  // namespace showcaller
