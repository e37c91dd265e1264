// SPDX-License-Identifier: Apache-2.0
#include "wire/watch_hub.h"

#include <fmt/format.h>

#include "net/sse.h"

namespace showcaller {

namespace {

std::string format(const WatchBatch& batch, std::size_t i, const WatchBatch::Item& item) {
  return format_sse({std::to_string(item.seq), std::string(item.kind), batch.json(i)});
}

std::string format_missed(std::uint64_t after, std::uint64_t before) {
  return format_sse({std::to_string(before - 1), "missed",
                     fmt::format("{{\"after\":{},\"before\":{}}}", after, before)});
}

}  // namespace

bool WatchHub::Watcher::wants(const WatchBatch::Item& item) const {
  return item.seq > after && (filter.event.empty() || filter.event == item.event) &&
         (filter.kind.empty() || filter.kind == item.kind);
}

void WatchHub::begin_after(std::uint64_t seq) {
  std::lock_guard lock(mutex_);
  last_seq_ = seq;
}

void WatchHub::publish(std::shared_ptr<const WatchBatch> batch) {
  const std::uint64_t first = batch->item(0).seq;
  std::lock_guard lock(mutex_);
  if (last_seq_ != 0 && first != last_seq_ + 1) {
    recent_.clear();
    recent_records_ = 0;
    const auto missed = std::make_shared<const std::string>(format_missed(last_seq_, first));
    std::erase_if(watchers_,
                  [&](const Watcher& watcher) { return !watcher.stream->write(missed); });
  }
  if (!watchers_.empty()) tell(*batch);
  last_seq_ = batch->item(batch->size() - 1).seq;
  recent_records_ += batch->size();
  recent_.push_back(std::move(batch));
  while (recent_records_ - recent_.front()->size() >= kRecent) {
    recent_records_ -= recent_.front()->size();
    recent_.pop_front();
  }
}

void WatchHub::tell(const WatchBatch& batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const WatchBatch::Item item = batch.item(i);
    SharedBytes text;
    std::erase_if(watchers_, [&](const Watcher& watcher) {
      if (!watcher.wants(item)) return false;
      if (!text) text = std::make_shared<const std::string>(format(batch, i, item));
      return !watcher.stream->write(text);
    });
  }
}

bool WatchHub::add(std::shared_ptr<ResponseStream> stream, WatchRequest request) {
  Watcher watcher{std::move(stream), std::move(request.filter), request.after.value_or(0),
                  std::move(request.allowed)};
  std::lock_guard lock(mutex_);
  if (watchers_.size() >= kWatchersMax) return false;
  // A first word at once, so that a reader knows it is heard.
  watcher.stream->write(std::string(kSseHeartbeat));
  if (request.after) catch_up(watcher);
  watchers_.push_back(std::move(watcher));
  return true;
}

void WatchHub::catch_up(const Watcher& watcher) {
  const std::uint64_t first = recent_.empty() ? last_seq_ + 1 : recent_.front()->item(0).seq;
  // What came before this server's start is not among the recent, either.
  if (watcher.after + 1 < first) watcher.stream->write(format_missed(watcher.after, first));
  for (const auto& batch : recent_) {
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const WatchBatch::Item item = batch->item(i);
      if (watcher.wants(item)) watcher.stream->write(format(*batch, i, item));
    }
  }
}

void WatchHub::heartbeat() {
  static const auto beat = std::make_shared<const std::string>(kSseHeartbeat);
  std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [](const Watcher& watcher) {
    if (watcher.allowed && !watcher.allowed()) {
      watcher.stream->close();
      return true;
    }
    return !watcher.stream->write(beat);
  });
}

void WatchHub::close_all() {
  std::lock_guard lock(mutex_);
  for (const auto& watcher : watchers_) watcher.stream->close();
  watchers_.clear();
}

std::size_t WatchHub::watchers() const {
  std::lock_guard lock(mutex_);
  return watchers_.size();
}

}  // namespace showcaller
