// SPDX-License-Identifier: Apache-2.0
#include "net/responder.h"

#include <utility>

#include "base/check.h"

namespace showcaller {

bool ResponseStream::write(std::string bytes) {
  return write(std::make_shared<const std::string>(std::move(bytes)));
}

bool ResponseStream::write(SharedBytes bytes) {
  std::unique_lock lock(mutex_);
  if (over_) return false;
  if (bytes->empty()) return true;
  // One piece may always wait alone, so that a bound smaller than a piece does not stop every
  // stream.
  if (pending_ > 0 && pending_ + bytes->size() > buffer_bytes_max_) {
    dropped_ = true;
    const auto channel = channel_;
    end(std::move(lock));
    if (channel) channel->abort();
    return false;
  }
  pending_ += bytes->size();
  const bool first = queued_.empty();
  queued_.push_back(std::move(bytes));
  const auto channel = channel_;
  lock.unlock();
  if (first && channel) channel->wake();
  return true;
}

void ResponseStream::close() {
  std::unique_lock lock(mutex_);
  if (over_) return;
  const auto channel = channel_;
  end(std::move(lock));
  if (channel) channel->wake();
}

bool ResponseStream::open() const {
  std::lock_guard lock(mutex_);
  return !over_;
}

bool ResponseStream::dropped() const {
  std::lock_guard lock(mutex_);
  return dropped_;
}

std::size_t ResponseStream::pending_bytes() const {
  std::lock_guard lock(mutex_);
  return pending_;
}

void ResponseStream::on_end(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (!over_) {
      on_end_ = std::move(callback);
      return;
    }
  }
  callback();
}

void ResponseStream::on_drained(std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  on_drained_ = std::make_shared<const std::function<void()>>(std::move(callback));
}

void ResponseStream::attach(std::shared_ptr<ResponseChannel> channel) {
  std::lock_guard lock(mutex_);
  channel_ = std::move(channel);
}

bool ResponseStream::take(std::vector<SharedBytes>* out) {
  std::lock_guard lock(mutex_);
  if (queued_.empty()) return !over_;
  out->swap(queued_);
  return true;
}

void ResponseStream::written(std::size_t bytes) {
  std::unique_lock lock(mutex_);
  pending_ -= bytes;
  const auto callback = pending_ == 0 && !over_ ? on_drained_ : nullptr;
  lock.unlock();
  if (callback) (*callback)();
}

void ResponseStream::received(std::string_view bytes) {
  if (on_bytes_ && !bytes.empty()) on_bytes_(*this, bytes);
}

void ResponseStream::peer_gone() {
  std::unique_lock lock(mutex_);
  queued_.clear();
  channel_.reset();
  if (!over_) end(std::move(lock));
}

void ResponseStream::end(std::unique_lock<std::mutex> lock) {
  over_ = true;
  const auto callback = std::exchange(on_end_, nullptr);
  lock.unlock();
  if (callback) callback();
}

namespace {

void answer(const std::shared_ptr<ResponseSlot>& slot) {
  const auto channel = slot->channel;
  slot->answered.store(true, std::memory_order_release);
  channel->wake();
}

}  // namespace

Responder& Responder::operator=(Responder&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}

Responder::~Responder() {
  if (slot_) send(text_response(500, "the request was dropped without an answer\n"));
}

void Responder::send(HttpResponse response) {
  CHECK(slot_ != nullptr);  // One answer a request.
  const auto slot = std::exchange(slot_, nullptr);
  slot->response = std::move(response);
  answer(slot);
}

std::shared_ptr<ResponseStream> Responder::stream(HttpResponse head) {
  return upgrade(std::move(head), nullptr);
}

std::shared_ptr<ResponseStream> Responder::upgrade(HttpResponse head, PeerBytes on_bytes) {
  CHECK(slot_ != nullptr);
  const auto slot = std::exchange(slot_, nullptr);
  slot->response = std::move(head);
  slot->stream = std::make_shared<ResponseStream>(slot->stream_buffer_bytes, std::move(on_bytes));
  slot->stream->attach(slot->channel);
  auto stream = slot->stream;  // After the answer the slot is the connection's.
  answer(slot);
  return stream;
}

void Responder::send_pulled(HttpResponse head, ChunkSource source) {
  CHECK(slot_ != nullptr);
  const auto slot = std::exchange(slot_, nullptr);
  slot->response = std::move(head);
  slot->source = std::move(source);
  answer(slot);
}

}  // namespace showcaller
