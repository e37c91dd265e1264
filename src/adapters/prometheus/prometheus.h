// SPDX-License-Identifier: Apache-2.0
// Port metric_queries over a Prometheus server, or whatever answers its HTTP API: instant queries,
// GET /api/v1/query.
//
// A query whose answer is no instant vector or scalar, or has more series than allowed, is an
// error; no series at all are an answer. What Prometheus holds for stale is not in its answers.
//
// Threads: its own, a few; each has one query under way. Source: Prometheus, "HTTP API", instant
// queries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "flow/port/metric_queries.h"
#include "net/call_queue.h"
#include "net/http_client.h"

namespace showcaller {

struct PrometheusOptions {
  std::string url;         // "http://127.0.0.1:9090", "https://host/prometheus"
  std::string token_file;  // of a bearer token, read again for each connection; empty: none
  TlsClientOptions tls;
  Duration timeout = seconds(5);
  std::size_t series_max = 2'000;
  std::size_t waiting_max = 1'000;
  int threads = 2;
};

class Prometheus final : public MetricQueries {
 public:
  explicit Prometheus(PrometheusOptions options);
  Prometheus(const Prometheus&) = delete;
  Prometheus& operator=(const Prometheus&) = delete;

  // Queries under way and waiting end as unavailable when it goes.
  void ask(const std::string& query, Done done) override;

 private:
  Result<std::vector<QuerySample>> answer_of(const std::string& query);

  const PrometheusOptions options_;
  CallQueue queue_;  // ends before the rest goes
};

// The samples of an answer's body.
Result<std::vector<QuerySample>> prometheus_samples(int status, std::string_view body,
                                                    std::size_t series_max);

}  // namespace showcaller
