// SPDX-License-Identifier: Apache-2.0
// The table of a Drill, and what has to hold in one.
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "model/manifest/drill_faults.h"
#include "model/manifest/shapes.h"
#include "model/manifest/validate.h"

namespace showcaller::manifest {
namespace {

constexpr std::size_t kInjectsMax = 64;

Value<std::string> fault_kind() {
  std::vector<std::pair<std::string, std::string>> words;
  for (const std::string_view kind : kDrillFaults)
    words.emplace_back(std::string(kind), std::string(kind));
  return choice<std::string>(std::move(words));
}

const Shape<DrillFault>& fault_shape() {
  static const Shape<DrillFault> shape(
      "DrillFault", "What goes wrong.",
      {field("kind", &DrillFault::kind, fault_kind(),
             "A fault of the simulator, or of the instances of a server's fleet: kill, pause, "
             "net_delay, "
             "net_loss, net_cut.")
           .needed(),
       field_with<DrillFault, double>(
           "size", number(-1e8, 1e8), [](DrillFault* fault, double size) { fault->size = size; },
           "How bad: docs/rehearse.md says what of. Of kill and pause a share of the instances, of "
           "net_delay milliseconds, of net_loss a share of the packets.")
           .derived_as("the usual one of its kind"),
       field_with<DrillFault, double>(
           "share", number(0, 1), [](DrillFault* fault, double share) { fault->share = share; },
           "Of the instances that serve, for faults of the network.")
           .derived_as("0.3"),
       field("target", &DrillFault::target, text(), "The region or host that is lost.")
           .derived_as("the first")});
  return shape;
}

const Shape<DrillInject>& inject_shape() {
  static const Shape<DrillInject> shape(
      "DrillInject", "A fault at its time.",
      {field("name", &DrillInject::name, dns_label(), "Unique in the drill.")
           .derived_as("the fault's kind"),
       field("at", &DrillInject::at, duration(), "Since the first players were let in.")
           .assumed("0s"),
       object_field("fault", &DrillInject::fault, fault_shape(), "What goes wrong.").needed(),
       field_with<DrillInject, Duration>(
           "for", positive_duration(),
           [](DrillInject* inject, Duration lasts) { inject->lasts = lasts; }, "How long.")
           .derived_as("to the end"),
       field("optional", &DrillInject::optional, boolean(),
             "Left out where the server's machine cannot do it; else the drill is refused there.")
           .assumed("false")},
      [](Reader&, const Node&, DrillInject* inject) {
        if (!inject->name.empty()) return;
        inject->name = inject->fault.kind;
        std::ranges::replace(inject->name, '_', '-');
      });
  return shape;
}

const Shape<DrillExpectation>& expectation_shape() {
  using enum DrillResponse;
  static const Shape<DrillExpectation> shape(
      "DrillExpectation", "A response that has to come in time.",
      {field("that", &DrillExpectation::that,
             choice<DrillResponse>({{"hold", Hold},
                                    {"rollback", Rollback},
                                    {"step_back", StepBack},
                                    {"pace", Pace},
                                    {"divert", Divert},
                                    {"quarantine", Quarantine},
                                    {"page", Page},
                                    {"recovered", Recovered},
                                    {"capacity_restored", CapacityRestored}}),
             "What happens. recovered: the event is undone, or live; capacity_restored: as many "
             "instances serve as before.")
           .needed(),
       field("within", &DrillExpectation::within, positive_duration(), "Since the inject.")
           .needed(),
       field("after", &DrillExpectation::after, dns_label(), "The inject that it answers.")
           .derived_as("the only one")});
  return shape;
}

const Shape<DrillStop>& stop_shape() {
  static const Shape<DrillStop> shape(
      "DrillStop", "What ends the drill early; one key.",
      {field_with<DrillStop, std::int64_t>(
           "headroom_below", percent(),
           [](DrillStop* stop, std::int64_t ppm) { stop->headroom_below_ppm = ppm; },
           "Free capacity of the fleet over what is in use."),
       field_with<DrillStop, std::int64_t>(
           "players_harmed_over", big_integer(0),
           [](DrillStop* stop, std::int64_t players) { stop->players_harmed_over = players; },
           "Players on a canary that harms them; only the simulator can count them."),
       field_with<DrillStop, Duration>(
           "lasts_over", positive_duration(),
           [](DrillStop* stop, Duration lasts) { stop->lasts_over = lasts; },
           "Since the first inject.")},
      [](Reader& reader, const Node& node, DrillStop* stop) {
        const int said = stop->headroom_below_ppm.has_value() +
                         stop->players_harmed_over.has_value() + stop->lasts_over.has_value();
        if (said != 1)
          reader.error(node.position, "a stop condition is one key",
                       "write `- { headroom_below: 5% }`, a line each");
      });
  return shape;
}

void finish_drill(Reader& reader, const Node& node, DrillSpec* drill) {
  std::set<std::string> names;
  for (const DrillInject& inject : drill->injects) {
    if (!names.insert(inject.name).second)
      reader.error_below(node, "injects", fmt::format("two injects are called '{}'", inject.name),
                         "give them names");
  }
  for (DrillExpectation& expected : drill->expect) {
    if (expected.after.empty() && drill->injects.size() == 1)
      expected.after = drill->injects.front().name;
    if (names.contains(expected.after)) continue;
    reader.error_below(node, "expect",
                       expected.after.empty()
                           ? "it is not said after which inject a response is expected"
                           : fmt::format("there is no inject '{}'", expected.after),
                       fmt::format("say `after:` one of {}", fmt::join(names, ", ")));
  }
}

}  // namespace

const Shape<DrillSpec>& drill_shape() {
  static const Shape<DrillSpec> shape(
      "Drill", "An incident that is rehearsed.",
      {field("event", &DrillSpec::event, dns_label(),
             "The LiveEvent that is played in the simulator."),
       field("fleet", &DrillSpec::fleet, dns_label(),
             "The staging fleet that a server plays it on, labelled `stage: staging`."),
       field("population", &DrillSpec::population, any_object(),
             "Who plays in the simulator: docs/rehearse.md.")
           .derived_as("as the fleets suggest"),
       list_field("injects", &DrillSpec::injects, inject_shape(), "What goes wrong, and when.",
                  kInjectsMax)
           .needed(),
       list_field("expect", &DrillSpec::expect, expectation_shape(), "What has to come of it.",
                  kInjectsMax)
           .assumed("[]"),
       list_field("stop_when", &DrillSpec::stop_when, stop_shape(), "What ends it early.", 16)
           .assumed("[]")},
      finish_drill);
  return shape;
}

void validate_drill(Reader& reader, const Draft& draft, const References& references) {
  const auto& drill = draft.manifest.as<DrillSpec>();
  if (drill.injects.empty())
    reader.error_at(draft.root, "spec.injects", "nothing goes wrong in the drill",
                    "add an inject such as `{ at: 5m, fault: { kind: crashes } }`");
  if (drill.event.empty() && drill.fleet.empty())
    reader.error_at(draft.root, "spec", "the drill is about nothing",
                    "add `event:` for the simulator, or `fleet:` for a staging fleet");
  if (!drill.event.empty())
    references.require(reader, draft.root, "spec.event", Kind::LiveEvent, drill.event);
  if (!drill.fleet.empty())
    references.require(reader, draft.root, "spec.fleet", Kind::Fleet, drill.fleet);
}

}  // namespace showcaller::manifest
