// SPDX-License-Identifier: Apache-2.0
#include "wire/flag_updates.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/hash.h"
#include "net/sse.h"
#include "wire/flag_history.h"

namespace showcaller {
namespace {

constexpr auto kBeatEvery = std::chrono::seconds(15);

}  // namespace

// What all readers share; asked by the thread of the streams alone.
struct FlagUpdates::State {
  struct View {
    std::shared_ptr<const FlagSet> flags;
    FlagHistory* history = nullptr;  // null: he may not read flags
    bool client_visible_only = false;
  };

  // Asked once a round for each token, however many readers show it.
  const View& view_of(const std::string& token, SteadyTime round) {
    if (std::exchange(asked_in, round) != round) views.clear();
    const auto [at, is_new] = views.try_emplace(token);
    if (is_new) at->second = ask(token);
    return at->second;
  }

  View ask(const std::string& token) {
    const auto actor = backend->authenticate(token);
    if (!actor || !backend->authorize(*actor, "flags", "")) return {};
    const FlagView view = backend->flags(*actor);
    FlagHistory& history = view.client_visible_only ? visible : whole;
    history.advance(view.flags);
    return {view.flags, &history, view.client_visible_only};
  }

  EdgeBackend* backend;
  FlagStreams* streams;
  FlagHistory whole, visible;
  std::map<std::string, View> views;
  SteadyTime asked_in = SteadyTime::min();
  std::string entries;                 // of what is told next
  std::vector<std::uint32_t> answers;  // the same by number
  std::atomic<std::uint64_t> snapshots{0}, deltas{0};
};

namespace {

class FlagReaderStream : public FlagStream {
 public:
  FlagReaderStream(std::shared_ptr<ResponseStream> stream, FlagReader reader,
                   std::shared_ptr<FlagUpdates::State> all)
      : shared_(std::move(all)),
        all_(*shared_),
        stream_(std::move(stream)),
        token_(std::move(reader.token)),
        seen_(std::move(reader.last_seen)) {}

  SteadyTime look(SteadyTime now) final {
    waits_ = true;
    if (stream_->pending_bytes() > 0) return SteadyTime::max();  // drained() asks again.
    waits_ = false;
    const auto& view = all_.view_of(token_, now);
    if (view.history == nullptr || !tell(view, now)) {
      stream_->close();
      return SteadyTime::max();
    }
    if (now - told_ >= kBeatEvery) {
      static const auto beat = std::make_shared<const std::string>(kSseHeartbeat);
      write(beat, now);
    }
    return told_ + kBeatEvery;
  }

  void stop() final { stream_->close(); }

  void drained() {
    if (waits_.exchange(false)) all_.streams->look_at(this);
  }

 protected:
  // Writes what this reader has not seen. False: he may not be told.
  virtual bool tell(const FlagUpdates::State::View& view, SteadyTime now) = 0;

  bool beat_is_due(SteadyTime now) const { return now - told_ >= kBeatEvery; }
  void write(const SharedBytes& bytes, SteadyTime now) {
    stream_->write(bytes);
    told_ = now;
  }
  void write_snapshot(const SharedBytes& event, SteadyTime now) {
    all_.snapshots.fetch_add(1, std::memory_order_relaxed);
    write(event, now);
  }
  void write_delta(const SharedBytes& event, SteadyTime now) {
    all_.deltas.fetch_add(1, std::memory_order_relaxed);
    write(event, now);
  }

  const std::shared_ptr<FlagUpdates::State> shared_;
  FlagUpdates::State& all_;
  const std::shared_ptr<ResponseStream> stream_;
  const std::string token_;
  std::string seen_;  // the revision that he has

 private:
  SteadyTime told_ = std::chrono::steady_clock::now();
  std::atomic<bool> waits_{false};
};

class RuleStream final : public FlagReaderStream {
 public:
  using FlagReaderStream::FlagReaderStream;

 protected:
  bool tell(const FlagUpdates::State::View& view, SteadyTime now) override {
    if (view.client_visible_only) return false;
    const std::string_view newest = view.flags->fingerprint();
    if (std::exchange(greeted_, true) && seen_ == newest) return true;
    if (const SharedBytes delta = view.history->delta_since(seen_))
      write_delta(delta, now);
    else
      write_snapshot(view.history->snapshot(), now);
    seen_ = newest;
    return true;
  }

 private:
  bool greeted_ = false;  // who has the newest already is told so
};

// What a reader was told of each flag; its hash is his revision.
class ToldValues {
 public:
  // Whether this is news.
  bool take(const FlagHistory::Decided& told) {
    const auto at = find(told.name);
    if (at != values_.end() && at->name == told.name) {
      return std::exchange(at->hash, told.hash) != told.hash;
    }
    values_.insert(at, {told.name, told.hash});
    return true;
  }
  bool forget(std::string_view key) {
    const std::uint64_t name = hash64(key);
    const auto at = find(name);
    const bool known = at != values_.end() && at->name == name;
    if (known) values_.erase(at);
    return known;
  }
  void begin_anew(std::size_t flags) {
    values_.clear();
    values_.reserve(flags);
  }
  std::string revision() const {
    return fmt::format("{:016x}", hash64({reinterpret_cast<const char*>(values_.data()),
                                          values_.size() * sizeof(Value)}));
  }

