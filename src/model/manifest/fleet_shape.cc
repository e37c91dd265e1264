// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "model/manifest/shapes.h"

namespace showcaller::manifest {
namespace {

const Shape<BuildSpec>& build_shape() {
  static const Shape<BuildSpec> shape(
      "Build", "One build of the game server.",
      {field("version", &BuildSpec::version, version(), "Unique in the fleet.").needed(),
       field("command", &BuildSpec::command, list(any_scalar_text(), 1'000),
             "What starts one instance: a program and its arguments, no shell.")
           .needed(),
       field("env", &BuildSpec::env, map_of(any_scalar_text()),
             "The whole environment of an instance.")
           .assumed("{}"),
       field("work_folder", &BuildSpec::work_folder, text(),
             "The folder it runs in; a relative one is the server's.")
           .derived_as("a folder of the instance's own"),
       field("protocols", &BuildSpec::protocols, list(integer(0, 1'000'000'000), 256),
             "Client protocols it speaks.")
           .derived_as("any"),
       field("sessions_per_instance", &BuildSpec::sessions_per_instance, integer(1, 100'000),
             "Sessions one instance runs at once.")
           .assumed("1")},
      [](Reader& reader, const Node& node, BuildSpec* build) {
        if (node.find("command") != nullptr &&
            (build->command.empty() || build->command[0].empty())) {
          reader.error_below(node, "command", "the command is empty", "name the program to start");
        }
      });
  return shape;
}

const Shape<RegionSpec>& region_shape() {
  static const Shape<RegionSpec> shape(
      "Region", "Where instances run.",
      {field("name", &RegionSpec::name, dns_label(), "Unique in the fleet.").needed(),
       field("zone", &RegionSpec::zone, zone_name(),
             "The time zone of its players, for schedules in local time.")
           .assumed("UTC"),
       field("hosts", &RegionSpec::hosts, list(dotted_name(), 10'000), "Its hosts.")
           .derived_as("one host named after the region")});
  return shape;
}

struct Buffer {
  int count = 0;
  std::int64_t ppm = 0;
};

Value<Buffer> buffer() {
  return {"a number of instances or a percentage such as 20%",
          [](Reader& reader, Node& node, Buffer* out) {
            const auto ppm = node.is_string() ? parse_percent_ppm(node.text) : std::nullopt;
            if (ppm) out->ppm = *ppm;
            if (ppm || node.kind == NodeKind::Int)
              return ppm || integer(0, 1'000'000).read(reader, node, &out->count);
            reader.wrong_type(node, "a number of instances or a percentage such as 20%");
            return false;
          },
          [](SchemaSet& set) {
            return json::object{
                {"anyOf", json::array{integer(0, 1'000'000).schema(set), percent().schema(set)}}};
          }};
}

using Scheduled = CapacitySpec::Scheduled;

const Shape<Scheduled>& scheduled_shape() {
  static const Shape<Scheduled> shape(
      "ScheduledCapacity", "More instances for a time.",
      {field("from", &Scheduled::from, instant(), "Since when.").needed(),
       field("to", &Scheduled::to, instant(), "Until when.").needed(),
       field("min", &Scheduled::instances_min, integer(0, 1'000'000), "At least so many a region.")
           .needed()},
      [](Reader& reader, const Node& node, Scheduled* s) {
        if (s->to <= s->from) reader.error_below(node, "to", "`to` is not after `from`");
      });
  return shape;
}

const Shape<ForecastCapacity>& forecast_shape() {
  static const Shape<ForecastCapacity> shape(
      "ForecastCapacity", "What is ready covers the peak that is forecast.",
      {field("headroom", &ForecastCapacity::headroom_ppm, percent(),
             "Free capacity over that peak.")
           .assumed("0%"),
       field("scale_up", &ForecastCapacity::scale_up, duration(),
             "How far ahead: from wishing for instances to their being ready; a day at most.")
           .assumed("10m")},
      [](Reader& reader, const Node& node, ForecastCapacity* forecast) {
        if (forecast->scale_up > hours(24))
          reader.error_below(node, "scale_up", "nothing is forecast so far ahead",
                             "say a day at most");
      });
  return shape;
}

const Shape<CapacitySpec>& capacity_shape() {
  static const Shape<CapacitySpec> shape(
      "Capacity", "How many instances, a region.",
      {field("min", &CapacitySpec::instances_min, integer(0, 1'000'000),
             "At least, of the base build.")
           .assumed("1"),
       field("max", &CapacitySpec::instances_max, integer(1, 1'000'000),
             "At most, all builds together.")
           .assumed("100"),
       field_with<CapacitySpec, Buffer>(
           "buffer", buffer(),
           [](CapacitySpec* c, Buffer b) {
             c->buffer = b.count;
             c->buffer_ppm = b.ppm;
           },
           "Ready instances kept free: a number, or a share of those in use.")
           .assumed("0"),
       field("canary_min", &CapacitySpec::canary_instances_min, integer(0, 1'000'000),
             "At least, of a build under rollout.")
           .assumed("1"),
       list_field("schedule", &CapacitySpec::schedule, scheduled_shape(), "More for a time.", 1'000)
           .assumed("[]"),
       alternative<CapacitySpec, ForecastCapacity>(
           "forecast", forecast_shape(),
           [](CapacitySpec* capacity, ForecastCapacity forecast) { capacity->forecast = forecast; },
           "Scale ahead of the demand that is forecast from the fleet's own past.")
           .derived_as("capacity follows what runs, its buffer and schedule"),
       field("players_per_session", &CapacitySpec::players_per_session, integer(0, 100'000),
             "For headroom in players; 0 counts sessions.")
           .assumed("0")},
      [](Reader& reader, const Node& node, CapacitySpec* c) {
        if (c->instances_min > c->instances_max) {
          reader.error_below(
              node, "min",
              fmt::format("min ({}) is above max ({})", c->instances_min, c->instances_max));
        }
      });
  return shape;
}

const Shape<HealthProbe>& probe_shape() {
  static const Shape<HealthProbe> shape(
      "HealthProbe", "How an instance is asked from outside whether it is well.",
      {field("kind", &HealthProbe::kind,
             choice<ProbeKind>(
                 {{"tcp", ProbeKind::Tcp}, {"udp", ProbeKind::Udp}, {"http", ProbeKind::Http}}),
             "tcp: it accepts a connection; udp: it answers a datagram; http: it answers GET.")
           .needed(),
       field("port", &HealthProbe::port, dns_label(), "One of the fleet's ports.")
           .derived_as("the first"),
       field("path", &HealthProbe::path, text(), "What GET asks for.").assumed("/"),
       field("period", &HealthProbe::period, positive_duration(), "How often.").assumed("5s"),
       field("timeout", &HealthProbe::timeout, positive_duration(), "An answer takes no longer.")
           .assumed("1s"),
       field("failures", &HealthProbe::failures, integer(1, 1'000),
             "So many without an answer in a row make it unhealthy.")
           .assumed("3")},
      [](Reader& reader, const Node& node, HealthProbe* probe) {
        const bool plain =
            probe->path.starts_with('/') && std::all_of(probe->path.begin(), probe->path.end(),
                                                        [](char c) { return c > ' ' && c < 0x7f; });
        if (!plain) {
          reader.error_below(node, "path", "the path is no absolute path of a URL",
                             "begin it with / and percent-encode spaces");
        }
      });
  return shape;
}

const Shape<HealthSpec>& health_shape() {
  static const Shape<HealthSpec> shape(
      "Health", "When an instance or a build counts as sick.",
      {field("period", &HealthSpec::period, positive_duration(),
             "How often an instance says that it is well.")
           .assumed("5s"),
       field("failures", &HealthSpec::failures, integer(1, 1'000),
             "So many missed in a row make it unhealthy.")
           .assumed("3"),
       field("start_timeout", &HealthSpec::start_timeout, positive_duration(),
             "From start to Ready at most.")
           .assumed("60s"),
       field("backoff_first", &HealthSpec::backoff_first, positive_duration(),
             "The wait after the first failed start; then it doubles.")
           .assumed("1s"),
       field("backoff_max", &HealthSpec::backoff_max, positive_duration(), "The longest wait.")
           .assumed("5m"),
       field("quarantine_after", &HealthSpec::quarantine_after, integer(1, 1'000),
             "Failed starts in a row of one build or host.")
           .assumed("5"),
       field("quarantine_for", &HealthSpec::quarantine_for, duration(),
             "How long; 0: until released by hand.")
           .assumed("10m"),
       alternative<HealthSpec, HealthProbe>(
           "probe", probe_shape(),
           [](HealthSpec* health, HealthProbe probe) { health->probe = std::move(probe); },
           "Ask the instance from outside too.")
           .derived_as("pings of the game server alone")});
  return shape;
}

Shape<FleetSpec> session_section() {
  return Shape<FleetSpec>(
      "FleetSession", "Sessions on an instance.",
      {field("length_max", &FleetSpec::session_length_max, positive_duration(),
             "The longest a session lasts; bounds drains.")
           .assumed("1h"),
       field("unclaimed_after", &FleetSpec::unclaimed_after, positive_duration(),
             "An allocation nobody claimed ends.")
           .assumed("30s"),
       field("reuse", &FleetSpec::reuse, boolean(), "An instance returns to Ready after a session.")
           .assumed("true")});
}

Shape<FleetSpec> limits_section() {
  return Shape<FleetSpec>(
      "FleetLimits", "What one instance may use.",
      {field_with<FleetSpec, std::int64_t>(
           "memory", byte_count(),
           [](FleetSpec* f, std::int64_t bytes) {
             f->memory_mib_max = (bytes + (1 << 20) - 1) >> 20;
           },
           "Memory, counted in whole MiB.")
           .derived_as("no limit"),
       field("open_files", &FleetSpec::open_files_max, big_integer(0), "Open files; 0: no limit.")
           .assumed("0"),
       field("log", &FleetSpec::log_bytes_max, byte_count(), "Bytes of output kept.")
           .assumed("4MiB")});
}

Shape<FleetSpec> spread_section() {
  return Shape<FleetSpec>(
      "FleetSpread", "How instances lie over zones. Kept; hosts of a region are taken in turn.",
      {noted<FleetSpec, int>("zones", integer(1, 1'000), "So many zones at least."),
       noted<FleetSpec, int>("survive", integer(0, 1'000), "So many zones may be lost.")});
}

void finish_ports(Reader& reader, const Node& node, const FleetSpec& fleet) {
  const std::set<std::string> names(fleet.ports.begin(), fleet.ports.end());
  if (names.size() < fleet.ports.size())
    reader.error_below(node, "ports", "a port is listed twice", "give each a name of its own");
  const auto& probe = fleet.health.probe;
  if (!probe) return;
  if (fleet.ports.empty()) {
    reader.error_below(node, "health.probe", "the fleet has no port to probe",
                       "name one in `ports`");
  } else if (!probe->port.empty() && !names.contains(probe->port)) {
    reader.error_below(node, "health.probe.port",
                       fmt::format("the port '{}' is not among the fleet's `ports`", probe->port),
                       suggestion(probe->port, fleet.ports));
  }
}

void finish_fleet(Reader& reader, const Node& node, FleetSpec* fleet) {
  finish_ports(reader, node, *fleet);
  std::set<std::string> versions;
  for (std::size_t i = 0; i < fleet->builds.size(); ++i) {
    if (!versions.insert(fleet->builds[i].version).second) {
      reader.error_below(node, fmt::format("builds[{}].version", i),
                         fmt::format("the version '{}' is listed twice", fleet->builds[i].version));
    }
  }
  std::set<std::string> regions;
  for (std::size_t i = 0; i < fleet->regions.size(); ++i) {
    if (!regions.insert(fleet->regions[i].name).second) {
      reader.error_below(node, fmt::format("regions[{}].name", i),
                         fmt::format("the region '{}' is listed twice", fleet->regions[i].name));
    }
  }
  const Node* builds = node.find("builds");
  if (builds != nullptr && builds->is_sequence() && builds->items.empty()) {
    reader.error_below(node, "builds", "the fleet has no builds", "list at least the base build");
  }
  const Node* region_list = node.find("regions");
  if (region_list != nullptr && region_list->is_sequence() && region_list->items.empty()) {
    reader.error_below(node, "regions", "the fleet has no regions",
                       "leave `regions` out for one region named local");
  }
  if (fleet->base.empty() && !fleet->builds.empty()) fleet->base = fleet->builds[0].version;
  bool builds_known = !fleet->builds.empty();
  for (std::size_t i = 0; i < fleet->builds.size(); ++i)
    builds_known = builds_known && !reader.is_wrong_below(fmt::format("builds[{}].version", i));
  if (!fleet->base.empty() && builds_known && fleet->build(fleet->base) == nullptr) {
    reader.error_below(
        node, "base", fmt::format("the base '{}' is not among the builds", fleet->base),
        suggestion(fleet->base, std::vector<std::string>(versions.begin(), versions.end())));
  }
}

}  // namespace

const Shape<FleetSpec>& fleet_shape() {
  static const Shape<FleetSpec> shape(
      "Fleet", "Game servers of one purpose.",
      {field("driver", &FleetSpec::driver,
             choice<std::string>({{"process", "process"}, {"agones", "agones"}}),
             "What runs the instances; this version refuses agones.")
           .assumed("process"),
       field("base", &FleetSpec::base, version(), "The build outside of any event.")
           .derived_as("the first build"),
       list_field("builds", &FleetSpec::builds, build_shape(), "The builds it can run.", 1'000)
           .needed(),
       list_field("regions", &FleetSpec::regions, region_shape(), "Where.", 1'000)
           .assumed(R"([{"name":"local"}])"),
       section("spread", spread_section(), "Over zones."),
       object_field("capacity", &FleetSpec::capacity, capacity_shape(), "How many."),
       object_field("health", &FleetSpec::health, health_shape(), "Health and quarantine."),
       section("session", session_section(), "Sessions."),
       section("limits", limits_section(), "Limits of an instance."),
       field("ports", &FleetSpec::ports, list(dns_label(), 16),
             "Names of the UDP and TCP ports that an instance is given, in their order.")
           .assumed(R"(["default"])"),
       field("user", &FleetSpec::user, text(),
             "The user of the machine that game servers run as, when the server is root.")
           .derived_as("the server's own"),
       field("counters", &FleetSpec::counters, map_of(big_integer(0)),
             "Counters of the Agones SDK that an instance may use: name → capacity.")
           .assumed("{}"),
       field("lists", &FleetSpec::lists, map_of(big_integer(0)),
             "Lists of the Agones SDK that an instance may use: name → capacity.")
           .assumed("{}"),
       field("stop_grace", &FleetSpec::stop_grace, duration(),
             "Between asking an instance to end and ending it.")
           .assumed("10s")},
      finish_fleet);
  return shape;
}

}  // namespace showcaller::manifest
