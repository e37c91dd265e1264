// SPDX-License-Identifier: Apache-2.0
#include "engine/view.h"

#include <cmath>

#include <fmt/format.h>

#include "compute/forecast_capacity.h"
#include "engine/decide.h"
#include "engine/exposure_share.h"
#include "engine/flag_facts.h"
#include "engine/moves.h"
#include "policy/freezes.h"

namespace showcaller {
namespace {

template <class T>
json::value view_of(const T& value) {
  return parse_json(to_json_text_of(value), kOwnJson).value();
}

double percent(std::int64_t ppm) {
  return double(ppm) / 10'000;
}

json::array steps_view(const EventState& event) {
  json::array out;
  for (std::size_t i = 0; i < event.steps->size(); ++i) {
    json::object step = view_of((*event.steps)[i]).as_object();
    step["path"] = event.spec().changes[i].path();
    step["irreversible"] = event.spec().changes[i].irreversible;
    out.push_back(std::move(step));
  }
  return out;
}

json::object stage_view(const Subject& s) {
  const StageSpec& stage = *s.stage();
  json::object out{{"index", s.event.stage},
                   {"of", s.spec().stages.size()},
                   {"name", stage.name},
                   {"exposure_percent", percent(s.event.exposure_ppm)},
                   {"since", format_instant(s.event.stage_since)},
                   {"for", format_duration(std::max(Duration{}, s.now - s.event.stage_since))},
                   {"bake_min", format_duration(stage.bake_min)},
                   {"visit", s.event.visit},
                   {"widened", s.event.widened}};
  if (s.event.sessions_canary + s.event.sessions_baseline > 0) {
    out["sessions"] = {{"canary", s.event.sessions_canary},
                       {"baseline", s.event.sessions_baseline}};
  }
  return out;
}

}  // namespace

json::object schedule_view(const ScheduleSpec& schedule) {
  json::object out;
  const auto add = [&](std::string_view key, const std::optional<ScheduledTime>& time) {
    if (!time) return;
    if (time->by_region.empty()) {
      out[key] = format_instant(time->at);
      return;
    }
    json::object& regions = out[key].emplace_object();
    for (const auto& [region, at] : time->by_region) regions[region] = format_instant(at);
  };
  add("announce", schedule.announce);
  add("start", schedule.start);
  add("end", schedule.end);
  return out;
}

json::object event_line(const std::string& name, const EventState& event) {
  json::object out{{"name", name},
                   {"owner", event.manifest->owner},
                   {"revision", event.revision},
                   {"phase", std::string(enum_name(event.phase))},
                   {"since", format_instant(event.phase_since)},
                   {"intake", std::string(enum_name(event.intake))}};
  if (event.stage >= 0 && may_admit(event.phase) &&
      std::size_t(event.stage) < event.spec().stages.size()) {
    out["stage"] = event.spec().stages[std::size_t(event.stage)].name;
    out["exposure_percent"] = percent(event.exposure_ppm);
  }
  if (event.hold) out["held"] = event.hold->reason;
  return out;
}

json::object event_view(const World& world, const std::string& name, const EventState& event,
                        Instant now) {
  json::object out = event_line(name, event);
  out.erase("held");
  out.erase("exposure_percent");
  const Subject s{world, name, event, now};
  out["hash"] = event.manifest->hash;
  out["author"] = event.author;
  if (json::object times = schedule_view(event.spec().schedule); !times.empty())
    out["schedule"] = std::move(times);
  out["reason"] = *event.phase_reason;
  if (event.hold) out["hold"] = view_of(*event.hold);
  if (event.proposed) {
    out["proposed"] = {{"revision", event.proposed->revision},
                       {"hash", event.proposed->manifest->hash},
                       {"author", event.proposed->author}};
  }
  if (event.diverted) out["diverted"] = true;
  if (event.pace_per_minute > 0) out["pace_per_minute"] = event.pace_per_minute;
  if (!event.open_regions.empty()) out["open_regions"] = view_of(event.open_regions);
  if (s.stage() && may_admit(event.phase)) out["stage"] = stage_view(s);
  json::array waits;
  for (const std::string& what : waits_for(world, name, now)) waits.emplace_back(what);
  out["waits_for"] = std::move(waits);
  json::array notes;
  if (!is_over(event.phase)) {
    for (std::string& note : policy_notes(world, event, now)) notes.emplace_back(std::move(note));
    for (std::string& note : kill_notes(world, event)) notes.emplace_back(std::move(note));
    if (event.bounds) {
      for (std::string& note : bounds_notes(*event.bounds)) notes.emplace_back(std::move(note));
    }
  }
  if (!notes.empty()) out["notes"] = std::move(notes);
  out["gates"] = view_of(event.gates);
  out["steps"] = steps_view(event);
  out["readiness"] = view_of(event.readiness);
  out["approvals"] = view_of(event.approvals);
  if (!event.proofs.empty()) out["proofs"] = view_of(event.proofs);
  if (const LedgerStanding* ledger = event.ledger_of(event.revision))
    out["ledger"] = {{"rows", ledger->rows}, {"players", ledger->players}, {"root", ledger->root}};
  out["trace"] = *event.trace;
  out["applied_seq"] = event.applied_seq;
  return out;
}

json::array events_view(const World& world) {
  json::array out;
  world.events.each([&](const std::string& name, const EventState& event) {
    out.push_back(event_line(name, event));
  });
  return out;
}

json::object manifest_view(const StoredManifest& stored) {
  const Manifest& manifest = *stored.manifest;
  return {{"kind", std::string(to_string(manifest.kind()))},
          {"name", manifest.name},
          {"owner", manifest.owner},
          {"generation", stored.generation},
          {"hash", manifest.hash},
          {"document", manifest.document}};
}

json::array manifests_view(const World& world, std::string_view kind) {
  json::array out;
  const std::string prefix = kind.empty() ? "" : std::string(kind) + "/";
  world.manifests.each_from(prefix, [&](const std::string& key, const StoredManifest& stored) {
    if (!key.starts_with(prefix)) return false;
    out.push_back(manifest_view(stored));
    return true;
  });
  if (kind.empty() || kind == "LiveEvent") {
    world.events.each([&](const std::string&, const EventState& event) {
      out.push_back(manifest_view({event.manifest, event.revision}));
    });
  }
  return out;
}

json::array instances_view(const World& world, std::string_view fleet) {
  json::array out;
  const std::string prefix = fleet.empty() ? "" : std::string(fleet) + "/";
  world.instances.each_from(prefix, [&](const std::string& key, const Instance& instance) {
    if (!key.starts_with(prefix)) return false;
    out.push_back(view_of(instance));
    return true;
  });
  return out;
}

json::object forecast_view(const World& world, const FleetView& view, Instant now) {
  const bool known = view.outlook && view.outlook->basis != ForecastBasis::None;
  const ForecastStanding standing = forecast_standing(world, view, now);
  json::object out{{"fleet", view.fleet},
                   {"basis", !known                                        ? "none"
                             : view.outlook->basis == ForecastBasis::Weeks ? "weeks"
                                                                           : "days"},
                   {"hours_known", view.outlook ? view.outlook->hours_known : 0}};
  if (known) {
    out["peak_sessions"] = std::int64_t(std::ceil(standing.peak_sessions));
    out["peak_at"] = format_instant(standing.peak_at);
    out["short_instances"] = standing.short_instances;
    if (standing.short_instances > 0) {
      out["short_at"] = format_instant(standing.short_at);
      out["prewarm_from"] = format_instant(standing.prewarm_from);
    }
  }
  out["says"] = standing.says;
  return out;
}

json::array quarantines_view(const World& world) {
  json::array out;
  world.quarantines.each([&](const std::string& key, const Quarantine& quarantine) {
    json::object line = view_of(quarantine).as_object();
    line["subject"] = key;  // FLEET/SCOPE/NAME
    out.push_back(std::move(line));
  });
  return out;
}

json::array lines_view(const World& world) {
  json::array out;
  world.lines.each([&](const std::string& scope, const StoppedLine& stopped) {
    json::object line = view_of(stopped).as_object();
    line["scope"] = scope;
    out.push_back(std::move(line));
  });
  return out;
}

json::object drill_view(const std::string& name, const DrillRun& run) {
  json::object out = view_of(run).as_object();
  out.erase("document");
  out["drill"] = name;
  out["verdict"] = run.verdict;
  return out;
}

json::array drills_view(const World& world) {
  json::array out;
  world.drills.each(
      [&](const std::string& name, const DrillRun& run) { out.push_back(drill_view(name, run)); });
  return out;
}

json::array tokens_view(const World& world) {
  json::array out;
  world.tokens.each([&](const std::string&, const Token& token) {
    json::object line = view_of(token).as_object();
    line.erase("sha256");
    out.push_back(std::move(line));
  });
  return out;
}

json::object record_view(const Record& record) {
  return parse_json(encode_record(record), kOwnJson)->as_object();
}

}  // namespace showcaller
