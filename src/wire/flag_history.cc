// SPDX-License-Identifier: Apache-2.0
#include "wire/flag_history.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "codec/flag_delta.h"
#include "net/sse.h"

namespace showcaller {
namespace {

const json::object& document_of(const FlagSet& flags) {
  static const json::object kEmpty;
  const json::value& document = flags.document();
  return document.is_object() ? document.get_object() : kEmpty;
}

std::size_t entries_of(const json::object& patch) {
  std::size_t entries = 0;
  for (const auto& [member, value] : patch)
    entries += value.is_object() ? value.get_object().size() : 1;
  return entries;
}

// Rules read the time by these two names.
bool reads_the_time(const json::value& rule) {
  const auto any = [](const auto& values, const auto& value_of) {
    return std::ranges::any_of(values, [&](const auto& each) { return value_of(each); });
  };
  if (const auto* text = rule.if_string()) return std::string_view(*text).starts_with("$flagd");
  if (const auto* array = rule.if_array()) return any(*array, reads_the_time);
  const auto* object = rule.if_object();
  return object != nullptr && any(*object, [](const auto& entry) {
           return entry.key() == "rollout" || reads_the_time(entry.value());
         });
}

}  // namespace

void FlagHistory::advance(const std::shared_ptr<const FlagSet>& flags) {
  if (newest_ == flags) return;
  const auto before = std::exchange(newest_, flags);
  if (before && before->fingerprint() == flags->fingerprint()) return;
  moves_with_time_ = reads_the_time(flags->document());
  snapshot_.reset();
  deltas_.clear();
  changes_.clear();
  answers_.clear();
  if (!before) return;
  json::object patch = flag_patch(document_of(*before), document_of(*flags));
  const std::size_t entries = entries_of(patch);
  remember({std::string(before->fingerprint()), std::move(patch), entries});
}

void FlagHistory::remember(Step step) {
  entries_ += step.entries;
  steps_.push_back(std::move(step));
  while (steps_.size() > kStepsMax || (entries_ > kEntriesMax && steps_.size() > 1)) {
    entries_ -= steps_.front().entries;
    steps_.pop_front();
  }
}

std::optional<json::object> FlagHistory::patch_since(std::string_view revision) const {
  if (newest_ && revision == newest_->fingerprint()) return json::object();
  const auto found = std::find_if(steps_.rbegin(), steps_.rend(),
                                  [&](const Step& step) { return step.from == revision; });
  if (found == steps_.rend()) return std::nullopt;
  json::object patch = found->patch;
  for (auto step = found.base(); step != steps_.end(); ++step) {
    if (!join_flag_patches(&patch, step->patch)) return std::nullopt;
  }
  return patch;
}

SharedBytes FlagHistory::snapshot() {
  if (!snapshot_) {
    snapshot_ =
        flag_event(newest_->fingerprint(), kFlagSnapshotEvent, to_json_text(document_of(*newest_)));
  }
  return snapshot_;
}

SharedBytes FlagHistory::delta_since(std::string_view revision) {
  if (const auto found = deltas_.find(revision); found != deltas_.end()) return found->second;
  auto patch = patch_since(revision);
  if (!patch) return nullptr;
  auto event = flag_event(newest_->fingerprint(), kFlagDeltaEvent,
                          encode_flag_delta({std::string(revision), *std::move(patch)}));
  if (event->size() >= snapshot()->size()) event = nullptr;
  deltas_.emplace(revision, event);
  return event;
}

const FlagHistory::Changes* FlagHistory::changes_since(std::string_view revision) {
  auto at = changes_.find(revision);
  if (at == changes_.end()) at = changes_.emplace(revision, find_changes(revision)).first;
  return at->second ? &*at->second : nullptr;
}

std::optional<FlagHistory::Changes> FlagHistory::find_changes(std::string_view revision) const {
  const auto patch = patch_since(revision);
  if (!patch) return std::nullopt;
  static const json::object kNone;
  const json::value* entries = patch->if_contains("flags");
  if (entries != nullptr && !entries->is_object()) return std::nullopt;
  const json::object& flags = entries != nullptr ? entries->get_object() : kNone;
  // Evaluators and metadata of the set may be any flag's.
  const bool any = patch->size() > (entries != nullptr ? 1 : 0);
  Changes out;
  for (std::size_t i = 0; i < newest_->size(); ++i) {
    if (any || flags.contains(newest_->key(i))) out.flags.push_back(i);
  }
  for (const auto& [key, definition] : flags) {
    if (!newest_->contains(key)) out.gone.emplace_back(key);
  }
  return out;
}

const FlagHistory::Decided& FlagHistory::decided(std::size_t flag, const Evaluation& answer) {
  answers_.resize(newest_->size());
  for (const Answer& known : answers_[flag]) {
    if (known.variant == answer.variant.data() && known.reason == answer.reason)
      return known.decided;
  }
  std::string entry;
  append_json_string(&entry, newest_->key(flag));
  entry += ':';
  entry += to_json_text(decided_flag(answer));
  Decided made{hash64(newest_->key(flag)), hash64(entry), std::move(entry)};
  return answers_[flag].emplace_back(answer.variant.data(), answer.reason, std::move(made)).decided;
}

SharedBytes flag_event(std::string_view revision, std::string_view event, std::string_view data) {
  return std::make_shared<const std::string>(
      format_sse({std::string(revision), std::string(event), std::string(data)}));
}

}  // namespace showcaller
