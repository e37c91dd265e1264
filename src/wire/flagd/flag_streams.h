// SPDX-License-Identifier: Apache-2.0
// Streams that tell clients of changed flags. One thread looks at every stream when flags may have
// changed, when a stream asks for it, and when its time has come. A stream has one message under
// way at most, and the next one tells what has changed since: a slow reader misses steps, never the
// end.
//
// Threads: any. No lock is held while a stream is looked at.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace showcaller {

using SteadyTime = std::chrono::steady_clock::time_point;

class FlagStream {
 public:
  virtual ~FlagStream() = default;
  // Sends what there is to send, or ends. Answers when to look again at the latest.
  virtual SteadyTime look(SteadyTime now) = 0;
  // The server stops: tells the client so.
  virtual void stop() = 0;
};

class FlagStreams {
 public:
  static constexpr std::size_t kStreamsMax = 10'000;

  FlagStreams();
  ~FlagStreams();

  // Flags may have changed.
  void changed();
  // False: there are too many, or the server stops.
  bool add(std::shared_ptr<FlagStream> stream);
  void remove(const FlagStream* stream);
  std::size_t size() const;
  // Ends all, takes no more. To be called before the server is shut down.
  void stop();

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<FlagStream>> streams_;
  bool look_now_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace showcaller
