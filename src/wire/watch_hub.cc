// SPDX-License-Identifier: Apache-2.0
#include "wire/watch_hub.h"

#include <fmt/format.h>

#include "net/sse.h"

namespace showcaller {

bool WatchHub::matches(const WatchFilter& filter, const Item& item) {
  return (filter.event.empty() || filter.event == item.event) &&
         (filter.kind.empty() || filter.kind == item.kind);
}

void WatchHub::publish(std::uint64_t seq, std::string_view kind, std::string_view event,
                       std::string_view record_json) {
  Item item{seq, std::string(kind), std::string(event),
            std::make_shared<const std::string>(
                format_sse({std::to_string(seq), std::string(kind), std::string(record_json)}))};
  std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [&](const Watcher& watcher) {
    if (!matches(watcher.filter, item)) return false;
    return !watcher.stream->write(item.text);
  });
  last_seq_ = seq;
  recent_.push_back(std::move(item));
  if (recent_.size() > kRecent) recent_.pop_front();
}

bool WatchHub::add(std::shared_ptr<ResponseStream> stream, WatchFilter filter,
                   std::optional<std::uint64_t> after) {
  Watcher watcher{std::move(stream), std::move(filter)};
  std::lock_guard lock(mutex_);
  if (watchers_.size() >= kWatchersMax) return false;
  // A first word at once, so that a reader knows it is heard.
  watcher.stream->write(std::string(kSseHeartbeat));
  if (after) catch_up(watcher, *after);
  watchers_.push_back(std::move(watcher));
  return true;
}

void WatchHub::catch_up(const Watcher& watcher, std::uint64_t after) {
  const std::uint64_t first = recent_.empty() ? last_seq_ + 1 : recent_.front().seq;
  if (after + 1 < first) {
    // What came before this server's start is not among the recent, either.
    watcher.stream->write(
        format_sse({std::to_string(first - 1), "missed",
                    fmt::format("{{\"after\":{},\"before\":{}}}", after, first)}));
  }
  for (const auto& item : recent_) {
    if (item.seq > after && matches(watcher.filter, item)) watcher.stream->write(item.text);
  }
}

void WatchHub::heartbeat() {
  static const auto beat = std::make_shared<const std::string>(kSseHeartbeat);
  std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [](const Watcher& watcher) { return !watcher.stream->write(beat); });
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
