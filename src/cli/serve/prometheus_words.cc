// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/prometheus_words.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "adapters/prometheus/prometheus.h"

namespace showcaller {

void add_prometheus_words(CLI::App* serve, PrometheusWords* words) {
  serve
      ->add_option("--prometheus", words->url,
                   "URL of the Prometheus that Metrics with `source: prometheus` are asked of")
      ->envname("SHOWCALLER_PROMETHEUS");
  serve
      ->add_option("--prometheus-token-file", words->token_file,
                   "File with the bearer token that it wants")
      ->envname("SHOWCALLER_PROMETHEUS_TOKEN_FILE");
  serve
      ->add_option("--prometheus-ca", words->ca_file,
                   "PEM by which its certificate is known; absent: the system's")
      ->envname("SHOWCALLER_PROMETHEUS_CA");
}

Result<std::unique_ptr<MetricQueries>> open_prometheus(const PrometheusWords& words) {
  if (words.url.empty()) return nullptr;
  if (const auto url = parse_url(words.url); !url) {
    return fail(
        ErrorCode::Invalid,
        fmt::format("--prometheus: {}; write it as http://127.0.0.1:9090", url.error().message));
  }
  PrometheusOptions options;
  options.url = words.url;
  options.token_file = words.token_file;
  options.tls.ca_file = words.ca_file;
  return std::make_unique<Prometheus>(std::move(options));
}

}  // namespace showcaller
