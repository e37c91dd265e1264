// SPDX-License-Identifier: Apache-2.0
#include "model/manifest/change_shapes.h"
#include "model/manifest/exclusion_shapes.h"
#include "model/manifest/shapes.h"

namespace showcaller::manifest {
namespace {

constexpr std::size_t kStagesMax = 64;
constexpr std::size_t kGatesMax = 256;  // 64 a stage is checked for the whole manifest
constexpr std::size_t kChangesMax = 1'000;

// An instant, or instants by region: what resolving a schedule leaves behind.
Value<ScheduledTime> scheduled_time() {
  static const std::string expected = "a time such as 2026-12-18T18:00";
  return {
      expected,
      [](Reader& reader, Node& node, ScheduledTime* out) {
        if (reader.in_template && node.is_string()) return true;  // Resolved when it is used.
        ScheduledTime time;
        if (node.is_mapping() && !node.entries.empty()) {
          std::map<std::string, Instant> by_region;
          const std::size_t regions = node.entries.size();
          if (!map_of(instant()).read(reader, node, &by_region) || by_region.size() != regions)
            return false;
          time.by_region.assign(by_region.begin(), by_region.end());
          time.at =
              std::ranges::min_element(time.by_region, {}, &std::pair<std::string, Instant>::second)
                  ->second;
        } else if (!instant().read(reader, node, &time.at)) {
          return false;
        }
        *out = std::move(time);
        return true;
      },
      [](SchemaSet& set) {
        json::object text{{"type", "string"},
                          {"pattern",
                           "^([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*|[0-9a-z.]+ "
                           "(before|after) start)$"}};
        return json::object{{"anyOf", json::array{std::move(text), map_of(instant()).schema(set)}}};
      }};
}

template <class E>
Field<ScheduleSpec> read_when_resolved(std::string key, Value<E> value, std::string says) {
  return noted<ScheduleSpec, E>(std::move(key), std::move(value), std::move(says));
}

Value<std::string> schedule_zone() {
  Value<std::string> value = zone_name();
  value.expected = "an IANA time zone such as Europe/Berlin, or local";
  value.read = [zone = value.read](Reader& reader, Node& node, std::string* out) {
    if (node.is_string() && node.text == "local") {
      *out = "local";
      return true;
    }
    return zone(reader, node, out);
  };
  return value;
}

const Shape<ScheduleSpec>& schedule_shape() {
  static const Shape<ScheduleSpec> shape(
      "Schedule",
      "When it happens. Times without an offset are times in `zone`; `5d before start` works too.",
      {field("zone", &ScheduleSpec::zone, schedule_zone(),
             "An IANA zone, or local: each region's own time, early zones first.")
           .assumed("UTC"),
       field("announce", &ScheduleSpec::announce, scheduled_time(),
             "When players are told; shown by plan and status, for whoever tells them."),
       field("start", &ScheduleSpec::start, scheduled_time(), "When intake opens.")
           .derived_as("as soon as it is ready and proven"),
       field("end", &ScheduleSpec::end, scheduled_time(),
             "When intake closes, even while held; in local time each region's at its own.")
           .derived_as("no end"),
       field("claim_until", &ScheduleSpec::claim_until, duration(),
             "How long after the end claims and grants go on.")
           .assumed("0s"),
       field("retire", &ScheduleSpec::retire, duration(),
             "How long after settling the legacy paths stay.")
           .assumed("0s"),
       read_when_resolved("on_gap", choice<int>({{"refuse", 0}, {"shift", 1}, {"skip", 2}}),
                          "What to do with a time that a change of clocks leaves out.")
           .assumed("refuse"),
       read_when_resolved("on_overlap", choice<int>({{"refuse", 0}, {"earlier", 1}, {"later", 2}}),
                          "Which of the two to take when a change of clocks gives a time twice.")
           .assumed("refuse"),
       field("tzdata", &ScheduleSpec::tzdata, text(),
             "The version of the zone data that resolved the times; written on apply.")});
  return shape;
}

Shape<ReadinessSpec> capacity_section() {
  return Shape<ReadinessSpec>(
      "ReadinessCapacity", "Free capacity that must be there.",
      {field("fleet", &ReadinessSpec::capacity_fleet, dns_label(), "Whose capacity.")
           .derived_as("the fleet whose build changes"),
       field("headroom", &ReadinessSpec::capacity_headroom_ppm, percent(),
             "Free capacity over need."),
       field("from", &ReadinessSpec::capacity_from_forecast,
             choice<bool>({{"current", false}, {"forecast", true}}),
             "What need is taken from: the sessions that run, or the peak that is forecast until "
             "more could be ready and the stage has baked.")
           .assumed("current")});
}

Shape<ReadinessSpec> client_section() {
  return Shape<ReadinessSpec>(
      "ReadinessClient", "Clients that must be out.",
      {field("protocol", &ReadinessSpec::client_protocol, text(),
             "Which protocols count, such as \">=48\".")
           .needed(),
       field("adoption", &ReadinessSpec::client_adoption_ppm, percent(),
             "The share of players that must have one.")
           .assumed("0%"),
       field("by", &ReadinessSpec::client_by, text(),
             "Must hold for each value of this attribute, such as platform.")});
}

const Shape<ReadinessSpec>& readiness_shape() {
  static const Shape<ReadinessSpec> shape(
      "Readiness", "What must be true before players are admitted.",
      {section("capacity", capacity_section(), "Free capacity."),
       section("client", client_section(), "Clients."),
       section("bundle",
               Shape<ReadinessSpec>("ReadinessBundle", "Content that clients must have loaded.",
                                    {field("ready_at", &ReadinessSpec::bundle_ready_at_ppm,
                                           percent(), "The share of clients that must have it.")
                                         .assumed("0%")}),
               "Content."),
       field("probes", &ReadinessSpec::probes, list(dotted_name(), 256),
             "Synthetic journeys that must pass.")
           .assumed("[]"),
       field("timeout", &ReadinessSpec::timeout, positive_duration(),
             "Preparing longer than this pages and holds.")
           .assumed("1h")});
  return shape;
}

Value<Duration> begin_value() {
  return text_value<Duration>(
      "when_ready, or a time before the start such as `5d before start`",
      [](std::string_view words) -> std::optional<Duration> {
        constexpr std::string_view kSuffix = " before start";
        if (words == "when_ready") return Duration(0);
        if (!words.ends_with(kSuffix)) return std::nullopt;
        const auto parsed = parse_duration(words.substr(0, words.size() - kSuffix.size()));
        return parsed ? std::optional(*parsed) : std::nullopt;
      },
      {{"type", "string"},
       {"pattern", fmt::format("^(when_ready|{} before start)$", kDurationPattern)}});
}

Shape<LiveEventSpec> rollout_section() {
  return Shape<LiveEventSpec>(
      "Rollout", "The steps that prove the change on players.",
      {field("begin", &LiveEventSpec::rollout_begin_before_start, begin_value(),
             "When the first stage may begin; when_ready proves in the dark at once.")
           .assumed("when_ready"),
       field("unit", &LiveEventSpec::unit,
             choice<Unit>({{"player", Unit::Player},
                           {"party", Unit::Party},
                           {"guild", Unit::Guild},
                           {"match", Unit::Match}}),
             "What is assigned as a whole.")
           .derived_as("party where a build changes, else player"),
       exclusion_field<LiveEventSpec>("It touches its part of an exclusion group alone."),
       list_field("stages", &LiveEventSpec::stages, stage_shape(),
                  "In order; exposure never shrinks.", kStagesMax)
           .assumed(
               R"([{"name":"canary","exposure":"1%"},{"name":"early","exposure":"10%"},{"name":"world","exposure":"100%"}])")});
}

const Shape<AnalysisSpec>& analysis_shape() {
  static const Shape<AnalysisSpec> shape(
      "Analysis", "How evidence is judged.",
      {field("tick", &AnalysisSpec::tick, whole_seconds(),
             "The length of one evidence tick, in whole seconds.")
           .assumed("10s"),
       field("warmup", &AnalysisSpec::warmup, duration(),
             "Evidence of a group's first moments is left out.")
           .assumed("150s"),
       field("profile", &AnalysisSpec::profile, choice<std::string>({{"G1", "G1"}, {"C", "C"}}),
             "G1: guaranteed false alarm rate; C: calibrated, quicker.")
           .assumed("G1"),
       field(
           "strictness", &AnalysisSpec::strictness, number(1, 1000),
           "How much more evidence a rollback needs than the profile asks for; `plan` tells which "
           "makes false rollbacks as rare as they are to be.")
           .assumed("1"),
       field("noise_unit", &AnalysisSpec::noise_unit,
             choice<std::string>({{"player", "player"}, {"instance", "instance"}}),
             "What the noise between groups is measured over.")
           .derived_as("instance when a build changes, else player"),
       field("instances_min", &AnalysisSpec::instances_min, integer(4, 100'000),
             "Canary instances below which a small effect fails no gate; with fewer than 4 the "
             "instance itself can't be told from the effect.")
           .assumed("4")});
  return shape;
}

const Shape<IntakeSpec>& intake_shape() {
  static const Shape<IntakeSpec> shape(
      "Intake", "How the doors open.",
      {noted<IntakeSpec, int>("open", choice<int>({{"start", 0}}), "When: at the schedule's start.")
           .assumed("start"),
       field("waves", &IntakeSpec::waves,
             choice<std::string>({{"none", "none"}, {"by_zone", "by_zone"}}),
             "by_zone: each zone at its own start; none: all at the earliest.")
           .derived_as("by_zone in a schedule of local times, else none"),
       field("pace", &IntakeSpec::pace_per_minute, rate_per_minute(),
             "At most so many new sessions.")
           .derived_as("no limit"),
       field("expected", &IntakeSpec::expected_players, player_count(),
             "Players at once that it brings at its best hour, beside those who come anyhow; the "
             "forecast of its fleet counts them from the start, for a day.")
           .derived_as("nobody beside those"),
       field("if_not_proven", &IntakeSpec::if_not_proven,
             choice<IfNotProven>({{"postpone", IfNotProven::Postpone},
                                  {"open_proven_share", IfNotProven::OpenProvenShare},
                                  {"ask", IfNotProven::Ask}}),
             "What to do when the start comes before the rollout has proven the change.")
           .assumed("postpone")});
  return shape;
}

struct WatchTime {
  bool until_end = false;
  Duration duration{};
};

std::optional<WatchTime> parse_watch_time(std::string_view words) {
  if (words == "until_end") return WatchTime{.until_end = true};
  const auto parsed = parse_duration(words);
  if (!parsed) return std::nullopt;
  return WatchTime{.until_end = false, .duration = *parsed};
}

const Shape<WatchSpec>& watch_shape() {
  static const Shape<WatchSpec> shape(
      "Watch", "What goes on after everyone is admitted.",
      {field_with<WatchSpec, WatchTime>(
           "for",
           text_value<WatchTime>("until_end or a duration", parse_watch_time,
                                 {{"type", "string"},
                                  {"pattern", fmt::format("^(until_end|{})$", kDurationPattern)}}),
           [](WatchSpec* watch, WatchTime time) {
             watch->until_end = time.until_end;
             watch->duration = time.until_end ? std::nullopt : std::optional(time.duration);
           },
           "How long gates go on judging.")
           .assumed("24h"),
       field("holdback", &WatchSpec::holdback_ppm, percent(),
             "The share that stays on the baseline.")
           .assumed("0%"),
       field("keep_previous_build", &WatchSpec::keep_previous_build, duration(),
             "How long the old build stays warm.")
           .assumed("0s")});
  return shape;
}

const Shape<RollbackSpec>& rollback_shape() {
  static const Shape<RollbackSpec> shape(
      "Rollback", "How it is undone.",
      {section("sessions",
               Shape<RollbackSpec>(
                   "RollbackSessions", "What happens to the sessions that run.",
                   {field("drain", &RollbackSpec::drain, duration(), "How long they may run on.")
                        .assumed("45m"),
                    field("then", &RollbackSpec::then,
                          choice<DrainThen>({{"leave", DrainThen::Leave}, {"end", DrainThen::End}}),
                          "leave: let them end by themselves; end: end them.")
                        .assumed("leave")}),
               "Running sessions."),
       field("within", &RollbackSpec::within, positive_duration(),
             "The whole rollback takes at most this long, or somebody is paged.")
           .derived_as("1h, or 5m more than it takes at worst if that is longer")},
      [](Reader& reader, const Node& node, RollbackSpec* rollback) {
        if (rollback->within && *rollback->within < rollback->drain) {
          reader.error_below(
              node, "within",
              fmt::format("within ({}) is shorter than the drain ({})",
                          format_duration(*rollback->within), format_duration(rollback->drain)),
              "let `within` be at least `sessions.drain`");
        }
      });
  return shape;
}

Value<std::string> pipeline_reference() {
  return {
      "{ name: ..., with: { ... } }",
      [](Reader& reader, Node& node, std::string* out) {
        // Expansion has read `with` before, and leaves the name.
        const Node* name = node.is_mapping() ? node.find("name") : &node;
        if (name == nullptr || !name->is_string()) {
          reader.wrong_type(node, "{ name: ..., with: { ... } }");
          return false;
        }
        *out = name->text;
        return true;
      },
      [](SchemaSet&) {
        return *parse_json(
                    R"({"type":"object","required":["name"],"additionalProperties":false,"properties":{)"
                    R"("name":{"type":"string"},"with":{"type":"object"},"expanded":{"type":"boolean"}}})")
                    ->if_object();
      }};
}

}  // namespace

const Shape<LiveEventSpec>& live_event_shape() {
  static const Shape<LiveEventSpec> shape(
      "LiveEvent", "A change to the live game with a life of its own.",
      {field("pipeline", &LiveEventSpec::pipeline, pipeline_reference(),
             "A template that brings what is not written here."),
       object_field("schedule", &LiveEventSpec::schedule, schedule_shape(), "When."),
       field("risk", &LiveEventSpec::risk,
             choice<Risk>({{"low", Risk::Low}, {"normal", Risk::Normal}, {"high", Risk::High}}),
             "Weighs approvals and paging.")
           .assumed("normal"),
       field("priority", &LiveEventSpec::priority, integer(-1'000'000, 1'000'000),
             "Where layers meet on one path, the higher wins.")
           .assumed("0"),
       field("after", &LiveEventSpec::after, list(dns_label(), 1'000),
             "Events whose layers lie below this one.")
           .assumed("[]"),
       list_field("changes", &LiveEventSpec::changes, change_shape(),
                  "The change-set: applied and undone together.", kChangesMax)
           .needed_or("pipeline"),
       object_field("readiness", &LiveEventSpec::readiness, readiness_shape(),
                    "Before players are admitted."),
       section("rollout", rollout_section(), "Step by step."),
       object_field("analysis", &LiveEventSpec::analysis, analysis_shape(),
                    "How evidence is judged."),
       object_field("intake", &LiveEventSpec::intake, intake_shape(), "Opening the doors."),
       list_field("gates", &LiveEventSpec::gates, gate_shape(), "What must hold.", kGatesMax)
           .assumed(
               R"([{"metric":"session.crashed","worse_by_at_most":"10%","must_detect":"2x","on_fail":"rollback"}])"),
       field(
           "on_thin", &LiveEventSpec::on_thin,
           choice<OnThin>({{"hold", OnThin::Hold}, {"ask", OnThin::Ask}, {"widen", OnThin::Widen}}),
           "What to do when the evidence is too thin for a verdict; never: ship.")
           .assumed("hold"),
       object_field("watch", &LiveEventSpec::watch, watch_shape(), "After 100 %."),
       object_field("rollback", &LiveEventSpec::rollback, rollback_shape(), "Undoing."),
       field("runbook", &LiveEventSpec::runbook, text(), "Where people find the next steps."),
       field("disturbs", &LiveEventSpec::disturbs, list(alert_subject(), 256),
             "What will suffer while it is active, as Service/NAME or Fleet/NAME: alerts of it are "
             "silent for so long.")
           .assumed("[]"),
       field_with<LiveEventSpec, bool>(
           "rehearsal", choice<bool>({{"required", true}, {"optional", false}}),
           [](LiveEventSpec* spec, bool required) { spec->rehearsal_required = required; },
           "Whether it must pass a rehearsal before it is approved.")
           .assumed("optional")});
  return shape;
}

}  // namespace showcaller::manifest
