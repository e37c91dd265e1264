// SPDX-License-Identifier: Apache-2.0
// Where a Metric's numbers come from besides the SDK's reports: instruments of OpenTelemetry, and
// queries to Prometheus.
#pragma once

#include "model/manifest/shape.h"
#include "model/spec/others.h"

namespace showcaller::manifest {

const Shape<OtlpMapping>& otlp_mapping_shape();
Shape<MetricSpec> metric_queries_shape();

// What is written of sources fits the source and the type.
void check_metric_source(Reader& reader, const Node& node, const MetricSpec& metric);

}  // namespace showcaller::manifest
