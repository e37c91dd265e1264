// SPDX-License-Identifier: Apache-2.0
// Streams that tell clients of changed flags. One thread looks at every stream when flags may have
// changed, and at one that has just come, that asks for it, or whose time has come. A stream has
// one message under way at most, and the next one tells what has changed since: a slow reader
// misses steps, never the end.
//
// Threads: any. No lock is held while a stream is looked at.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
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

 private:
  friend class FlagStreams;
  SteadyTime look_again_ = SteadyTime::min();
};

class FlagStreams {
 public:
  static constexpr std::size_t kStreamsMax = 50'000;

  FlagStreams();
  ~FlagStreams();

  // Flags may have changed.
  void changed();
  // This one wants to be looked at.
  void look_at(const FlagStream* stream);
  // False: there are too many, or the server stops.
  bool add(std::shared_ptr<FlagStream> stream);
  void remove(const FlagStream* stream);
  std::size_t size() const;
  // Ends all, takes no more. To be called before the server is shut down.
  void stop();

 private:
  using Round = std::vector<std::shared_ptr<FlagStream>>;

  void run();
  Round next_round(SteadyTime now);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<const FlagStream*, std::shared_ptr<FlagStream>> streams_;
  Round asking_;
  bool look_at_all_ = false, stopping_ = false;
  SteadyTime next_ = SteadyTime::max();  // when the time of one has come; the thread's own
  std::thread thread_;
};

}  // namespace showcaller
