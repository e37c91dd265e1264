// SPDX-License-Identifier: Apache-2.0
// Which Prometheus `showcaller serve` asks for metrics: its words, and what comes of them.
#pragma once

#include <memory>

#include "base/result.h"
#include "cli/serve/serve.h"
#include "flow/port/metric_queries.h"

namespace CLI {
class App;
}

namespace showcaller {

void add_prometheus_words(CLI::App* serve, PrometheusWords* words);
// Null: none is named. Invalid: its URL is none.
Result<std::unique_ptr<MetricQueries>> open_prometheus(const PrometheusWords& words);

}  // namespace showcaller
