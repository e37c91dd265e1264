// SPDX-License-Identifier: Apache-2.0
#include "model/record.h"

#include <fmt/format.h>

namespace showcaller {
namespace {

template <std::size_t I = 0>
bool read_payload(std::size_t index, const json::value& from, Payload* to) {
  if constexpr (I == std::variant_size_v<Payload::variant>) {
    return false;
  } else {
    if (index != I) return read_payload<I + 1>(index, from, to);
    return read_json(from, &to->emplace<I>());
  }
}

std::unexpected<Error> corrupt(std::string_view what) {
  return fail(
      ErrorCode::Corrupt,
      fmt::format("a record of the journal has {}; run `showcaller doctor` and restore a backup",
                  what));
}

}  // namespace

std::string encode_record(const Record& record) {
  std::string out;
  out.reserve(256);
  out += "{\"seq\":";
  append_json(&out, record.seq);
  out += ",\"time\":";
  append_json(&out, record.time);
  out += ",\"kind\":\"";
  out += record.kind().name;
  out += "\",\"version\":";
  append_json(&out, record.kind().version);
  out += ",\"epoch\":";
  append_json(&out, record.epoch);
  const auto text = [&out](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    out += name;
    append_json_string(&out, value);
  };
  text(",\"actor\":", record.actor);
  if (record.cause != 0) {
    out += ",\"cause\":";
    append_json(&out, record.cause);
  }
  text(",\"key\":", record.key);
  if (record.command != 0) {
    out += ",\"command\":";
    append_json(&out, record.command);
  }
  text(",\"trace\":", record.trace);
  text(",\"traceparent\":", record.traceparent);
  text(",\"tracestate\":", record.tracestate);
  out += ",\"payload\":";
  std::visit([&out](const auto& payload) { append_json(&out, payload); }, record.payload);
  out += '}';
  return out;
}

Result<Record> decode_record(std::string_view bytes) {
  // The journal's lines are ours: parsed without copying strings twice, by an arena of one record.
  unsigned char arena[8192];
  json::monotonic_resource resource(arena, sizeof arena);
  const auto parsed = parse_json(bytes, kOwnJson, &resource);
  if (!parsed || !parsed->is_object()) return corrupt("no valid JSON");
  const json::object& object = parsed->get_object();
  Record record;
  bool good = true;
  const auto read = [&](std::string_view key, auto* to, bool required) {
    const json::value* value = object.if_contains(key);
    if (value ? !read_json(*value, to) : required) good = false;
  };
  std::string kind;
  std::uint16_t version = 0;
  read("seq", &record.seq, true);
  read("time", &record.time, true);
  read("kind", &kind, true);
  read("version", &version, true);
  read("epoch", &record.epoch, true);
  read("actor", &record.actor, false);
  read("cause", &record.cause, false);
  read("key", &record.key, false);
  read("command", &record.command, false);
  read("trace", &record.trace, false);
  read("traceparent", &record.traceparent, false);
  read("tracestate", &record.tracestate, false);
  const json::value* payload = object.if_contains("payload");
  if (!good || !payload || !payload->is_object()) return corrupt("no whole envelope");
  std::size_t index = 0;
  while (index < kRecordKinds.size() && kRecordKinds[index].name != kind) ++index;
  if (index == kRecordKinds.size() || version > kRecordKinds[index].version) {
    return fail(ErrorCode::Unsupported,
                fmt::format("record {} is a {} of version {}, which a newer showcaller wrote; use "
                            "that one or a later one",
                            record.seq, kind, version));
  }
  json::value lifted;
  if (version < kRecordKinds[index].version) {
    auto newest = upcast(kRecordKinds[index], version, payload->get_object());
    if (!newest) return corrupt(fmt::format("{} at seq {}", newest.error().message, record.seq));
    lifted = *std::move(newest);
    payload = &lifted;
  }
  if (!read_payload(index, *payload, &record.payload)) {
    return corrupt(fmt::format("a {} payload of another shape at seq {}", kind, record.seq));
  }
  return record;
}

}  // namespace showcaller
