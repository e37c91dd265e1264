// SPDX-License-Identifier: Apache-2.0
#include "sim/population.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "model/manifest/shape.h"

namespace showcaller::sim {
namespace {

using namespace manifest;

constexpr std::size_t kCurveRowsMax = 1'000'000;
constexpr double kBestHour = 21;  // of the day, where the players live
constexpr double kWhole = 1e6;

const Shape<RegionCrowd>& region_shape() {
  static const Shape<RegionCrowd> shape(
      "RegionCrowd", "The players of a region.",
      {field("name", &RegionCrowd::name, dns_label(), "As the fleets name it.").needed(),
       field("share", &RegionCrowd::share, number(0, 1e6),
             "Of all players, relative to the others.")
           .assumed("1"),
       field("utc_offset", &RegionCrowd::utc_offset_h, number(-14, 14), "Hours ahead of UTC.")
           .assumed("0")});
  return shape;
}

const Shape<MetricTruth>& metric_shape() {
  static const Shape<MetricTruth> shape(
      "MetricTruth", "What a metric is like before any fault.",
      {field("name", &MetricTruth::name, dotted_name(), "As the gates name it.").needed(),
       field("rate", &MetricTruth::rate, number(0, 1e6), "Events a session, or a player-second."),
       field("median", &MetricTruth::median, number(0, 1e12), "Of what is measured."),
       field("p99", &MetricTruth::p99, number(0, 1e12), "Of what is measured.")},
      [](Reader& reader, const manifest::Node& node, MetricTruth* truth) {
        if (truth->median > 0 && truth->p99 > 0 && truth->p99 <= truth->median)
          reader.error_below(node, "p99", "p99 is not above the median");
      });
  return shape;
}

Shape<Population> session_section() {
  return {
      "PopulationSession",
      "One session: a match.",
      {field("length", &Population::session, positive_duration(), "The mean.")
           .derived_as("half of the longest that the fleets allow"),
       field("spread", &Population::session_spread, number(0, 3), "Sd of the log of the length.")
           .assumed("0.5"),
       field("players", &Population::session_players, integer(1, 10'000), "Who play it.")
           .derived_as("as the fleets say, or 4"),
       field("party", &Population::party, integer(1, 10'000), "Of them, who came together.")
           .assumed("2"),
       field("crashes", &Population::crash_ppm, percent(), "That crash without any fault.")
           .assumed("0.1%")}};
}

Shape<Population> house_section() {
  return {"PopulationHouse",
          "People and machinery around the game.",
          {field("approval", &Population::approval, duration(), "Mean time until an approval.")
               .assumed("10m"),
           field("answer", &Population::answer, duration(), "Mean time until a page is answered.")
               .assumed("5m"),
           field("readiness_report", &Population::readiness_report, duration(),
                 "Until others report on their readiness checks.")
               .assumed("2m"),
           field("instance_start", &Population::instance_start, positive_duration(),
                 "The mean; an image new to a host costs as much again.")
               .assumed("5s"),
           field("host_instances_max", &Population::host_instances_max, integer(1, 1'000'000),
                 "That a host has room for.")
               .assumed("1000"),
           field("report_delay", &Population::report_delay, duration(), "Mean way of a report.")
               .assumed("2s"),
           field("report_loss", &Population::report_loss_ppm, percent(), "Of reports.")
               .assumed("0.1%")}};
}

const Shape<Population>& population_shape() {
  static const Shape<Population> shape(
      "Population", "Who plays the virtual game.",
      {field("players", &Population::players, number(1, 1e9), "At once, in the week's best hour.")
           .derived_as("half of what the fleets have room for"),
       field("registered", &Population::registered, number(0, 1e10), "Who could come.")
           .derived_as("ten times as many"),
       section("session", session_section(), "One session: a match."),
       field("day_swing", &Population::day_swing_ppm, percent(), "Of the mean, up and down.")
           .assumed("35%"),
       field("week_swing", &Population::week_swing_ppm, percent(), "The same over the week.")
           .assumed("10%"),
       field("launch_spike", &Population::launch_spike, number(1, 1e3),
             "Times as many when the doors open.")
           .assumed("1"),
       field("spike_fades", &Population::spike_fades, positive_duration(), "To a third.")
           .assumed("2h"),
       field("churn", &Population::churn_ppm, percent(), "Of whom a session failed.")
           .assumed("20%"),
       list_field("regions", &Population::regions, region_shape(), "Where they live.", 1'000),
       list_field("metrics", &Population::metrics, metric_shape(), "What the game is like.", 1'000),
       field("instance_spread", &Population::instance_spread, number(0, 2),
             "Sd of the log of an instance's rates.")
           .assumed("0.1"),
       field("shocks_per_hour", &Population::shocks_per_hour, number(0, 60),
             "Trouble that meets both arms alike.")
           .assumed("0.5"),
       field("cold_start", &Population::cold_start, duration(),
             "In which a new instance is up to twice as bad.")
           .assumed("2m"),
       section("house", house_section(), "People and machinery around the game.")});
  return shape;
}

double swing(double ppm, double turns) {
  return ppm / kWhole * std::cos(2 * std::numbers::pi * turns);
}

// Players at once by the recorded curve: straight lines between its points, its ends go on.
double on_curve(const std::vector<CurvePoint>& curve, Duration at) {
  const auto next = std::lower_bound(
      curve.begin(), curve.end(), at,
      [](const CurvePoint& point, Duration when) { return point.since_start < when; });
  if (next == curve.begin()) return curve.front().players;
  if (next == curve.end()) return curve.back().players;
  const CurvePoint& last = *std::prev(next);
  const double part = double((at - last.since_start).count()) /
                      double((next->since_start - last.since_start).count());
  return last.players + part * (next->players - last.players);
}

Result<CurvePoint> curve_row(std::string_view line, std::size_t number,
                             std::optional<Instant>* first) {
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorCode::Invalid,
                fmt::format("line {}: {}; write a time and the players at once, as in "
                            "2026-06-01T18:00:00Z,18500",
                            number, what));
  };
  const std::size_t comma = line.find(',');
  if (comma == std::string_view::npos) return wrong("there is no comma");
  const auto at = parse_instant(line.substr(0, comma));
  if (!at) return wrong(at.error().message);
  const std::string_view text = line.substr(comma + 1);
  double players = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), players);
  if (error != std::errc() || end != text.data() + text.size() || !(players >= 0) || players > 1e10)
    return wrong(fmt::format("'{}' is no number of players", text));
  if (!*first) *first = *at;
  return CurvePoint{*at - **first, players};
}

}  // namespace

std::optional<Population> read_population(const SourceFile& file, std::vector<Finding>* findings) {
  std::vector<manifest::Node> documents = parse_documents(file, 0, {}, findings);
  Reader reader(std::span(&file, 1), findings);
  Population out = population_shape().prototype();
  if (has_errors(*findings)) return std::nullopt;
  if (documents.size() != 1) {
    reader.error({0, 1, 1},
                 fmt::format("a population is one document, and the file has {}", documents.size()),
                 "write its keys alone, such as `players: 20000`");
    return std::nullopt;
  }
  population_shape().read(reader, documents.front(), &out);
  if (has_errors(*findings)) return std::nullopt;
  return out;
}

Result<std::vector<CurvePoint>> read_curve(std::string_view csv) {
  std::vector<CurvePoint> out;
  std::optional<Instant> first;
  for (std::size_t number = 1; !csv.empty(); ++number) {
    const std::size_t end = std::min(csv.find('\n'), csv.size());
    std::string_view line = csv.substr(0, end);
    csv.remove_prefix(std::min(end + 1, csv.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line == "timestamp,players")) continue;
    if (out.size() >= kCurveRowsMax) {
      return fail(ErrorCode::Limit,
                  fmt::format("line {}: a curve has at most {} rows; leave some out", number,
                              kCurveRowsMax));
    }
    TRY(const CurvePoint point, curve_row(line, number, &first));
    if (!out.empty() && point.since_start <= out.back().since_start) {
      return fail(
          ErrorCode::Invalid,
          fmt::format("line {}: its time is not after the one before; sort the rows", number));
    }
    out.push_back(point);
  }
  if (out.empty()) return fail(ErrorCode::Invalid, "the curve has no rows");
  return out;
}

namespace {

constexpr double kFittedPlayersMax = 10'000;
constexpr int kPlayersASession = 4;

// What the fleets say, taken together.
struct FleetsSay {
  std::vector<std::string> regions;
  double players = 0;  // room for
  Duration longest{};
  int session_players = 0;
};

FleetsSay what_fleets_say(std::span<const std::shared_ptr<const Manifest>> manifests) {
  FleetsSay out;
  for (const auto& manifest : manifests) {
    if (manifest->kind() != Kind::Fleet) continue;
    const auto& fleet = manifest->as<FleetSpec>();
    const BuildSpec* base = fleet.build(fleet.base);
    const int players = std::max(fleet.capacity.players_per_session, 0);
    for (const RegionSpec& region : fleet.regions) {
      if (std::find(out.regions.begin(), out.regions.end(), region.name) == out.regions.end())
        out.regions.push_back(region.name);
      out.players += double(fleet.capacity.instances_max) *
                     (base ? base->sessions_per_instance : 1) *
                     (players > 0 ? players : kPlayersASession);
    }
    out.longest = std::max(out.longest, fleet.session_length_max);
    out.session_players = std::max(out.session_players, players);
  }
  return out;
}

}  // namespace

Population fitted(Population population,
                  std::span<const std::shared_ptr<const Manifest>> manifests) {
  const FleetsSay say = what_fleets_say(manifests);
  if (population.regions.empty()) {
    for (const std::string& region : say.regions) population.regions.push_back({region, 1, 0});
    if (say.regions.empty()) population.regions.push_back({"local", 1, 0});
  }
  double whole = 0;
  for (const RegionCrowd& region : population.regions) whole += region.share;
  for (RegionCrowd& region : population.regions) region.share /= whole > 0 ? whole : 1;
  if (population.session_players == 0)
    population.session_players = say.session_players > 0 ? say.session_players : kPlayersASession;
  if (population.session == Duration{})
    population.session = say.longest > Duration{} ? say.longest / 2 : minutes(15);
  for (const CurvePoint& point : population.curve)
    population.players = std::max(population.players, point.players);
  if (population.players == 0)
    population.players = say.players > 0 ? std::min(kFittedPlayersMax, say.players / 2) : 2'000;
  population.party = std::min(population.party, population.session_players);
  return population;
}

double sessions_per_s(const Population& population, const RegionCrowd& region, Instant wall,
                      Duration since_start, std::optional<Duration> since_open) {
  double players = population.players * region.share;
  if (!population.curve.empty()) {
    players = on_curve(population.curve, since_start) * region.share;
  } else {
    const double local_h = double(to_ms(wall)) / 3.6e6 + region.utc_offset_h;
    const double day = local_h - kBestHour;
    const double day_ppm = double(population.day_swing_ppm);
    const double week_ppm = double(population.week_swing_ppm);
    // 1970 began on a Thursday: Saturday is two days on.
    const double level = (1 + swing(day_ppm, day / 24)) * (1 + swing(week_ppm, (day - 48) / 168));
    players *= level / ((1 + day_ppm / kWhole) * (1 + week_ppm / kWhole));
  }
  if (since_open) {
    const double fades = double(population.spike_fades.count());
    players *= 1 + (population.launch_spike - 1) * std::exp(-double(since_open->count()) / fades);
  }
  return players / population.session_players / (double(population.session.count()) / 1000);
}

}  // namespace showcaller::sim
