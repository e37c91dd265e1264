// SPDX-License-Identifier: Apache-2.0
// Golden conversations: a command, ----, and all that followed. tests/host/conversations/README.md
// has the words. SHOWCALLER_REWRITE=1 writes what followed into the files; the author must
// understand the difference.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "engine/alert_view.h"
#include "engine/exposure_share.h"
#include "engine/flag_facts.h"
#include "engine/incident_view.h"
#include "engine/view.h"
#include "flag/flag_set.h"
#include "flow/flag_explanation.h"
#include "model/gate_hash.h"
#include "model/manifest/manifest.h"
#include "policy/freezes.h"
#include "tests/host/theatre.h"

namespace showcaller::test {
namespace {

namespace fs = std::filesystem;
const fs::path kFolder = fs::path(SHOWCALLER_SOURCE_DIR) / "tests/host/conversations";

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line.substr(0, line.find('#')));
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

double share_of(const std::string& word) {
  const double value = std::stod(word);
  return word.ends_with('%') ? value / 100 : value;
}

class Conversation {
 public:
  // Everything that one command led to.
  std::string say(const std::string& line) {
    const std::vector<std::string> words = words_of(line);
    std::string out;
    if (!words.empty()) out = speak(words);
    for (const Record& record : theatre_.take_records()) {
      incidents_.note(record);
      const bool quiet = std::holds_alternative<InstanceRequested>(record.payload) ||
                         std::holds_alternative<InstanceMoved>(record.payload);
      if (quiet && !show_instances_) continue;
      const Duration at = record.time - start_;
      out += fmt::format("{:02}:{:02}:{:02}  {}\n", at.count() / 3'600'000,
                         at.count() / 60'000 % 60, at.count() / 1000 % 60, record_line(record));
    }
    for (const Error& error : theatre_.errors) out += fmt::format("error: {}\n", error.message);
    theatre_.errors.clear();
    return out;
  }

 private:
  std::string answer(const Result<Receipt>& receipt) {
    if (!receipt)
      return fmt::format("refused ({}): {}\n", to_string(receipt.error().code),
                         receipt.error().message);
    return receipt->repeated ? "repeated: nothing happened again\n" : "";
  }

  std::string noted(const Result<Receipt>& receipt) {
    std::string out = answer(receipt);
    if (!receipt) return out;
    for (const std::string& note : receipt->notes) out += "note: " + note + "\n";
    return out;
  }

  std::string speak(const std::vector<std::string>& w) {
    const std::string& verb = w[0];
    const std::string arg = w.size() > 1 ? w[1] : "";
    const std::string arg2 = w.size() > 2 ? w[2] : "";
    const std::string arg3 = w.size() > 3 ? w[3] : "";
    if (verb == "incidents") return incidents();
    if (verb == "try") return tried({w.begin() + 1, w.end()});
    if (verb == "apply") {
      return answer(
          theatre_.apply(arg, text_of(kFolder / "manifests" / arg), arg2.empty() ? "ann" : arg3));
    }
    if (verb == "apply-aloud")
      return noted(theatre_.apply(arg, text_of(kFolder / "manifests" / arg)));
    if (verb == "remove") return answer(theatre_.command(RemoveCommand{*kind_from(arg), arg2}));
    if (verb == "apply-early")
      return answer(
          theatre_.apply(arg, text_of(kFolder / "manifests" / arg), "ann", Theatre::Check::Early));
    if (const auto event_verb = enum_from<EventVerb>(verb)) {
      EventCommand command{arg, *event_verb};
      if (verb == "pace") command.pace_per_minute = std::stoll(arg2);
      return answer(theatre_.command(command));
    }
    if (verb == "ready") return answer(theatre_.command(ReadyCommand{arg, arg2, true, arg3}));
    if (verb == "unready") return answer(theatre_.command(ReadyCommand{arg, arg2, false, arg3}));
    if (verb == "approve") return answer(theatre_.command(ApproveCommand{arg, {}}, arg2));
    if (verb == "prove") return prove(arg, arg2, arg3);
    if (verb == "break-glass") {
      const std::string reason = fmt::format("{}", fmt::join(w.begin() + 3, w.end(), " "));
      return noted(theatre_.command(ApproveCommand{arg, {}, true}, arg2, reason));
    }
    if (verb == "remove") return answer(theatre_.command(RemoveCommand{*kind_from(arg), arg2}));
    if (verb == "stop-line") return noted(theatre_.command(LineCommand{true, arg}));
    if (verb == "resume-line") return answer(theatre_.command(LineCommand{false, arg}));
    if (verb == "touch") return touched({w.begin() + 1, w.end()});
    if (verb == "undo-config")
      return noted(theatre_.command(ConfigUndoCommand{arg, std::stoll(arg2)}));
    if (verb == "kill" || verb == "reopen") {
      return noted(theatre_.command(
          FlagCommand{verb == "reopen", arg}, arg2.empty() ? "ann" : arg2,
          fmt::format("{}", fmt::join(w.begin() + std::min<int>(3, int(w.size())), w.end(), " "))));
    }
    if (verb == "quarantine")
      return answer(
          theatre_.command(QuarantineCommand{false, *enum_from<QuarantineScope>(arg), arg2, arg3}));
    if (verb == "release")
      return answer(
          theatre_.command(QuarantineCommand{true, *enum_from<QuarantineScope>(arg), arg2, arg3}));
    if (verb == "withdraw-feature" || verb == "restore-feature") {
      return noted(theatre_.command(
          FeatureCommand{verb == "restore-feature", arg, arg2}, arg3.empty() ? "ann" : arg3,
          fmt::format("{}", fmt::join(w.begin() + std::min<int>(4, int(w.size())), w.end(), " "))));
    }
    if (verb == "own")
      return noted(
          theatre_.command(AlertCommand{arg == "last" ? last_alert() : arg, AlertVerb::Own, arg2}));
    if (verb == "acknowledge" || verb == "resolve")
      return noted(theatre_.command(
          AlertCommand{arg == "last" ? last_alert() : arg, *enum_from<AlertVerb>(verb)},
          arg2.empty() ? "ann" : arg2));
    if (verb == "silence") {
      const bool with_event = arg2 == "with";
      return noted(theatre_.command(
          SilenceCommand{arg, with_event ? arg3 : "",
                         with_event ? Duration{} : parse_duration(arg2).value_or(Duration{})}));
    }
    if (verb == "unsilence") return noted(theatre_.command(UnsilenceCommand{arg}));
    if (verb == "alerts") return alerts();
    if (verb == "advance") {
      theatre_.advance(parse_duration(arg).value());
      return "";
    }
    if (verb == "until") return until(arg, arg2, parse_duration(arg3).value());
    if (verb == "restart") {
      theatre_.restart(parse_duration(arg).value());
      return "";
    }
    if (verb == "past") {  // FLEET REGION 21d 40..200
      const std::size_t dots = w.at(4).find("..");
      theatre_.remember({arg, arg2, parse_duration(arg3).value(), std::stod(w[4].substr(0, dots)),
                         std::stod(w[4].substr(dots + 2)), w.size() > 5 ? std::stoi(w[5]) : 20});
      return "";
    }
    if (verb == "clock") {
      const bool back = arg == "back";
      const Duration step = parse_duration(back ? arg2 : arg).value();
      theatre_.clock.step(back ? -step : step);
      return "";
    }
    if (verb == "probe")
      return let_probe(arg, fmt::format("{}", fmt::join(w.begin() + 2, w.end(), " ")));
    return set(verb, arg, arg2, arg3);
  }

  // What a command would lead to. Nothing is done.
  std::string tried(const std::vector<std::string>& w) {
    theatre_.only_try = true;
    theatre_.tried = {};
    std::string out = speak(w);
    theatre_.only_try = false;
    if (theatre_.tried.empty()) return out;
    for (const json::value& record : theatre_.tried.at("records").as_array())
      out += fmt::format("would  {}\n", get_string(record.as_object(), "line"));
    for (const json::value& event : theatre_.tried.at("events").as_array()) {
      if (const auto* risk = get_if(event.as_object(), "at_risk"))
        out += fmt::format("{}: {}\n", get_string(event.as_object(), "event"),
                           get_string(risk->as_object(), "says"));
    }
    if (const auto* touches = get_if(theatre_.tried, "touches"))
      out += fmt::format("isolates {}\n", get_string(touches->as_object(), "says"));
    return out;
  }

  std::string clock_of(Instant at) const {
    const Duration since = at - start_;
    return fmt::format("{:02}:{:02}:{:02}", since.count() / 3'600'000, since.count() / 60'000 % 60,
                       since.count() / 1000 % 60);
  }

  // What an incident page says, without what is clear from the records.
  std::string incidents() {
    const Instant now = theatre_.host().engine().now();
    std::string out;
    for (const Incident& each : incidents_.incidents()) {
      const json::object told = incident_view(*theatre_.world(), incidents_, each, now);
      out += fmt::format("{} {}: {} ({})\n", get_string(told, "kind"), get_string(told, "state"),
                         get_string(told, "title"), get_string(told, "cause"));
      out += fmt::format("  began {}, detected after {}", clock_of(each.began),
                         get_string(told, "detected_after"));
      if (told.contains("recovered_after"))
        out += fmt::format(", over {} later", get_string(told, "recovered_after"));
      out += fmt::format("; {} records, {} similar\n", each.lines.size(),
                         told.at("similar").as_array().size());
      for (const Suspect& suspect : each.suspects) {
        out += fmt::format("  {:.3f} = {:.3f} near x {:.2f} of it x {}  {} {}\n", suspect.score(),
                           suspect.nearness, suspect.overlap,
                           suspect.moved_after ? "evidence moved after" : "already wrong",
                           clock_of(suspect.at), suspect.what);
      }
      for (const json::value& action : told.at("actions").as_array())
        out += fmt::format("  can {}\n", get_string(action.as_object(), "do"));
      if (const auto* exposed = get_if(told, "exposed"))
        out += fmt::format("  {}\n", get_string(exposed->as_object(), "says"));
    }
    return out;
  }

  // The gate as the server has it, or with another hash.
  std::string prove(const std::string& event, const std::string& gate, const std::string& hash) {
    ProveGateCommand proof{event, gate, hash, ProofMethod::Rehearsal, 60, "found in 8 of 8 runs"};
    const EventState* state = theatre_.world()->event(event);
    for (const GateSpec& each : state ? state->spec().gates : std::vector<GateSpec>()) {
      if (each.name == gate && hash.empty()) proof.hash = gate_hash(each);
    }
    return noted(theatre_.command(proof, "ci"));
  }

  std::string notes(const std::string& event) {
    std::string out;
    const World& world = *theatre_.world();
    for (const std::string& note :
         policy_notes(world, *world.event(event), theatre_.host().engine().now()))
      out += "note: " + note + "\n";
    for (const std::string& note : kill_notes(world, *world.event(event)))
      out += "note: " + note + "\n";
    for (const std::string& note :
         bounds_notes(world.event(event)->bounds.value_or(ExposureBounds())))
      out += "note: " + note + "\n";
    return out;
  }

  // What servers are given of a flag, evaluated as any provider of theirs would.
  std::string gives(const std::string& flag, const std::string& player, const std::string& region) {
    const auto snapshot = theatre_.host().flags(FlagVisibility::Server);
    std::string out;
    for (const std::string& problem : snapshot->problems) out += problem + "\n";
    const FlagSet set = FlagSet::compile(snapshot->document).value();
    EvaluationContext who;
    who.set_targeting_key(player).set("party", player).set("region", region);
    const Instant now = theatre_.host().engine().wall();
    const Evaluation given = set.evaluate(flag, who, now);
    return out + fmt::format("{} gets {} ({})\n", player,
                             given.value ? std::string(given.variant) : "the caller's default",
                             to_string(given.reason));
  }

  // "door open bell loud 2000": of so many players, how many get each of these variants, and how
  // many get more than one of them.
  std::string touched(const std::vector<std::string>& w) {
    const FlagSet set =
        FlagSet::compile(theatre_.host().flags(FlagVisibility::Server)->document).value();
    const int players = std::stoi(w.back());
    std::map<std::string, int> gets;
    int several = 0;
    for (int i = 0; i < players; ++i) {
      const std::string player = fmt::format("p-{}", i);
      EvaluationContext who;
      who.set_targeting_key(player).set("party", player);
      int touches = 0;
      for (std::size_t k = 0; k + 2 < w.size(); k += 2) {
        const bool got = set.evaluate(w[k], who, {}).variant == w[k + 1];
        touches += got ? 1 : 0;
        gets[w[k] + " " + w[k + 1]] += got ? 1 : 0;
      }
      several += touches > 1 ? 1 : 0;
    }
    std::string out;
    for (const auto& [what, times] : gets)
      out += fmt::format("{}: {} of {}\n", what, times, players);
    return out + fmt::format("more than one: {}\n", several);
  }

  // By which of its parts a flag is what it is for somebody.
  std::string why(const std::string& flag, const std::string& player, const std::string& region) {
    const json::object who{{"targetingKey", player}, {"party", player}, {"region", region}};
    const auto salt_of = [this](const std::string& event) {
      return theatre_.host().salt_of(event);
    };
    const auto told =
        explain_flag(*theatre_.world(), salt_of, flag, who, theatre_.host().engine().wall());
    if (!told) return told.error().message + "\n";
    std::string out;
    for (const FlagStep& step : told->steps) out += fmt::format("{}: {}\n", step.rule, step.says);
    return out;
  }

  std::string let_probe(const std::string& probe, const std::string& wrong) {
    if (wrong == "good")
      theatre_.probes.wrong.erase(probe);
    else
      theatre_.probes.wrong[probe] = wrong;
    return {};
  }

  std::string set(const std::string& verb, const std::string& arg, const std::string& arg2,
                  const std::string& arg3) {
    if (verb == "traffic") {
      theatre_.traffic.sessions_per_s = std::stod(arg);
      if (!arg2.empty()) theatre_.traffic.length = parse_duration(arg2).value();
    } else if (verb == "fault") {
      theatre_.traffic.crash_share[arg] = share_of(arg2);
    } else if (verb == "reports") {
      report(arg, arg2, arg3);
    } else if (verb == "driver") {
      if (arg == "lies")
        theatre_.driver.lie = share_of(arg2);
      else if (arg == "forgets")
        theatre_.driver.forget = share_of(arg2);
      else if (arg == "delays")
        theatre_.driver.start_delay = parse_duration(arg2).value();
      else if (arg == "breaks")
        theatre_.driver.broken_builds.insert(arg2);
      else if (arg == "mends")
        theatre_.driver.broken_builds.erase(arg2);
      else if (arg == "away")
        theatre_.driver.unreachable = true;
      else if (arg == "back")
        theatre_.driver.unreachable = false;
      else
        return "unknown: driver " + arg + "\n";
    } else if (verb == "action") {
      theatre_.actions.answers[arg] = {arg2 == "fails"     ? StepOutcome::Failed
                                       : arg2 == "unknown" ? StepOutcome::Unknown
                                                           : StepOutcome::Done,
                                       arg3.empty() ? 1 << 30 : std::stoi(arg3)};
    } else if (verb == "probes") {
      std::string out;
      for (const ProbeView& probe : theatre_.host().probes())
        out += fmt::format("{} {}: {}\n", probe.probe, probe.verdict.ready ? "ready" : "not ready",
                           probe.verdict.says);
      return out;
    } else if (verb == "counts") {
      theatre_.queries.failure.clear();
      theatre_.queries.per_s[arg] = std::stod(arg2);
    } else if (verb == "counts-fail") {
      theatre_.queries.failure = fmt::format("{} {}", arg, arg2);
    } else if (verb == "readiness") {
      (void)theatre_.host().engine().submit(ReadinessObserved{arg, arg2, arg3 == "ready", arg3});
      theatre_.settle();
    } else if (verb == "show") {
      show_instances_ = arg == "instances";
    } else if (verb == "builds") {
      return builds();
    } else if (verb == "effects") {
      std::string out;
      for (const auto& [key, times] : theatre_.actions.effects)
        out += fmt::format("effect {} x{}\n", key, times);
      return out;
    } else if (verb == "forecast") {
      const auto standing = forecast_view(*theatre_.world(), theatre_.host().view_of(arg),
                                          theatre_.host().engine().now());
      return get_string(standing, "says") + "\n";
    } else if (verb == "why") {
      return why(arg, arg2, arg3);
    } else if (verb == "gives") {
      return gives(arg, arg2, arg3);
    } else if (verb == "notes") {
      return notes(arg);
    } else if (verb == "waits") {
      std::string out;
      for (const std::string& what :
           waits_for(*theatre_.world(), arg, theatre_.host().engine().now()))
        out += "waits for " + what + "\n";
      return out;
    } else {
      return "unknown: " + verb + "\n";
    }
    return "";
  }

  // "raid.failed 1.1.0 30%", "join.latency 1.1.0 120ms", each by the game server or ":client".
  void report(const std::string& metric, const std::string& build, const std::string& how) {
    const std::size_t colon = how.find(':');
    const std::string value = how.substr(0, colon);
    Reporting reporting{metric, build};
    if (value.ends_with("ms"))
      reporting.median_ms = std::stod(value);
    else
      reporting.share = share_of(value);
    if (colon != std::string::npos) reporting.trust = parse_trust(how.substr(colon + 1)).value();
    std::vector<Reporting>& all = theatre_.traffic.reporting;
    std::erase_if(all, [&](const Reporting& r) {
      return r.metric == metric && r.build == build && r.trust == reporting.trust;
    });
    all.push_back(reporting);
  }

  // Second by second until the event is in the phase, at most so long.
  std::string until(const std::string& event, const std::string& phase, Duration most) {
    for (Duration passed{}; passed < most; passed += seconds(1)) {
      const EventState* state = theatre_.world()->event(event);
      if (state && enum_name(state->phase) == phase) return "";
      theatre_.advance(seconds(1));
    }
    return fmt::format("not {} within {}\n", phase, format_duration(most));
  }

  std::string last_alert() {
    const json::array all = alerts_view(*theatre_.world(), "", theatre_.host().engine().now());
    return all.empty() ? "none" : get_string(all.front().as_object(), "id");
  }

  std::string alerts() {
    std::string out;
    const World& world = *theatre_.world();
    for (const json::value& value : alerts_view(world, "", theatre_.host().engine().now())) {
      const json::object& alert = value.as_object();
      std::string group;
      for (const json::value& member : alert.at("group").as_array()) {
        const json::object& m = member.as_object();
        group += fmt::format("{}{} {}{}", group.empty() ? "" : ", ", get_string(m, "subject"),
                             get_string(m, "cause"), get_bool(m, "over") ? " (over)" : "");
      }
      out +=
          fmt::format("{} {} {} of {}{}: {}\n", get_string(alert, "id"), get_string(alert, "state"),
                      get_string(alert, "severity"), get_string(alert, "root"),
                      get_string(alert, "silenced_by").empty() ? "" : ", silenced", group);
    }
    return out;
  }

  std::string builds() {
    std::map<std::string, int> running;
    for (const auto& [id, instance] : theatre_.driver.instances()) {
      if (instance.state != InstanceState::Exited) ++running[instance.build];
    }
    std::string out;
    for (const auto& [build, count] : running) out += fmt::format("runs {} x{}\n", build, count);
    return out;
  }

  Theatre theatre_;
  Instant start_ = theatre_.clock.wall();
  bool show_instances_ = false;
  IncidentBook incidents_;
};

// "command\n----\nwhat followed\n\n", over and over; lines before the first command that begin with
// # are its title.
std::string replay(const std::string& text) {
  Conversation conversation;
  std::istringstream in(text);
  std::string out, line;
  bool in_answer = false;
  while (std::getline(in, line)) {
    if (line.empty()) {
      in_answer = false;
    } else if (line == "----") {
      in_answer = true;
    } else if (line[0] == '#') {
      out += line + "\n";
    } else if (!in_answer) {
      out += "\n" + line + "\n----\n" + conversation.say(line);
    }
  }
  return out;
}

class GoldenConversation : public testing::TestWithParam<std::string> {};

TEST_P(GoldenConversation, GoesAsWritten) {
  const fs::path path = kFolder / (GetParam() + ".txt");
  const std::string written = text_of(path);
  const std::string spoken = replay(written);
  if (std::getenv("SHOWCALLER_REWRITE")) std::ofstream(path) << spoken;
  EXPECT_EQ(written, spoken)
      << "if this is as it should be: SHOWCALLER_REWRITE=1 build/release/test_host";
}

std::vector<std::string> conversations() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenConversation, testing::ValuesIn(conversations()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace showcaller::test
