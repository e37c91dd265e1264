// SPDX-License-Identifier: Apache-2.0
#include "wire/metrics.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/check.h"

namespace showcaller {
namespace {

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

void append_escaped(std::string* out, std::string_view text) {
  for (const char c : text) {
    if (c == '\n') {
      *out += "\\n";
    } else {
      if (c == '"' || c == '\\') *out += '\\';
      *out += c;
    }
  }
}

// What a child is found by: each label, ended by a NUL.
void append_label(fmt::memory_buffer* key, std::string_view label) {
  key->append(label);
  key->push_back('\0');
}
std::string_view text_of(const fmt::memory_buffer& key) {
  return {key.data(), key.size()};
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

std::string_view to_string(SeriesType type) {
  switch (type) {
    case SeriesType::Counter:
      return "counter";
    case SeriesType::Gauge:
      return "gauge";
    case SeriesType::Histogram:
      return "histogram";
  }
  return "unknown";
}

std::vector<std::string_view> label_names(const MetricRow& row) {
  return split_words(row.labels);
}

void MetricHistogram::observe(double seconds, std::string_view trace_id) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  const auto at = static_cast<std::size_t>(bound);
  buckets_[at].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e6),
                    std::memory_order_relaxed);
  if (trace_id.empty()) return;
  const std::unique_lock lock(exemplars_mutex_, std::try_to_lock);
  if (!lock) return;  // Another one is kept.
  exemplars_[at].trace_id.assign(trace_id);
  exemplars_[at].value = seconds;
}

std::optional<Exemplar> MetricHistogram::exemplar(std::size_t bound) const {
  const std::lock_guard lock(exemplars_mutex_);
  if (exemplars_[bound].trace_id.empty()) return std::nullopt;
  return exemplars_[bound];
}

std::uint64_t MetricHistogram::count() const {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets_) total += bucket.load(std::memory_order_relaxed);
  return total;
}

struct MetricsRegistry::Family {
  explicit Family(const MetricRow& row) : row(row), label_names(split_words(row.labels)) {}

  struct Child {
    Counter counter;
    Gauge gauge;
    MetricHistogram histogram;
  };

  Child& child(const LabelValues& labels) {
    CHECK(labels.size() == label_names.size());
    fmt::memory_buffer key;  // Nothing is allocated to find what is there.
    for (const auto label : labels) append_label(&key, label);
    std::lock_guard lock(mutex);
    auto found = children.find(text_of(key));
    if (found == children.end() && children.size() >= kChildrenMax) {
      key.clear();
      for (std::size_t i = 0; i < labels.size(); ++i) append_label(&key, "other");
      found = children.find(text_of(key));
    }
    if (found == children.end())
      found = children.emplace(text_of(key), std::make_unique<Child>()).first;
    return *found->second;
  }

  std::string labels_text(std::string_view key, std::string_view more = {}) const {
    std::string out;
    for (const auto name : label_names) {
      const auto end = key.find('\0');
      out += out.empty() ? "{" : ",";
      out.append(name).append("=\"");
      append_escaped(&out, key.substr(0, end));
      out += '"';
      key.remove_prefix(end + 1);
    }
    if (!more.empty()) out.append(out.empty() ? "{" : ",").append(more);
    return out.empty() ? out : out + "}";
  }

  std::string total_text(std::uint64_t total) const {
    return row.unit == 1 ? fmt::to_string(total) : number(double(total) * row.unit);
  }

  // Source: OpenMetrics 1.0, "Exemplars". One has no time of its own: that of the scrape is near
  // enough.
  static std::string exemplar_text(const MetricHistogram& histogram, std::size_t bound) {
    const auto exemplar = histogram.exemplar(bound);
    if (!exemplar) return {};
    std::string out = " # {trace_id=\"";
    append_escaped(&out, exemplar->trace_id);
    return out + "\"} " + number(exemplar->value);
  }

  void append_child(std::string* out, const std::string& key, const Child& child,
                    bool open_metrics) const {
    const auto write = [&](std::string_view suffix, const std::string& labels,
                           const std::string& value) {
      fmt::format_to(std::back_inserter(*out), "{}{}{} {}\n", row.name, suffix, labels, value);
    };
    if (row.type == SeriesType::Counter)
      return write("_total", labels_text(key), total_text(child.counter.value()));
    if (row.type == SeriesType::Gauge)
      return write("", labels_text(key), number(child.gauge.value()));
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= MetricHistogram::kBounds.size(); ++i) {
      total += child.histogram.below(i);
      const auto bound = i < MetricHistogram::kBounds.size() ? number(MetricHistogram::kBounds[i])
                                                             : std::string("+Inf");
      write("_bucket", labels_text(key, "le=\"" + bound + "\""),
            fmt::to_string(total) + (open_metrics ? exemplar_text(child.histogram, i) : ""));
    }
    write("_sum", labels_text(key), number(child.histogram.sum()));
    write("_count", labels_text(key), fmt::to_string(total));
  }

  MetricRow row;
  std::vector<std::string_view> label_names;
  mutable std::mutex mutex;
  std::map<std::string, std::unique_ptr<Child>, std::less<>> children;
};

