// SPDX-License-Identifier: Apache-2.0
// Metrics that are read rather than counted: of the published world, and of this process.
//
// Threads: any, one at a time for one registry.
#pragma once

#include "adapters/otlp/otlp_exporter.h"
#include "host/host.h"
#include "wire/metrics.h"

namespace showcaller {

void refresh_host_metrics(MetricsRegistry* registry, const Host& host);
void refresh_span_metrics(MetricsRegistry* registry, const OtlpStats& stats);

}  // namespace showcaller
