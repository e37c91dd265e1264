// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/degradation_shapes.h"

#include <set>

namespace showcaller::manifest {
namespace {

void finish_feature(Reader& reader, const Node& node, FeatureSpec* feature) {
  if (reader.trusted || feature->flag.empty() == feature->fallback.empty()) return;
  const bool no_flag = feature->flag.empty();
  reader.error_below(node, no_flag ? "fallback" : "flag",
                     fmt::format("the feature has a {}, and no {}", no_flag ? "fallback" : "flag",
                                 no_flag ? "flag" : "fallback"),
                     "name the flag, and the variant of it that withdraws the feature");
}

}  // namespace

const Shape<FeatureSpec>& feature_shape() {
  static const Shape<FeatureSpec> shape(
      "Feature", "Something that a service can do without for a while.",
      {field("feature", &FeatureSpec::name, text(), "What it is called; unique in the service.")
           .needed(),
       field("flag", &FeatureSpec::flag, dotted_name(), "The flag that switches it.")
           .derived_as("none: it is named, and nothing withdraws it"),
       field("fallback", &FeatureSpec::fallback, text(),
             "The flag's variant that everybody gets while it is withdrawn."),
       field("message", &FeatureSpec::message, text(),
             "What players' clients may show meanwhile; in the flag's metadata.")},
      finish_feature);
  return shape;
}

Value<FeatureSpec> feature_value() {
  return {"a feature or its name",
          [](Reader& reader, Node& node, FeatureSpec* out) {
            if (node.is_mapping()) return feature_shape().read(reader, node, out);
            return text().read(reader, node, &out->name);
          },
          [](SchemaSet& set) {
            return json::object{
                {"anyOf", json::array{text().schema(set), reference_schema(feature_shape(), set)}}};
          }};
}

const Shape<DegradationSpec>& degradation_shape() {
  static const Shape<DegradationSpec> shape(
      "Degradation", "When features are withdrawn and given back.",
      {field("burn", &DegradationSpec::burn_max, number(0, 1e6),
             "An objective's budget burns so many times as fast as it may; 0: not looked at.")
           .assumed("6"),
       field("headroom", &DegradationSpec::headroom_min_ppm, percent(),
             "A fleet has less free capacity than this; 0: not looked at.")
           .assumed("0%"),
       field("fleets", &DegradationSpec::fleets, list(dns_label(), 256), "Whose headroom.")
           .assumed("[]"),
       field("after", &DegradationSpec::after, duration(),
             "How long there has to be stress before a feature goes.")
           .assumed("30s"),
       field("dwell", &DegradationSpec::dwell, whole_seconds(),
             "At least so long between two features, on either way.")
           .assumed("1m"),
       field("calm", &DegradationSpec::calm, duration(),
             "How long stress has to be over before a feature comes back.")
           .assumed("5m")});
  return shape;
}

const Shape<BreakerSpec>& breaker_shape() {
  static const Shape<BreakerSpec> shape(
      "Breaker", "When calls of actions to the service are let be for a while.",
      {field("failures", &BreakerSpec::failure_max_ppm, percent(),
             "The share of failed calls at which it opens.")
           .assumed("50%"),
       field("calls", &BreakerSpec::calls_min, integer(1, 1'000'000),
             "Of at least so many within the window.")
           .assumed("10"),
       field("window", &BreakerSpec::window, whole_seconds(), "Over how long.").assumed("1m"),
       field("open_for", &BreakerSpec::open_for, whole_seconds(),
             "No call goes for so long; then trials do.")
           .assumed("30s"),
       field("trials", &BreakerSpec::trials, integer(1, 1'000),
             "So many have to succeed before all calls go again.")
           .assumed("2")});
  return shape;
}

void check_features(Reader& reader, const Node& node, const ServiceSpec& service) {
  if (reader.trusted) return;
  std::set<std::string> names, flags;
  for (std::size_t i = 0; i < service.features.size(); ++i) {
    const FeatureSpec& feature = service.features[i];
    const std::string at = fmt::format("degradation_order[{}]", i);
    if (!names.insert(feature.name).second)
      reader.error_below(node, at, fmt::format("the feature '{}' is there twice", feature.name));
    if (!feature.flag.empty() && !flags.insert(feature.flag).second) {
      reader.error_below(node, at,
                         fmt::format("the flag '{}' withdraws another feature", feature.flag),
                         "give each feature a flag of its own");
    }
  }
  if (service.degradation.headroom_min_ppm > 0 && service.degradation.fleets.empty()) {
    reader.error_below(node, "degradation.headroom", "nobody's headroom is looked at",
                       "add `fleets` with the names of those that the service runs on");
  }
}

}  // namespace showcaller::manifest
