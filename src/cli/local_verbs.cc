// SPDX-License-Identifier: Apache-2.0
#include "cli/local_verbs.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <fmt/format.h>

#include "adapters/sqlite/sqlite_journal.h"
#include "adapters/tzdata/tzdata_version.h"
#include "analysis/gate_stream.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "cli/manifest_files.h"
#include "cli/serve/state_backup.h"
#include "cli/version.h"
#include "engine/view.h"
#include "model/lifecycle.h"
#include "model/manifest/init.h"
#include "model/manifest/schema.h"
#include "wire/metric_table.h"
#include "wire/openapi.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

// A line that overwrites itself on a terminal; nothing in a pipe.
void progress(std::string_view what, std::uint64_t done, std::uint64_t total) {
  if (!on_terminal(2)) return;
  const std::string line =
      fmt::format("\r{} {} of {}{}", what, done, total, done == total ? "\n" : "");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

// Kinds as they are written, in any case: "liveevent", "event" and "LiveEvent" are one.
std::optional<Kind> kind_named(std::string word) {
  if (auto kind = kind_from(word)) return kind;
  for (char& c : word) c = char(std::tolower(static_cast<unsigned char>(c)));
  if (word == "event") return Kind::LiveEvent;
  for (int i = 0; i < kKinds; ++i) {
    std::string name(to_string(Kind(i)));
    for (char& c : name) c = char(std::tolower(static_cast<unsigned char>(c)));
    if (name == word) return Kind(i);
  }
  return std::nullopt;
}

Error no_kind(const std::string& word) {
  return {ErrorCode::Invalid, fmt::format("'{}' is no kind; there are event (LiveEvent), pipeline, "
                                          "fleet, flag, config, metric, service, policy, "
                                          "ExclusionGroup, holdout and team",
                                          word)};
}

Result<std::uint64_t> seq_of(SqliteJournal* journal, const std::string& at) {
  TRY(const JournalTail tail, journal->tail());
  if (at.empty()) return tail.seq;
  if (at.find_first_not_of("0123456789") == std::string::npos) {
    const std::uint64_t seq = std::stoull(at.substr(0, 18));
    if (seq > tail.seq)
      return fail(ErrorCode::NotFound, fmt::format("the journal ends at record {}", tail.seq));
    return seq;
  }
  TRY(const Instant time, parse_instant(at));
  return journal->seq_at(time);
}

}  // namespace

int init_verb(const std::string& kind_word, const std::string& name, const std::string& owner) {
  const auto kind = kind_named(kind_word);
  if (!kind) return failed(no_kind(kind_word));
  print(init_manifest(*kind, name, owner));
  return kExitOk;
}

int validate_verb(const std::vector<std::string>& paths, OutputForm form) {
  const auto files = read_manifest_files(paths);
  if (!files) return failed(files.error());
  ParseOptions options;
  options.missing = MissingReference::Warning;
  options.tzdata_version = read_tzdata_version();
  const ParseOutcome parsed = parse_manifests(*files, options);
  if (form == OutputForm::Table) {
    print(format_findings(parsed.findings, *files, on_terminal(1)));
    if (parsed.ok()) print(fmt::format("{} manifests are good\n", parsed.manifests.size()));
  } else {
    print_value(json::value{{"ok", parsed.ok()}, {"findings", findings_to_json(parsed.findings)}},
                form);
  }
  return parsed.ok() ? kExitOk : kExitUsage;
}

int schema_verb(const std::string& kind_word) {
  if (kind_word.empty()) {
    print(to_pretty_json_text(json::value(manifest_schema())) + "\n");
    return kExitOk;
  }
  const auto kind = kind_named(kind_word);
  if (!kind) return failed(no_kind(kind_word));
  print(to_pretty_json_text(json::value(manifest_schema(*kind))) + "\n");
  return kExitOk;
}

