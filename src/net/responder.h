// SPDX-License-Identifier: Apache-2.0
// The answering side of a request: one response, or a stream of bytes with a bound on what waits to
// be read.
//
// Threads: every call is safe from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http_message.h"

namespace showcaller {

// Bytes shared between readers, so that one event to 10,000 of them is formatted once.
using SharedBytes = std::shared_ptr<const std::string>;

// What a connection offers to the two classes below. The server implements it.
class ResponseChannel {
 public:
  virtual ~ResponseChannel() = default;
  virtual void wake() = 0;   // something to write, or an end
  virtual void abort() = 0;  // close the connection now
};

class ResponseStream;
// Takes what the peer sends on a connection that speaks another protocol from now on. Called on the
// server's thread; must not block.
using PeerBytes = std::function<void(ResponseStream& stream, std::string_view bytes)>;

// A response without an end yet. Kept by whoever writes to it; the connection keeps it too.
class ResponseStream {
 public:
  explicit ResponseStream(std::size_t buffer_bytes_max, PeerBytes on_bytes = nullptr)
      : buffer_bytes_max_(buffer_bytes_max), on_bytes_(std::move(on_bytes)) {}

  // Queues bytes. False: the stream is over, or the reader was too slow and has been dropped by
  // this very call.
  bool write(std::string bytes);
  bool write(SharedBytes bytes);
  // Ends the response after what is queued.
  void close();
  bool open() const;
  // True when the end was a reader slower than its buffer.
  bool dropped() const;
  std::size_t pending_bytes() const;
  // Called once when the stream is over, whoever ended it; at once when it already is. Must not
  // block. From the thread that ended it.
  void on_end(std::function<void()> callback);
  // Called whenever all that was queued has been handed to the system: a reader for whom pieces are
  // made one at a time, and merged while he is slow, can get the next. Must not block. From the
  // connection's thread.
  void on_drained(std::function<void()> callback);

  // The connection's side.
  void attach(std::shared_ptr<ResponseChannel> channel);
  // Moves out what is queued; returns false when nothing is queued and the stream is over.
  bool take(std::vector<SharedBytes>* out);
  void written(std::size_t bytes);
  void received(std::string_view bytes);
  void peer_gone();

 private:
  void end(std::unique_lock<std::mutex> lock);

  const std::size_t buffer_bytes_max_;
  const PeerBytes on_bytes_;
  mutable std::mutex mutex_;
  std::shared_ptr<ResponseChannel> channel_;
  std::vector<SharedBytes> queued_;
  std::size_t pending_ = 0;
  bool over_ = false;
  bool dropped_ = false;
  std::function<void()> on_end_;
  std::shared_ptr<const std::function<void()>> on_drained_;
};

// Gives the next piece of a long response, or nothing at its end. Called on the server's thread
// when the socket has room, so memory stays at one piece however slow the reader; must not block
// for long.
using ChunkSource = std::move_only_function<std::optional<std::string>()>;

struct ResponseSlot;

class Responder {
 public:
  explicit Responder(std::shared_ptr<ResponseSlot> slot) : slot_(std::move(slot)) {}
  Responder(Responder&&) = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  // One of these four, once.
  void send(HttpResponse response);
  // Status and headers now, the body by writes to the stream. The body of `head` is its first
  // bytes.
  std::shared_ptr<ResponseStream> stream(HttpResponse head);
  // For a head of status 101: a stream of bare bytes both ways.
  std::shared_ptr<ResponseStream> upgrade(HttpResponse head, PeerBytes on_bytes);
  void send_pulled(HttpResponse head, ChunkSource source);

  bool answered() const { return slot_ == nullptr; }

 private:
  std::shared_ptr<ResponseSlot> slot_;
};

// Where an answer waits for its connection. Shared between a Responder and the connection; filled
// once.
struct ResponseSlot {
  std::atomic<bool> answered = false;  // set last; what is below is then the connection's
  std::shared_ptr<ResponseChannel> channel;
  std::size_t stream_buffer_bytes = 1 << 20;
  HttpResponse response;
  std::shared_ptr<ResponseStream> stream;
  ChunkSource source;
};

}  // namespace showcaller
