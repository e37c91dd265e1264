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
  publish();
}

void FlagStore::publish() {
  flags_.publish(std::make_unique<LiveFlags>(live_));
}

Status FlagStore::load() {
  if (state_file_.empty()) return fail(showcaller::ErrorCode::NotFound, "no file was named");
  TRY(SavedFlags saved, load_saved_flags(state_file_));
  TRY(live_.set, FlagSet::compile(std::move(saved.document)));
  const std::lock_guard lock(mutex_);
  live_.loaded = true;
  revision_ = std::move(saved.etag);
  publish();
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
  live_.set = std::move(set);
  live_.loaded = true;
  revision_ = std::move(revision);
  publish();
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
