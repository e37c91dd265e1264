// SPDX-License-Identifier: Apache-2.0
// What a Service can do without, when, and when calls to it are let be.
#pragma once

#include "model/manifest/shape.h"
#include "model/spec/others.h"

namespace showcaller::manifest {

// A feature; text alone is its name, and nothing withdraws it.
Value<FeatureSpec> feature_value();
const Shape<FeatureSpec>& feature_shape();
const Shape<DegradationSpec>& degradation_shape();
const Shape<BreakerSpec>& breaker_shape();

// Each feature once, each flag once, and somewhere to look for stress.
void check_features(Reader& reader, const Node& node, const ServiceSpec& service);

}  // namespace showcaller::manifest
