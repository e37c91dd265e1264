// SPDX-License-Identifier: Apache-2.0
// A server whose stream says what a test wants, byte by byte, and ends when it wants.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "codec/flag_delta.h"
#include "net/sse.h"
#include "tests/sdk/fake_server.h"

namespace showcaller::sdk {

class StreamingServer : public FakeServer {
 public:
  bool has_streams() const override { return true; }

  TransportResponse stream(const TransportRequest& request, const OnBytes& on_bytes) override {
    std::unique_lock lock(mutex_);
    asked_.push_back(request);
    changed_.notify_all();
    if (status_ != 200) return {.status = status_, .error = "no connection"};
    ended_ = false;
    while (true) {
      changed_.wait(lock, [this] { return ended_ || !said_.empty(); });
      if (ended_) return {.status = 200};
      const std::string bytes = std::move(said_.front());
      said_.pop_front();
      lock.unlock();
      const bool more = on_bytes(bytes);
      lock.lock();
      ++heard_;
      changed_.notify_all();
      if (!more) return {.status = 200};
    }
  }
  void interrupt_stream() override {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  void say(std::string bytes) {
    const std::lock_guard lock(mutex_);
    said_.push_back(std::move(bytes));
    changed_.notify_all();
  }
  void snapshot(std::string_view document, std::string_view revision) {
    say(format_sse({std::string(revision), "snapshot", std::string(document)}));
  }
  void delta(std::string_view from, std::string_view patch, std::string_view revision) {
    say(format_sse({std::string(revision), "delta",
                    encode_flag_delta({std::string(from), parse_json(patch)->as_object()})}));
  }
  void refuse_streams(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  // What the stream was asked for the n-th time, when it has been.
  TransportRequest asked(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_.size() > n; });
    return asked_[n];
  }
  void wait_until_heard(int pieces) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return heard_ >= pieces; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> said_;
  std::vector<TransportRequest> asked_;
  int heard_ = 0, status_ = 200;
  bool ended_ = false;
};

inline std::string header_of(const TransportRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace showcaller::sdk
