// SPDX-License-Identifier: Apache-2.0
#include "cli/flag/past_flags.h"

#include <set>

#include <fmt/format.h>

#include "engine/flag_facts.h"
#include "flow/flag_explanation.h"
#include "flow/flag_snapshot.h"
#include "flow/stored_record.h"
#include "model/manifest/manifest_from_json.h"
#include "wire/field_reader.h"

namespace showcaller {
namespace {

Result<World> folded_until(Journal& journal, Instant at) {
  World world;
  Status folded;
  TRY(journal.read(1, [&](const StoredRecord& stored) {
    folded = [&]() -> Status {
      TRY(const Record record, decode_stored(stored));
      if (world.wall(record.time) > at) return fail(ErrorCode::Limit, "");
      return evolve(&world, record);
    }();
    return folded.has_value();
  }));
  if (!folded && folded.error().code != ErrorCode::Limit) return std::unexpected(folded.error());
  return world;
}

}  // namespace

Result<World> PastFlags::world_at(std::string_view at, Instant* when,
                                  std::vector<std::string>* notes) const {
  *when = wall;
  if (at.empty()) return world;
  TRY(*when, parse_instant(at));
  if (*when >= wall) return foreseen(world, *when, notes);
  TRY(World then, folded_until(journal, *when));
  if (then.seq == 0) {
    return fail(ErrorCode::NotFound,
                fmt::format("the journal begins after {}; ask of a later time", at));
  }
  return then;
}

Status PastFlags::take_revision(World* then, std::string_view flag, std::int64_t revision) const {
  const std::string key = fmt::format("Flag/{}", flag);
  std::optional<ManifestApplied> found;
  Status decoded;
  TRY(journal.read(1, [&](const StoredRecord& stored) {
    if (stored.bytes.find(flag) == std::string::npos) return true;
    auto record = decode_stored(stored);
    if (!record) {
      decoded = std::unexpected(record.error());
      return false;
    }
    auto* applied = std::get_if<ManifestApplied>(&record->payload);
    if (applied && applied->kind == "Flag" && applied->name == flag &&
        applied->generation == revision)
      found = std::move(*applied);
    return true;
  }));
  TRY(decoded);
  if (!found) {
    return fail(ErrorCode::NotFound,
                fmt::format("flag '{}' has no revision {}; `showcaller history "
                            "--kind manifest_applied` tells which it had",
                            flag, revision));
  }
  TRY(Manifest manifest, manifest_from_json(found->document));
  then->manifests[key] = {std::make_shared<const Manifest>(std::move(manifest)), revision};
  return {};
}

Result<json::value> PastFlags::evaluate(std::string_view flag, const json::object& request) const {
  FieldReader reader(request);
  TRY(const std::string at, reader.text("at", false));
  TRY(const auto revision, reader.whole("revision"));
  TRY(const json::object* context, reader.object("context"));
  TRY(reader.finish());
  Instant when{};
  std::vector<std::string> notes;
  TRY(World then, world_at(at, &when, &notes));
  if (revision) TRY(take_revision(&then, flag, *revision));
  TRY(FlagExplanation told,
      explain_flag(then, salt_of, flag, context ? *context : json::object(), when));
  told.notes.insert(told.notes.end(), notes.begin(), notes.end());
  json::object out = explanation_view(told);
  out["seq"] = then.seq;
  const StoredManifest* stored = then.manifests.find(fmt::format("Flag/{}", flag));
  if (stored) out["revision"] = stored->generation;
  return out;
}

Result<json::value> PastFlags::document(std::string_view at) const {
  Instant when{};
  std::vector<std::string> notes;
  TRY(const World then, world_at(at, &when, &notes));
  return flag_snapshot(then, salt_of).document;
}

namespace {

// The flag that a record changed; empty: none.
struct ChangedFlag {
  std::string operator()(const ManifestApplied& p) const { return p.kind == "Flag" ? p.name : ""; }
  std::string operator()(const FlagKilled& p) const { return p.flag; }
  std::string operator()(const FlagReopened& p) const { return p.flag; }
  std::string operator()(const FlagScheduleReached& p) const { return p.flag; }
  std::string operator()(const auto&) const { return {}; }
};

// Most records are of other kinds, and need not be read.
bool may_change_a_flag(const StoredRecord& stored) {
  static const std::set<std::uint16_t> kKinds = [] {
    std::set<std::uint16_t> out;
    for (const Payload& payload : {Payload(ManifestApplied{}), Payload(FlagKilled{}),
                                   Payload(FlagReopened{}), Payload(FlagScheduleReached{})})
      out.insert(kRecordKinds[payload.index()].number);
    return out;
  }();
  return kKinds.contains(stored.kind);
}

}  // namespace

Result<std::map<std::string, FlagPast>> flag_pasts(const World& world, Journal& journal) {
  std::map<std::string, FlagPast> out;
  Status decoded;
  TRY(journal.read(1, [&](const StoredRecord& stored) {
    if (!may_change_a_flag(stored)) return true;
    const auto record = decode_stored(stored);
    if (!record) {
      decoded = std::unexpected(record.error());
      return false;
    }
    const std::string flag = std::visit(ChangedFlag{}, record->payload);
    if (!flag.empty()) out[flag].changed = world.wall(record->time);
    return true;
  }));
  TRY(decoded);
  world.events.each([&](const std::string& name, const EventState& event) {
    if (!is_over(event.phase)) return;
    for (const std::string& flag : flags_of(event.spec())) {
      FlagPast& past = out[flag];
      if (past.event_changed > event.phase_since) continue;
      past.event = name;
      past.event_changed = world.wall(event.phase_since);
      past.changed = std::max(past.changed, past.event_changed);
    }
  });
  return out;
}

}  // namespace showcaller
