// SPDX-License-Identifier: Apache-2.0
#include "wire/flag_history.h"

#include <algorithm>
#include <utility>

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
  SharedBytes event;
  if (auto patch = patch_since(revision)) {
    event = flag_event(newest_->fingerprint(), kFlagDeltaEvent,
                       encode_flag_delta({std::string(revision), *std::move(patch)}));
    if (event->size() >= snapshot()->size()) event = nullptr;
  }
  deltas_.emplace(revision, event);
  return event;
}

SharedBytes flag_event(std::string_view revision, std::string_view event, std::string data) {
  return std::make_shared<const std::string>(
      format_sse({std::string(revision), std::string(event), std::move(data)}));
}

}  // namespace showcaller
