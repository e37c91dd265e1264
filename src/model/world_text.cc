// SPDX-License-Identifier: Apache-2.0
// The world as text: one JSON object of lines, keys in order (idempotency keys
// in the order of their records), for snapshots and for comparing
// worlds by hash.
//
//   text  = head { '\n' entry }
//   head  = {"format":1,"seq":N,"epoch":N,"time":"..."}
//   entry = {"in":MAP,"key":KEY,"value":VALUE}
#include <cstring>

#include <fmt/format.h>

#include "model/manifest/manifest_from_json.h"
#include "model/world.h"

namespace showcaller {
namespace {

template <class T>
const T& part(const Shared<T>& shared) {
  return *shared;
}
template <class T>
T& part(Shared<T>& shared) {
  return shared.change();
}

// What of an event is written besides its manifest.
template <class Self, class Visit>
void event_fields(Self& e, Visit&& visit) {
  visit("revision", e.revision);
  visit("last_revision", e.last_revision);
  visit("author", e.author);
  visit("phase", e.phase);
  visit("phase_since", e.phase_since);
  visit("phase_reason", part(e.phase_reason));
  visit("hold", e.hold);
  visit("resumed", e.resumed);
  visit("intake", e.intake);
  visit("open_regions", e.open_regions);
  visit("closed_regions", e.closed_regions);
  visit("stage", e.stage);
  visit("visit", e.visit);
  visit("stage_since", e.stage_since);
  visit("exposure_ppm", e.exposure_ppm);
  visit("widened", e.widened);
  visit("widened_ppm", e.widened_ppm);
  visit("pace_per_minute", e.pace_per_minute);
  visit("paced_by_gate", e.paced_by_gate);
  visit("diverted", e.diverted);
  visit("steps", part(e.steps));
  visit("gates", e.gates);
  visit("readiness", e.readiness);
  visit("approvals", e.approvals);
  visit("glass", e.glass);
  visit("proofs", e.proofs);
  visit("sessions_canary", e.sessions_canary);
  visit("sessions_baseline", e.sessions_baseline);
  visit("ledgers", e.ledgers);
  visit("bounds", e.bounds);
  visit("trace", part(e.trace));
  visit("applied_seq", e.applied_seq);
}

struct ProposedText {
  std::int64_t revision = 0;
  std::string author, trace;
  std::uint64_t applied_seq = 0;
  json::object document;
  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("revision", self.revision);
    visit("author", self.author);
    visit("trace", self.trace);
    visit("applied_seq", self.applied_seq);
    visit("document", self.document);
  }
};

struct EventText {
  EventState state;
  json::object document;
  std::optional<ProposedText> proposed;
  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    event_fields(self.state, visit);
    visit("document", self.document);
    visit("proposed", self.proposed);
  }
};

EventText text_of(const EventState& event) {
  EventText text{event, event.manifest->document, std::nullopt};
  if (const auto& p = event.proposed)
    text.proposed = {p->revision, p->author, p->trace, p->applied_seq, p->manifest->document};
  return text;
}

Result<EventState> event_of(EventText text) {
  TRY(auto manifest, manifest_from_json(text.document));
  text.state.manifest = std::make_shared<const Manifest>(std::move(manifest));
  if (auto& p = text.proposed) {
    TRY(auto next, manifest_from_json(p->document));
    text.state.proposed = {std::make_shared<const Manifest>(std::move(next)), p->revision,
                           p->author, p->trace, p->applied_seq};
  }
  return std::move(text.state);
}

struct ManifestText {
  std::int64_t generation = 0;
  json::object document;
  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("generation", self.generation);
    visit("document", self.document);
  }
};

struct KeyText {
  std::uint64_t seq = 0, command = 0;
  Instant at{};
  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("seq", self.seq);
    visit("command", self.command);
    visit("at", self.at);
  }
};

struct Head {
  std::uint32_t format = kWorldTextFormat;
  std::uint64_t seq = 0, epoch = 0;
  Instant time{}, clock_stepped{};
  Duration clock_offset{};
  std::string lineage;
  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("format", self.format);
    visit("seq", self.seq);
    visit("epoch", self.epoch);
    visit("time", self.time);
    visit("clock_stepped", self.clock_stepped);
    visit("clock_offset", self.clock_offset);
    visit("lineage", self.lineage);
  }
};

template <class Value>
void append_entry(std::string* out, std::string_view map, const std::string& key,
                  const Value& value) {
  *out += "\n{\"in\":\"";
  *out += map;
  *out += "\",\"key\":";
  append_json_string(out, key);
  *out += ",\"value\":";
  append_json(out, value);
  *out += '}';
}

