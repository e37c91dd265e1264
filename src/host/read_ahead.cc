// SPDX-License-Identifier: Apache-2.0
#include "host/read_ahead.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "flow/stored_record.h"

namespace showcaller {
namespace {

constexpr std::size_t kChunk = 512;  // records
constexpr std::size_t kChunksAhead = 8;

struct Chunk {
  std::vector<StoredRecord> stored = std::vector<StoredRecord>(kChunk);
  std::size_t filled = 0;
  std::vector<Result<Record>> decoded;  // of `stored`, or empty

  void decode() {
    decoded.reserve(filled);
    for (std::size_t i = 0; i < filled; ++i) decoded.push_back(decode_stored(stored[i]));
  }
};
using ChunkPtr = std::unique_ptr<Chunk>;

// Chunks on their way from the reader to the caller, and used ones back.
class Belt {
 public:
  // One to fill; null: the caller wants no more.
  ChunkPtr empty() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [this] { return full_.size() < kChunksAhead || ended_; });
    if (ended_) return nullptr;
    if (used_.empty()) return std::make_unique<Chunk>();
    ChunkPtr chunk = std::move(used_.back());
    used_.pop_back();
    return chunk;
  }
  bool is_behind() {  // the caller
    std::lock_guard lock(mutex_);
    return full_.size() >= kChunksAhead / 2;
  }
  void put(ChunkPtr chunk) {
    std::lock_guard lock(mutex_);
    full_.push_back(std::move(chunk));
    moved_.notify_all();
  }
  // Null: there are no more.
  ChunkPtr take(ChunkPtr used) {
    std::unique_lock lock(mutex_);
    if (used) used_.push_back(std::move(used));
    moved_.wait(lock, [this] { return !full_.empty() || ended_; });
    if (full_.empty()) return nullptr;
    ChunkPtr chunk = std::move(full_.front());
    full_.pop_front();
    moved_.notify_all();
    return chunk;
  }
  void end() {
    std::lock_guard lock(mutex_);
    ended_ = true;
    moved_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::deque<ChunkPtr> full_;
  std::vector<ChunkPtr> used_;
  bool ended_ = false;
};

Status read_onto(Belt* belt, Journal* journal, std::uint64_t from) {
  ChunkPtr chunk = belt->empty();
  const auto send = [&] {
    if (belt->is_behind()) chunk->decode();
    belt->put(std::move(chunk));
  };
  const Status read = journal->read(from, [&](const StoredRecord& record) {
    if (!chunk) return false;
    chunk->stored[chunk->filled++] = record;
    if (chunk->filled == kChunk) {
      send();
      chunk = belt->empty();
    }
    return chunk != nullptr;
  });
  if (chunk && chunk->filled > 0) send();
  return read;
}

Status fold_chunk(Chunk* chunk, const std::function<Status(const Record&, const Sha256&)>& fold) {
  if (chunk->decoded.empty()) chunk->decode();
  for (std::size_t i = 0; i < chunk->filled; ++i) {
    TRY(const Record& record, chunk->decoded[i]);
    TRY(fold(record, chunk->stored[i].hash));
  }
  chunk->decoded.clear();
  chunk->filled = 0;
  return {};
}

}  // namespace

Status read_ahead(Journal* journal, std::uint64_t from,
                  const std::function<Status(const Record&, const Sha256&)>& fold) {
  Belt belt;
  Status read;
  std::jthread reader([&] {
    read = read_onto(&belt, journal, from);
    belt.end();
  });
  Status folded;
  for (ChunkPtr chunk = belt.take(nullptr); chunk; chunk = belt.take(std::move(chunk))) {
    folded = fold_chunk(chunk.get(), fold);
    if (!folded) break;
  }
  belt.end();
  reader.join();
  return folded ? read : folded;
}

}  // namespace showcaller