 private:
  struct Value {
    std::uint64_t name, hash;
  };
  std::vector<Value>::iterator find(std::uint64_t name) {
    return std::ranges::lower_bound(values_, name, {}, &Value::name);
  }

  std::vector<Value> values_;  // sorted by name
};

class ValueStream final : public FlagReaderStream {
 public:
  ValueStream(std::shared_ptr<ResponseStream> stream, FlagReader reader, json::object context,
              std::shared_ptr<FlagUpdates::State> all)
      : FlagReaderStream(std::move(stream), std::move(reader), std::move(all)),
        context_(std::move(context)) {}

 protected:
  bool tell(const FlagUpdates::State::View& view, SteadyTime now) override {
    const std::string_view newest = view.flags->fingerprint();
    const bool same_rules = rules_ == newest;
    const bool time_passed = same_rules && beat_is_due(now) && view.history->moves_with_time();
    if (same_rules && !time_passed) return true;
    const auto* changes = view.history->changes_since(rules_);
    rules_ = newest;
    if (changes == nullptr) {
      tell_all(view.history, now);
    } else if (time_passed) {
      FlagHistory::Changes any;
      for (std::size_t i = 0; i < view.flags->size(); ++i) any.flags.push_back(i);
      tell_changes(view.history, any, now);
    } else {
      tell_changes(view.history, *changes, now);
    }
    return true;
  }

 private:
  // Whom a value may expose is noted before he can know it.
  void tell_all(FlagHistory* history, SteadyTime now) {
    const FlagSet& flags = history->newest();
    const EvaluationContext who(context_);
    const Instant time = all_.backend->now();
    values_.begin_anew(flags.size());
    begin_entries();
    std::size_t i = 0;
    flags.evaluate_all(who, time, [&](std::string_view, const Evaluation& answer) {
      const auto& told = history->decided(i++, answer);
      values_.take(told);
      add_entry(told.entry);
      all_.answers.push_back(answer.answer);
    });
    const std::string revision = values_.revision();
    if (std::exchange(seen_, revision) == revision) {
      all_.entries.clear();
      return tell_delta(revision, now);
    }
    all_.backend->evaluated(context_, {});
    all_.backend->answered(flags, all_.answers);
    write_snapshot(flag_event(revision, kFlagSnapshotEvent,
                              fmt::format(R"({{"flags":{{{}}}}})", all_.entries)),
                   now);
  }

  void tell_changes(FlagHistory* history, const FlagHistory::Changes& changes, SteadyTime now) {
    const FlagSet& flags = history->newest();
    const EvaluationContext who(context_);
    const Instant time = all_.backend->now();
    begin_entries();
    for (const std::size_t i : changes.flags) {
      const Evaluation& answer = flags.evaluate(flags.handle(i), who, time);
      const auto& told = history->decided(i, answer);
      if (!values_.take(told)) continue;
      all_.backend->evaluated(context_, flags.key(i));
      add_entry(told.entry);
      all_.answers.push_back(answer.answer);
    }
    all_.backend->answered(flags, all_.answers);
    for (const std::string& key : changes.gone) {
      if (!values_.forget(key)) continue;
      std::string entry;
      append_json_string(&entry, key);
      add_entry(entry + ":null");
    }
    if (!all_.entries.empty()) tell_delta(std::exchange(seen_, values_.revision()), now);
  }

  void begin_entries() {
    all_.entries.clear();
    all_.answers.clear();
  }
  void add_entry(std::string_view entry) {
    if (!all_.entries.empty()) all_.entries += ',';
    all_.entries += entry;
  }

  // As encode_flag_delta() has it, of entries that are texts already.
  void tell_delta(const std::string& from, SteadyTime now) {
    write_delta(flag_event(seen_, kFlagDeltaEvent,
                           fmt::format(R"({{"from":"{}","patch":{{"flags":{{{}}}}}}})", from,
                                       all_.entries)),
                now);
  }

  const json::object context_;
  std::string rules_;  // that his values were decided by
  ToldValues values_;
};

void tell(const std::shared_ptr<ResponseStream>& stream,
          const std::shared_ptr<FlagReaderStream>& reader, FlagStreams* streams) {
  stream->on_drained([which = std::weak_ptr(reader)] {
    if (const auto reader = which.lock()) reader->drained();
  });
  if (!streams->add(reader)) return stream->close();
  stream->on_end([streams, which = reader.get()] { streams->remove(which); });
}

}  // namespace

FlagUpdates::FlagUpdates(EdgeBackend* backend, FlagStreams* streams)
    : state_(std::make_shared<State>()) {
  state_->backend = backend;
  state_->streams = streams;
}
FlagUpdates::~FlagUpdates() = default;

void FlagUpdates::tell_rules(std::shared_ptr<ResponseStream> stream, FlagReader reader) {
  tell(stream, std::make_shared<RuleStream>(stream, std::move(reader), state_), state_->streams);
}

void FlagUpdates::tell_values(std::shared_ptr<ResponseStream> stream, FlagReader reader,
                              json::object context) {
  tell(stream, std::make_shared<ValueStream>(stream, std::move(reader), std::move(context), state_),
       state_->streams);
}

std::uint64_t FlagUpdates::snapshots_told() const {
  return state_->snapshots;
}
std::uint64_t FlagUpdates::deltas_told() const {
  return state_->deltas;
}

}  // namespace showcaller
