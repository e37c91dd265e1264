// SPDX-License-Identifier: Apache-2.0
#include "tests/host/theatre.h"

#include <cmath>
#include <numbers>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/known.h"
#include "engine/view.h"
#include "model/manifest/manifest.h"

namespace showcaller::test {

void ScriptedProbes::run(const ProbeCall& call, Outcome done) {
  ++journeys;
  ProbeResult result;
  result.took = Duration(40);
  if (const auto told = wrong.find(call.probe); told != wrong.end()) result.wrong = told->second;
  done(result);
}

void ScriptedQueries::ask(const std::string& query, Done done) {
  if (!failure.empty()) return done(fail(ErrorCode::Unavailable, failure));
  const auto counted = per_s.find(query);
  if (counted == per_s.end()) return done(std::vector<QuerySample>());
  const double seconds = double(clock_->monotonic().count()) / 1'000;
  done(std::vector{QuerySample{"instance=a\n", "a", 1'000 + counted->second * seconds}});
}

void ScriptedActions::call(const ActionCall& call, Outcome done) {
  calls.push_back(fmt::format("{} {}#{}", call.path, call.idempotency_key, call.attempt));
  Answer& answer = answers[call.path];
  const bool scripted = answer.times > 0;
  if (scripted) --answer.times;
  const StepOutcome outcome = scripted ? answer.outcome : StepOutcome::Done;
  if (outcome != StepOutcome::Failed && effects[call.idempotency_key] == 0)
    effects[call.idempotency_key] = 1;
  done(outcome, outcome == StepOutcome::Done     ? "200"
                : outcome == StepOutcome::Failed ? "409 refused"
                                                 : "no reply");
}

Theatre::Theatre(std::uint64_t seed, EvidenceStore* evidence)
    : driver(seed),
      random_(seed ^ 0x7ea7e5),
      reported_(seed ^ 0x4e9047),
      evidence_(evidence ? evidence : &own_evidence_) {
  open();
}

void Theatre::open() {
  // A start that the disk spoils is tried again, as by a supervisor.
  constexpr int kStartsMax = 5;
  Status started = start_host();
  for (int start = 1; start < kStartsMax && !started; ++start) started = start_host();
  if (!started) throw std::runtime_error(started.error().message);
}

Status Theatre::start_host() {
  journal_ = std::make_shared<MemoryJournal>(disk);
  HostOptions options;
  options.secret = "a secret of the theatre";
  options.engine.version = "test";
  options.on_error = [this](const Error& error) { errors.push_back(error); };
  HostPorts ports{journal_.get(), &clock,    {{"process", &driver}},
                  &actions,       evidence_, &ledger_,
                  nullptr,        &alerts,   &probes};
  ports.queries = &queries;
  TRY(host_, Host::open(ports, std::move(options)));
  return {};
}

void Theatre::remember(const PastDemand& past) {
  const Instant now = std::chrono::floor<std::chrono::hours>(clock.wall());
  for (Instant hour = now - past.before; hour < now; hour += hours(1)) {
    const double of_day = double(to_ms(hour) / 3'600'000 % 24 - past.busiest_hour) / 24;
    const double wave = (1 + std::cos(2 * std::numbers::pi * of_day)) / 2;
    const auto sessions = std::int64_t(past.least + (past.most - past.least) * wave);
    const auto told = evidence_->append(demand_stream(past.fleet, hour),
                                        demand_line(hour, {{past.region, sessions}}));
    if (!told) throw std::runtime_error(told.error().message);
  }
}

void Theatre::restart(Duration down) {
  host_.reset();
  clock.advance(down);
  open();
}

Result<Receipt> Theatre::command(CommandBody body, const std::string& actor,
                                 const std::string& reason, const std::string& key) {
  Command command{std::move(body), {actor, {"admin"}}, key, {}, reason};
  settle();  // What waits is no part of what the command leads to.
  const auto before = world();
  auto foretold = dry_run(*before, command, host_->engine().now());
  if (only_try) {
    if (!foretold) return std::unexpected(foretold.error());
    tried = dry_run_view(*before, *foretold, host_->plan_facts());
    return foretold->receipt;
  }
  Result<Receipt> answer = fail(ErrorCode::Internal, "no reply");
  TRY(host_->engine().submit(std::move(command),
                             [&answer](Result<Receipt> r) { answer = std::move(r); }));
  settle();
  expect_came_true(foretold, before->seq, answer);
  return answer;
}

// Of every command of every conversation and test: a dry run tells what then happens, or the very
// refusal.
void Theatre::expect_came_true(const Result<DryRun>& foretold, std::uint64_t before,
                               const Result<Receipt>& answer) {
  const auto code = answer ? ErrorCode::Internal : answer.error().code;
  if (code == ErrorCode::Unavailable || code == ErrorCode::Limit) return;  // of the disk
  const auto told = [](const Record& record) {
    return fmt::format("{} {}: {}", record.seq, record.actor, record_line(record));
  };
  std::vector<std::string> promised, came;
  for (const Record& record : foretold ? foretold->records : std::vector<Record>())
    promised.push_back(told(record));
  const Status read = journal_->read(before + 1, [&](const StoredRecord& stored) {
    came.push_back(told(decode_record(stored.bytes).value()));
    return true;
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(promised, came);
  EXPECT_EQ(foretold.has_value(), answer.has_value());
  if (!foretold && !answer) {
    EXPECT_EQ(foretold.error().message, answer.error().message);
  }
  if (foretold && answer) {
    EXPECT_EQ(foretold->receipt.notes, answer->notes);
  }
}

Result<Receipt> Theatre::apply(const std::string& file, const std::string& text,
                               const std::string& actor, Check check) {
  const SourceFile source{file, text};
  ParseOptions options;
  options.known = known_manifests(world());
  if (check == Check::Early) options.known.active_events = {};
  options.tzdata_version = "test";
  ParseOutcome parsed = parse_manifests(std::span(&source, 1), options);
  for (const Finding& finding : parsed.findings) {
    if (finding.severity == Severity::Error) {
      return fail(ErrorCode::Invalid,
                  fmt::format("{}:{}: {}", finding.line, finding.column, finding.message));
    }
  }
  ApplyCommand apply;
  for (Manifest& manifest : parsed.manifests) {
    apply.manifests.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  }
  return command(std::move(apply), actor);
}

void Theatre::settle() {
  while (true) {
    const auto ran = host_->engine().run_batch();
    if (!ran) {
      errors.push_back(ran.error());
      return;
    }
    if (!*ran) return;
  }
}

void Theatre::play() {
  const Instant now = host_->engine().now();
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const Session& session = at->second;
    if (!driver.runs(session.instance)) {
      at = sessions_.erase(at);
    } else if (session.crashes != Instant{} && now >= session.crashes) {
      driver.crash(session.instance);
      at = sessions_.erase(at);
    } else if (now >= session.ends) {
      tell_of(at->first, session);
      driver.end_session(session.instance);
      at = sessions_.erase(at);
    } else {
      ++at;
    }
  }
  const std::uint64_t arrivals = random_.poisson(traffic.sessions_per_s);
  for (std::uint64_t i = 0; i < arrivals; ++i) {
    AllocationRequest request;
    request.session = fmt::format("s{}", next_session_++);
    request.party = fmt::format("party-{}", random_.below(2'000));
    for (int p = 0; p < traffic.party_size; ++p) {
      request.players.push_back({fmt::format("{}-player-{}", request.party, p), {}});
    }
    request.region = traffic.region;
    world()->manifests.each_from(std::string_view("Fleet/"),
                                 [&](const std::string& key, const StoredManifest& stored) {
                                   if (key.starts_with("Fleet/"))
                                     request.fleet = stored.manifest->name;
                                   return false;
                                 });
    const auto allocation = host_->allocate(request);
    if (!allocation) {
      ++sessions_refused;
      continue;
    }
    ++sessions_played;
    builds_of_party[request.party].push_back(allocation->build);
    Session session{allocation->instance, allocation->build, now + traffic.length, {}};
    const auto fault = traffic.crash_share.find(allocation->build);
    if (fault != traffic.crash_share.end() && random_.chance(fault->second))
      session.crashes = now + traffic.length / 2;
    sessions_[request.session] = session;
  }
}

void Theatre::tell_of(const std::string& id, const Session& session) {
  for (const Reporting& reporting : traffic.reporting) {
    if (reporting.build != session.build) continue;
    ReportedDelta delta{.metric = reporting.metric, .session = id};
    if (reporting.median_ms > 0) {
      delta.histogram.emplace().record(reporting.median_ms * std::exp(0.5 * reported_.normal()));
    } else {
      delta.n = 1;
      delta.x = reported_.chance(reporting.share) ? 1 : 0;
    }
    unsent_[reporting.trust].push_back(std::move(delta));
  }
}

void Theatre::send_reports() {
  for (auto& [trust, deltas] : unsent_) {
    const std::string name(to_string(trust));
    const auto taken = host_->report({name, name, next_report_++, trust, std::move(deltas)});
    if (!taken) errors.push_back(taken.error());
  }
  unsent_.clear();
}

void Theatre::advance(Duration d) {
  const Duration end = clock.monotonic() + d;
  while (clock.monotonic() < end) {
    clock.advance(std::min<Duration>(seconds(1), end - clock.monotonic()));
    driver.set_time(host_->engine().now());
    play();
    send_reports();
    host_->pass();
    settle();
  }
}

std::vector<Record> Theatre::take_records() {
  std::vector<Record> out;
  const Status read = journal_->read(taken_ + 1, [&](const StoredRecord& stored) {
    out.push_back(decode_record(stored.bytes).value());
    taken_ = stored.seq;
    return true;
  });
  if (!read) throw std::runtime_error(read.error().message);
  return out;
}

}  // namespace showcaller::test
