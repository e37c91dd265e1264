// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/metric_source_shapes.h"

#include <array>
#include <string_view>

#include "base/suggest.h"
#include "model/metric_query.h"

namespace showcaller::manifest {
namespace {

constexpr std::array<std::string_view, 6> kPlaces{"event",   "arm",  "instance",
                                                  "session", "unit", "stratum"};

void check_otlp(Reader& reader, const Node& node, const MetricSpec& metric) {
  const OtlpMapping& otlp = metric.otlp;
  const int ways = !otlp.bad.empty() + !otlp.bad_where.empty() + otlp.bad_above.has_value();
  if (ways > 1) {
    reader.error_below(node, "otlp", "what is bad is said in more than one way",
                       "keep one of `bad`, `bad_where` and `bad_above`");
  }
  if (ways > 0 && metric.type == MetricType::Quantile) {
    reader.error_below(node, "otlp", "a distribution has no bad points",
                       "leave `bad`, `bad_where` and `bad_above` out, or make the type binary");
  }
  for (const auto& [place, attribute] : otlp.attributes) {
    if (std::ranges::find(kPlaces, place) != kPlaces.end()) continue;
    reader.error_below(node, "otlp.attributes", fmt::format("'{}' is no part of a report", place),
                       "they are event, arm, instance, session, unit and stratum");
  }
}

void check_prometheus(Reader& reader, const Node& node, const MetricSpec& metric) {
  if (metric.query_total.empty()) {
    reader.error_below(node, "queries", "a metric from Prometheus has no queries",
                       "add `queries: { bad: ..., total: ... }`");
    return;
  }
  if (metric.type == MetricType::Quantile) {
    reader.error_below(node, "type", "two counts are no distribution",
                       "make it binary: `bad` counts what took longer than the limit");
  }
  for (const auto& [key, query] : {std::pair("queries.bad", metric.query_bad),
                                   std::pair("queries.total", metric.query_total)}) {
    if (const auto unknown = unknown_placeholder(query); !unknown.empty()) {
      reader.error_below(node, key, fmt::format("nothing is known to put for {{{{{}}}}}", unknown),
                         "known are event, arm, fleet, build and window");
    }
  }
}

}  // namespace

const Shape<OtlpMapping>& otlp_mapping_shape() {
  static const Shape<OtlpMapping> shape(
      "OtlpMapping", "How data points of OpenTelemetry become the metric.",
      {field("total", &OtlpMapping::total, text(),
             "The instrument that counts all; of a quantile, the one that measures.")
           .derived_as("the metric's own name"),
       field("bad", &OtlpMapping::bad, text(), "Another one, that counts what is bad."),
       field("where", &OtlpMapping::where, map_of(any_scalar_text()),
             "Attributes that a point has to have; others are not meant.")
           .assumed("{}"),
       field("bad_where", &OtlpMapping::bad_where, map_of(any_scalar_text()),
             "Attributes of the bad ones among the points of `total`.")
           .assumed("{}"),
       field_with<OtlpMapping, double>(
           "bad_above", number(0, 1e12),
           [](OtlpMapping* otlp, double above) { otlp->bad_above = above; },
           "Values of a histogram above this are bad; in the metric's unit."),
       field("attributes", &OtlpMapping::attributes, map_of(text()),
             "Part of a report (event, arm, instance, session, unit, stratum) → the attribute that "
             "says it.")
           .derived_as("showcaller.event and so on")});
  return shape;
}

Shape<MetricSpec> metric_queries_shape() {
  return Shape<MetricSpec>(
      "MetricQueries",
      "Prometheus queries; {{event}}, {{arm}}, {{fleet}}, {{build}} and {{window}} are filled in.",
      {field("bad", &MetricSpec::query_bad, text(), "Counts what is bad."),
       field("total", &MetricSpec::query_total, text(), "Counts all."),
       field("every", &MetricSpec::query_every, whole_seconds(),
             "How often they are asked; {{window}} is as long.")
           .derived_as("at every tick of the stage")});
}

void check_metric_source(Reader& reader, const Node& node, const MetricSpec& metric) {
  if (reader.trusted) return;
  if (metric.source == MetricSource::Prometheus) check_prometheus(reader, node, metric);
  if (metric.source == MetricSource::Otlp) check_otlp(reader, node, metric);
  const std::pair<const char*, MetricSource> parts[] = {{"otlp", MetricSource::Otlp},
                                                        {"queries", MetricSource::Prometheus}};
  for (const auto& [key, source] : parts) {
    if (metric.source == source || !node.find(key)) continue;
    reader.error_below(node, key, fmt::format("`{}` belongs to another source", key),
                       fmt::format("say `source: {}`, or leave it out",
                                   source == MetricSource::Otlp ? "otlp" : "prometheus"));
  }
}

}  // namespace showcaller::manifest
