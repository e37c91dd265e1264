// SPDX-License-Identifier: Apache-2.0
#include "wire/metrics_response.h"

namespace showcaller {

HttpResponse metrics_response(const MetricsRegistry& metrics, std::string_view accept) {
  const bool open = accept.find("application/openmetrics-text") != accept.npos;
  return text_response(200, metrics.text(open),
                       open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                            : "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace showcaller
