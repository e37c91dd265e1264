// SPDX-License-Identifier: Apache-2.0
#include "model/command.h"

#include <cstring>

#include "base/fields.h"
#include "base/hash.h"

namespace showcaller {
namespace {

struct VerbOf {
  std::string_view operator()(const ApplyCommand&) const { return "apply"; }
  std::string_view operator()(const RemoveCommand&) const { return "apply"; }
  std::string_view operator()(const ApproveCommand& c) const {
    return c.break_glass ? "break-glass" : "approve";
  }
  std::string_view operator()(const ProveGateCommand&) const { return "prove"; }
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
  std::string_view operator()(const DrillCommand&) const { return "drill"; }
  std::string_view operator()(const FlagCommand& c) const {
    return c.reopen ? "reopen-flag" : "kill-flag";
  }
  std::string_view operator()(const FeatureCommand& c) const {
    return c.restore ? "restore-feature" : "withdraw-feature";
  }
  std::string_view operator()(const ConfigUndoCommand&) const { return "apply"; }
  std::string_view operator()(const MergeFlagsCommand&) const { return "relay"; }
  std::string_view operator()(const AlertCommand& c) const { return enum_name(c.verb); }
  std::string_view operator()(const SilenceCommand&) const { return "silence"; }
  std::string_view operator()(const UnsilenceCommand&) const { return "unsilence"; }
  std::string_view operator()(const CreateTokenCommand&) const { return "token"; }
  std::string_view operator()(const RevokeTokenCommand&) const { return "token"; }
};

// Every part quoted, so that no two commands give one text. The digest is on disk for a day: what a
// kind of command says here only changes together with the command.
struct TextOf {
  std::string operator()(const ApplyCommand& c) const {
    std::string out = "apply";
    for (const auto& manifest : c.manifests) add(&out, {manifest->key(), manifest->hash});
    return out;
  }
  std::string operator()(const RemoveCommand& c) const {
    return text("remove", {to_string(c.kind), c.name});
  }
  std::string operator()(const ApproveCommand& c) const {
    return text(c.break_glass ? "break-glass" : "approve", {c.event, c.hash});
  }
  std::string operator()(const ProveGateCommand& c) const {
    return text("prove",
                {c.event, c.gate, c.hash, enum_name(c.method), std::to_string(c.runs), c.verdict});
  }
  std::string operator()(const EventCommand& c) const {
    return text(enum_name(c.verb), {c.event, std::to_string(c.pace_per_minute),
                                    std::to_string(c.expected_revision.value_or(0))});
  }
  std::string operator()(const ReadyCommand& c) const {
    return text(c.ready ? "ready" : "unready", {c.event, c.check, c.detail});
  }
  std::string operator()(const LineCommand& c) const { return text(VerbOf{}(c), {c.scope}); }
  std::string operator()(const QuarantineCommand& c) const {
    return text(VerbOf{}(c),
                {enum_name(c.scope), c.fleet, c.subject, std::to_string(c.for_how_long.count())});
  }
  std::string operator()(const DrillCommand& c) const {
    return text(c.stop ? "stop-drill" : "drill", {c.drill});
  }
  std::string operator()(const FlagCommand& c) const { return text(VerbOf{}(c), {c.flag}); }
  std::string operator()(const FeatureCommand& c) const {
    return text(VerbOf{}(c), {c.service, c.feature});
  }
  std::string operator()(const ConfigUndoCommand& c) const {
    return text("undo-config", {c.config, std::to_string(c.to)});
  }
  std::string operator()(const MergeFlagsCommand& c) const {
    return text("merge-flags", {c.place, to_json_text(moves_to_json(c.flags))});
  }
  std::string operator()(const AlertCommand& c) const {
    if (c.verb == AlertVerb::Own) return text(VerbOf{}(c), {c.alert, c.owner});
    return text(VerbOf{}(c), {c.alert});
  }
  std::string operator()(const SilenceCommand& c) const {
    return text("silence", {c.subject, c.event, std::to_string(c.for_how_long.count())});
  }
  std::string operator()(const UnsilenceCommand& c) const { return text("unsilence", {c.silence}); }
  std::string operator()(const CreateTokenCommand& c) const {
    std::string out = text("create-token", {c.name});
    for (const std::string& role : c.roles) add(&out, {role});
    return out;
  }
  std::string operator()(const RevokeTokenCommand& c) const { return text("revoke-token", {c.id}); }

 private:
  using Parts = std::initializer_list<std::string_view>;
  static void add(std::string* out, Parts parts) {
    for (const std::string_view part : parts) append_json_string(out, part);
  }
  static std::string text(std::string_view verb, Parts parts) {
    std::string out;
    out.reserve(120);
    out += verb;
    add(&out, parts);
    return out;
  }
};

}  // namespace

CommandBody::CommandBody() = default;
CommandBody::CommandBody(const CommandBody& other) = default;
CommandBody::CommandBody(CommandBody&& other) noexcept = default;
CommandBody& CommandBody::operator=(const CommandBody& other) = default;
CommandBody& CommandBody::operator=(CommandBody&& other) noexcept = default;
CommandBody::~CommandBody() = default;

std::uint64_t digest_of(const CommandBody& body) {
  const Sha256 whole = sha256(std::visit(TextOf{}, body));
  std::uint64_t digest = 0;
  std::memcpy(&digest, whole.data(), sizeof digest);
  return digest == 0 ? 1 : digest;  // 0 is a record that does not say.
}

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
  if (const auto* drill = std::get_if<DrillCommand>(&body)) return drill->stop;
  if (const auto* flag = std::get_if<FlagCommand>(&body)) return !flag->reopen;
  if (const auto* feature = std::get_if<FeatureCommand>(&body)) return !feature->restore;
  // Somebody looks, or hears again.
  if (const auto* alert = std::get_if<AlertCommand>(&body))
    return alert->verb != AlertVerb::Resolve;
  if (std::holds_alternative<UnsilenceCommand>(body)) return true;
  // It has happened, by those who might.
  if (std::holds_alternative<MergeFlagsCommand>(body)) return true;
  return std::holds_alternative<RevokeTokenCommand>(body);
}

}  // namespace showcaller
