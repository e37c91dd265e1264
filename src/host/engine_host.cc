// SPDX-License-Identifier: Apache-2.0
#include "host/engine_host.h"

#include <fmt/format.h>

#include "base/check.h"

namespace showcaller {
namespace {

constexpr Duration kClockStepMin = seconds(2);

}  // namespace

EngineHost::EngineHost(Journal* journal, const Clock* clock, EngineHostOptions options)
    : journal_(journal),
      clock_(clock),
      options_(std::move(options)),
      mailbox_(options_.mailbox_max) {}

Result<std::unique_ptr<EngineHost>> EngineHost::open(Journal* journal, const Clock* clock,
                                                     EngineHostOptions options) {
  std::unique_ptr<EngineHost> host(new EngineHost(journal, clock, std::move(options)));
  TRY(host->load());
  TRY(host->boot());
  return host;
}

// The newest snapshot that fits the chain, then every record after it. read() checks the chain's
// links.
Status EngineHost::load() {
  TRY(const JournalTail tail, journal_->tail());
  World world;
  Sha256 hash{};
  TRY(auto snapshot, journal_->newest_snapshot(tail.seq));
  if (snapshot && snapshot->format == kWorldTextFormat) {
    auto from_text = world_from_text(snapshot->bytes);
    if (from_text &&
        from_text->seq == snapshot->seq) {  // Anything else is no snapshot: the journal has it all.
      world = std::move(*from_text);
      hash = snapshot->hash;
    }
  }
  snapshot_seq_ = world.seq;
  Status folded;
  TRY(journal_->read(world.seq + 1, [&](const StoredRecord& stored) {
    hash = stored.hash;
    auto record = decode_record(stored.bytes);
    folded = record ? evolve(&world, *record) : Status(std::unexpected(record.error()));
    return folded.has_value();
  }));
  TRY(folded);
  if (world.seq != tail.seq) {
    return fail(
        ErrorCode::Corrupt,
        fmt::format("the journal ends at record {} but gave only {}; run `showcaller doctor`",
                    tail.seq, world.seq));
  }
  if (epoch_ == 0) epoch_ = tail.epoch + 1;
  tail_hash_ = hash;
  {
    std::lock_guard lock(time_mutex_);
    anchor_wall_ = std::max(clock_->wall(), world.time);
    anchor_monotonic_ = clock_->monotonic();
    last_now_ = std::max(last_now_, world.time);
  }
  engine_ = std::make_unique<Engine>(std::move(world), epoch_);
  publish();
  return {};
}

Status EngineHost::boot() {
  const Instant last = engine_->world().time;
  const std::int64_t down_ms = engine_->world().seq == 0 ? 0 : (now() - last).count();
  std::vector<Record> records;
  TRY(engine_->take(ServerBooted{options_.version, std::max<std::int64_t>(down_ms, 0)}, now(),
                    &records));
  TRY(append(records));
  publish();
  return {};
}

Status EngineHost::submit(Input input, Reply reply) {
  if (stopped_)
    return fail(ErrorCode::Unavailable,
                "the server has stopped deciding; see its log and start it again");
  return mailbox_.put({std::move(input), std::move(reply)});
}

Result<bool> EngineHost::run_batch(Duration wait) {
  if (stopped_)
    return fail(ErrorCode::Conflict, "another server owns the journal; this one has stopped");
  std::vector<Letter> letters = mailbox_.take(options_.batch_max, wait);
  if (letters.empty()) return false;
  const Instant at = now();
  const auto batch = std::make_shared<std::vector<Record>>();
  std::vector<Record>& records = *batch;
  std::vector<Result<Receipt>> answers;
  answers.reserve(letters.size());
  for (const Letter& letter : letters) answers.push_back(engine_->take(letter.input, at, &records));
  if (const Status appended = append(records); !appended) {
    const Error error = appended.error();
    const Status recovered = recover(error);
    for (Letter& letter : letters) {
      if (letter.reply) letter.reply(std::unexpected(error));
    }
    TRY(recovered);
    return true;
  }
  if (!records.empty()) {
    publish();
    for (const BatchListener& listener : listeners_) listener(engine_->world(), batch);
  }
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (letters[i].reply) letters[i].reply(std::move(answers[i]));
  }
  // A snapshot is a cache: one that fails to be written costs time at the next start, and nothing
  // else.
  if (engine_->world().seq - snapshot_seq_ >= options_.snapshot_every) (void)write_snapshot();
  return true;
}

Status EngineHost::append(std::span<const Record> records) {
  if (records.empty()) return {};
  std::vector<StoredRecord> batch;
  batch.reserve(records.size());
  Sha256 hash = tail_hash_;
  for (const Record& record : records) {
    std::string bytes = encode_record(record);
    hash = sha256(as_bytes(hash), bytes);
    batch.push_back({record.seq, record.kind().number, to_ms(record.time), std::move(bytes), hash});
  }
  TRY(const std::uint64_t last, journal_->append(epoch_, records.front().seq - 1, batch));
  CHECK(last == records.back().seq);
  tail_hash_ = hash;
  return {};
}

// What was folded is not on disk, or nobody knows: what is on disk is the truth.
Status EngineHost::recover(const Error& error) {
  if (error.code == ErrorCode::Conflict) {
    stopped_ = true;
    return std::unexpected(error);
  }
  const Status loaded = [this]() -> Status {
    TRY(journal_->reopen());
    return load();
  }();
  if (!loaded) {
    stopped_ = true;
    return loaded;
  }
  return {};
}

void EngineHost::publish() {
  auto world = std::make_shared<const World>(engine_->world());
  std::lock_guard lock(published_mutex_);
  published_ = std::move(world);
}

std::shared_ptr<const World> EngineHost::published() const {
  std::lock_guard lock(published_mutex_);
  return published_;
}

Instant EngineHost::now() const {
  std::lock_guard lock(time_mutex_);
  const Instant steady = anchor_wall_ + (clock_->monotonic() - anchor_monotonic_);
  last_now_ = std::max(last_now_, steady);
  return last_now_;
}

std::optional<std::int64_t> EngineHost::take_clock_step() {
  std::lock_guard lock(time_mutex_);
  const Instant wall = clock_->wall();
  const Duration monotonic = clock_->monotonic();
  const Duration step = wall - (anchor_wall_ + (monotonic - anchor_monotonic_));
  anchor_wall_ = wall;
  anchor_monotonic_ = monotonic;
  if (step < kClockStepMin && step > -kClockStepMin) return std::nullopt;
  return step.count();
}

Status EngineHost::write_snapshot() {
  const World& world = engine_->world();
  if (world.seq == snapshot_seq_) return {};
  TRY(journal_->write_snapshot({world.seq, tail_hash_, kWorldTextFormat, world_to_text(world)}));
  snapshot_seq_ = world.seq;
  return {};
}

}  // namespace showcaller
