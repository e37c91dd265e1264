// SPDX-License-Identifier: Apache-2.0
// What other programs can be given of our metrics: a dashboard for Grafana, and rules for
// Prometheus, printed from the table of metrics (metric_table.h).
//
// Sources: Grafana, "Dashboard JSON model" (schemaVersion 39); Prometheus, "Recording rules" and
// "Alerting rules".
#pragma once

#include <span>
#include <string>

#include "wire/metric_table.h"

namespace showcaller {

// JSON with a panel a metric, in rows by unit; the variables `event`, `fleet` and `service` choose
// what is shown.
std::string grafana_dashboard(std::span<const MetricRow> table);
// YAML: a recording rule for the quantiles of each histogram and for the share of each
// outcome that is not a good one, and the alerts.
std::string prometheus_rules(std::span<const MetricRow> table, std::span<const AlertRow> alerts);

}  // namespace showcaller
