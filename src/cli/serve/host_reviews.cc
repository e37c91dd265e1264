// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/host_reviews.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/decision_search.h"
#include "engine/incident_view.h"
#include "engine/policy_view.h"
#include "engine/view.h"
#include "flow/stored_record.h"

namespace showcaller {
namespace {

// Of the journal: read in pieces, and so much for one request.
constexpr std::uint64_t kPiece = 2'000, kRecordsReadMax = 20'000;
constexpr std::uint64_t kFollowedWithin = 2'000;
constexpr std::size_t kFollowedMax = 200;
const std::uint16_t kServerStartedKind = Record{.payload = ServerStarted{}}.kind().number;

DecisionQuery query_of(const DecisionSearch& search) {
  return {.text = search.text,
          .actor = search.actor,
          .subject = search.subject,
          .kinds = search.kinds,
          .since = search.since,
          .until = search.until};
}

std::unexpected<Error> no_shelf() {
  return fail(ErrorCode::Unsupported, "this server keeps no rehearsals");
}

json::object on_shelf(const RehearsalOnShelf& kept) {
  return {{"id", kept.id}, {"at", format_instant(kept.at)}, {"by", kept.by}};
}

}  // namespace

Result<std::vector<Record>> HostReviews::read(std::uint64_t first, std::uint64_t last,
                                              const Wanted& wanted) const {
  std::vector<Record> out;
  Status decoded;
  if (first > last) return out;
  TRY(journal_.read(first, [&](const StoredRecord& stored) {
    if (stored.seq > last) return false;
    if (!wanted(stored)) return true;
    auto record = decode_stored(stored);
    if (record)
      out.push_back(*std::move(record));
    else
      decoded = std::unexpected(record.error());
    return decoded.has_value();
  }));
  TRY(decoded);
  return out;
}

Result<Record> HostReviews::record_at(std::uint64_t seq) const {
  TRY(auto found, read(seq, seq, [](const auto&) { return true; }));
  if (!found.empty()) return std::move(found.front());
  return fail(ErrorCode::NotFound, fmt::format("the journal has no record {}; the last one is {}",
                                               seq, host_.world()->seq));
}

// By halves: times in the journal never go back.
Result<std::uint64_t> HostReviews::last_before(Instant until) const {
  std::uint64_t low = 0, high = host_.world()->seq;
  while (low < high) {
    const std::uint64_t middle = low + (high - low + 1) / 2;
    Instant at{};
    TRY(journal_.read(middle, [&](const StoredRecord& stored) {
      at = instant_ms(stored.time_ms);
      return false;
    }));
    if (at < until)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

Result<json::value> HostReviews::decisions(const DecisionSearch& search) const {
  const DecisionQuery query = query_of(search);
  TRY(check(query));
  std::uint64_t last = host_.world()->seq;
  if (query.until) {
    TRY(last, last_before(*query.until));
  }
  if (search.before_seq > 0) last = std::min(last, search.before_seq - 1);
  json::array found;
  std::uint64_t left = kRecordsReadMax;
  bool too_old = false;
  const auto wanted = [&](const StoredRecord& stored) {
    too_old = too_old || (query.since && instant_ms(stored.time_ms) < *query.since);
    return may_match(query, stored.kind, instant_ms(stored.time_ms));
  };
  while (last > 0 && left > 0 && !too_old && found.size() < search.limit) {
    const std::uint64_t first = last >= kPiece ? last - kPiece + 1 : 1;
    TRY(const auto records, read(first, last, wanted));
    left -= std::min(left, last - first + 1);
    last = first - 1;
    for (auto at = records.rbegin(); at != records.rend(); ++at) {
      if (!matches(query, *at)) continue;
      found.push_back(found_decision(*at));
      if (found.size() < search.limit) continue;
      last = at->seq - 1;
      too_old = false;  // Older ones of the piece were not looked at.
      break;
    }
  }
  json::value next;
  if (last > 0 && !too_old) next = last + 1;
  return json::object{{"decisions", std::move(found)}, {"next", std::move(next)}};
}

Result<json::value> HostReviews::decision(std::uint64_t seq) const {
  TRY(const Record record, record_at(seq));
  json::array chain, followed;
  for (std::uint64_t cause = record.cause; cause != 0 && chain.size() < 16;) {
    TRY(const Record before, record_at(cause));
    chain.insert(chain.begin(), found_decision(before));
    cause = before.cause < before.seq ? before.cause : 0;
  }
  const std::string mark = fmt::format("\"cause\":{},", seq);
  TRY(const auto after, read(seq + 1, seq + kFollowedWithin, [&](const StoredRecord& stored) {
        return stored.bytes.find(mark) != std::string::npos;
      }));
  for (const Record& each : after) {
    if (each.cause == seq && followed.size() < kFollowedMax)
      followed.push_back(found_decision(each));
  }
  json::object out{{"decision", found_decision(record)},
                   {"chain", std::move(chain)},
                   {"followed", std::move(followed)},
                   {"record", record_view(record)}};
  TRY(const std::string version, version_at(seq));
  if (!version.empty()) out["version"] = version;
  return out;
}

// Of the server's last start before it; empty: longer ago than is looked.
Result<std::string> HostReviews::version_at(std::uint64_t seq) const {
  std::uint64_t last = seq, left = kRecordsReadMax;
  while (last > 0 && left > 0) {
    const std::uint64_t first = last >= kPiece ? last - kPiece + 1 : 1;
    TRY(const auto starts, read(first, last, [](const StoredRecord& stored) {
          return stored.kind == kServerStartedKind;
        }));
    if (!starts.empty()) return std::get<ServerStarted>(starts.back().payload).version;
    left -= std::min(left, kPiece);
    last = first - 1;
  }
  return std::string();
}

Status HostReviews::catch_up() const {
  const std::uint64_t last = host_.world()->seq;
  if (read_to_ == 0 && last > kIncidentRecordsMax) read_to_ = last - kIncidentRecordsMax;
  while (read_to_ < last) {
    const std::uint64_t piece = std::min(last, read_to_ + kPiece);
    TRY(const auto records, read(read_to_ + 1, piece, [](const StoredRecord& stored) {
          return IncidentBook::concerns(stored.kind);
        }));
    for (const Record& record : records) book_.note(record);
    read_to_ = piece;
  }
  return {};
}

Result<json::value> HostReviews::incidents() const {
  std::lock_guard lock(mutex_);
  TRY(catch_up());
  return incidents_view(book_, host_.engine().now());
}

Result<json::value> HostReviews::incident(std::uint64_t id) const {
  std::lock_guard lock(mutex_);
  TRY(catch_up());
  if (const Incident* incident = book_.find(id))
    return incident_view(*host_.world(), book_, *incident, host_.engine().now());
  return fail(ErrorCode::NotFound,
              fmt::format("there is no incident {}; `showcaller incident list` lists the newest {}",
                          id, kIncidentsMax));
}

json::value HostReviews::policy() const {
  return policy_view(*host_.world(), host_.engine().now());
}

Result<json::value> HostReviews::publish_rehearsal(const json::object& report, const Actor& actor) {
  if (!shelf_) return no_shelf();
  if (get_string(report, "event").empty() || get_string(report, "verdict").empty()) {
    return fail(ErrorCode::Invalid,
                "this is no report of a rehearsal: it has no `event` or no `verdict`; send what "
                "`showcaller rehearse -o json` prints");
  }
  TRY(const std::string id, shelf_->put(host_.engine().wall(), actor.name, report));
  return json::object{{"id", id}};
}

Result<json::value> HostReviews::rehearsals() const {
  if (!shelf_) return json::array();
  TRY(const auto kept, shelf_->all(host_.engine().wall()));
  json::array out;
  for (const RehearsalOnShelf& each : kept) {
    json::object line = on_shelf(each);
    for (const auto* field : {"event", "verdict", "runs", "why"}) {
      if (const json::value* value = get_if(each.report, field)) line[field] = *value;
    }
    out.push_back(std::move(line));
  }
  return out;
}

Result<json::value> HostReviews::rehearsal(const std::string& id) const {
  if (!shelf_) return no_shelf();
  TRY(const auto kept, shelf_->one(id));
  json::object out = on_shelf(kept);
  out["report"] = kept.report;
  return out;
}

}  // namespace showcaller
