// SPDX-License-Identifier: Apache-2.0
// Telemetry in: data points of OpenTelemetry, read and counted, beside one hash over the same bytes
// (nothing that looks at each byte is quicker) and beside Boost.JSON's parse of them; and batches
// of the SDK, a sample being one observation in a delta.
#include <cmath>

#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "bench/figure.h"
#include "bench/telemetry/otlp_exports.h"
#include "codec/otlp.h"
#include "codec/telemetry.h"
#include "flow/otlp_intake.h"
#include "sdk/telemetry_buffer.h"

namespace showcaller {
namespace {

using bench::compare;
using bench::kExportPoints;
using bench::MovingExport;

const Instant kBegan = instant_ms(1'750'000'000'000);
constexpr std::size_t kLatencies = 1'000;
constexpr int kFlips = 16;

// Everything between the body of a request and the counts of a judged stage.
class OtlpServer {
 public:
  explicit OtlpServer(MetricType type) {
    intake_.watch({"winter-raid/r1/v1"});
    for (int i = 0; i < bench::kExportInstruments; ++i) {
      MetricSpec spec;
      spec.type = type;
      spec.unit = "ms";
      spec.source = MetricSource::Otlp;
      if (type == MetricType::Binary) spec.otlp.bad_where = {{"game.mode", "casual"}};
      catalog_.add(fmt::format("instrument.{}", i), spec);
    }
  }

  std::uint64_t take(MovingExport* sent, OtlpEncoding encoding) {
    sent->move_on();
    DataPoints points;
    const Status read = decode_otlp_metrics(sent->bytes, encoding, {}, &points);
    CHECK(read);
    const auto receipt = otlp_.take(points, catalog_, {"servers", Trust::Server}, kBegan, &intake_);
    CHECK(receipt && receipt->points[std::size_t(PointFate::Taken)] == kExportPoints);
    (void)intake_.take_tick("winter-raid/r1/v1");
    return kExportPoints;
  }

