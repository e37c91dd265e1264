// SPDX-License-Identifier: Apache-2.0
// What alerts are about: whose it is, where its next steps are written, and what it hangs by. Pure.
//
//   Service → the fleets whose sessions it is about, the services that it depends on
//   Fleet → the LiveEvents that change it, while they do
//   LiveEvent → the services that its actions call
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "model/world.h"

namespace showcaller {

inline std::string subject_name(Kind kind, std::string_view name) {
  return std::string(to_string(kind)) + "/" + std::string(name);
}
struct SubjectParts {
  Kind kind = Kind::LiveEvent;
  std::string name;
};
// Absent: it is no subject.
std::optional<SubjectParts> parse_subject(std::string_view subject);
// Why there is nothing of that name; empty: there is.
std::string missing_subject(const World& world, std::string_view subject);

// Whose it is: a Service's team, else the owner.
std::string team_of(const World& world, std::string_view subject);
// A fleet has that of a service on it. Empty: nobody wrote one.
std::string runbook_of(const World& world, std::string_view subject);
// What might explain trouble with it, itself included, however far off.
std::set<std::string> upstream_of(const World& world, std::string_view subject);

// "LiveEvent/winter-raid" of "winter-raid"; of a service the events whose players its SLO is about.
std::vector<std::string> fleets_of_service(const World& world, const ServiceSpec& service);

}  // namespace showcaller
