// SPDX-License-Identifier: Apache-2.0
#include "cli/export_verb.h"

#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/cli.h"
#include "wire/metric_exports.h"

namespace showcaller {
namespace {

int print_whole(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return written && std::fflush(stdout) == 0 ? kExitOk : kExitInternal;
}

}  // namespace

void add_export_verb(CLI::App* app, int* code) {
  CLI::App* verb = app->add_subcommand(
      "export", "Print the metrics of a server as a dashboard or as rules (docs/metrics.md)");
  verb->footer(
      "Examples:\n  showcaller export grafana > showcaller.json\n"
      "  showcaller export prometheus-rules > showcaller.rules.yaml");
  verb->require_subcommand(1);
  CLI::App* grafana = verb->add_subcommand("grafana", "A dashboard for Grafana, to be imported");
  grafana->footer("Examples:\n  showcaller export grafana > showcaller.json");
  grafana->callback([code] { *code = print_whole(grafana_dashboard(kMetricTable)); });
  CLI::App* rules = verb->add_subcommand(
      "prometheus-rules", "Recording and alerting rules, for Prometheus' rule_files");
  rules->footer("Examples:\n  showcaller export prometheus-rules > showcaller.rules.yaml");
  rules->callback([code] { *code = print_whole(prometheus_rules(kMetricTable, kAlertTable)); });
}

}  // namespace showcaller
