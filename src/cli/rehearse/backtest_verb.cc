// SPDX-License-Identifier: Apache-2.0
#include "cli/rehearse/backtest_verb.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "analysis/gate_stream.h"
#include "cli/cli.h"
#include "cli/rehearse/gate_proofs.h"
#include "cli/terminal.h"
#include "sim/rehearsal.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRecordingsMax = 100'000;
constexpr std::string_view kServersOwn = ".evidence";
constexpr std::size_t kHashAndSpace = 65;

// What was true of the canary, as whoever recorded the stage knows afterwards.
struct Truth {
  bool bad = false;
  double since_s = 0;
};

// What the gate made of one recording.
struct Judged {
  std::string file, verdict;  // the gate's, or malformed
  std::string why;            // it is
  double t_s = 0;
  std::optional<Truth> truth;
  bool false_abort = false, missed = false;
  json::object stage, metrics;  // that it was judged under, and what it came to
};

// As JSON Lines: a server's own evidence has a hash before each line.
Result<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  const bool hashed = path.ends_with(kServersOwn);
  std::string out;
  for (std::string line; std::getline(file, line);) {
    if (line.find_first_not_of(" \r\t") == std::string::npos) continue;
    if (hashed) line.erase(0, kHashAndSpace);
    out += line + '\n';
  }
  if (out.empty()) {
    return fail(ErrorCode::Invalid, path + " can't be read, or is empty; see docs/gate-judge.md");
  }
  return out;
}

std::string first_line(const std::string& lines) {
  return lines.substr(0, lines.find('\n'));
}

// {"version":1,"stage":{…},"truth":{"bad":true,"since_s":600}}, or that object in FILE.truth.
Result<std::optional<Truth>> truth_of(const std::string& path, const std::string& lines) {
  TRY(const json::value header, parse_json(first_line(lines)));
  json::value truth;
  if (const json::value* told = header.is_object() ? get_if(header.get_object(), "truth") : nullptr)
    truth = *told;
  if (std::error_code none; fs::exists(path + ".truth", none)) {
    TRY(const std::string text, lines_of(path + ".truth"));
    TRY(truth, parse_json(text));
  }
  if (truth.is_null()) return std::optional<Truth>();
  const json::value* bad = truth.is_object() ? truth.get_object().if_contains("bad") : nullptr;
  if (!bad || !bad->is_bool()) {
    return fail(ErrorCode::Invalid,
                R"(its truth is written as {"bad":true,"since_s":600} or {"bad":false})");
  }
  const double since_s = get_double(truth.get_object(), "since_s");
  if (since_s < 0) return fail(ErrorCode::Invalid, "its truth begins before second 0");
  return std::optional(Truth{bad->get_bool(), since_s});
}

