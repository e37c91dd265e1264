// SPDX-License-Identifier: Apache-2.0
// Metrics that are read rather than counted: of the published world, and of this process.
//
// Threads: any, one at a time for one registry.
#pragma once

#include "host/host.h"
#include "wire/metrics.h"

namespace showcaller {

void refresh_host_metrics(MetricsRegistry* registry, const Host& host);

}  // namespace showcaller