MetricsRegistry::MetricsRegistry(std::span<const MetricRow> table) {
  for (const auto& row : table) {
    auto family = std::make_unique<Family>(row);
    if (row.labels.empty()) family->child({});  // It has a sample from the start.
    families_.emplace(row.name, std::move(family));
  }
}
MetricsRegistry::~MetricsRegistry() = default;

MetricsRegistry::Family& MetricsRegistry::family(std::string_view name, SeriesType type) {
  const auto found = families_.find(name);
  CHECK(found != families_.end());  // Add a row to metric_table.h.
  CHECK(found->second->row.type == type);
  return *found->second;
}

Counter& MetricsRegistry::counter(std::string_view name, const LabelValues& labels) {
  return family(name, SeriesType::Counter).child(labels).counter;
}
Gauge& MetricsRegistry::gauge(std::string_view name, const LabelValues& labels) {
  return family(name, SeriesType::Gauge).child(labels).gauge;
}
MetricHistogram& MetricsRegistry::histogram(std::string_view name, const LabelValues& labels) {
  return family(name, SeriesType::Histogram).child(labels).histogram;
}

int MetricsRegistry::on_scrape(std::function<void(MetricsRegistry&)> refresh) {
  std::lock_guard lock(refresh_mutex_);
  refresh_.emplace(next_refresh_, std::move(refresh));
  return next_refresh_++;
}

void MetricsRegistry::end_scrape(int number) {
  std::lock_guard lock(refresh_mutex_);
  refresh_.erase(number);
}

void MetricsRegistry::clear(std::string_view name) {
  Family& gauges = family(name, SeriesType::Gauge);
  std::lock_guard lock(gauges.mutex);
  gauges.children.clear();
}

std::string MetricsRegistry::text(bool open_metrics) const {
  std::lock_guard refresh_lock(
      refresh_mutex_);  // One scrape at a time: a refresh may clear gauges.
  for (const auto& [number, refresh] : refresh_) refresh(const_cast<MetricsRegistry&>(*this));
  std::string out;
  for (const auto& [name, family] : families_) {
    std::lock_guard lock(family->mutex);
    const bool counter = family->row.type == SeriesType::Counter;
    const auto* suffix = counter && !open_metrics ? "_total" : "";
    fmt::format_to(std::back_inserter(out), "# HELP {}{} ", name, suffix);
    append_escaped(&out, family->row.help);
    fmt::format_to(std::back_inserter(out), "\n# TYPE {}{} {}\n", name, suffix,
                   to_string(family->row.type));
    for (const auto& [key, child] : family->children)
      family->append_child(&out, key, *child, open_metrics);
  }
  if (open_metrics) out += "# EOF\n";
  return out;
}

std::string metrics_page(std::span<const MetricRow> table) {
  std::vector<MetricRow> rows(table.begin(), table.end());
  std::ranges::sort(rows, {}, &MetricRow::name);
  std::string out =
      "# Metrics\n\nServed at `/metrics` to any token with the verb `read`, as OpenMetrics or the "
      "older Prometheus text.\n"
      "This page is printed from the table in `src/wire/metric_table.h`; counters are shown there "
      "with `_total`. In OpenMetrics the buckets of histograms have exemplars: the trace of their "
      "last\n"
      "observation. `showcaller export grafana` and `showcaller export prometheus-rules` print a "
      "dashboard\n"
      "and rules from the same table.\n\n"
      "| name | type | labels | what it tells |\n|---|---|---|---|\n";
  for (const auto& row : rows) {
    const auto* suffix = row.type == SeriesType::Counter ? "_total" : "";
    fmt::format_to(
        std::back_inserter(out), "| `{}{}` | {} | {} | {} |\n", row.name, suffix,
        to_string(row.type),
        row.labels.empty() ? "" : fmt::format("`{}`", fmt::join(split_words(row.labels), "`, `")),
        row.help);
  }
  return out;
}

}  // namespace showcaller