 private:
  TelemetryIntake intake_;
  OtlpCatalog catalog_;
  OtlpIntake otlp_{kBegan};
};

std::vector<bench::Figure> otlp_rows() {
  static std::uint64_t kept = 0;
  MovingExport totals = bench::protobuf_export(bench::ExportOf::Totals);
  MovingExport explicit_buckets = bench::protobuf_export(bench::ExportOf::ExplicitBuckets);
  MovingExport exponential = bench::protobuf_export(bench::ExportOf::ExponentialBuckets);
  MovingExport json = bench::json_export();
  OtlpServer by_totals(MetricType::Binary), by_json(MetricType::Binary);
  OtlpServer by_explicit(MetricType::Quantile), by_exponential(MetricType::Quantile);
  const auto hashed = [](const MovingExport& sent) {
    return [&sent] {
      for (int i = 0; i < kFlips; ++i) kept += hash64(sent.bytes, kept);
      return std::uint64_t(kExportPoints) * kFlips;
    };
  };
  const auto taken = [](OtlpServer* server, MovingExport* sent, OtlpEncoding encoding) {
    return [=] {
      std::uint64_t points = 0;
      for (int i = 0; i < kFlips; ++i) points += server->take(sent, encoding);
      return points;
    };
  };
  const auto parsed = [&json] {
    for (int i = 0; i < 2; ++i) kept += parse_json(json.bytes)->as_object().size();
    return std::uint64_t(kExportPoints) * 2;
  };
  using enum OtlpEncoding;
  const auto by_proto = taken(&by_totals, &totals, Protobuf);
  const auto in_json = taken(&by_json, &json, Json);
  return {
      compare("otlp protobuf, totals", "point/s", by_proto, hashed(totals), "xxh64 of the bytes"),
      compare("otlp json, totals", "point/s", in_json, hashed(json), "xxh64 of the bytes"),
      compare("otlp json, totals", "point/s", in_json, parsed, "Boost.JSON parse alone"),
      compare("otlp protobuf, explicit histograms", "point/s",
              taken(&by_explicit, &explicit_buckets, Protobuf), hashed(explicit_buckets),
              "xxh64 of the bytes"),
      compare("otlp protobuf, exponential histograms", "point/s",
              taken(&by_exponential, &exponential, Protobuf), hashed(exponential),
              "xxh64 of the bytes")};
}

// A game server's second: 40 players, each seen 25 times in each of two latencies, and counts.
TelemetryBatch second_of_a_server(int server, const std::vector<double>& latencies) {
  TelemetryBatch batch{.source = fmt::format("server-{}", server),
                       .sequence = 0,
                       .trust = Trust::Server,
                       .trace = {},
                       .deltas = {}};
  const Arm arm = server % 10 ? Arm::Baseline : Arm::Canary;
  const std::string unit = fmt::format("arena-{}", server);
  for (const char* metric : {"join.latency", "tick.time"}) {
    TelemetryDelta& delta = batch.deltas.emplace_back();
    delta.metric = metric;
    delta.histogram.emplace();
    delta.histogram->record_all(latencies);
  }
  for (const char* metric : {"session.error", "hit.refused", "packet.lost", "input.late"}) {
    TelemetryDelta& delta = batch.deltas.emplace_back();
    delta.metric = metric;
    delta.n = 40;
    delta.x = server % 3;
  }
  for (TelemetryDelta& delta : batch.deltas) {
    delta.event = "winter-raid";
    delta.arm = arm;
    delta.unit = unit;
  }
  return batch;
}

std::int64_t samples_of(const TelemetryBatch& batch) {
  std::int64_t samples = 0;
  for (const TelemetryDelta& delta : batch.deltas)
    samples += delta.histogram ? std::int64_t(delta.histogram->count()) : delta.n;
  return samples;
}

ReportedDelta reported(TelemetryDelta delta) {
  return {std::move(delta.metric),
          std::move(delta.instance),
          std::move(delta.session),
          std::move(delta.event),
          delta.arm,
          std::move(delta.unit),
          std::move(delta.stratum),
          delta.n,
          delta.x,
          std::move(delta.histogram)};
}

// From the body of a report to the counts of a judged stage.
std::vector<bench::Figure> sdk_rows() {
  static std::uint64_t kept = 0;
  Random random(7);
  std::vector<double> latencies(kLatencies);
  for (double& v : latencies) v = random.lognormal(std::log(40.0), 0.5);
  std::vector<std::string> bodies;
  std::int64_t samples = 0;
  for (int server = 0; server < 100; ++server) {
    const TelemetryBatch batch = second_of_a_server(server, latencies);
    samples += samples_of(batch);
    bodies.push_back(encode_telemetry(batch));
  }
  TelemetryIntake intake;
  intake.watch({"winter-raid/r1/v1"});
  std::uint64_t sequence = 0;
  const auto received = [&] {
    ++sequence;
    for (const std::string& body : bodies) {
      auto batch = decode_telemetry(body);
      Report report{"servers", batch->source, sequence, batch->trust, {}};
      for (TelemetryDelta& delta : batch->deltas)
        report.deltas.push_back(reported(std::move(delta)));
      CHECK(intake.report(report, kBegan)->count(DeltaFate::Taken) == 6);
    }
    (void)intake.take_tick("winter-raid/r1/v1");
    return std::uint64_t(samples);
  };
  std::vector<std::uint64_t> plain(2'048);
  const auto increments = [&] {
    for (int i = 0; i < 100; ++i) {
      for (const double v : latencies) ++plain[LogHistogram::index_of(v)];
    }
    return std::uint64_t(latencies.size()) * 100;
  };
  sdk::TelemetryBuffer buffer(1'000, "arena-1");
  const auto merged = [&] {
    sdk::Report report;
    report.kind = sdk::Report::Kind::Latency;
    (void)report.set_texts("join.latency", {.event = "winter-raid", .arm = "canary"});
    for (int i = 0; i < 20; ++i) {
      for (const double v : latencies) {
        report.value = v;
        kept += buffer.add(report) ? 1 : 0;
      }
    }
    kept += buffer.take().size();
    return std::uint64_t(latencies.size()) * 20;
  };
  return {compare("sdk batches, received and counted", "sample/s", received, increments,
                  "array increment"),
          compare("sdk, merged into a batch", "sample/s", merged, increments, "array increment")};
}

}  // namespace
}  // namespace showcaller

int main(int argc, char** argv) {
  using namespace showcaller;
  std::vector<bench::Figure> rows = otlp_rows();
  for (bench::Figure& row : sdk_rows()) rows.push_back(std::move(row));
  bench::print_figures(argc, argv, rows);
}
