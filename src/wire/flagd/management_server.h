// SPDX-License-Identifier: Apache-2.0
// Health, readiness and metrics of a flag server, where flagd has them.
//
//   GET /healthz  200        GET /readyz  200, or 412 until every source has given flags
//   GET /metrics  kFlagdMetricTable, for Prometheus
//
// Threads: the HTTP server's.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "net/http_server.h"
#include "wire/metrics.h"

namespace showcaller {

// docs/flags.md has them.
inline constexpr std::array kFlagdMetricTable{
    MetricRow{"showcaller_flagd_evaluations", SeriesType::Counter,
              "Flags evaluated for gRPC, by OpenFeature's reason.", "reason"},
    MetricRow{"showcaller_flagd_streams", SeriesType::Gauge,
              "Streams of changes that are open, of any protocol.", ""},
    MetricRow{"showcaller_flagd_ofrep_requests", SeriesType::Counter, "Requests over OFREP.", ""},
    MetricRow{"showcaller_flagd_source_reads", SeriesType::Counter,
              "Documents that a source gave, by outcome: ok, refused or unavailable.",
              "source outcome"},
};

struct ManagementPorts {
  std::function<bool()> is_ready;
  MetricsRegistry* metrics = nullptr;
};

Result<std::unique_ptr<HttpServer>> start_management_server(HttpServerOptions options,
                                                            ManagementPorts ports);

}  // namespace showcaller
