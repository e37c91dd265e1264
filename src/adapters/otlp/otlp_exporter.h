// SPDX-License-Identifier: Apache-2.0
// Sends spans to an OpenTelemetry collector: OTLP over HTTP in protobuf, batched. Source:
// opentelemetry.io/docs/specs/otlp.
//
// A batch goes out when it is full or `batch_every` after its first span. No answer, 429, 502, 503
// and 504 are tried again with the same batch, after a pause that doubles, or as long as
// Retry-After says; any other answer from 300 on is final. Meanwhile spans wait, `waiting_max` at
// most: the oldest make room.
//
// Threads: take() and stats() by any; one of its own sends. On destruction what waits is tried once
// more, `end_within` at most.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "codec/otlp_spans.h"
#include "host/port/span_sink.h"
#include "net/http_client.h"

namespace showcaller {

struct OtlpExporterOptions {
  std::string url;      // whole: "http://127.0.0.1:4318/v1/traces"
  HttpHeaders headers;  // sent along: keys of the collector's
  TlsClientOptions tls;
  SpanAttributes resource;
  OtlpScope scope;
  std::size_t waiting_max = 20'000;
  std::size_t batch_max = 512;
  Duration batch_every = seconds(1);
  Duration timeout = seconds(10);
  Duration retry_first = seconds(1), retry_max = seconds(30);
  Duration retry_after_max = minutes(10);  // the longest pause that a collector may ask for
  Duration end_within = seconds(2);
  std::uint64_t seed = 1;  // of the pauses' jitter
  // Told once an outage, and once when it is over (no error).
  std::function<void(const Status&)> on_change = [](const Status&) {};
  // A batch is done with: taken, or refused for good. So many spans came after it.
  std::function<void(const std::vector<Span>& batch, std::size_t waiting)> on_done =
      [](const std::vector<Span>&, std::size_t) {};
};

struct OtlpStats {
  std::uint64_t sent = 0;     // taken by the collector
  std::uint64_t dropped = 0;  // made room for others while it was away, or were left at the end
  std::uint64_t refused = 0;  // by the collector, for good
  std::uint64_t retries = 0;  // requests that were sent again
  std::uint64_t waiting = 0;  // now
};

class OtlpExporter final : public SpanSink {
 public:
  explicit OtlpExporter(OtlpExporterOptions options);
  ~OtlpExporter() override;
  OtlpExporter(const OtlpExporter&) = delete;
  OtlpExporter& operator=(const OtlpExporter&) = delete;

  void take(std::vector<Span> spans) override;
  OtlpStats stats() const;

 private:
  struct Outcome {
    enum class Kind { Taken, Again, Refused } kind = Kind::Taken;
    std::uint64_t rejected = 0;    // of a batch that was taken
    std::optional<Duration> wait;  // Retry-After
    std::string says;
  };
  void run();
  std::vector<Span> next_batch();
  void send(std::vector<Span> batch);
  Outcome post(const std::string& body);
  void tell(const Outcome& outcome);
  bool is_ending() const;

  const OtlpExporterOptions options_;
  std::string target_;
  std::unique_ptr<HttpClient> client_;
  Random random_;
  bool away_ = false;  // of the sending thread
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Span> waiting_;
  bool ending_ = false, ended_ = false;
  std::chrono::steady_clock::time_point end_at_;  // once it is ending
  std::uint64_t in_flight_ = 0;
  OtlpStats stats_;
  std::thread thread_;
};

// What a Retry-After asks for, in seconds or as a date; nothing: it says neither.
std::optional<Duration> retry_after_of(std::string_view header, Instant now);

}  // namespace showcaller
