// SPDX-License-Identifier: Apache-2.0
#include "host/engine_host.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "flow/stored_record.h"
#include "host/read_ahead.h"

namespace showcaller {
namespace {

const Error kStopped{ErrorCode::Unavailable,
                     "the server has stopped deciding; see its log and start it again"};
constexpr Duration kRetryFirst = Duration(250), kRetryMost = seconds(10);
constexpr int kSendAgainAfterS = 5;
constexpr std::size_t kPendingMax = 10'000;  // commands decided ahead of the disk
// Letters. More than that keep the engine's own threads busy, while the sockets' threads read on.
constexpr std::size_t kSettledInPlaceMax = 8;
// A thread that serves sockets waits no longer for the disk than it does for a large request.
constexpr std::int64_t kQuickAppendUs = 1'000;
constexpr std::int64_t kAppendsAveraged = 16;
constexpr std::uint64_t kReadAheadFrom = 5'000;  // records: fewer are not worth a thread

Error answer_of(const Error& error) {
  if (error.code != ErrorCode::Limit) return error;
  return {ErrorCode::Unavailable,
          fmt::format("nothing happened, for the journal takes no records at the moment: {}; then "
                      "send it again",
                      error.message),
          kSendAgainAfterS};
}

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
  const auto fold = [&](const Record& record, const Sha256& chain) {
    hash = chain;
    return evolve(&world, record);
  };
  if (tail.seq - world.seq >= kReadAheadFrom) {
    TRY(read_ahead(journal_, world.seq + 1, fold));
  } else {
    Status folded;
    TRY(journal_->read(world.seq + 1, [&](const StoredRecord& stored) {
      folded = [&]() -> Status {
        TRY(const Record record, decode_stored(stored));
        return fold(record, stored.hash);
      }();
      return folded.has_value();
    }));
    TRY(folded);
  }
  if (world.seq != tail.seq) {
    return fail(
        ErrorCode::Corrupt,
        fmt::format("the journal ends at record {} but gave only {}; run `showcaller doctor`",
                    tail.seq, world.seq));
  }
  if (epoch_ == 0) epoch_ = std::max(tail.epoch, options_.epoch_after) + 1;
  tail_hash_ = hash;
  publish(world);
  engine_ = std::make_unique<Engine>(std::move(world), epoch_);
  return {};
}

// Engine time catches up with the wall clock here and nowhere else: what it leaps over is told as
// downtime, and counts toward nothing.
Status EngineHost::boot() {
  const World& world = engine_->world();
  const Instant wall = clock_->wall();
  anchor_ = std::max(wall, world.time);
  anchor_monotonic_ = clock_->monotonic();
  const Duration down = world.seq == 0 ? Duration{} : anchor_ - world.time;
  std::vector<Record> records;
  TRY(engine_->take(ServerBooted{options_.version, down, wall - anchor_}, anchor_, &records));
  TRY(append(records));
  publish(engine_->world());
  return {};
}

Status EngineHost::submit(Input input, Reply reply) {
  Letter letter{std::move(input), std::move(reply)};
  TRY(post(&letter));
  mailbox_.ring();
  return {};
}

Status EngineHost::post(Letter* letter) {
  if (stopped_) return std::unexpected(kStopped);
  TRY(mailbox_.put(letter));
  if (stopped_) refuse_all();  // It stopped in between, and nobody looks any more.
  return {};
}

void EngineHost::post_all(std::vector<Letter> letters) {
  const bool stopped = stopped_;
  const Error error = stopped ? kStopped : mailbox_.full();
  if (!stopped) letters = mailbox_.put_all(std::move(letters));
  for (Letter& letter : letters) {
    if (letter.reply) letter.reply(std::unexpected(error));
  }
  if (stopped_) refuse_all();
}

Result<bool> EngineHost::run_batch(Duration wait) {
  if (stopped_) {
    refuse_all();
    return std::unexpected(trouble().value_or(kStopped));
  }
  if (mailbox_.size() == 0 && wait.count() > 0) mailbox_.wait(wait);
  if (lost_) {
    const bool refused = wait_for_the_journal();
    if (lost_) return refused;
  }
  const bool decided = decide();
  TRY(commit(Rounds::All));  // Also what settle() decided and left.
  return decided;
}

void EngineHost::settle() {
  if (mailbox_.size() == 0) return;
  // A journal in trouble lets its writer wait: that is for the engine's threads.
  const bool in_place =
      append_us_ < kQuickAppendUs && !troubled_ && mailbox_.is_light(kSettledInPlaceMax);
  if (!in_place || !decide_if_free()) return mailbox_.ring();
  (void)commit(Rounds::One);  // If the journal fails, the next run_batch() tells.
}

bool EngineHost::decide() {
  {
    std::unique_lock pending_lock(pending_mutex_);
    pending_taken_.wait(pending_lock, [this] { return pending_.answers.size() < kPendingMax; });
  }
  std::lock_guard lock(engine_mutex_);
  return decide_holding_engine();
}

bool EngineHost::decide_if_free() {
  {
    std::lock_guard pending_lock(pending_mutex_);
    if (pending_.answers.size() >= kPendingMax) return false;
  }
  std::unique_lock lock(engine_mutex_, std::try_to_lock);
  return lock.owns_lock() && decide_holding_engine();
}

// Letters are taken and decided under one lock, so that they are decided in the order they came.
bool EngineHost::decide_holding_engine() {
  mailbox_.take(options_.batch_max, &letters_);
  if (letters_.empty()) return false;
  const Instant at = now();
  Pending decided;
  decided.answers.reserve(letters_.size());
  decided.records->reserve(letters_.size());
  for (Letter& letter : letters_) {
    Result<Receipt> answer = engine_->take(letter.input, at, decided.records.get());
    decided.answers.emplace_back(std::move(letter.reply), std::move(answer));
  }
  letters_.clear();
  decided.world = engine_->world();
  std::lock_guard pending_lock(pending_mutex_);
  pending_.append(std::move(decided));
  return true;
}

void EngineHost::Pending::append(Pending later) {
  if (answers.empty()) {
    *this = std::move(later);
    return;
  }
  std::move(later.records->begin(), later.records->end(), std::back_inserter(*records));
  std::move(later.answers.begin(), later.answers.end(), std::back_inserter(answers));
  world = std::move(later.world);
}

// One thread at a time writes; one that comes meanwhile leaves what it decided and goes on
// deciding. While the answers of one batch are sent, another thread may write the next.
Status EngineHost::commit(Rounds rounds) {
  Status good;
  while (std::optional<Pending> batch = begin_commit()) {
    const Status written = write(&*batch);
    end_commit();
    answer_in_turn(&*batch);
    if (!written) good = written;
    if (rounds == Rounds::One) break;
  }
  return good;
}

// Batches are answered in the order they were written in.
void EngineHost::answer_in_turn(Pending* batch) {
  {
    std::unique_lock lock(pending_mutex_);
    turn_came_.wait(lock, [&] { return answered_ == batch->turn; });
  }
  for (auto& [reply, answer] : batch->answers) {
    if (reply) reply(std::move(answer));
  }
  {
    std::lock_guard lock(pending_mutex_);
    ++answered_;
  }
  turn_came_.notify_all();
}

// Absent: another thread writes, or nothing is pending.
std::optional<EngineHost::Pending> EngineHost::begin_commit() {
  std::optional<Pending> batch;
  {
    std::lock_guard lock(pending_mutex_);
    if (committing_ || pending_.answers.empty()) return std::nullopt;
    committing_ = true;
    batch = std::exchange(pending_, {});
    batch->turn = begun_++;
  }
  pending_taken_.notify_all();
  return batch;
}

// What others decided meanwhile is the next to be written.
void EngineHost::end_commit() {
  bool more = false;
  {
    std::lock_guard lock(pending_mutex_);
    committing_ = false;
    more = !pending_.answers.empty();
  }
  if (more) mailbox_.ring();
}

// What could not be written is answered here already.
Status EngineHost::write(Pending* batch) {
  const RecordBatch records = std::move(batch->records);
  if (const Status appended = append(*records); !appended)
    return recover(appended.error(), std::exchange(*batch, Pending{.turn = batch->turn}));
  if (records->empty()) return {};
  publish(std::move(batch->world));
  for (const BatchListener& listener : listeners_) listener(*published(), records);
  return {};
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
  const Duration start = clock_->monotonic();
  TRY(const std::uint64_t last, journal_->append(epoch_, records.front().seq - 1, batch));
  CHECK(last == records.back().seq);
  // The clock counts whole milliseconds; over several appends that evens out.
  if (records.size() <= kSettledInPlaceMax) {
    const std::int64_t took_us = (clock_->monotonic() - start).count() * 1'000;
    append_us_ += (took_us - append_us_) / kAppendsAveraged;
  }
  tail_hash_ = hash;
  ++commits_;
  if (troubled_) set_trouble(std::nullopt);
  return {};
}

// What was folded is not on disk, or nobody knows: what is on disk is the truth. All that was
// decided on top of it is lost too, and nobody was told otherwise.
Status EngineHost::recover(const Error& error, Pending lost) {
  std::lock_guard lock(engine_mutex_);
  Pending undurable;
  {
    std::lock_guard pending_lock(pending_mutex_);
    undurable = std::exchange(pending_, {});
  }
  const Status recovered = look_again(error);
  const Error told = answer_of(error);
  for (auto* pending : {&lost, &undurable}) {
    for (auto& [reply, answer] : pending->answers) {
      if (reply) reply(std::unexpected(told));
    }
  }
  return recovered;
}

Status EngineHost::look_again(const Error& error) {
  set_trouble(error);
  if (error.code == ErrorCode::Conflict) return stop(error);
  if (error.code != ErrorCode::Limit) return reload();
  engine_ = std::make_unique<Engine>(*published(), epoch_);
  return {};
}

Status EngineHost::reload() {
  Status loaded = journal_->reopen();
  if (loaded) loaded = load();
  lost_ = !loaded;
  if (loaded) {
    retry_wait_ = {};
    return {};
  }
  const Error& error = loaded.error();
  set_trouble(error);
  if (error.code != ErrorCode::Limit && error.code != ErrorCode::Unavailable) return stop(error);
  engine_ = std::make_unique<Engine>(*published(), epoch_);
  retry_wait_ = std::clamp(2 * retry_wait_, kRetryFirst, kRetryMost);
  retry_at_ = clock_->monotonic() + retry_wait_;
  return {};
}

Status EngineHost::stop(const Error& error) {
  stopped_ = true;
  refuse_all();
  return std::unexpected(error);
}

// Nobody decides any more, and nothing that is not durable will be: whoever waits is told.
void EngineHost::refuse_all() {
  Pending undurable;
  {
    std::lock_guard lock(pending_mutex_);
    undurable = std::exchange(pending_, {});
  }
  pending_taken_.notify_all();
  for (auto& [reply, answer] : undurable.answers) {
    if (reply) reply(std::unexpected(kStopped));
  }
  std::vector<Letter> letters;
  for (mailbox_.take(options_.batch_max, &letters); !letters.empty();
       mailbox_.take(options_.batch_max, &letters)) {
    for (Letter& letter : letters) {
      if (letter.reply) letter.reply(std::unexpected(kStopped));
    }
  }
}

// Until the journal is read again, whoever writes is told so at once. True: somebody was.
bool EngineHost::wait_for_the_journal() {
  std::lock_guard lock(engine_mutex_);
  Pending undurable;
  {
    std::lock_guard pending_lock(pending_mutex_);
    if (committing_ || !lost_) return false;  // Another thread is at the journal.
    committing_ = true;
    undurable = std::exchange(pending_, {});
  }
  if (clock_->monotonic() >= retry_at_) (void)reload();
  const Error cause = trouble().value_or(kStopped);
  const Error told{ErrorCode::Unavailable,
                   "the journal cannot be read at the moment, and is tried again: " + cause.message,
                   kSendAgainAfterS};
  if (lost_) {
    mailbox_.take(options_.batch_max, &letters_);
    for (Letter& letter : letters_)
      undurable.answers.emplace_back(std::move(letter.reply), std::unexpected(told));
  }
  for (auto& [reply, answer] : undurable.answers) {
    if (reply) reply(std::unexpected(told));
  }
  end_commit();
  return !undurable.answers.empty();
}

void EngineHost::set_trouble(std::optional<Error> trouble) {
  std::lock_guard lock(trouble_mutex_);
  trouble_ = std::move(trouble);
  troubled_ = trouble_.has_value();
}

std::optional<Error> EngineHost::trouble() const {
  std::lock_guard lock(trouble_mutex_);
  return trouble_;
}

void EngineHost::publish(World world) {
  auto next = std::make_shared<const World>(std::move(world));
  std::lock_guard lock(published_mutex_);
  std::swap(published_, next);  // The last one is let go of outside the lock.
  published_hash_ = tail_hash_;
}

std::shared_ptr<const World> EngineHost::published() const {
  std::lock_guard lock(published_mutex_);
  return published_;
}

Instant EngineHost::now() const {
  return anchor_ + (clock_->monotonic() - anchor_monotonic_);
}

Instant EngineHost::wall() const {
  return published()->wall(now());
}

ClockObserved EngineHost::observe_clock() const {
  return {clock_->wall() - now()};
}

bool EngineHost::snapshot_due() const {
  const auto world = published();
  return world->seq - snapshot_seq_ >= options_.snapshot_every &&
         world->time - snapshot_time_ >= options_.snapshot_apart;
}

Status EngineHost::write_snapshot() {
  std::shared_ptr<const World> world;
  Sha256 hash;
  {
    std::lock_guard lock(published_mutex_);
    world = published_;
    hash = published_hash_;
  }
  if (world->seq == snapshot_seq_) return {};
  TRY(journal_->write_snapshot({world->seq, hash, kWorldTextFormat, world_to_text(*world)}));
  snapshot_seq_ = world->seq;
  snapshot_time_ = world->time;
  return {};
}

}  // namespace showcaller
