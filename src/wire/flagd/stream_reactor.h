// SPDX-License-Identifier: Apache-2.0
// One stream to a client over gRPC. Included by flagd's services alone, after gRPC's own headers.
//
// gRPC allows one write at a time and may call OnWriteDone within StartWrite, so no lock is held
// over a call into gRPC. The call is finished exactly once, after the write under way, also when
// the client is gone: only then does gRPC let go of it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "wire/flagd/flag_streams.h"

namespace showcaller {

// What a stream does when it is looked at.
template <class Message>
struct StreamStep {
  std::optional<Message> message;   // to send
  std::optional<grpc::Status> end;  // or with what to end
  SteadyTime look_again = SteadyTime::max();
};

template <class Message>
class StreamReactor final : public grpc::ServerWriteReactor<Message>, public FlagStream {
 public:
  // Asked by the thread of the streams alone.
  using Next = std::function<StreamStep<Message>(SteadyTime now)>;

  static StreamReactor* open(FlagStreams* streams, Next next) {
    const std::shared_ptr<StreamReactor> reactor(new StreamReactor(streams, std::move(next)));
    reactor->self_ = reactor;
    if (!streams->add(reactor)) {
      reactor->end({grpc::StatusCode::RESOURCE_EXHAUSTED,
                    "too many streams are open, or the server stops; try again later"});
    }
    return reactor.get();
  }

  SteadyTime look(SteadyTime now) override {
    {
      const std::lock_guard lock(mutex_);
      asked_ = writing_;
      if (over_ || writing_) return SteadyTime::max();
    }
    StreamStep<Message> step = next_(now);
    if (step.end) {
      end(*step.end);
      return SteadyTime::max();
    }
    if (step.message && begin_write()) {
      message_ = *std::move(step.message);
      this->StartWrite(&message_);
    }
    return step.look_again;
  }

  void stop() override { end({grpc::StatusCode::UNAVAILABLE, "the server stops; connect again"}); }

  void OnWriteDone(bool ok) override {
    bool look = false;
    std::unique_lock lock(mutex_);
    writing_ = false;
    if (!ok) over_ = true;
    if (over_) return finish(std::move(lock));
    look = std::exchange(asked_, false);
    lock.unlock();
    if (look) streams_->look_at(this);
  }
  void OnCancel() override { end(grpc::Status::CANCELLED); }
  void OnDone() override {
    const auto self = std::move(self_);  // Deletes, unless it is being looked at.
    streams_->remove(this);
  }

 private:
  StreamReactor(FlagStreams* streams, Next next) : streams_(streams), next_(std::move(next)) {}

  bool begin_write() {
    const std::lock_guard lock(mutex_);
    return !over_ && (writing_ = true);
  }

  void end(grpc::Status status) {
    std::unique_lock lock(mutex_);
    if (!over_) status_ = std::move(status);
    over_ = true;
    if (!writing_) finish(std::move(lock));  // Else the write does, when it is done.
  }

  void finish(std::unique_lock<std::mutex> lock) {
    if (std::exchange(finished_, true)) return;
    const grpc::Status status = status_;
    lock.unlock();
    this->Finish(status);
  }

  FlagStreams* const streams_;
  const Next next_;
  std::shared_ptr<StreamReactor> self_;
  Message message_;
  std::mutex mutex_;
  grpc::Status status_ = grpc::Status::CANCELLED;
  bool writing_ = false;
  bool asked_ = false;  // while it was writing
  bool over_ = false;
  bool finished_ = false;
};

}  // namespace showcaller
