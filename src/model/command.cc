// SPDX-License-Identifier: Apache-2.0
#include "model/command.h"

namespace showcaller {
namespace {

struct VerbOf {
  std::string_view operator()(const ApplyCommand&) const { return "apply"; }
  std::string_view operator()(const RemoveCommand&) const { return "apply"; }
  std::string_view operator()(const ApproveCommand&) const { return "approve"; }
  std::string_view operator()(const EventCommand& c) const {
    return c.verb == EventVerb::Undivert ? "divert" : enum_name(c.verb);
  }
  std::string_view operator()(const ReadyCommand&) const { return "ready"; }
  std::string_view operator()(const LineCommand& c) const {
    return c.stop ? "stop-line" : "resume-line";
  }
  std::string_view operator()(const QuarantineCommand& c) const {
    return c.release ? "release" : "quarantine";
  }
  std::string_view operator()(const CreateTokenCommand&) const { return "token"; }
  std::string_view operator()(const RevokeTokenCommand&) const { return "token"; }
};

}  // namespace

std::string_view verb_of(const CommandBody& body) {
  return std::visit(VerbOf{}, body);
}

bool is_toward_safety(const CommandBody& body) {
  if (const auto* event = std::get_if<EventCommand>(&body)) {
    switch (event->verb) {
      case EventVerb::Hold:
      case EventVerb::StepBack:
      case EventVerb::Rollback:
      case EventVerb::Cancel:
      case EventVerb::Divert:
        return true;
      case EventVerb::Pace:
        return event->pace_per_minute > 0;
      default:
        return false;
    }
  }
  if (const auto* line = std::get_if<LineCommand>(&body)) return line->stop;
  if (const auto* quarantine = std::get_if<QuarantineCommand>(&body)) return !quarantine->release;
  return std::holds_alternative<RevokeTokenCommand>(body);
}

}  // namespace showcaller