template <class Map>
void append_map(std::string* out, std::string_view name, const Map& map) {
  map.each([&](const std::string& key, const auto& value) { append_entry(out, name, key, value); });
}

std::unexpected<Error> broken() {
  return fail(ErrorCode::Corrupt,
              "the text of a world is broken; it will be rebuilt from the journal");
}

template <class Map>
Status read_into(Map* map, const std::string& key, const json::value& value) {
  if (!read_json(value, &(*map)[key])) return broken();
  return {};
}

Status read_entry(World* world, const json::object& entry) {
  const std::string in = get_string(entry, "in");
  const std::string key = get_string(entry, "key");
  const json::value* value = get_if(entry, "value");
  if (!value) return broken();
  if (in == "instances") return read_into(&world->instances, key, *value);
  if (in == "fleets") return read_into(&world->fleets, key, *value);
  if (in == "quarantines") return read_into(&world->quarantines, key, *value);
  if (in == "lines") return read_into(&world->lines, key, *value);
  if (in == "drills") return read_into(&world->drills, key, *value);
  if (in == "flags") return read_into(&world->flags, key, *value);
  if (in == "alerts") return read_into(&world->alerts, key, *value);
  if (in == "past_alerts") return read_into(&world->past_alerts, key, *value);
  if (in == "silences") return read_into(&world->silences, key, *value);
  if (in == "services") return read_into(&world->services, key, *value);
  if (in == "tokens") return read_into(&world->tokens, key, *value);
  if (in == "keys") {
    KeyText text;
    if (!read_json(*value, &text)) return broken();
    TRY(const std::string digest, from_hex(key));
    DoneKey done{{}, text.seq, text.command, text.at};
    if (digest.size() != sizeof done.digest) return broken();
    std::memcpy(done.digest.data(), digest.data(), digest.size());
    world->keys.add(done);
    return {};
  }
  if (in == "manifests" || in == "config_versions") {
    ManifestText text;
    if (!read_json(*value, &text)) return broken();
    TRY(auto manifest, manifest_from_json(text.document));
    (in == "manifests" ? world->manifests : world->config_versions)[key] = {
        std::make_shared<const Manifest>(std::move(manifest)), text.generation};
    return {};
  }
  if (in == "events") {
    EventText text;
    if (!read_json(*value, &text)) return broken();
    TRY(world->events[key], event_of(std::move(text)));
    return {};
  }
  return broken();
}

}  // namespace

std::string world_to_text(const World& world) {
  std::string out;
  append_json(&out, Head{kWorldTextFormat, world.seq, world.epoch, world.time, world.clock_stepped,
                         world.clock_offset, world.lineage});
  const auto append_manifests = [&](std::string_view map, const auto& manifests) {
    manifests.each([&](const std::string& key, const StoredManifest& stored) {
      append_entry(&out, map, key, ManifestText{stored.generation, stored.manifest->document});
    });
  };
  append_manifests("manifests", world.manifests);
  append_manifests("config_versions", world.config_versions);
  world.events.each([&](const std::string& key, const EventState& event) {
    append_entry(&out, "events", key, text_of(event));
  });
  append_map(&out, "instances", world.instances);
  append_map(&out, "fleets", world.fleets);
  append_map(&out, "quarantines", world.quarantines);
  append_map(&out, "lines", world.lines);
  append_map(&out, "drills", world.drills);
  append_map(&out, "flags", world.flags);
  append_map(&out, "alerts", world.alerts);
  append_map(&out, "past_alerts", world.past_alerts);
  append_map(&out, "silences", world.silences);
  append_map(&out, "services", world.services);
  append_map(&out, "tokens", world.tokens);
  world.keys.each([&](const DoneKey& done) {
    const std::string_view digest(reinterpret_cast<const char*>(done.digest.data()),
                                  sizeof done.digest);
    append_entry(&out, "keys", to_hex(digest), KeyText{done.seq, done.command, done.at});
  });
  return out;
}

Result<World> world_from_text(std::string_view text) {
  World world;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    TRY(const json::value line, parse_json(text.substr(0, end), kOwnJson));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (first) {
      Head head;
      if (!read_json(line, &head) || head.format != kWorldTextFormat) return broken();
      world.seq = head.seq;
      world.epoch = head.epoch;
      world.time = head.time;
      world.clock_stepped = head.clock_stepped;
      world.clock_offset = head.clock_offset;
      world.lineage = std::move(head.lineage);
      first = false;
    } else {
      if (!line.is_object()) return broken();
      TRY(read_entry(&world, line.get_object()));
    }
  }
  if (first) return broken();
  return world;
}

std::string world_hash(const World& world) {
  return to_hex(sha256(world_to_text(world)));
}

}  // namespace showcaller