int judge_verb(const std::string& path) {
  std::ios::sync_with_stdio(false);
  if (path.empty() || path == "-") return judge_stream(std::cin, std::cout, std::cerr);
  std::ifstream file(path);
  if (!file)
    return failed(
        {ErrorCode::Invalid, fmt::format("{} can't be read; check its name and rights", path)});
  return judge_stream(file, std::cout, std::cerr);
}

int doctor_verb(const std::string& data) {
  const auto told = examine(
      data, [](std::uint64_t done, std::uint64_t total) { progress("verified", done, total); },
      [](const std::string& line) { print(line + "\n"); });
  if (!told) return failed(told.error());
  return *told == Health::Good ? kExitOk : kExitRefused;
}

int backup_verb(const std::string& data, const std::string& to) {
  const auto tell = [](std::uint64_t done, std::uint64_t total) {
    progress("copied", done, total);
  };
  std::error_code error;
  if (!fs::is_directory(data, error)) {
    const auto report = backup_journal(data, to, tell);
    if (!report) return failed(report.error());
    print(fmt::format("{}: {} records, {} bytes, chain verified; the journal alone\n", to,
                      report->tail.seq, report->bytes));
    return kExitOk;
  }
  const auto report = backup_state(data, to, tell);
  if (!report) return failed(report.error());
  print(fmt::format("{}: {} records, chain verified; holds {}\n", to, report->journal.tail.seq,
                    fmt::join(report->holds, ", ")));
  return kExitOk;
}

int restore_verb(const std::string& from, const std::string& data, bool force) {
  const auto report = restore_state(
      from, data, force ? RestoreForce::Yes : RestoreForce::No,
      [](std::uint64_t done, std::uint64_t total) { progress("verified", done, total); });
  if (!report) return failed(report.error());
  print(fmt::format("restored {} records, the last one says so\n", report->journal.tail.seq));
  for (const std::string& kept : report->kept) print(fmt::format("kept: {}\n", kept));
  for (const std::string& note : report->notes) print(note + "\n");
  return kExitOk;
}

int replay_verb(const std::string& data, const std::string& at, const std::string& what,
                OutputForm form) {
  const auto journal = SqliteJournal::open(journal_of(data), {.read_only = true});
  if (!journal) return failed(journal.error());
  const auto seq = seq_of(journal->get(), at);
  if (!seq) return failed(seq.error());
  const auto world = world_at(journal->get(), *seq);
  if (!world) return failed(world.error());
  if (what.empty()) {
    print_value(json::value{{"seq", world->seq},
                            {"time", format_instant(world->time)},
                            {"hash", world_hash(*world)},
                            {"events", events_view(*world)},
                            {"instances", world->instances.size()},
                            {"manifests", world->manifests.size()},
                            {"lines_stopped", world->lines.size()}},
                form);
  } else if (const EventState* event = world->event(what)) {
    print_value(event_view(*world, what, *event, world->time), form);
  } else if (what == "instances") {
    print_value(instances_view(*world, ""), form, {"id", "fleet", "build", "phase", "since"});
  } else if (what == "manifests") {
    print_value(manifests_view(*world, ""), form, {"kind", "name", "owner", "generation"});
  } else {
    return failed(
        {ErrorCode::NotFound,
         fmt::format("at record {} there is no LiveEvent '{}'; say a name, instances or manifests",
                     *seq, what)});
  }
  return kExitOk;
}

int docs_verb(const std::string& page) {
  if (page == "lifecycle")
    print(lifecycle_page());
  else if (page == "manifests")
    print(manifest_reference());
  else if (page == "metrics")
    print(metrics_page(kMetricTable));
  else if (page == "openapi")
    print(to_pretty_json_text(openapi_document(kVersion)) + "\n");
  else
    return failed({ErrorCode::Invalid,
                   "pages printed from the program: lifecycle, manifests, metrics, openapi"});
  return kExitOk;
}

}  // namespace showcaller
