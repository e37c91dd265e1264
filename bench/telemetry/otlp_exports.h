// SPDX-License-Identifier: Apache-2.0
// Exports of game servers, as protobuf and as JSON, whose times and totals can be moved on in
// place: what a server that is sent the same series again and again has to read.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace showcaller::bench {

inline constexpr int kExportServers = 40, kExportInstruments = 5, kExportSeries = 50;
inline constexpr int kExportPoints = kExportServers * kExportInstruments * kExportSeries;
inline constexpr std::uint64_t kExportStart = 1'760'000'000'000'000'000;

// An export, and where its times and totals stand in it.
struct MovingExport {
  std::string bytes;
  std::vector<std::size_t> times, totals;
  bool json = false;
  std::uint64_t rounds = 0;

  // Ten seconds later, three more of each.
  void move_on() {
    ++rounds;
    const std::uint64_t time = kExportStart + rounds * 10'000'000'000;
    const std::uint64_t total = 1'000'000 + rounds * 3;
    const std::string time_text = std::to_string(time), total_text = std::to_string(total);
    for (const std::size_t at : times) put(at, time, time_text);
    for (const std::size_t at : totals) put(at, total, total_text);
  }

 private:
  void put(std::size_t at, std::uint64_t value, const std::string& text) {
    if (json)
      bytes.replace(at, text.size(), text);
    else
      std::memcpy(bytes.data() + at, &value, sizeof value);
  }
};

// ---- protobuf, written from the inside out ----

inline void append_wire_varint(std::string* out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out += char(value | 0x80);
  *out += char(value);
}
inline void append_wire_text(std::string* out, int number, std::string_view text) {
  append_wire_varint(out, std::uint64_t(number) << 3 | 2);
  append_wire_varint(out, text.size());
  *out += text;
}
inline std::size_t append_wire_fixed(std::string* out, int number, std::uint64_t value) {
  append_wire_varint(out, std::uint64_t(number) << 3 | 1);
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
  return out->size() - sizeof value;
}
inline std::string wire_attribute(std::string_view key, std::string_view value) {
  std::string inner, out;
  append_wire_text(&inner, 1, value);
  append_wire_text(&out, 1, key);
  append_wire_text(&out, 2, inner);
  return out;
}

inline std::vector<std::pair<std::string, std::string>> series_attributes(int series) {
  return {{"game.mode", series % 5 ? "ranked" : "casual"},
          {"cloud.region", fmt::format("eu-{}", series % 7)},
          {"map", fmt::format("map-{}", series)}};
}
inline std::vector<std::pair<std::string, std::string>> server_attributes(int server) {
  return {{"service.name", "arena"},
          {"service.instance.id", fmt::format("arena-{}", server)},
          {"showcaller.event", "winter-raid"},
          {"showcaller.arm", server % 10 ? "baseline" : "canary"}};
}

enum class ExportOf { Totals, ExplicitBuckets, ExponentialBuckets };

// Ten and two buckets: the default bounds of an SDK, cut.
inline std::string wire_point(ExportOf what, int series, std::size_t* time_at,
                              std::size_t* total_at) {
  std::string out;
  const int attribute = what == ExportOf::Totals ? 7 : what == ExportOf::ExplicitBuckets ? 9 : 1;
  for (const auto& [key, value] : series_attributes(series))
    append_wire_text(&out, attribute, wire_attribute(key, value));
  append_wire_fixed(&out, 2, kExportStart);
  *time_at = append_wire_fixed(&out, 3, kExportStart);
  if (what == ExportOf::Totals) {
    *total_at = append_wire_fixed(&out, 6, 1'000'000);
    return out;
  }
  append_wire_fixed(&out, 4, 60);
  if (what == ExportOf::ExplicitBuckets) {
    std::string counts, bounds;
    for (std::uint64_t i = 0; i < 12; ++i)
      counts.append(reinterpret_cast<const char*>(&i), sizeof i);
    for (int i = 0; i < 11; ++i) {
      const double bound = 5 << i;
      bounds.append(reinterpret_cast<const char*>(&bound), sizeof bound);
    }
    append_wire_text(&out, 6, counts);
    append_wire_text(&out, 7, bounds);
    return out;
  }
  std::string buckets, counts;
  for (std::uint64_t i = 0; i < 12; ++i) append_wire_varint(&counts, i);
  append_wire_varint(&buckets, 1 << 3);
  append_wire_varint(&buckets, 40);  // The offset 20, zigzag.
  append_wire_text(&buckets, 2, counts);
  append_wire_varint(&out, 6 << 3);
  append_wire_varint(&out, 6);  // The scale 3, zigzag.
  append_wire_text(&out, 8, buckets);
  return out;
}

