// SPDX-License-Identifier: Apache-2.0
#include "adapters/process/shim_protocol.h"

#include <algorithm>

#include <fmt/format.h>

namespace showcaller {
namespace {

constexpr std::string_view kDisturbances[] = {"kill", "pause", "resume"};  // by Disturbance

json::object from_map(const std::map<std::string, std::string>& map) {
  json::object out;
  for (const auto& [key, value] : map) out.emplace(key, value);
  return out;
}

json::object from_map(const std::map<std::string, std::int64_t>& map) {
  json::object out;
  for (const auto& [key, value] : map) out.emplace(key, value);
  return out;
}

std::map<std::string, std::string> to_map(const json::object& object, std::string_view key) {
  std::map<std::string, std::string> out;
  const json::value* value = get_if(object, key);
  if (!value || !value->is_object()) return out;
  for (const auto& [name, one] : value->get_object()) {
    if (one.is_string()) out.emplace(std::string(name), std::string(one.get_string()));
  }
  return out;
}

std::map<std::string, std::int64_t> to_int_map(const json::object& object, std::string_view key) {
  std::map<std::string, std::int64_t> out;
  const json::value* value = get_if(object, key);
  if (!value || !value->is_object()) return out;
  for (const auto& [name, one] : value->get_object()) {
    if (one.is_int64()) out.emplace(std::string(name), one.get_int64());
  }
  return out;
}

Result<json::object> parse_object(std::string_view text) {
  TRY(json::value value, parse_json(text, {.bytes_max = kLineBytesMax, .depth_max = 16}));
  if (!value.is_object()) return fail(ErrorCode::Corrupt, "not a JSON object");
  return std::move(value.get_object());
}

json::object to_json(const ProcessIdentity& identity) {
  return {
      {"boot_id", identity.boot_id}, {"pid", identity.pid}, {"start_ticks", identity.start_ticks}};
}

ProcessIdentity identity_from(const json::object& object, std::string_view key) {
  const json::value* value = get_if(object, key);
  if (!value || !value->is_object()) return {};
  const json::object& identity = value->get_object();
  return {get_string(identity, "boot_id"), pid_t(get_int(identity, "pid")),
          std::uint64_t(get_int(identity, "start_ticks"))};
}

json::object to_json(const HealthProbe& probe) {
  return {{"kind", std::int64_t(probe.kind)},
          {"port", probe.port},
          {"path", probe.path},
          {"period_ms", probe.period.count()},
          {"timeout_ms", probe.timeout.count()},
          {"failures", probe.failures}};
}

HealthProbe probe_from(const json::object& object) {
  return {.kind = static_cast<ProbeKind>(std::clamp<std::int64_t>(get_int(object, "kind"), 0, 2)),
          .port = get_string(object, "port"),
          .path = get_string(object, "path"),
          .period = Duration(get_int(object, "period_ms")),
          .timeout = Duration(get_int(object, "timeout_ms")),
          .failures = int(get_int(object, "failures"))};
}

json::object to_json(const ObservedInstance& instance) {
  json::object out;
  out["id"] = instance.id;
  out["fleet"] = instance.fleet;
  out["build"] = instance.build;
  out["region"] = instance.region;
  out["host"] = instance.host;
  out["epoch"] = std::int64_t(instance.epoch);
  out["state"] = std::string(to_string(instance.state));
  out["was_ready"] = instance.was_ready;
  out["address"] = instance.address;
  out["ports"] = json::array(instance.ports.begin(), instance.ports.end());
  if (instance.session) out["session"] = *instance.session;
  out["players"] = instance.players;
  out["capacity"] = instance.capacity;
  out["sessions_ended"] = instance.sessions_ended;
  out["started_at_ms"] = to_ms(instance.started_at);
  if (instance.exit) {
    out["exit"] = json::object{{"code", instance.exit->code},
                               {"signal", instance.exit->signal},
                               {"wanted", instance.exit->wanted}};
  }
  out["labels"] = from_map(instance.labels);
  out["annotations"] = from_map(instance.annotations);
  return out;
}

Result<ObservedInstance> instance_from(const json::object& object) {
  ObservedInstance out;
  out.id = get_string(object, "id");
  out.fleet = get_string(object, "fleet");
  out.build = get_string(object, "build");
  out.region = get_string(object, "region");
  out.host = get_string(object, "host");
  out.epoch = std::uint64_t(get_int(object, "epoch"));
  const auto state = instance_state_from(get_string(object, "state"));
  if (out.id.empty() || !state)
    return fail(ErrorCode::Corrupt, "a report without an id or a known state");
  out.state = *state;
  out.was_ready = get_bool(object, "was_ready");
  out.address = get_string(object, "address");
  if (const json::value* ports = get_if(object, "ports"); ports && ports->is_array()) {
    for (const json::value& port : ports->get_array()) {
      if (port.is_int64()) out.ports.push_back(int(port.get_int64()));
    }
  }
  if (get_if(object, "session")) out.session = get_string(object, "session");
  out.players = get_int(object, "players");
  out.capacity = get_int(object, "capacity");
  out.sessions_ended = get_int(object, "sessions_ended");
  out.started_at = instant_ms(get_int(object, "started_at_ms"));
  if (const json::value* exit = get_if(object, "exit"); exit && exit->is_object()) {
    const json::object& how = exit->get_object();
    out.exit = InstanceExit{int(get_int(how, "code")), int(get_int(how, "signal")),
                            get_bool(how, "wanted")};
  }
  out.labels = to_map(object, "labels");
  out.annotations = to_map(object, "annotations");
  return out;
}

}  // namespace

std::string to_text(const ShimReport& report) {
  json::object out;
  out["instance"] = to_json(report.instance);
  out["shim"] = to_json(report.shim);
  out["game"] = to_json(report.game);
  return to_json_text(out);
}

Result<ShimReport> parse_report(std::string_view text) {
  TRY(json::object object, parse_object(text));
  const json::value* instance = get_if(object, "instance");
  if (!instance || !instance->is_object())
    return fail(ErrorCode::Corrupt, "a report without an instance");
  ShimReport report;
  TRY(report.instance, instance_from(instance->get_object()));
  report.shim = identity_from(object, "shim");
  report.game = identity_from(object, "game");
  return report;
}

std::string to_text(const StoredSpec& stored) {
  const InstanceSpec& spec = stored.spec;
  json::object out;
  out["epoch"] = std::int64_t(stored.epoch);
  out["id"] = spec.id;
  out["fleet"] = spec.fleet;
  out["build"] = spec.build;
  out["region"] = spec.region;
  out["host"] = spec.host;
  json::array command;
  for (const std::string& word : spec.command) command.emplace_back(word);
  out["command"] = std::move(command);
  out["env"] = from_map(spec.env);
  out["work_folder"] = spec.work_folder;
  out["labels"] = from_map(spec.labels);
  if (!spec.user.empty()) out["user"] = spec.user;
  out["ports"] = json::array(spec.ports.begin(), spec.ports.end());
  if (spec.probe) out["probe"] = to_json(*spec.probe);
  out["health_period_ms"] = spec.health_period.count();
  out["health_failures"] = spec.health_failures;
  out["start_timeout_ms"] = spec.start_timeout.count();
  out["memory_mib_max"] = spec.limits.memory_mib_max;
  out["open_files_max"] = spec.limits.open_files_max;
  out["log_bytes_max"] = spec.limits.log_bytes_max;
  out["counters"] = from_map(spec.counters);
  out["lists"] = from_map(spec.lists);
  return to_json_text(out);
}

Result<StoredSpec> parse_stored_spec(std::string_view text) {
  TRY(json::object object, parse_object(text));
  StoredSpec stored;
  InstanceSpec& spec = stored.spec;
  stored.epoch = std::uint64_t(get_int(object, "epoch"));
  spec.id = get_string(object, "id");
  if (spec.id.empty()) return fail(ErrorCode::Corrupt, "a stored spec without an id");
  spec.fleet = get_string(object, "fleet");
  spec.build = get_string(object, "build");
  spec.region = get_string(object, "region");
  spec.host = get_string(object, "host");
  if (const json::value* command = get_if(object, "command"); command && command->is_array()) {
    for (const json::value& word : command->get_array()) {
      if (word.is_string()) spec.command.emplace_back(word.get_string());
    }
  }
  spec.env = to_map(object, "env");
  spec.work_folder = get_string(object, "work_folder");
  spec.labels = to_map(object, "labels");
  spec.user = get_string(object, "user");
  spec.ports.clear();
  if (const json::value* ports = get_if(object, "ports"); ports && ports->is_array()) {
    for (const json::value& port : ports->get_array()) {
      if (port.is_string()) spec.ports.emplace_back(port.get_string());
    }
  }
  if (const json::value* probe = get_if(object, "probe"); probe && probe->is_object())
    spec.probe = probe_from(probe->get_object());
  spec.health_period = Duration(get_int(object, "health_period_ms"));
  spec.health_failures = int(get_int(object, "health_failures"));
  spec.start_timeout = Duration(get_int(object, "start_timeout_ms"));
  spec.limits = {get_int(object, "memory_mib_max"), get_int(object, "open_files_max"),
                 get_int(object, "log_bytes_max", spec.limits.log_bytes_max)};
  spec.counters = to_int_map(object, "counters");
  spec.lists = to_int_map(object, "lists");
  return stored;
}

std::string to_text(const ShimCommand& command) {
  struct Writer {
    json::object operator()(const AdoptCommand& one) const {
      return {{"do", "adopt"}, {"epoch", std::int64_t(one.epoch)}};
    }
    json::object operator()(const StopCommand& one) const {
      return {{"do", "stop"},
              {"epoch", std::int64_t(one.epoch)},
              {"grace_ms", one.grace.count()},
              {"reason", one.reason}};
    }
    json::object operator()(const AllocateCommand& one) const {
      return {{"do", "allocate"},
              {"epoch", std::int64_t(one.epoch)},
              {"session", one.allocation.session},
              {"labels", from_map(one.allocation.labels)},
              {"annotations", from_map(one.allocation.annotations)}};
    }
    json::object operator()(const DisturbCommand& one) const {
      json::object out{{"do", kDisturbances[std::size_t(one.what)]},
                       {"epoch", std::int64_t(one.epoch)}};
      if (one.what == Disturbance::Pause) out["for_ms"] = one.lasts.count();
      return out;
    }
  };
  return to_json_text(std::visit(Writer(), command));
}

Result<ShimCommand> parse_command(std::string_view text) {
  TRY(json::object object, parse_object(text));
  const std::string what = get_string(object, "do");
  const auto epoch = std::uint64_t(get_int(object, "epoch"));
  if (what == "adopt") return AdoptCommand{epoch};
  if (what == "stop") {
    return StopCommand{epoch, Duration(get_int(object, "grace_ms")), get_string(object, "reason")};
  }
  if (what == "allocate") {
    return AllocateCommand{epoch,
                           {.session = get_string(object, "session"),
                            .labels = to_map(object, "labels"),
                            .annotations = to_map(object, "annotations")}};
  }
  for (std::size_t i = 0; i < std::size(kDisturbances); ++i) {
    if (what == kDisturbances[i])
      return DisturbCommand{epoch, Disturbance(i), Duration(get_int(object, "for_ms"))};
  }
  return fail(ErrorCode::Unsupported, fmt::format("no such command: '{}'", what.substr(0, 64)));
}

}  // namespace showcaller
