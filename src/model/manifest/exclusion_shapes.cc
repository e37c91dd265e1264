// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/exclusion_shapes.h"

#include <map>

#include <fmt/format.h>

#include "model/json_schema.h"
#include "model/manifest/targeting_words.h"

namespace showcaller::manifest {
namespace {

std::string ppm_words(std::int64_t ppm) {
  return fmt::format("{:g}%", double(ppm) / 10'000);
}

void finish_config(Reader& reader, const Node& node, ConfigSpec* config) {
  if (reader.trusted || config->schema.is_null()) return;
  const auto schema = JsonSchema::compile(config->schema);
  if (!schema) return reader.error_below(node, "schema", schema.error().message);
  const Node* value = node.find("value");
  if (value == nullptr) return;
  const Reader::Inside inside(&reader, "value");
  for (const SchemaFinding& finding : schema->check(config->value))
    report_error_at_pointer(reader, *value, finding.pointer, finding.rule);
}

// What of a group the files ask for.
struct Asked {
  std::int64_t ppm = 0;
  std::vector<std::string> by;
};

class ExclusionCheck {
 public:
  ExclusionCheck(Reader& reader, const References& references)
      : reader_(reader), references_(references) {}

  void member(Draft& draft) {
    const std::size_t before = reader_.errors();
    reader_.begin_manifest(&draft.wrong);
    if (const auto* event = std::get_if<LiveEventSpec>(&draft.manifest.spec))
      check(draft, event->exclusion, "spec.rollout.exclusion", event->assigned_unit());
    if (const auto* flag = std::get_if<FlagSpec>(&draft.manifest.spec))
      check(draft, flag->exclusion, "spec.exclusion", std::nullopt);
    reader_.begin_manifest(nullptr);
    if (reader_.errors() > before) draft.good = false;
  }

 private:
  void check(const Draft& draft, const std::optional<GroupShare>& wish, const std::string& path,
             std::optional<Unit> unit) {
    if (!wish || !references_.require(reader_, draft.root, path + ".group", Kind::ExclusionGroup,
                                      wish->group))
      return;
    const Manifest* manifest = references_.find(Kind::ExclusionGroup, wish->group);
    if (manifest == nullptr || !references_.is_sound(Kind::ExclusionGroup, wish->group)) return;
    const auto& group = manifest->as<ExclusionGroupSpec>();
    if (unit && *unit != group.unit) {
      reader_.error_at(draft.root, path + ".group",
                       "the event goes by another unit than the group: one player could be "
                       "touched twice",
                       "let `rollout.unit` be the group's `unit`");
    }
    Asked& asked = asked_[wish->group];
    const std::int64_t left = kPpmWhole - group.holdout_ppm - asked.ppm;
    if (wish->share_ppm > left) {
      reader_.error_at(
          draft.root, path + ".share",
          fmt::format("{} of the group '{}' do not fit: {} are left of {}{}",
                      ppm_words(wish->share_ppm), wish->group, ppm_words(left),
                      ppm_words(kPpmWhole - group.holdout_ppm),
                      asked.by.empty() ? "" : fmt::format(" beside {}", fmt::join(asked.by, ", "))),
          left > 0 ? fmt::format("ask for at most {}", ppm_words(left))
                   : "let one of the others ask for less");
      return;
    }
    asked.ppm += wish->share_ppm;
    asked.by.push_back(fmt::format("{} ({})", draft.manifest.name, ppm_words(wish->share_ppm)));
  }

  Reader& reader_;
  const References& references_;
  std::map<std::string, Asked> asked_;
};

}  // namespace

const Shape<GroupShare>& group_share_shape() {
  static const Shape<GroupShare> shape(
      "GroupShare", "A part of an exclusion group's players.",
      {field("group", &GroupShare::group, dns_label(), "The ExclusionGroup.").needed(),
       field("share", &GroupShare::share_ppm, percent(),
             "Of the group's players; no other member touches these.")
           .needed()},
      [](Reader& reader, const Node& node, GroupShare* share) {
        if (!reader.trusted && share->share_ppm == 0)
          reader.error_below(node, "share", "a share of nothing touches nobody",
                             "say 10%, or more");
      });
  return shape;
}

const Shape<ExclusionGroupSpec>& exclusion_group_shape() {
  static const Shape<ExclusionGroupSpec> shape(
      "ExclusionGroup", "Events and flags that never touch one player together.",
      {field("unit", &ExclusionGroupSpec::unit,
             choice<Unit>({{"player", Unit::Player},
                           {"party", Unit::Party},
                           {"guild", Unit::Guild},
                           {"match", Unit::Match}}),
             "What its players are drawn by; each member goes by it.")
           .assumed("player"),
       field("holdout", &ExclusionGroupSpec::holdout_ppm, percent(),
             "Players that no member touches.")
           .assumed("0%")});
  return shape;
}

const Shape<HoldoutSpec>& holdout_shape() {
  static const Shape<HoldoutSpec> shape(
      "Holdout", "Players that no event touches, for as long as it stands.",
      {field("share", &HoldoutSpec::share_ppm, percent(), "Of all players.").needed(),
       field("owners", &HoldoutSpec::owners, list(dns_label(), 1'000), "Of their events alone.")
           .derived_as("all events")});
  return shape;
}

const Shape<ConfigSpec>& config_shape() {
  static const Shape<ConfigSpec> shape(
      "Config", "A document of configuration, in versions.",
      {field("version", &ConfigSpec::version, big_integer(1),
             "Another content has another version; an earlier one goes back to it.")
           .needed(),
       field("schema", &ConfigSpec::schema, any_json(), "JSON Schema, draft 7, of the content.")
           .derived_as("any content"),
       field("value", &ConfigSpec::value, any_json(), "The content.").needed()},
      finish_config);
  return shape;
}

void validate_exclusion(Reader& reader, const std::vector<Draft*>& drafts,
                        const References& references) {
  ExclusionCheck check(reader, references);
  for (Draft* draft : drafts) {
    if (draft->readable) check.member(*draft);
  }
}

}  // namespace showcaller::manifest