inline MovingExport protobuf_export(ExportOf what) {
  MovingExport out;
  for (int server = 0; server < kExportServers; ++server) {
    std::string resource, scope, whole;
    std::vector<std::size_t> times, totals;  // within `scope`
    for (const auto& [key, value] : server_attributes(server))
      append_wire_text(&resource, 1, wire_attribute(key, value));
    for (int instrument = 0; instrument < kExportInstruments; ++instrument) {
      std::string data, metric;
      std::vector<std::size_t> here_times, here_totals;
      for (int series = 0; series < kExportSeries; ++series) {
        std::size_t time_at = 0, total_at = 0;
        const std::string point = wire_point(what, series, &time_at, &total_at);
        append_wire_text(&data, 1, point);
        here_times.push_back(data.size() - point.size() + time_at);
        if (total_at > 0) here_totals.push_back(data.size() - point.size() + total_at);
      }
      append_wire_varint(&data, 2 << 3);
      append_wire_varint(&data, what == ExportOf::Totals ? 2 : 1);
      append_wire_varint(&data, 3 << 3);
      append_wire_varint(&data, 1);
      append_wire_text(&metric, 1, fmt::format("instrument.{}", instrument));
      append_wire_text(&metric, 3, "ms");
      append_wire_text(&metric,
                       what == ExportOf::Totals            ? 7
                       : what == ExportOf::ExplicitBuckets ? 9
                                                           : 10,
                       data);
      append_wire_text(&scope, 2, metric);
      const std::size_t base = scope.size() - data.size();
      for (const std::size_t at : here_times) times.push_back(base + at);
      for (const std::size_t at : here_totals) totals.push_back(base + at);
    }
    append_wire_text(&whole, 1, resource);
    append_wire_text(&whole, 2, scope);
    append_wire_text(&out.bytes, 1, whole);
    const std::size_t base = out.bytes.size() - scope.size();
    for (const std::size_t at : times) out.times.push_back(base + at);
    for (const std::size_t at : totals) out.totals.push_back(base + at);
  }
  return out;
}

inline std::string json_attributes(const std::vector<std::pair<std::string, std::string>>& all) {
  std::string out = "[";
  for (const auto& [key, value] : all)
    out += fmt::format(R"({}{{"key":"{}","value":{{"stringValue":"{}"}}}})",
                       out.size() > 1 ? "," : "", key, value);
  return out + "]";
}

// Totals, as OpenTelemetry's exporters write them.
inline MovingExport json_export() {
  MovingExport out;
  out.json = true;
  std::string& text = out.bytes;
  text = R"({"resourceMetrics":[)";
  for (int server = 0; server < kExportServers; ++server) {
    text += fmt::format(R"({}{{"resource":{{"attributes":{},"droppedAttributesCount":0}},)"
                        R"("scopeMetrics":[{{"scope":{{"name":"arena","version":"1"}},"metrics":[)",
                        server > 0 ? "," : "", json_attributes(server_attributes(server)));
    for (int instrument = 0; instrument < kExportInstruments; ++instrument) {
      text += fmt::format(R"({}{{"name":"instrument.{}","description":"","unit":"ms","sum":)"
                          R"({{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[)",
                          instrument > 0 ? "," : "", instrument);
      for (int series = 0; series < kExportSeries; ++series) {
        text += fmt::format(R"({}{{"attributes":{},"startTimeUnixNano":"{}","timeUnixNano":")",
                            series > 0 ? "," : "", json_attributes(series_attributes(series)),
                            kExportStart);
        out.times.push_back(text.size());
        text += fmt::format(R"({}","asInt":")", kExportStart);
        out.totals.push_back(text.size());
        text += R"(1000000"})";
      }
      text += "]}}";
    }
    text += "]}]}";
  }
  text += "]}";
  return out;
}

}  // namespace showcaller::bench
