// SPDX-License-Identifier: Apache-2.0
#include "cli/serve.h"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/clock/system_clock.h"
#include "adapters/evidence_files/evidence_files.h"
#include "adapters/http_action/http_action.h"
#include "adapters/process/process_driver.h"
#include "adapters/sqlite/sqlite_journal.h"
#include "adapters/sqlite/sqlite_ledger.h"
#include "adapters/tzdata/tzdata_version.h"
#include "base/hash.h"
#include "cli/announcer.h"
#include "cli/cli.h"
#include "cli/game_server_access.h"
#include "cli/host_backend.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "engine/explain.h"
#include "engine/view.h"
#include "host/host_threads.h"
#include "wire/api_server.h"
#include "wire/metric_table.h"
#include "wire/token_text.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

// Only the owner may read it; whole or not at all.
Status write_private(const fs::path& path, std::string_view text) {
  const fs::path part = path.string() + ".part";
  const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = file >= 0 && write(file, text.data(), text.size()) == ssize_t(text.size()) &&
                       fsync(file) == 0;
  if (file >= 0) close(file);
  if (!written || rename(part.c_str(), path.c_str()) != 0) {
    return fail(
        ErrorCode::Unavailable,
        fmt::format("{} can't be written; check the folder's owner and space", path.string()));
  }
  return {};
}

// The secret behind exposure salts: kept as long as the journal, never in it.
Result<std::string> secret_of(const fs::path& data) {
  const fs::path path = data / "secret";
  std::ifstream file(path);
  std::string hex;
  if (std::getline(file, hex)) return from_hex(hex);
  std::string secret(32, '\0');
  randombytes_buf(secret.data(), secret.size());
  TRY(write_private(path, to_hex(secret) + "\n"));
  return secret;
}

Status create_token(Host* host, const TokenText& token, std::string name, std::string role) {
  Command command{
      CreateTokenCommand{token.id, std::move(name), token.sha256, {std::move(role)}, {}},
      {"engine", {"admin"}},
      {},
      {},
      "first start"};
  Status made = fail(ErrorCode::Internal, "no answer");
  TRY(host->engine().submit(std::move(command), [&made](Result<Receipt> receipt) {
    made = receipt ? Status() : Status(std::unexpected(receipt.error()));
  }));
  TRY(host->engine().run_batch());
  return made;
}

// The first start writes one admin token to a file only the owner can read, and one for the game
// servers it will start. The files come before the records: a crash between the two leaves a token
// that opens nothing, and a new one is made.
Result<std::string> ensure_token(Host* host, const fs::path& path, const std::string& name,
                                 const std::string& role) {
  const auto world = host->world();
  std::string text;
  std::ifstream(path) >> text;
  bool named = false;
  world->tokens.each([&](const std::string&, const Token& token) { named |= token.name == name; });
  if (named) return text;  // Empty: somebody took the file away, as one should with the admin's.
  const TokenText token = make_token_text();
  TRY(write_private(path, token.text + "\n"));
  TRY(create_token(host, token, name, role));
  return token.text;
}

void refresh_metrics(MetricsRegistry& metrics, const Host& host) {
  const auto world = host.world();
  metrics.gauge("showcaller_journal_seq").set(double(world->seq));
  metrics.counter("showcaller_journal_commits").set_total(host.engine().commits());
  metrics.gauge("showcaller_journal_epoch").set(double(world->epoch));
  metrics.gauge("showcaller_mailbox_letters").set(double(host.engine().waiting()));
  metrics.gauge("showcaller_quarantines").set(double(world->quarantines.size()));
  metrics.gauge("showcaller_lines_stopped").set(double(world->lines.size()));
  std::map<std::string, int> phases;
  int held = 0;
  for (const char* name : {"showcaller_events", "showcaller_event_exposure_ratio",
                           "showcaller_event_sessions", "showcaller_instances"}) {
    metrics.clear(name);
  }
  world->events.each([&](const std::string& name, const EventState& event) {
    ++phases[std::string(enum_name(event.phase))];
    held += event.hold ? 1 : 0;
    if (!may_admit(event.phase)) return;
    metrics.gauge("showcaller_event_exposure_ratio", {name})
        .set(double(event.exposure_ppm) / double(kPpmWhole));
    metrics.gauge("showcaller_event_sessions", {name, "canary"}).set(double(event.sessions_canary));
    metrics.gauge("showcaller_event_sessions", {name, "baseline"})
        .set(double(event.sessions_baseline));
  });
  for (const auto& [phase, count] : phases) metrics.gauge("showcaller_events", {phase}).set(count);
  metrics.gauge("showcaller_events_held").set(held);
  std::map<std::pair<std::string, std::string>, int> instances;
  world->instances.each([&](const std::string&, const Instance& instance) {
    ++instances[{instance.fleet, std::string(enum_name(instance.phase))}];
  });
  for (const auto& [key, count] : instances)
    metrics.gauge("showcaller_instances", {key.first, key.second}).set(count);
}

