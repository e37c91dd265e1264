// SPDX-License-Identifier: Apache-2.0
#include "wire/answer_cache.h"

#include <algorithm>

namespace showcaller {

std::shared_ptr<AnswerCache::Entry> AnswerCache::entry_of(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (const auto known = entries_.find(key); known != entries_.end()) return known->second;
  // Whoever waits for one that goes keeps it until it has its answer.
  if (entries_.size() >= kAnswersMax) entries_.clear();
  return entries_[key] = std::make_shared<Entry>();
}

Result<AnswerCache::Text> AnswerCache::get(const std::string& key,
                                           const std::function<Result<json::value>()>& make) {
  const auto entry = entry_of(key);
  std::lock_guard lock(entry->mutex);
  if (entry->text && now_() - entry->made < good_for_) return entry->text;
  TRY(const json::value value, make());
  entry->text = std::make_shared<const std::string>(to_json_text(value) + "\n");
  entry->made = now_();
  return entry->text;
}

}  // namespace showcaller
