// SPDX-License-Identifier: Apache-2.0
// The metrics as an answer, in the form that the scraper accepts. Threads: any.
#pragma once

#include <string_view>

#include "net/http_message.h"
#include "wire/metrics.h"

namespace showcaller {

HttpResponse metrics_response(const MetricsRegistry& metrics, std::string_view accept);

}  // namespace showcaller
