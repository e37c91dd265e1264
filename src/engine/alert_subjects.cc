// SPDX-License-Identifier: Apache-2.0
#include "engine/alert_subjects.h"

#include <fmt/format.h>

#include "base/suggest.h"
#include "engine/decide.h"

namespace showcaller {
namespace {

bool is_changing(const EventState& event) {
  return event.manifest && (layer_is_active(event.phase) || event.phase == Phase::RollingBack ||
                            event.phase == Phase::RollbackStuck);
}

void add_fleet(const World& world, const std::string& fleet, std::vector<std::string>* out) {
  world.events.each([&](const std::string& name, const EventState& event) {
    if (!is_changing(event)) return;
    for (const Change& change : event.spec().changes) {
      const auto* build = std::get_if<BuildChange>(&change.what);
      if (!build || build->fleet != fleet) continue;
      out->push_back(subject_name(Kind::LiveEvent, name));
      return;
    }
  });
}

void add_service(const World& world, const std::string& name, std::vector<std::string>* out) {
  const auto manifest = world.manifest(Kind::Service, name);
  if (!manifest) return;
  const auto& service = manifest->as<ServiceSpec>();
  for (const std::string& fleet : fleets_of_service(world, service))
    out->push_back(subject_name(Kind::Fleet, fleet));
  for (const std::string& other : service.depends_on)
    out->push_back(subject_name(Kind::Service, other));
}

void add_event(const World& world, const std::string& name, std::vector<std::string>* out) {
  const EventState* event = world.event(name);
  if (!event || !is_changing(*event)) return;
  for (const Change& change : event->spec().changes) {
    const auto* action = std::get_if<ActionChange>(&change.what);
    if (!action) continue;
    const std::string service = action->act.substr(0, action->act.find('/'));
    if (world.manifest(Kind::Service, service))
      out->push_back(subject_name(Kind::Service, service));
  }
}

std::vector<std::string> hangs_by(const World& world, const SubjectParts& subject) {
  std::vector<std::string> out;
  if (subject.kind == Kind::Service) add_service(world, subject.name, &out);
  if (subject.kind == Kind::Fleet) add_fleet(world, subject.name, &out);
  if (subject.kind == Kind::LiveEvent) add_event(world, subject.name, &out);
  return out;
}

}  // namespace

std::optional<SubjectParts> parse_subject(std::string_view subject) {
  for (const Kind kind : {Kind::LiveEvent, Kind::Service, Kind::Fleet}) {
    const std::string prefix = subject_name(kind, "");
    if (subject.starts_with(prefix) && subject.size() > prefix.size())
      return SubjectParts{kind, std::string(subject.substr(prefix.size()))};
  }
  return std::nullopt;
}

std::string missing_subject(const World& world, std::string_view subject) {
  const auto parts = parse_subject(subject);
  if (!parts) {
    return fmt::format("'{}' is no subject; write Service/NAME, Fleet/NAME or LiveEvent/NAME",
                       subject.substr(0, 64));
  }
  if (parts->kind == Kind::LiveEvent ? world.event(parts->name) != nullptr
                                     : world.manifest(parts->kind, parts->name) != nullptr)
    return "";
  return fmt::format("there is no {} '{}'{}", to_string(parts->kind), parts->name,
                     did_you_mean(parts->name, names_of(world, parts->kind),
                                  "`showcaller get` lists what there is"));
}

std::string team_of(const World& world, std::string_view subject) {
  const auto parts = parse_subject(subject);
  if (!parts) return "";
  if (parts->kind == Kind::LiveEvent) {
    const EventState* event = world.event(parts->name);
    return event && event->manifest ? event->manifest->owner : "";
  }
  const auto manifest = world.manifest(parts->kind, parts->name);
  if (!manifest) return "";
  const auto* service = std::get_if<ServiceSpec>(&manifest->spec);
  return service && !service->team.empty() ? service->team : manifest->owner;
}

std::vector<std::string> fleets_of_service(const World& world, const ServiceSpec& service) {
  return service.fleets.empty() ? names_of(world, Kind::Fleet) : service.fleets;
}

std::string runbook_of(const World& world, std::string_view subject) {
  const auto parts = parse_subject(subject);
  if (!parts) return "";
  if (parts->kind == Kind::LiveEvent) {
    const EventState* event = world.event(parts->name);
    return event && event->manifest ? event->spec().runbook : "";
  }
  const auto manifest = world.manifest(parts->kind, parts->name);
  if (parts->kind == Kind::Service) return manifest ? manifest->as<ServiceSpec>().runbook : "";
  for (const std::string& name : names_of(world, Kind::Service)) {
    const auto service = world.manifest(Kind::Service, name);
    if (!service->as<ServiceSpec>().runbook.empty() &&
        upstream_of(world, subject_name(Kind::Service, name)).contains(std::string(subject)))
      return service->as<ServiceSpec>().runbook;
  }
  return "";
}

std::set<std::string> upstream_of(const World& world, std::string_view subject) {
  std::set<std::string> out{std::string(subject)};
  std::vector<std::string> open{std::string(subject)};
  while (!open.empty()) {
    const std::string next = std::move(open.back());
    open.pop_back();
    const auto parts = parse_subject(next);
    if (!parts) continue;
    for (std::string& more : hangs_by(world, *parts)) {
      if (out.insert(more).second) open.push_back(std::move(more));
    }
  }
  return out;
}

}  // namespace showcaller
