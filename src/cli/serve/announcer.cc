// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/announcer.h"

#include <fmt/format.h>

#include "engine/explain.h"
#include "engine/view.h"

namespace showcaller {
namespace {

class Batch final : public WatchBatch {
 public:
  explicit Batch(RecordBatch records) : records_(std::move(records)) {}
  std::size_t size() const override { return records_->size(); }
  Item item(std::size_t i) const override {
    const Record& record = (*records_)[i];
    return {record.seq, record.kind().name, event_of(record.payload)};
  }
  std::string json(std::size_t i) const override {
    std::string text = encode_record((*records_)[i]);
    text.back() = ',';
    text += "\"line\":";
    append_json_string(&text, record_line((*records_)[i]));
    return text += '}';
  }

 private:
  RecordBatch records_;
};

LogLevel level_of(const Payload& payload) {
  if (std::holds_alternative<AlertOpened>(payload)) return LogLevel::Warning;
  const bool instance = std::holds_alternative<InstanceRequested>(payload) ||
                        std::holds_alternative<InstanceMoved>(payload);
  return instance ? LogLevel::Debug : LogLevel::Info;
}

void append_line(std::string* out, LogFormat format, const Record& record, LogLevel level,
                 const TracePlace& place) {
  LogLine line(out, format, level, record.time, record_line(record), {place.trace, place.span});
  line.field("seq", record.seq).field("kind", record.kind().name).field("actor", record.actor);
  if (const std::string event = event_of(record.payload); !event.empty())
    line.field("event", event);
  if (record.cause != 0) line.field("cause", record.cause);
  line.end();
}

}  // namespace

Announcer::Announcer(Log* log, WatchHub* hub, World world, SpanSink* spans)
    : log_(log),
      hub_(hub),
      spans_(spans),
      fold_(std::move(world)),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

Announcer::~Announcer() {
  thread_.request_stop();
  thread_.join();
}

void Announcer::tell(const World& world, const RecordBatch& records) {
  {
    std::lock_guard lock(mutex_);
    if (waiting_records_ + records->size() > kWaitingMax) {
      left_out_ += records->size();
      return;
    }
    waiting_records_ += records->size();
    waiting_.push_back({records, world});
  }
  arrived_.notify_one();
}

void Announcer::run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    arrived_.wait(lock, stop, [this] { return !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::deque<Waiting> batches = std::exchange(waiting_, {});
    const std::size_t left_out = std::exchange(left_out_, 0);
    waiting_records_ = 0;
    lock.unlock();
    for (const Waiting& batch : batches) announce(batch);
    if (left_out > 0) {
      log_->write(LogLevel::Warning, batches.back().records->back().time,
                  fmt::format("the log lacks {} records; `showcaller history` has them", left_out));
    }
    lock.lock();
  }
}

void Announcer::announce(const Waiting& batch) {
  hub_->publish(std::make_shared<const Batch>(batch.records));
  std::string lines;
  std::vector<Span> spans;
  const bool follows = batch.records->front().seq == fold_.seq() + 1;  // Else some are left out.
  for (const Record& record : *batch.records) {
    TracePlace place{record.trace, {}};
    if (follows) place = fold_.take(record, &spans);
    const LogLevel level = level_of(record.payload);
    if (log_->writes(level)) append_line(&lines, log_->format(), record, level, place);
  }
  fold_ = TraceFold(batch.after);  // The same world, but shared: there are not two of everything.
  if (!lines.empty()) log_->write_lines(lines);
  if (spans_ != nullptr) spans_->take(std::move(spans));
}

}  // namespace showcaller
