// SPDX-License-Identifier: Apache-2.0
#include "wire/command_json.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/suggest.h"
#include "wire/field_reader.h"

namespace showcaller {
namespace {

template <class Enum>
Result<Enum> enum_from(std::string_view text, std::string_view what) {
  const auto& names = EnumNames<Enum>::names;
  const auto found = std::ranges::find(names, text);
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  std::vector<std::string> known(names.begin(), names.end());
  const auto near = nearest_word(text, known);
  return fail(ErrorCode::Invalid, fmt::format("'{}' is no {}; {}{}", text, what,
                                              near ? fmt::format("did you mean '{}'? ", *near) : "",
                                              fmt::format("there are {}", fmt::join(known, ", "))));
}

constexpr std::array<std::string_view, 3> kOfEveryCommand{"do", "key", "reason"};

Result<CommandBody> quarantine_command(FieldReader& reader, bool release) {
  QuarantineCommand command{.release = release};
  TRY(const auto scope, reader.text("scope"));
  TRY(command.scope, enum_from<QuarantineScope>(scope, "scope of a quarantine"));
  TRY(command.fleet, reader.text("fleet", false));
  TRY(command.subject, reader.text("subject"));
  TRY(const auto length, reader.text("for", false));
  if (!length.empty()) {
    TRY(command.for_how_long, parse_duration(length));
  }
  TRY(reader.finish());
  return command;
}

Result<CommandBody> silence_command(FieldReader& reader) {
  SilenceCommand command;
  TRY(command.subject, reader.text("subject"));
  TRY(command.event, reader.text("event", false));
  TRY(const auto length, reader.text("for", false));
  if (!length.empty()) {
    TRY(command.for_how_long, parse_duration(length));
  }
  TRY(reader.finish());
  return command;
}

Result<Kind> kind_of(const std::string& text) {
  for (int i = 0; i < kKinds; ++i) {
    if (to_string(static_cast<Kind>(i)) == text) return static_cast<Kind>(i);
  }
  return fail(ErrorCode::Invalid,
              fmt::format("'{}' is no kind of manifest; write it as in the manifest", text));
}

Result<CommandBody> prove_command(FieldReader& reader) {
  ProveGateCommand command;
  TRY(command.event, reader.text("event"));
  TRY(command.gate, reader.text("gate"));
  TRY(command.hash, reader.text("hash"));
  TRY(const auto method, reader.text("method"));
  TRY(command.method, enum_from<ProofMethod>(method, "method of a proof"));
  TRY(const auto runs, reader.whole("runs"));
  if (!runs || *runs < 1)
    return fail(ErrorCode::Invalid, "'runs' is missing or below 1; say how many were made");
  command.runs = *runs;
  TRY(command.verdict, reader.text("verdict"));
  TRY(reader.finish());
  return command;
}

Result<CommandBody> event_command(FieldReader& reader, EventVerb verb) {
  EventCommand command{.verb = verb};
  TRY(command.event, reader.text("event"));
  TRY(command.expected_revision, reader.whole("expected_revision"));
  if (verb == EventVerb::Pace) {
    TRY(const auto pace, reader.whole("pace_per_minute"));
    if (!pace || *pace < 0) {
      return fail(
          ErrorCode::Invalid,
          "'pace_per_minute' is missing or negative; give new sessions a minute, 0 for no pace");
    }
    command.pace_per_minute = *pace;
  }
  TRY(reader.finish());
  return command;
}

}  // namespace

Result<EventVerb> event_verb(std::string_view text) {
  return enum_from<EventVerb>(text, "verb for an event");
}

Result<CommandBody> command_from_json(std::string_view verb, const json::object& fields) {
  FieldReader reader(fields, kOfEveryCommand);
  if (verb == "approve") {
    ApproveCommand command;
    TRY(command.event, reader.text("event"));
    TRY(command.hash, reader.text("hash"));
    TRY(command.break_glass, reader.yes_or_no("break_glass", false));
    TRY(reader.finish());
    return command;
  }
  if (verb == "prove") return prove_command(reader);
  if (verb == "ready") {
    ReadyCommand command;
    TRY(command.event, reader.text("event"));
    TRY(command.check, reader.text("check"));
    TRY(command.ready, reader.yes_or_no("ready", true));
    TRY(command.detail, reader.text("detail", false));
    TRY(reader.finish());
    return command;
  }
  if (verb == "stop-line" || verb == "resume-line") {
    LineCommand command{.stop = verb == "stop-line"};
    TRY(command.scope, reader.text("scope", false));
    TRY(reader.finish());
    return command;
  }
  if (verb == "quarantine" || verb == "release")
    return quarantine_command(reader, verb == "release");
  if (verb == "drill" || verb == "stop-drill") {
    DrillCommand command{.stop = verb == "stop-drill"};
    TRY(command.drill, reader.text("drill"));
    TRY(reader.finish());
    return command;
  }
  if (verb == "kill-flag" || verb == "reopen-flag") {
    FlagCommand command{.reopen = verb == "reopen-flag"};
    TRY(command.flag, reader.text("flag"));
    TRY(reader.finish());
    return command;
  }
  if (verb == "withdraw-feature" || verb == "restore-feature") {
    FeatureCommand command{.restore = verb == "restore-feature"};
    TRY(command.service, reader.text("service"));
    TRY(command.feature, reader.text("feature"));
    TRY(reader.finish());
    return command;
  }
  if (verb == "acknowledge" || verb == "resolve" || verb == "own") {
    AlertCommand command;
    TRY(command.alert, reader.text("alert"));
    TRY(command.verb, enum_from<AlertVerb>(verb, "verb for an alert"));
    if (command.verb == AlertVerb::Own) {
      TRY(command.owner, reader.text("owner", false));
    }
    TRY(reader.finish());
    return command;
  }
  if (verb == "silence") return silence_command(reader);
  if (verb == "unsilence") {
    UnsilenceCommand command;
    TRY(command.silence, reader.text("silence"));
    TRY(reader.finish());
    return command;
  }
  if (verb == "undo-config") {
    ConfigUndoCommand command;
    TRY(command.config, reader.text("config"));
    TRY(const auto to, reader.whole("to"));
    if (!to || *to < 1)
      return fail(ErrorCode::Invalid, "'to' is missing or below 1; say a version");
    command.to = *to;
    TRY(reader.finish());
    return command;
  }
  if (verb == "remove") {
    RemoveCommand command;
    TRY(const auto kind, reader.text("kind"));
    TRY(command.kind, kind_of(kind));
    TRY(command.name, reader.text("name"));
    TRY(reader.finish());
    return command;
  }
  if (verb == "revoke-token") {
    RevokeTokenCommand command;
    TRY(command.id, reader.text("id"));
    TRY(reader.finish());
    return command;
  }
  TRY(const auto of_event, event_verb(verb));
  return event_command(reader, of_event);
}

json::object receipt_to_json(const Receipt& receipt) {
  return {{"seq", receipt.seq},
          {"repeated", receipt.repeated},
          {"notes", json::value_from(receipt.notes)}};
}

void append_receipt(std::string* out, const Receipt& receipt) {
  fmt::format_to(std::back_inserter(*out), R"({{"seq":{},"repeated":{},"notes":[)", receipt.seq,
                 receipt.repeated);
  for (std::size_t i = 0; i < receipt.notes.size(); ++i) {
    if (i > 0) *out += ',';
    append_json_string(out, receipt.notes[i]);
  }
  *out += "]}";
}

}  // namespace showcaller
