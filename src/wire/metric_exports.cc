// SPDX-License-Identifier: Apache-2.0
#include "wire/metric_exports.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"

namespace showcaller {
namespace {

constexpr std::string_view kOwnPrefix = "showcaller_";
constexpr int kPanelsAcross = 3, kPanelWidth = 8, kPanelHeight = 7;

// What a panel's numbers are, in Grafana's words, and the row that it stands in.
struct PanelUnit {
  std::string_view grafana, row;
};

PanelUnit unit_of(const MetricRow& row) {
  if (row.type == SeriesType::Histogram) return {"s", "Times"};
  if (row.name.ends_with("_bytes")) return {"bytes", "The process"};
  if (row.name.find("_process_") != row.name.npos) return {"short", "The process"};
  if (row.name.ends_with("_ratio")) return {"percentunit", "Shares"};
  if (row.type == SeriesType::Counter) return {"ops", "Rates"};
  return {"short", "Numbers"};
}
constexpr std::array<std::string_view, 5> kPanelRows{"Numbers", "Shares", "Rates", "Times",
                                                     "The process"};

// Labels that a variable of the dashboard chooses.
constexpr std::array<std::string_view, 3> kChosen{"event", "fleet", "service"};

bool is_chosen(const MetricRow& row, std::string_view label) {
  // What a stream tells is called an event there, too.
  return std::ranges::find(kChosen, label) != kChosen.end() &&
         !(label == "event" && row.name == "showcaller_flag_stream_events");
}

std::string selector(const MetricRow& row) {
  std::string out;
  for (const std::string_view label : label_names(row)) {
    if (is_chosen(row, label))
      out += fmt::format("{}{}=~\"${}\"", out.empty() ? "" : ",", label, label);
  }
  return out.empty() ? out : "{" + out + "}";
}

std::string legend(const MetricRow& row) {
  std::vector<std::string> out;
  for (const std::string_view label : label_names(row))
    out.push_back(fmt::format("{{{{{}}}}}", label));
  return fmt::format("{}", fmt::join(out, " "));
}

std::string by_labels(const MetricRow& row) {
  const auto labels = label_names(row);
  return labels.empty() ? std::string("sum") : fmt::format("sum by ({})", fmt::join(labels, ", "));
}

json::object target(std::string expression, std::string legend_format, char reference) {
  return {{"datasource", json::object{{"type", "prometheus"}, {"uid", "${datasource}"}}},
          {"expr", std::move(expression)},
          {"legendFormat", std::move(legend_format)},
          {"refId", std::string(1, reference)}};
}

json::array targets_of(const MetricRow& row) {
  const std::string chosen = selector(row);
  if (row.type == SeriesType::Gauge)
    return {target(fmt::format("{}{}", row.name, chosen), legend(row), 'A')};
  if (row.type == SeriesType::Counter) {
    return {target(
        fmt::format("{} (rate({}_total{}[$__rate_interval]))", by_labels(row), row.name, chosen),
        legend(row), 'A')};
  }
  json::array out;
  char reference = 'A';
  for (const auto& [quantile, name] :
       {std::pair("0.5", "p50"), std::pair("0.95", "p95"), std::pair("0.99", "p99")}) {
    const auto labels = label_names(row);
    out.push_back(target(
        fmt::format("histogram_quantile({}, sum by (le{}{}) (rate({}_bucket{}[$__rate_interval])))",
                    quantile, labels.empty() ? "" : ", ", fmt::join(labels, ", "), row.name,
                    chosen),
        fmt::format("{} {}", name, legend(row)), reference++));
  }
  return out;
}

std::string title_of(std::string_view name) {
  std::string out(name.substr(kOwnPrefix.size()));
  std::ranges::replace(out, '_', ' ');
  out[0] = char(out[0] - 'a' + 'A');
  return out;
}

class Dashboard {
 public:
  explicit Dashboard(std::span<const MetricRow> table) {
    for (const std::string_view row : kPanelRows) add_row(row, table);
  }
  json::array panels() { return std::move(panels_); }

 private:
  void add_row(std::string_view name, std::span<const MetricRow> table) {
    panels_.push_back(json::object{{"id", ++id_},
                                   {"type", "row"},
                                   {"title", name},
                                   {"collapsed", false},
                                   {"gridPos", place(0, 24, 1)},
                                   {"panels", json::array()}});
    ++y_;
    int across = 0;
    for (const MetricRow& row : table) {
      if (unit_of(row).row != name) continue;
      if (across == kPanelsAcross) {
        across = 0;
        y_ += kPanelHeight;
      }
      panels_.push_back(panel(row, across++));
    }
    y_ += kPanelHeight;
  }

  json::object place(int x, int width, int height) const {
    return {{"x", x}, {"y", y_}, {"w", width}, {"h", height}};
  }

