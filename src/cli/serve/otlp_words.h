// SPDX-License-Identifier: Apache-2.0
// Where traces are sent to, as the command line and OpenTelemetry's own environment say. Source:
// opentelemetry.io/docs/specs/otel/protocol/exporter and configuration/sdk-environment-variables.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "adapters/otlp/otlp_exporter.h"

namespace showcaller {

// A variable's value; empty: it is not set.
using Environment = std::function<std::string(const char* name)>;
std::string process_environment(const char* name);

// Nothing: no collector is named, or OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER=none say so.
// `endpoint` is a base URL, to which /v1/traces is added, and goes before the environment.
Result<std::optional<OtlpExporterOptions>> otlp_from_words(const std::string& endpoint,
                                                           const Environment& environment);
// service.name and the like, where the environment has not said them; the instance is the server
// of that data folder on this machine, also when it starts again.
void add_own_resource(SpanAttributes* resource, const std::string& data);

}  // namespace showcaller
