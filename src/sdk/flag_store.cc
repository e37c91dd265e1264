// SPDX-License-Identifier: Apache-2.0
#include "sdk/flag_store.h"

#include <utility>

#include <fmt/format.h>

#include "codec/flag_delta.h"
#include "flag/flag_changes.h"
#include "sdk/context_attributes.h"
#include "sdk/state_file.h"

namespace showcaller::sdk {

FlagStore::FlagStore(std::string state_file, Context context) : state_file_(std::move(state_file)) {
  live_.context = std::move(context);
  live_.counts = std::make_shared<const EvaluationCounts>(0);
  publish();
}

void FlagStore::publish() {
  flags_.publish(std::make_unique<LiveFlags>(live_));
}

// What is counted of the old set is complete once nobody reads it any more.
void FlagStore::use(FlagSet set) {
  const FlagSet old = std::exchange(live_.set, std::move(set));
  const auto counts =
      std::exchange(live_.counts, std::make_shared<const EvaluationCounts>(live_.set.answers()));
  live_.loaded = true;
  publish();
  gather(old, *counts);
}

void FlagStore::gather(const FlagSet& set, const EvaluationCounts& counts) {
  counts.take([&](std::uint32_t number, std::int64_t times) {
    const FlagSet::Answer answer = set.answer(number);
    const Answer name{answer.key, answer.variant};
    const auto known = counted_.find(name);
    if (known != counted_.end()) {
      known->second += times;
    } else if (counted_.size() < kCountedMax) {
      counted_.emplace(name, times);
    }
  });
}

std::vector<CountedAnswer> FlagStore::take_counts(std::size_t most) {
  const std::lock_guard lock(mutex_);
  gather(live_.set, *live_.counts);
  std::vector<CountedAnswer> out;
  auto next = counted_.upper_bound(last_taken_);
  while (out.size() < most && !counted_.empty()) {
    if (next == counted_.end()) next = counted_.begin();
    last_taken_ = next->first;
    out.push_back({next->first.first, next->first.second, next->second});
    next = counted_.erase(next);
  }
  return out;
}

Status FlagStore::load() {
  if (state_file_.empty()) return fail(showcaller::ErrorCode::NotFound, "no file was named");
  TRY(SavedFlags saved, load_saved_flags(state_file_));
  TRY(FlagSet set, FlagSet::compile(std::move(saved.document)));
  const std::lock_guard lock(mutex_);
  revision_ = std::move(saved.etag);
  use(std::move(set));
  return {};
}

std::string FlagStore::revision() const {
  const std::lock_guard lock(mutex_);
  return revision_;
}

Context FlagStore::context() const {
  const std::lock_guard lock(mutex_);
  return live_.context;
}

void FlagStore::set_context(Context context) {
  const std::lock_guard lock(mutex_);
  live_.context = std::move(context);
  publish();
}

Result<std::vector<std::string>> FlagStore::replace(std::string_view document,
                                                    std::string revision) {
  TRY(auto parsed, parse_json(document, {.bytes_max = 64u << 20, .depth_max = 80}));
  const std::lock_guard lock(mutex_);
  return put(std::move(parsed), std::move(revision));
}

Result<std::vector<std::string>> FlagStore::apply_delta(std::string_view text,
                                                        std::string revision) {
  TRY(const FlagDelta delta, decode_flag_delta(text));
  const std::lock_guard lock(mutex_);
  if (delta.from != revision_) {
    const std::string have = std::exchange(revision_, {});
    return fail(showcaller::ErrorCode::Conflict,
                fmt::format("a change of revision '{}' came to '{}'; all flags are asked for again",
                            delta.from, have));
  }
  if (delta.patch.empty()) return std::vector<std::string>{};
  json::value document = live_.set.document();
  revision_.clear();  // Until it is known to be good.
  TRY(apply_flag_patch(&document.as_object(), delta.patch));
  return put(std::move(document), std::move(revision));
}

Result<std::vector<std::string>> FlagStore::put(json::value document, std::string revision) {
  TRY(FlagSet set, FlagSet::compile(std::move(document)));
  std::vector<std::string> changed;
  if (live_.loaded) {
    for (FlagKeyChange& change : changes_between(live_.set, set))
      changed.push_back(std::move(change.key));
  } else {
    for (std::size_t i = 0; i < set.size(); ++i) changed.emplace_back(set.key(i));
  }
  revision_ = std::move(revision);
  use(std::move(set));
  if (!state_file_.empty()) {
    const auto saved =
        save_flags(state_file_, {.etag = revision_, .document = live_.set.document()});
    if (!saved) disk_trouble_ = saved.error().message;
  }
  return changed;
}

std::vector<std::string> FlagStore::broken() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const FlagFinding& finding : live_.set.broken())
    out.push_back(fmt::format("{}: {}", finding.pointer, finding.message));
  return out;
}

std::string FlagStore::take_disk_trouble() {
  const std::lock_guard lock(mutex_);
  return std::exchange(disk_trouble_, {});
}

}  // namespace showcaller::sdk