int wait_for_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
}

// Before any thread starts, so that every thread inherits it.
void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Status run(const ServeOptions& options) {
  std::error_code made;
  const fs::path data = fs::absolute(options.data);
  fs::create_directories(data, made);
  if (made)
    return fail(ErrorCode::Unavailable,
                fmt::format("{} can't be made: {}", data.string(), made.message()));
  chmod(data.c_str(), 0700);

  TRY(const std::string secret, secret_of(data));
  TRY(const auto journal, SqliteJournal::open((data / "journal.db").string()));
  TRY(const auto evidence, EvidenceFiles::open((data / "evidence").string()));
  TRY(const auto ledger, SqliteLedger::open((data / "ledger").string()));
  const std::string program = fs::read_symlink("/proc/self/exe").string();
  TRY(const auto driver, ProcessDriver::open({.root = (data / "instances").string(),
                                              .shim_command = {program, "shim"}}));
  GameServerAccess access(driver.get());
  SystemClock clock;
  HttpAction actions;

  Log log(2, parse_log_level(options.log_level).value_or(LogLevel::Info));
  HostOptions host_options;
  host_options.secret = secret;
  host_options.engine.version = std::string(kVersion);
  TRY(const auto host,
      Host::open(
          {journal.get(), &clock, {{"process", &access}}, &actions, evidence.get(), ledger.get()},
          [&] {
            host_options.on_error = [&log, &clock](const Error& error) {
              log.write(LogLevel::Error, clock.wall(), error.message, {},
                        {{"code", std::string(to_string(error.code))}});
            };
            return host_options;
          }()));

  TRY(ensure_token(host.get(), data / "admin.token", "admin", "admin"));
  TRY(const std::string game_server_token,
      ensure_token(host.get(), data / "game-servers.token", "game-servers", "game-server"));

  MetricsRegistry metrics(kMetricTable);
  metrics.on_scrape([&host](MetricsRegistry& registry) { refresh_metrics(registry, *host); });
  HostBackend backend(host.get(), journal.get(), {std::string(kVersion), read_tzdata_version()});
  ApiServerOptions api;
  api.http.address = options.address;
  api.http.port = options.port;
  api.http.threads = options.http_threads;
  if (!options.tls_certificate.empty())
    api.http.tls =
        TlsServerOptions{options.tls_certificate, options.tls_key, options.tls_client_ca};
  api.access_log = options.access_log;
  api.version = std::string(kVersion);
  TRY(const auto server, ApiServer::start(std::move(api), &backend, &metrics, &log));
  access.give(server->url(), game_server_token);
  Announcer announcer(&log, &server->hub());
  host->engine().listen([&](const World&, const RecordBatch& records) { announcer.tell(records); });
  const pid_t self = getpid();
  HostThreads threads(host.get(), options.pass_every, [&log, &clock, self](const Error& error) {
    log.write(LogLevel::Error, clock.wall(), "the engine has stopped: " + error.message, {},
              {{"code", std::string(to_string(error.code))}});
    kill(self, SIGTERM);
  });
  if (!options.port_file.empty()) TRY(write_private(options.port_file, server->url() + "\n"));
  log.write(LogLevel::Info, clock.wall(), "listening on " + server->url(), {},
            {{"version", std::string(kVersion)},
             {"data", data.string()},
             {"epoch", host->engine().epoch()},
             {"seq", host->world()->seq}});
  wait_for_signal();
  log.write(LogLevel::Info, clock.wall(), "stopping; game servers go on", {}, {});
  server->stop(seconds(2));
  threads.stop();
  if (host->engine().stopped())
    return fail(ErrorCode::Conflict, "the journal could not be written any more; see the log");
  return {};
}

}  // namespace

int serve(const ServeOptions& options) {
  block_signals();
  if (sodium_init() < 0) return kExitInternal;
  if (const Status ran = run(options); !ran) {
    print_error(ran.error());
    return exit_of(ran.error());
  }
  return kExitOk;
}

}  // namespace showcaller