  json::object panel(const MetricRow& row, int across) {
    return {{"id", ++id_},
            {"type", "timeseries"},
            {"title", title_of(row.name)},
            {"description", row.help},
            {"datasource", json::object{{"type", "prometheus"}, {"uid", "${datasource}"}}},
            {"gridPos", place(across * kPanelWidth, kPanelWidth, kPanelHeight)},
            {"fieldConfig",
             json::object{{"defaults", json::object{{"unit", unit_of(row).grafana}, {"min", 0}}},
                          {"overrides", json::array()}}},
            {"targets", targets_of(row)}};
  }

  json::array panels_;
  int id_ = 0, y_ = 0;
};

json::object variable(std::string_view label, std::string_view metric) {
  const std::string query = fmt::format("label_values({}, {})", metric, label);
  return {{"name", label},
          {"type", "query"},
          {"datasource", json::object{{"type", "prometheus"}, {"uid", "${datasource}"}}},
          {"query", json::object{{"query", query}, {"refId", "values"}}},
          {"definition", query},
          {"includeAll", true},
          {"multi", true},
          {"refresh", 2},
          {"allValue", ".*"},
          {"current", json::object{{"text", "All"}, {"value", "$__all"}}}};
}

// A YAML scalar in double quotes.
std::string quoted_yaml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

void append_recording(std::string* out, std::string_view name, std::string_view expression) {
  fmt::format_to(std::back_inserter(*out), "      - record: {}\n        expr: {}\n", name,
                 quoted_yaml(expression));
}

void append_quantiles(std::string* out, const MetricRow& row) {
  const auto labels = label_names(row);
  for (const auto& [quantile, name] : {std::pair("0.5", "p50"), std::pair("0.99", "p99")}) {
    append_recording(
        out, fmt::format("showcaller:{}:{}_5m", row.name.substr(kOwnPrefix.size()), name),
        fmt::format("histogram_quantile({}, sum by (le{}{}) (rate({}_bucket[5m])))", quantile,
                    labels.empty() ? "" : ", ", fmt::join(labels, ", "), row.name));
  }
}

// Whatever had another outcome than a good one.
void append_not_ok(std::string* out, const MetricRow& row) {
  append_recording(out,
                   fmt::format("showcaller:{}:not_ok_ratio_5m", row.name.substr(kOwnPrefix.size())),
                   fmt::format("sum(rate({0}_total{{outcome!~\"ok|repeated|taken\"}}[5m])) / "
                               "sum(rate({0}_total[5m]))",
                               row.name));
}

bool has_outcome(const MetricRow& row) {
  const auto labels = label_names(row);
  return row.type == SeriesType::Counter && std::ranges::find(labels, "outcome") != labels.end();
}

}  // namespace

std::string grafana_dashboard(std::span<const MetricRow> table) {
  json::array variables{
      json::object{{"name", "datasource"}, {"type", "datasource"}, {"query", "prometheus"}},
      variable("event", "showcaller_event_exposure_ratio"),
      variable("fleet", "showcaller_instances"),
      variable("service", "showcaller_features_withdrawn")};
  const json::object dashboard{{"uid", "showcaller"},
                               {"title", "Showcaller"},
                               {"tags", json::array{"showcaller"}},
                               {"schemaVersion", 39},
                               {"version", 1},
                               {"editable", true},
                               {"timezone", "browser"},
                               {"refresh", "10s"},
                               {"time", json::object{{"from", "now-6h"}, {"to", "now"}}},
                               {"templating", json::object{{"list", std::move(variables)}}},
                               {"annotations", json::object{{"list", json::array()}}},
                               {"panels", Dashboard(table).panels()}};
  return to_pretty_json_text(dashboard) + "\n";
}

std::string prometheus_rules(std::span<const MetricRow> table, std::span<const AlertRow> alerts) {
  std::string out =
      "# Printed by `showcaller export prometheus-rules`.\ngroups:\n"
      "  - name: showcaller-recorded\n    rules:\n";
  for (const MetricRow& row : table) {
    if (row.type == SeriesType::Histogram) append_quantiles(&out, row);
    if (has_outcome(row)) append_not_ok(&out, row);
  }
  out += "  - name: showcaller-alerts\n    rules:\n";
  for (const AlertRow& alert : alerts) {
    fmt::format_to(std::back_inserter(out),
                   "      - alert: {}\n        expr: {}\n        for: {}\n"
                   "        labels: {{ severity: {} }}\n        annotations:\n"
                   "          summary: {}\n          description: {}\n",
                   alert.name, quoted_yaml(alert.when), alert.lasts, alert.severity,
                   quoted_yaml(alert.says), quoted_yaml(alert.then));
  }
  return out;
}

}  // namespace showcaller
