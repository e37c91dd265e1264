// SPDX-License-Identifier: Apache-2.0
// Hands each durable record to everybody who watches, as server-sent events. A record is formatted
// once for all, and only if somebody watches; a reader too slow is dropped by its stream. A reader
// who comes back with Last-Event-ID continues where it was, if that is among the last kRecent
// records of this server's run; else it is told `missed` and reads /api/v1/history. A reader whose
// token is no longer good is dropped at the next heartbeat.
//
//   id: SEQ        id: LAST
//   event: KIND    event: missed
//   data: RECORD   data: {"after":SEQ,"before":SEQ}
//
// Threads: any; publish() by one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/responder.h"

namespace showcaller {

// Records, in order, that may be formatted when somebody asks for them.
class WatchBatch {
 public:
  struct Item {
    std::uint64_t seq;
    std::string_view kind;
    std::string event;
  };
  virtual ~WatchBatch() = default;
  virtual std::size_t size() const = 0;  // at least 1
  virtual Item item(std::size_t i) const = 0;
  virtual std::string json(std::size_t i) const = 0;
};

struct WatchFilter {
  std::string event;  // only records about it; empty: all
  std::string kind;   // only this kind; empty: all
};

struct WatchRequest {
  WatchFilter filter;
  std::optional<std::uint64_t> after;  // the last record that the reader has; absent: from now on
  std::function<bool()> allowed;       // asked at each heartbeat; absent: always
};

class WatchHub {
 public:
  static constexpr std::size_t kRecent = 4'096;
  static constexpr std::size_t kWatchersMax = 10'000;

  // The last record that is durable already: what came before can only be read in the journal.
  // Before the first publish().
  void begin_after(std::uint64_t seq);
  // A batch that does not follow on the last one means that some are lost: all are told `missed`.
  void publish(std::shared_ptr<const WatchBatch> batch);
  // False: too many watch already.
  bool add(std::shared_ptr<ResponseStream> stream, WatchRequest request);
  // A comment to every stream, so that both sides notice a dead connection.
  void heartbeat();
  void close_all();
  std::size_t watchers() const;

 private:
  struct Watcher {
    std::shared_ptr<ResponseStream> stream;
    WatchFilter filter;
    std::uint64_t after;  // it has what came until there
    std::function<bool()> allowed;

    bool wants(const WatchBatch::Item& item) const;
  };
  void tell(const WatchBatch& batch);
  void catch_up(const Watcher& watcher);

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const WatchBatch>> recent_;
  std::size_t recent_records_ = 0;
  std::uint64_t last_seq_ = 0;
  std::vector<Watcher> watchers_;
};

}  // namespace showcaller
