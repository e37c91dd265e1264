// SPDX-License-Identifier: Apache-2.0
// The dashboard and the rules as they are printed, and what Prometheus' own promtool says of them.
#include "wire/metric_exports.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

const fs::path kExports = fs::path(SHOWCALLER_SOURCE_DIR) / "tests/wire/exports";

std::string file_text(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void expect_printed(const std::string& name, const std::string& text) {
  if (std::getenv("SHOWCALLER_REWRITE")) std::ofstream(kExports / name) << text;
  EXPECT_EQ(file_text(kExports / name), text)
      << "if this is as it should be: SHOWCALLER_REWRITE=1 build/release/test_wire";
}

bool has_promtool() {
  return std::system("promtool --version >/dev/null 2>&1") == 0;
}

// What promtool has to say; empty: it is content.
std::string promtool(const std::string& words, const std::string& input = {}) {
  const fs::path folder = fs::path(testing::TempDir());
  const fs::path in = folder / "promtool.in", out = folder / "promtool.out";
  std::ofstream(in) << input;
  const int code = std::system(
      fmt::format("promtool {} <{} >{} 2>&1", words, in.string(), out.string()).c_str());
  return code == 0 ? std::string() : file_text(out);
}

TEST(MetricExportsGolden, TheDashboardIsPrintedFromTheTable) {
  expect_printed("dashboard.json", grafana_dashboard(kMetricTable));
}

TEST(MetricExportsGolden, TheRulesArePrintedFromTheTables) {
  expect_printed("rules.yaml", prometheus_rules(kMetricTable, kAlertTable));
}

TEST(MetricExports, TheDashboardShowsEveryMetricOnceAndNoPanelOverAnother) {
  const auto dashboard = parse_json(grafana_dashboard(kMetricTable));
  ASSERT_TRUE(dashboard);
  std::set<std::int64_t> ids;
  std::set<std::pair<std::int64_t, std::int64_t>> places;
  std::size_t shown = 0;
  for (const json::value& panel : dashboard->at("panels").as_array()) {
    EXPECT_TRUE(ids.insert(panel.at("id").to_number<std::int64_t>()).second);
    EXPECT_TRUE(places
                    .insert({panel.at("gridPos").at("y").to_number<std::int64_t>(),
                             panel.at("gridPos").at("x").to_number<std::int64_t>()})
                    .second);
    shown += panel.as_object().contains("targets") ? 1 : 0;
  }
  EXPECT_EQ(shown, kMetricTable.size());
}

TEST(MetricExports, EveryAlertIsAboutAMetricOfTheTable) {
  std::set<std::string_view> names;
  for (const MetricRow& row : kMetricTable) names.insert(row.name);
  for (const AlertRow& alert : kAlertTable) EXPECT_TRUE(names.contains(alert.metric)) << alert.name;
}

TEST(MetricExports, PrometheusAcceptsTheRulesAndTheyTellWhatTheySay) {
  if (!has_promtool()) GTEST_SKIP() << "there is no promtool; tools/run_install test installs it";
  const std::string rules = (kExports / "rules.yaml").string();
  EXPECT_EQ(promtool("check rules " + rules), "");
  EXPECT_EQ(promtool("test rules " + (kExports / "rules_test.yaml").string()), "");
}

TEST(MetricExports, PrometheusAcceptsTheMetrics) {
  if (!has_promtool()) GTEST_SKIP() << "there is no promtool; tools/run_install test installs it";
  MetricsRegistry metrics(kMetricTable);
  metrics.counter("showcaller_commands", {"hold", "ok"}).add();
  metrics.histogram("showcaller_command_seconds").observe(0.02);
  metrics.gauge("showcaller_events", {"Live"}).set(1);
  EXPECT_EQ(promtool("check metrics", metrics.text(false)), "");
}

TEST(Metrics, ABucketKeepsTheTraceOfItsLastObservationForOpenMetricsAlone) {
  MetricsRegistry metrics(kMetricTable);
  MetricHistogram& seconds = metrics.histogram("showcaller_command_seconds");
  seconds.observe(0.02, "4bf92f3577b34da6a3ce929d0e0e4736");
  seconds.observe(0.021);
  seconds.observe(3, "0af7651916cd43dd8448eb211c80319c");
  const std::string open = metrics.text(true);
  EXPECT_NE(open.find("showcaller_command_seconds_bucket{le=\"0.025\"} 2 # "
                      "{trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 0.02\n"),
            open.npos)
      << open;
  EXPECT_NE(open.find("le=\"5\"} 3 # {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 3\n"),
            open.npos);
  EXPECT_EQ(metrics.text(false).find("trace_id"), std::string::npos);
}

}  // namespace
}  // namespace showcaller
