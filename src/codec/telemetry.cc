// SPDX-License-Identifier: Apache-2.0
#include "codec/telemetry.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "flag/flag_set.h"

namespace showcaller {
namespace {

constexpr std::int64_t kCountMax = std::int64_t(1) << 53;
constexpr std::size_t kIgnoredMax = 8;
constexpr std::array<std::string_view, 7> kBatchFields{"source",  "sequence", "trust", "sent_ms",
                                                       "dropped", "trace",    "deltas"};
constexpr std::array<std::string_view, 10> kDeltaFields{
    "metric", "event", "arm", "instance", "session", "unit", "stratum", "n", "x", "histogram"};

// Reads one object; the first thing that is wrong is kept, with its place.
class Reader {
 public:
  Reader(const json::object& object, std::string place, const TelemetryLimits& limits)
      : object_(object), place_(std::move(place)), limits_(limits) {}

  std::string text(std::string_view key, bool required = false) {
    const json::value* value = get_if(object_, key);
    if (value == nullptr || value->is_null()) {
      if (required) refuse(key, "is missing");
      return {};
    }
    const auto* text = value->if_string();
    if (text == nullptr) {
      refuse(key, "expected text");
      return {};
    }
    if (text->size() > limits_.text_bytes_max) {
      refuse(key, fmt::format("longer than {} bytes", limits_.text_bytes_max));
    }
    if (required && text->empty()) refuse(key, "is empty");
    return std::string(*text);
  }

  std::int64_t count(std::string_view key, bool required = false) {
    const json::value* value = get_if(object_, key);
    if (value == nullptr || value->is_null()) {
      if (required) refuse(key, "is missing");
      return 0;
    }
    const auto number = lossless_integer(*value);
    if (!number || *number < 0 || *number > kCountMax) {
      refuse(key, "expected a whole number from 0 to 2^53");
      return 0;
    }
    return *number;
  }

  void refuse(std::string_view key, std::string_view what) {
    if (!error_) error_ = Error{ErrorCode::Invalid, fmt::format("{}{}: {}", place_, key, what)};
  }
  void note_unknown(std::span<const std::string_view> known, std::set<std::string>* ignored) const {
    if (ignored == nullptr) return;
    for (const auto& member : object_) {
      const std::string_view name = member.key();
      if (std::ranges::find(known, name) != known.end() || ignored->size() >= kIgnoredMax) continue;
      ignored->insert(std::string(name.substr(0, limits_.text_bytes_max)));
    }
  }
  const json::object& object() const { return object_; }
  std::optional<Error>& error() { return error_; }

 private:
  const json::object& object_;
  std::string place_;
  const TelemetryLimits& limits_;
  std::optional<Error> error_;
};

void read_counts(Reader* reader, TelemetryDelta* delta) {
  const json::value* histogram = get_if(reader->object(), "histogram");
  if (histogram == nullptr) {
    delta->n = reader->count("n", true);
    delta->x = reader->count("x");
    return;
  }
  auto parsed = histogram_from_json(*histogram);
  if (!parsed) return reader->refuse("histogram", parsed.error().message);
  delta->histogram = *std::move(parsed);
}

Result<TelemetryDelta> read_delta(const json::value& value, std::size_t index,
                                  const TelemetryLimits& limits, std::set<std::string>* ignored) {
  const std::string place = fmt::format("deltas[{}].", index);
  const auto* object = value.if_object();
  if (object == nullptr) {
    return fail(ErrorCode::Invalid, fmt::format("deltas[{}]: expected an object", index));
  }
  Reader reader(*object, place, limits);
  TelemetryDelta delta;
  delta.metric = reader.text("metric", true);
  delta.event = reader.text("event");
  const std::string arm = reader.text("arm");
  delta.arm = parse_arm(arm);
  if (!arm.empty() && !delta.arm) reader.refuse("arm", "expected canary or baseline");
  delta.instance = reader.text("instance");
  delta.session = reader.text("session");
  delta.unit = reader.text("unit");
  delta.stratum = reader.text("stratum");
  read_counts(&reader, &delta);
  reader.note_unknown(kDeltaFields, ignored);
  if (reader.error()) return std::unexpected(*std::move(reader.error()));
  return delta;
}

json::object delta_to_json(const TelemetryDelta& delta) {
  json::object out{{"metric", delta.metric}};
  if (!delta.event.empty()) out["event"] = delta.event;
  if (delta.arm) out["arm"] = to_string(*delta.arm);
  if (!delta.instance.empty()) out["instance"] = delta.instance;
  if (!delta.session.empty()) out["session"] = delta.session;
  if (!delta.unit.empty()) out["unit"] = delta.unit;
  if (!delta.stratum.empty()) out["stratum"] = delta.stratum;
  if (delta.histogram) {
    out["histogram"] = to_json(*delta.histogram);
  } else {
    out["n"] = delta.n;
    if (delta.x != 0) out["x"] = delta.x;
  }
  return out;
}

}  // namespace

Result<TelemetryBatch> decode_telemetry(std::string_view body, const TelemetryLimits& limits,
                                        std::set<std::string>* ignored) {
  TRY(const auto parsed, parse_json(body, {.bytes_max = limits.bytes_max, .depth_max = 8}));
  const auto* object = parsed.if_object();
  if (object == nullptr) return fail(ErrorCode::Invalid, "a batch is a JSON object");
  Reader reader(*object, "", limits);
  TelemetryBatch batch;
  batch.source = reader.text("source", true);
  batch.sequence = reader.count("sequence", true);
  const std::string trust = reader.text("trust");
  if (!trust.empty()) {
    const auto known = parse_trust(trust);
    if (!known) reader.refuse("trust", "expected server, probe or client");
    batch.trust = known.value_or(Trust::Client);
  }
  batch.sent_ms = reader.count("sent_ms");
  batch.dropped = reader.count("dropped");
  batch.trace = reader.text("trace");
  const json::value* deltas = get_if(*object, "deltas");
  if (deltas == nullptr || !deltas->is_array()) {
    reader.refuse("deltas", "expected a list");
  } else if (deltas->get_array().size() > limits.deltas_max) {
    return fail(ErrorCode::Limit,
                fmt::format("deltas: more than {}; send smaller batches", limits.deltas_max));
  }
  if (reader.error()) return std::unexpected(*std::move(reader.error()));
  reader.note_unknown(kBatchFields, ignored);
  batch.deltas.reserve(deltas->get_array().size());
  for (std::size_t i = 0; i < deltas->get_array().size(); ++i) {
    TRY(auto delta, read_delta(deltas->get_array()[i], i, limits, ignored));
    batch.deltas.push_back(std::move(delta));
  }
  return batch;
}

std::string encode_telemetry(const TelemetryBatch& batch) {
  json::object out{
      {"source", batch.source}, {"sequence", batch.sequence}, {"trust", to_string(batch.trust)}};
  if (batch.sent_ms != 0) out["sent_ms"] = batch.sent_ms;
  if (batch.dropped != 0) out["dropped"] = batch.dropped;
  if (!batch.trace.empty()) out["trace"] = batch.trace;
  json::array deltas;
  deltas.reserve(batch.deltas.size());
  for (const auto& delta : batch.deltas) deltas.push_back(delta_to_json(delta));
  out["deltas"] = std::move(deltas);
  return to_json_text(out);
}

}  // namespace showcaller
