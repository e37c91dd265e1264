// SPDX-License-Identifier: Apache-2.0
#include "engine/decision_search.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/explain.h"
#include "engine/record_subjects.h"
#include "engine/view.h"

namespace showcaller {
namespace {

constexpr std::array<std::string_view, 7> kQuietKinds{
    "alert_delivered",    "sessions_counted", "step_started",  "time_noted",
    "instance_requested", "instance_moved",   "starts_delayed"};

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

bool has_text(std::string_view text, std::string_view part) {
  return !std::ranges::search(text, part, same_letter).empty();
}

std::string_view name_of(std::uint16_t kind) {
  const auto row = std::ranges::find(kRecordKinds, kind, &RecordKindRow::number);
  return row == kRecordKinds.end() ? "" : row->name;
}

bool wants_kind(const DecisionQuery& query, std::string_view kind) {
  if (!query.kinds.empty()) return query.kinds.contains(std::string(kind));
  return std::ranges::find(kQuietKinds, kind) == kQuietKinds.end();
}

// "event" is every event, "event/" too.
bool is_about(const Subjects& subjects, const std::string& wanted) {
  const bool all_of_a_kind = wanted.find('/') == std::string::npos;
  return std::ranges::any_of(subjects, [&](const std::string& subject) {
    return subject == wanted || (all_of_a_kind && subject.starts_with(wanted + "/"));
  });
}

}  // namespace

Status check(const DecisionQuery& query) {
  std::vector<std::string> known;
  for (const RecordKindRow& row : kRecordKinds) known.emplace_back(row.name);
  for (const std::string& kind : query.kinds) {
    if (std::ranges::find(known, kind) != known.end()) continue;
    return fail(ErrorCode::Invalid,
                fmt::format("there is no kind of record '{}'{}", kind,
                            did_you_mean(kind, known, "docs/journal.md lists them")));
  }
  return {};
}

bool may_match(const DecisionQuery& query, std::uint16_t kind, Instant at) {
  if (query.since && at < *query.since) return false;
  if (query.until && at >= *query.until) return false;
  return wants_kind(query, name_of(kind));
}

bool matches(const DecisionQuery& query, const Record& record) {
  if (!query.actor.empty() && record.actor != query.actor) return false;
  if (!query.subject.empty() && !is_about(subjects_of(record.payload), query.subject)) return false;
  return query.text.empty() || has_text(record_line(record), query.text) ||
         has_text(encode_record(record), query.text);
}

json::object found_decision(const Record& record) {
  json::object out = decision_of(record);
  out["kind"] = record.kind().name;
  out["subjects"] = json::value_from(subjects_of(record.payload));
  return out;
}

}  // namespace showcaller
