// SPDX-License-Identifier: Apache-2.0
// Answers that many ask for at once and that cost something to make: made once for all who ask
// within a moment. What is kept depends on what is asked alone, never on who asks.
//
// Threads: any; while one makes an answer, others who ask for the same wait for it. Limits:
// kAnswersMax; errors are not kept.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace showcaller {

class AnswerCache {
 public:
  static constexpr std::size_t kAnswersMax = 64;
  using Clock = std::chrono::steady_clock;
  using Text = std::shared_ptr<const std::string>;

  explicit AnswerCache(Clock::duration good_for = std::chrono::seconds(1),
                       std::function<Clock::time_point()> now = Clock::now)
      : good_for_(good_for), now_(std::move(now)) {}

  Result<Text> get(const std::string& key, const std::function<Result<json::value>()>& make);

 private:
  struct Entry {
    std::mutex mutex;  // held while the answer is made
    Text text;
    Clock::time_point made;
  };
  std::shared_ptr<Entry> entry_of(const std::string& key);

  const Clock::duration good_for_;
  const std::function<Clock::time_point()> now_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace showcaller
