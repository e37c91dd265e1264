// SPDX-License-Identifier: Apache-2.0
// Flag, Metric, Service, Team, Pipeline, and the metadata they share.
#include "flag/operations.h"
#include "flag/validate.h"
#include "model/flag_schedule.h"
#include "model/manifest/degradation_shapes.h"
#include "model/manifest/exclusion_shapes.h"
#include "model/manifest/metric_source_shapes.h"
#include "model/manifest/shapes.h"
#include "model/manifest/targeting_words.h"

namespace showcaller::manifest {
namespace {

// A key of flagd's definition language, kept as it is.
template <class Spec = FlagSpec>
Field<Spec> definition_key(std::string key, Value<json::value> value, std::string says) {
  const std::string name = key;
  return field_with<Spec, json::value>(
      std::move(key), std::move(value),
      [name](Spec* spec, json::value v) { spec->definition[name] = std::move(v); },
      std::move(says));
}

Value<json::value> json_of_kind(std::string expected, bool (*fits)(const Node&),
                                json::object schema) {
  return {expected,
          [=](Reader& reader, Node& node, json::value* out) {
            if (!fits(node)) {
              reader.wrong_type(node, expected);
              return false;
            }
            *out = to_json(node);
            return true;
          },
          [=](SchemaSet&) { return schema; }};
}

Value<json::value> flag_state() {
  Value<std::string> word = choice<std::string>({{"ENABLED", "ENABLED"}, {"DISABLED", "DISABLED"}});
  return {word.expected,
          [word](Reader& reader, Node& node, json::value* out) {
            std::string text;
            if (!word.read(reader, node, &text)) return false;
            *out = json::string(text);
            return true;
          },
          word.schema};
}

Value<json::value> flag_targeting() {
  return {"flagd targeting: {} or one JSONLogic condition",
          [](Reader& reader, Node& node, json::value* out) {
            if (!node.is_mapping()) {
              reader.wrong_type(node, "flagd targeting: {} or one JSONLogic condition");
              return false;
            }
            *out = to_json(node);
            return true;
          },
          [](SchemaSet&) { return json::object{{"type", "object"}}; }};
}

Value<json::value> default_variant() {
  return json_of_kind("a variant's name or null",
                      [](const Node& n) { return n.is_string() || n.kind == NodeKind::Null; },
                      {{"type", json::array{"string", "null"}}});
}

// Resolved when it is read; what editors are told is what may be written.
Value<Instant> flag_time() {
  Value<Instant> value = instant();
  value.expected = "a time such as 2026-12-18T18:00";
  value.schema = [](SchemaSet&) {
    return json::object{{"type", "string"},
                        {"pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*"}};
  };
  return value;
}

const Shape<FlagScheduledChange>& scheduled_change_shape() {
  static const Shape<FlagScheduledChange> shape(
      "FlagScheduledChange", "What the flag says from a time on.",
      {field("at", &FlagScheduledChange::at, flag_time(),
             "From when on; a time without an offset is one in `zone`.")
           .needed(),
       definition_key<FlagScheduledChange>("state", flag_state(), "Another state."),
       definition_key<FlagScheduledChange>("defaultVariant", default_variant(),
                                           "Another default variant."),
       definition_key<FlagScheduledChange>("targeting", flag_targeting(),
                                           "Another targeting; {}: none.")},
      [](Reader& reader, const Node& node, FlagScheduledChange* change) {
        if (reader.trusted || !change->definition.empty() || reader.is_wrong_below("")) return;
        reader.error(node.position, "the change changes nothing",
                     "say another `state`, `defaultVariant` or `targeting`");
      });
  return shape;
}

// What reading needs no more once the times are resolved.
Shape<FlagSpec> flag_schedule_section() {
  return Shape<FlagSpec>(
      "FlagSchedule", "What the flag says from certain times on.",
      {noted<FlagSpec>("zone", zone_name(), "The IANA zone of times without an offset.")
           .assumed("UTC"),
       list_field("changes", &FlagSpec::schedule, scheduled_change_shape(),
                  "Each laid over what the flag said before, in the order of their times.", 256)
           .assumed("[]"),
       noted<FlagSpec>("on_gap", choice<int>({{"refuse", 0}, {"shift", 1}, {"skip", 2}}),
                       "What to do with a time that a change of clocks leaves out.")
           .assumed("refuse"),
       noted<FlagSpec>("on_overlap", choice<int>({{"refuse", 0}, {"earlier", 1}, {"later", 2}}),
                       "Which of the two to take when a change of clocks gives a time twice.")
           .assumed("refuse"),
       noted<FlagSpec>("tzdata", text(),
                       "The version of the zone data that resolved the times; written on apply.")});
}

// What the flag does not compile for, and what flagd's schemas would say.
std::vector<FlagFinding> findings_of(const json::object& definition) {
  const json::value* own = definition.if_contains("$evaluators");
  const json::object* evaluators = own && own->is_object() ? &own->get_object() : nullptr;
  std::vector<FlagFinding> findings = validate_flag(definition, "", evaluators);
  json::object document{{"flags", {{"flag", definition}}}};
  if (evaluators != nullptr) {
    document["$evaluators"] = *evaluators;
    for (const auto& [name, rule] : *evaluators) {
      std::string pointer = "/$evaluators";
      append_pointer(&pointer, std::string_view(name));
      for (FlagFinding& finding : validate_rule(rule, pointer, evaluators))
        findings.push_back(std::move(finding));
    }
  }
  const auto compiled = FlagSet::compile(std::move(document));
  if (!compiled) {
    findings.push_back({"", compiled.error().message, true});
  } else if (std::ranges::none_of(findings, &FlagFinding::spoils)) {
    for (const FlagFinding& broken : compiled->broken())
      findings.push_back(
          {broken.pointer.substr(std::string_view("/flags/flag").size()), broken.message, true});
  }
  return findings;
}

const Shape<FlagPrerequisite>& prerequisite_shape() {
  static const Shape<FlagPrerequisite> shape(
      "FlagPrerequisite", "Another flag, and what it has to give.",
      {field("flag", &FlagPrerequisite::flag, dotted_name(), "Its name.").needed(),
       field("variant", &FlagPrerequisite::variant, text(), "One of its variants.").needed()});
  return shape;
}

// Each change is held against what the flag will say then.
void check_flag_schedule(Reader& reader, const Node& node, const FlagSpec& flag,
                         const std::vector<std::string>& variants) {
  for (std::size_t i = 0; i < flag.schedule.size(); ++i) {
    const FlagScheduledChange& change = flag.schedule[i];
    const std::string path = fmt::format("schedule.changes[{}]", i);
    const std::string name = get_string(change.definition, "defaultVariant");
    if (!name.empty() && std::ranges::find(variants, name) == variants.end()) {
      reader.error_below(node, path + ".defaultVariant",
                         fmt::format("'{}' is not one of the variants", name),
                         suggestion(name, variants));
      return;  // What the flag says from then on is open.
    }
    if (i > 0 && change.at <= flag.schedule[i - 1].at) {
      reader.error_below(node, path + ".at", "the changes are not in the order of their times",
                         "write the earlier one first, each at a time of its own");
    }
    if (!change.definition.contains("targeting")) continue;
    for (const FlagFinding& finding : findings_of(definition_at(flag, change.at))) {
      if (finding.spoils) reader.error_below(node, path + ".targeting", finding.message);
    }
  }
}

void finish_flag(Reader& reader, const Node& node, FlagSpec* flag) {
  if (reader.trusted) return;
  const Node* variants = node.find("variants");
  if (variants == nullptr || !variants->is_mapping()) return;
  std::vector<std::string> names;
  for (const Entry& variant : variants->entries) names.push_back(variant.key);
  if (names.empty())
    reader.error_below(node, "variants", "the flag has no variants", "add at least one");
  const json::value* chosen = flag->definition.if_contains("defaultVariant");
  const std::string name =
      chosen != nullptr && chosen->is_string() ? std::string(chosen->get_string()) : "";
  if (names.empty()) return;
  json::object definition = flag->definition;
  if (!name.empty() && std::ranges::find(names, name) == names.end()) {
    reader.error_below(node, "defaultVariant", fmt::format("'{}' is not one of the variants", name),
                       suggestion(name, names));
    definition.erase("defaultVariant");  // One mistake, one finding.
  }
  if (!flag->off_variant.empty() && std::ranges::find(names, flag->off_variant) == names.end()) {
    reader.error_below(node, "offVariant",
                       fmt::format("'{}' is not one of the variants", flag->off_variant),
                       suggestion(flag->off_variant, names));
  }
  check_flag_schedule(reader, node, *flag, names);
  if (!definition.contains("state")) definition["state"] = "ENABLED";
  report_flag_findings(reader, node, findings_of(definition));
}

void finish_metric(Reader& reader, const Node& node, MetricSpec* metric) {
  check_metric_source(reader, node, *metric);
  for (std::size_t i = 1; i < metric->cuts.size(); ++i) {
    if (metric->cuts[i] <= metric->cuts[i - 1]) {
      reader.error_below(node, fmt::format("cuts[{}]", i), "cuts are not increasing");
      return;
    }
  }
  if (!metric->cuts.empty() && metric->type != MetricType::Quantile) {
    reader.error_below(node, "cuts", "cuts belong to metrics of type quantile");
  }
}

void finish_pipeline(Reader& reader, const Node& node, PipelineSpec*) {
  const Node* body = node.find("template");
  if (body == nullptr || reader.trusted) return;
  Node copy = *body;
  LiveEventSpec ignored;
  const Reader::Inside inside(&reader, "template");
  if (const Entry* nested = body->entry("pipeline")) {
    reader.error(nested->position, "a template does not refer to another pipeline");
  }
  reader.in_template = true;
  live_event_shape().read(reader, copy, &ignored);
  reader.in_template = false;
}

}  // namespace

const Shape<FlagSpec>& flag_shape() {
  static const Shape<FlagSpec> shape(
      "Flag", "A flag in flagd's definition language.",
      {definition_key("state", flag_state(), "A disabled flag gives the caller's own default.")
           .assumed("ENABLED"),
       definition_key(
           "variants",
           json_of_kind("a mapping of variants", [](const Node& n) { return n.is_mapping(); },
                        {{"type", "object"}, {"minProperties", 1}}),
           "Names and their values, all of one type.")
           .needed(),
       definition_key("defaultVariant", default_variant(),
                      "The variant when targeting says nothing.")
           .derived_as("none: the caller's own default"),
       definition_key("targeting", flag_targeting(), "Who gets which variant.")
           .derived_as("nobody in particular"),
       definition_key(
           "$evaluators",
           json_of_kind("a mapping of rules", [](const Node& n) { return n.is_mapping(); },
                        {{"type", "object"}}),
           "Rules that targeting names with `$ref`; they may name one another."),
       definition_key(
           "$comment",
           json_of_kind("text", [](const Node& n) { return n.is_string(); }, {{"type", "string"}}),
           "For whoever reads it."),
       definition_key("metadata",
                      json_of_kind("a mapping", [](const Node& n) { return n.is_mapping(); },
                                   {{"type", "object"}}),
                      "Handed on to clients."),
       field("offVariant", &FlagSpec::off_variant, text(),
             "What is given while the flag is killed, and where a prerequisite does not hold.")
           .derived_as("the default variant"),
       list_field("prerequisites", &FlagSpec::prerequisites, prerequisite_shape(),
                  "It is on only where each of these flags gives the variant; else everybody gets "
                  "its off variant.",
                  64)
           .assumed("[]"),
       section("schedule", flag_schedule_section(), "Changes at certain times."),
       exclusion_field<FlagSpec>("Its own targeting is for its part of an exclusion group alone."),
       field("visibility", &FlagSpec::client_visible,
             choice<bool>({{"server", false}, {"client", true}}),
             "client: clients with a client key may see its value.")
           .assumed("server")},
      finish_flag);
  return shape;
}

const Shape<MetricSpec>& metric_shape() {
  static const Shape<MetricSpec> shape(
      "Metric", "Something measured, that gates and SLOs judge.",
      {field("type", &MetricSpec::type,
             choice<MetricType>({{"binary", MetricType::Binary},
                                 {"count", MetricType::Count},
                                 {"rate", MetricType::Rate},
                                 {"quantile", MetricType::Quantile}}),
             "binary: a share of sessions; count: events a session; rate: events a second; "
             "quantile: a distribution.")
           .needed(),
       field("better", &MetricSpec::lower_is_better,
             choice<bool>({{"lower", true}, {"higher", false}}), "Which way is good.")
           .assumed("lower"),
       field("unit", &MetricSpec::unit, bare_text("a unit such as ms"),
             "ms for times, 1 for shares.")
           .assumed("1"),
       field("trust", &MetricSpec::trust,
             choice<Trust>(
                 {{"server", Trust::Server}, {"probe", Trust::Probe}, {"client", Trust::Client}}),
             "Who reports it; client evidence alone may only hold.")
           .assumed("server"),
       field("source", &MetricSpec::source,
             choice<MetricSource>({{"sdk", MetricSource::Sdk},
                                   {"otlp", MetricSource::Otlp},
                                   {"prometheus", MetricSource::Prometheus}}),
             "Where it comes from.")
           .assumed("sdk"),
       field("per", &MetricSpec::per,
             choice<std::string>({{"session", "session"},
                                  {"player", "player"},
                                  {"match", "match"},
                                  {"second", "second"}}),
             "What is counted below the line.")
           .assumed("session"),
       object_field("otlp", &MetricSpec::otlp, otlp_mapping_shape(), "For source otlp."),
       section("queries", metric_queries_shape(), "For source prometheus."),
       field("cuts", &MetricSpec::cuts, list(number(0, 1e12), 64),
             "Quantiles: cut points while no baseline is known.")
           .assumed("[]")},
      finish_metric);
  return shape;
}

namespace {

Field<ServiceSpec> degradation_order() {
  Field<ServiceSpec> out =
      field("degradation_order", &ServiceSpec::features, list(feature_value(), 256),
            "Its features, the least important first.");
  out.info.child = &feature_shape();
  out.info.child_is_list = true;
  return std::move(out).assumed("[]");
}

void finish_service(Reader& reader, const Node& node, ServiceSpec* service) {
  check_features(reader, node, *service);
}

}  // namespace

const Shape<ServiceSpec>& service_shape() {
  static const Shape<ServiceSpec> shape(
      "Service", "Something players use.",
      {field("url", &ServiceSpec::url, text(), "The base of its actions."),
       list_field("slos", &ServiceSpec::slos, slo_shape(), "Its objectives.", 256).assumed("[]"),
       field("fleets", &ServiceSpec::fleets, list(dns_label(), 256),
             "Whose sessions its objectives are about.")
           .derived_as("all fleets"),
       field("runbook", &ServiceSpec::runbook, text(), "Where people find the next steps."),
       field("probes", &ServiceSpec::probes, list(dotted_name(), 256),
             "Synthetic journeys through it.")
           .assumed("[]"),
       field("depends_on", &ServiceSpec::depends_on, list(dns_label(), 256), "Services it needs.")
           .assumed("[]"),
       degradation_order(),
       object_field("degradation", &ServiceSpec::degradation, degradation_shape(),
                    "When features are withdrawn and given back."),
       object_field("breaker", &ServiceSpec::breaker, breaker_shape(),
                    "When calls of actions to it are let be for a while."),
       field("team", &ServiceSpec::team, dns_label(), "Who is called.").derived_as("the owner")},
      finish_service);
  return shape;
}

const Shape<PipelineSpec>& pipeline_shape() {
  static const Shape<PipelineSpec> shape(
      "Pipeline", "A reusable template of a LiveEvent's parts.",
      {field("parameters", &PipelineSpec::parameters, map_of(any_json()),
             "Name → default; null: whoever uses the pipeline must give it.")
           .assumed("{}"),
       field("template", &PipelineSpec::body, any_object(),
             "Parts of a LiveEvent's spec, with ${name} where a parameter goes.")
           .needed()},
      finish_pipeline);
  return shape;
}

const ShapeInfo& shape_of(Kind kind) {
  switch (kind) {
    case Kind::Team:
      return team_shape();
    case Kind::Policy:
      return policy_shape();
    case Kind::Metric:
      return metric_shape();
    case Kind::Service:
      return service_shape();
    case Kind::Fleet:
      return fleet_shape();
    case Kind::Flag:
      return flag_shape();
    case Kind::Pipeline:
      return pipeline_shape();
    case Kind::Drill:
      return drill_shape();
    case Kind::Probe:
      return probe_shape();
    case Kind::ExclusionGroup:
      return exclusion_group_shape();
    case Kind::Holdout:
      return holdout_shape();
    case Kind::Config:
      return config_shape();
    case Kind::LiveEvent:
      break;
  }
  return live_event_shape();
}

Value<std::string> name_value(Kind kind) {
  const bool dotted = kind == Kind::Metric || kind == Kind::Flag || kind == Kind::Config;
  return dotted ? dotted_name() : dns_label();
}

const Shape<Metadata>& metadata_shape() {
  static const Shape<Metadata> shape(
      "Metadata", "What it is called and whose it is.",
      {field("name", &Metadata::name, text(), "Unique within its kind.").needed(),
       field("owner", &Metadata::owner, text(), "The team it belongs to."),
       field("labels", &Metadata::labels, map_of(any_scalar_text()), "For selecting.")
           .assumed("{}"),
       field("annotations", &Metadata::annotations, map_of(any_scalar_text()),
             "Notes for people and tools; kept, not read.")
           .assumed("{}")});
  return shape;
}

}  // namespace showcaller::manifest