Result<std::vector<std::string>> recordings_of(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      out.push_back(path);
      continue;
    }
    for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
         at.increment(error)) {
      const std::string extension = at->path().extension();
      if (at->is_regular_file() &&
          (extension == ".jsonl" || extension == ".ndjson" || extension == kServersOwn))
        out.push_back(at->path());
    }
    if (error) return fail(ErrorCode::Invalid, fmt::format("{}: {}", path, error.message()));
  }
  if (out.empty())
    return fail(ErrorCode::Invalid, "no recordings are there: *.jsonl, *.ndjson or *.evidence");
  if (out.size() > kRecordingsMax) {
    return fail(ErrorCode::Limit, fmt::format("{} recordings; at most {} are judged at once",
                                              out.size(), kRecordingsMax));
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The recording as it is, under the header asked for.
Status judge(const std::string& header, Judged* judged) {
  TRY(std::string lines, lines_of(judged->file));
  TRY(judged->truth, truth_of(judged->file, lines));
  if (!header.empty()) lines.replace(0, first_line(lines).size(), header);
  std::stringstream in(lines), out, err;
  if (judge_stream(in, out, err) == kJudgeMalformed) {
    std::string why = err.str();
    while (why.ends_with('\n')) why.pop_back();
    return fail(ErrorCode::Invalid, why);
  }
  std::string line, last;
  while (std::getline(out, line)) last = line;
  TRY(const json::value final, parse_json(last));
  judged->verdict = get_string(final.as_object(), "final");
  TRY(const json::value head, parse_json(first_line(lines)));
  judged->stage = head.at("stage").as_object();
  if (const json::value* metrics = get_if(final.as_object(), "metrics"))
    judged->metrics = metrics->as_object();
  judged->t_s = get_double(final.as_object(), "t");
  if (const auto& truth = judged->truth) {
    const bool failed = judged->verdict == "fail";
    judged->false_abort = failed && (!truth->bad || judged->t_s < truth->since_s);
    judged->missed = truth->bad && judged->verdict == "pass";
  }
  return {};
}

std::string outcome_of(const Judged& judged) {
  if (!judged.why.empty()) return judged.why;
  if (!judged.truth) return "-";
  if (judged.false_abort) return "false abort";
  if (judged.missed) return "missed";
  if (!judged.truth->bad) return judged.verdict == "pass" ? "right" : "not settled";
  if (judged.verdict != "fail") return "held";
  return fmt::format("found after {:.0f} s", judged.t_s - judged.truth->since_s);
}

json::object summary_of(const std::vector<Judged>& all) {
  std::int64_t good = 0, bad = 0, aborts = 0, missed = 0;
  std::vector<double> delays;
  for (const Judged& judged : all) {
    if (!judged.truth || !judged.why.empty()) continue;
    (judged.truth->bad ? bad : good) += 1;
    aborts += judged.false_abort ? 1 : 0;
    missed += judged.missed ? 1 : 0;
    if (judged.truth->bad && judged.verdict == "fail" && !judged.false_abort)
      delays.push_back(judged.t_s - judged.truth->since_s);
  }
  std::sort(delays.begin(), delays.end());
  json::object out{{"recordings", std::int64_t(all.size())},
                   {"false_aborts", sim::share_json(aborts, good + bad)},
                   {"missed", sim::share_json(missed, bad)},
                   {"found", std::int64_t(delays.size())}};
  if (!delays.empty()) {
    out["delay_s"] = {{"median", delays[delays.size() / 2]}, {"worst", delays.back()}};
  }
  return out;
}

void say_summary(const json::object& summary) {
  const auto share = [&](std::string_view key) {
    const json::object& of = summary.at(key).as_object();
    if (get_int(of, "of") == 0) return std::string("no recording says what was true");
    return fmt::format("{} of {} (at 95 %: {:.1f} to {:.1f} %)", get_int(of, "count"),
                       get_int(of, "of"), 100 * get_double(of, "at_least"),
                       100 * get_double(of, "at_most"));
  };
  say("false aborts: " + share("false_aborts"));
  say("missed: " + share("missed"));
  if (const json::value* delay = summary.if_contains("delay_s")) {
    say(fmt::format("found {}: after {:.0f} s in the median, {:.0f} s at worst",
                    get_int(summary, "found"), get_double(delay->as_object(), "median"),
                    get_double(delay->as_object(), "worst")));
  }
}

int record(const BacktestRequest& request, const std::vector<Judged>& all) {
  const auto event = event_on_server(request.server, request.proves);
  if (!event) return failed(event.error());
  std::vector<BacktestedStage> known;
  for (const Judged& judged : all) {
    if (judged.truth)
      known.push_back(
          {judged.stage, judged.metrics, judged.truth->bad, judged.false_abort || judged.missed});
  }
  return record_proofs(request.server,
                       proven_by_backtest(request.proves, event->as<LiveEventSpec>(), known));
}

}  // namespace

int backtest_verb(const BacktestRequest& request) {
  std::string header;
  if (!request.gate.empty()) {
    const auto lines = lines_of(request.gate);
    if (!lines) return failed(lines.error());
    header = first_line(*lines);
  }
  const auto recordings = recordings_of(request.over);
  if (!recordings) return failed(recordings.error());
  std::vector<Judged> all;
  json::array rows;
  for (const std::string& path : *recordings) {
    Judged judged{.file = path};
    if (const Status good = judge(header, &judged); !good) {
      judged.verdict = "malformed";
      judged.why = good.error().message;
    }
    rows.push_back(json::object{{"recording", judged.file},
                                {"verdict", judged.verdict},
                                {"t_s", judged.t_s},
                                {"outcome", outcome_of(judged)}});
    all.push_back(std::move(judged));
  }
  const json::object summary = summary_of(all);
  if (request.form == OutputForm::Table) {
    say(table_text(rows, {"recording", "verdict", "t_s", "outcome"}));
    say_summary(summary);
  } else {
    print_value(json::value{{"recordings", std::move(rows)}, {"summary", summary}}, request.form);
  }
  const bool malformed =
      std::any_of(all.begin(), all.end(), [](const Judged& judged) { return !judged.why.empty(); });
  if (malformed) return kExitUsage;
  if (!request.proves.empty()) {
    if (const int code = record(request, all); code != kExitOk) return code;
  }
  const bool wrong = std::any_of(all.begin(), all.end(), [](const Judged& judged) {
    return judged.false_abort || judged.missed;
  });
  return wrong ? kExitRefused : kExitOk;
}

}  // namespace showcaller
