// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/serve.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include <fmt/format.h>
#include <signal.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/clock/system_clock.h"
#include "adapters/evidence_files/evidence_files.h"
#include "adapters/http_action/http_action.h"
#include "adapters/http_alert/http_alert.h"
#include "adapters/process/process_driver.h"
#include "adapters/rehearsal_files/rehearsal_files.h"
#include "adapters/sqlite/sqlite_journal.h"
#include "adapters/sqlite/sqlite_ledger.h"
#include "adapters/tzdata/tzdata_version.h"
#include "base/hash.h"
#include "cli/cli.h"
#include "cli/private_file.h"
#include "cli/probe/own_prober.h"
#include "cli/serve/announcer.h"
#include "cli/serve/console_pack.h"
#include "cli/serve/first_tokens.h"
#include "cli/serve/game_server_access.h"
#include "cli/serve/host_backend.h"
#include "cli/serve/host_metrics.h"
#include "cli/serve/journal_feed.h"
#include "cli/serve/listening.h"
#include "cli/serve/named_secrets.h"
#include "cli/serve/oidc_words.h"
#include "cli/serve/otlp_words.h"
#include "cli/serve/part_health.h"
#include "cli/serve/prometheus_words.h"
#include "cli/serve/span_retelling.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "flow/flag_snapshot.h"
#include "host/host_threads.h"
#include "wire/api_server.h"
#include "wire/flagd/flagd_server.h"
#include "wire/metric_table.h"

namespace showcaller {
namespace {

namespace fs = std::filesystem;

// What game servers on this machine are told.
ServerAccess access_of(const ServeOptions& options, const ApiServer& server, std::string token) {
  ServerAccess access{.url = options.game_server_url, .token = std::move(token), .ca_file = {}};
  if (access.url.empty()) access.url = url_on_this_machine(server.url());
  if (!options.tls_certificate.empty()) {
    const auto& ca =
        options.game_server_ca.empty() ? options.tls_certificate : options.game_server_ca;
    access.ca_file = fs::absolute(ca).string();
  }
  return access;
}

Result<fs::path> prepare_data_folder(const ServeOptions& options) {
  const fs::path data = fs::absolute(options.data);
  umask(077);
  TRY(make_private_folder(data));
  // Root may run game servers as other users, whose folders are below. All else is the server's.
  std::error_code ignored;
  if (geteuid() == 0) {
    fs::permissions(data, fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add,
                    ignored);
  }
  return data;
}

// What is kept under the data folder, and what drives the game servers below it.
struct Stores {
  std::unique_ptr<SqliteJournal> journal;
  std::string secret;
  std::unique_ptr<EvidenceFiles> evidence;
  std::unique_ptr<SqliteLedger> ledger;
  std::unique_ptr<RehearsalFiles> rehearsals;
  std::unique_ptr<ProcessDriver> driver;
};

Result<Stores> open_stores(const fs::path& data) {
  Stores stores;
  TRY(stores.journal, SqliteJournal::open((data / "journal.db").string()));
  TRY(const JournalTail tail, stores.journal->tail());
  TRY(stores.secret, open_secret(data, tail.seq));
  TRY(stores.evidence, EvidenceFiles::open((data / "evidence").string()));
  TRY(stores.ledger, SqliteLedger::open((data / "ledger").string()));
  TRY(stores.rehearsals, RehearsalFiles::open((data / "rehearsals").string()));
  const std::string program = fs::read_symlink("/proc/self/exe").string();
  TRY(stores.driver, ProcessDriver::open({.root = (data / "instances").string(),
                                          .shim_command = {program, "shim"}}));
  return stores;
}

void log_error(Log& log, const Clock& clock, std::string_view what, const Error& error) {
  log.write(LogLevel::Error, clock.wall(), fmt::format("{}{}", what, error.message), {},
            {{"code", std::string(to_string(error.code))}});
}

void log_probe(Log& log, const Clock& clock, const std::string& probe, const std::string& region,
               const std::string& wrong) {
  const std::string where = region.empty() ? "" : " from " + region;
  const std::string message = wrong.empty()
                                  ? fmt::format("probe {} is good{} again", probe, where)
                                  : fmt::format("probe {} fails{}: {}", probe, where, wrong);
  log.write(wrong.empty() ? LogLevel::Info : LogLevel::Warning, clock.wall(), message, {},
            {{"probe", probe}, {"region", region}});
}

HostOptions host_options(const ServeOptions& options, const std::string& secret) {
  HostOptions host;
  host.secret = secret;
  host.engine.version = std::string(kVersion);
  if (options.snapshot_every > 0) {
    host.engine.snapshot_every = options.snapshot_every;
    host.engine.snapshot_apart = {};
  }
  host.keep_ledgers = options.keep_ledgers;
  host.keep_evidence = options.keep_evidence;
  host.probe_regions = {options.probe_regions.begin(), options.probe_regions.end()};
  return host;
}

HttpAlertOptions alert_options(const fs::path& data, const Clock& clock) {
  HttpAlertOptions options;
  options.wall = [&clock] { return clock.wall(); };
  options.secret = [folder = data / "secrets"](const std::string& name) {
    return named_secret(folder, name);
  };
  return options;
}

ApiServerOptions api_options(const ServeOptions& options, std::optional<TlsServerOptions> tls) {
  ApiServerOptions api;
  api.http.address = options.address;
  api.http.port = options.port;
  api.http.threads = options.http_threads;
  api.http.limits.connections = connections_max();
  api.http.tls = std::move(tls);
  api.access_log = options.access_log;
  api.version = std::string(kVersion);
  return api;
}

LogFormat log_format(const ServeOptions& options) {
  const bool text = options.log_format == "auto" ? isatty(2) == 1 : options.log_format == "text";
  return text ? LogFormat::Text : LogFormat::Json;
}

// Null where no collector is named.
Result<std::unique_ptr<OtlpExporter>> start_exporter(const ServeOptions& options,
                                                     const fs::path& data, SpanMark* mark, Log& log,
                                                     const Clock& clock) {
  TRY(auto exporter, otlp_from_words(options.otlp_endpoint, process_environment));
  if (!exporter) {
    mark->forget();  // A collector that comes later is not told of the time without one.
    return nullptr;
  }
  add_own_resource(&exporter->resource, data.string());
  exporter->seed = hash64(data.string(), std::uint64_t(getpid()));
  exporter->on_change = [&log, &clock, url = exporter->url](const Status& reached) {
    if (!reached) return log.write(LogLevel::Warning, clock.wall(), reached.error().message);
    log.write(LogLevel::Info, clock.wall(), "the collector at " + url + " takes spans again");
  };
  exporter->on_done = [mark, &log, &clock](const std::vector<Span>& batch, std::size_t waiting) {
    if (const Status kept = mark->told(batch, waiting); !kept)
      log_error(log, clock, "which spans are told is not kept: ", kept.error());
  };
  return std::make_unique<OtlpExporter>(*std::move(exporter));
}

// What a process that was killed had not told yet.
void tell_spans_again(OtlpExporter* exporter, Journal* journal, std::uint64_t first,
                      std::uint64_t last, Log& log, const Clock& clock) {
  if (exporter == nullptr || first > last) return;
  auto spans = spans_again(journal, first, last);
  if (!spans) return log_error(log, clock, "", spans.error());
  exporter->take(*std::move(spans));
}

// Null where no issuer is named.
Result<std::unique_ptr<OidcProvider>> open_issuer(const ServeOptions& options, const Clock& clock) {
  if (const auto url = parse_url(options.public_url); !options.public_url.empty() && !url) {
    return fail(
        ErrorCode::Invalid,
        fmt::format("--public-url: {}; write it as https://live.example.net", url.error().message));
  }
  TRY(auto oidc, oidc_from_words(options.oidc));
  if (!oidc) return nullptr;
  oidc->wall = [&clock] { return clock.wall(); };
  return std::make_unique<OidcProvider>(*std::move(oidc));
}

// Stands before what the server rests on, and tells how it fares.
class WatchedParts {
 public:
  WatchedParts(const Clock& clock, EvidenceStore* evidence,
               std::map<std::string, FleetDriver*>* drivers)
      : parts_{.evidence = health(clock), .drivers = {}},
        evidence_(evidence, parts_.evidence.get()) {
    for (auto& [name, driver] : *drivers) {
      parts_.drivers[name] = health(clock);
      drivers_.push_back(std::make_unique<WatchedDriver>(driver, parts_.drivers[name].get()));
      driver = drivers_.back().get();
    }
  }
  EvidenceStore* evidence() { return &evidence_; }
  const ServerParts* parts() const { return &parts_; }

 private:
  static std::unique_ptr<PartHealth> health(const Clock& clock) {
    return std::make_unique<PartHealth>([&clock] { return clock.wall(); });
  }

  ServerParts parts_;
  WatchedEvidence evidence_;
  std::vector<std::unique_ptr<WatchedDriver>> drivers_;
};

// What flagd's clients are served; null where nobody asked for it, because gRPC costs memory.
Result<std::unique_ptr<FlagdServer>> start_flagd(const ServeOptions& options, FlagFeed* feed,
                                                 FlagStreams* streams) {
  if (!options.flagd_port && !options.flagd_sync_port) return nullptr;
  FlagdServerOptions flagd;
  if (options.flagd_port) flagd.evaluation = {options.address, *options.flagd_port, ""};
  if (options.flagd_sync_port) flagd.sync = {options.address, *options.flagd_sync_port, ""};
  flagd.certificate_file = options.tls_certificate;
  flagd.key_file = options.tls_key;
  flagd.client_ca_file = options.tls_client_ca;
  return FlagdServer::start(std::move(flagd), feed, streams);
}

void log_flagd(Log& log, const Clock& clock, const FlagdServer& flagd) {
  for (const auto& [what, address] : {std::pair("evaluation", flagd.evaluation_address()),
                                      std::pair("sync", flagd.sync_address())}) {
    if (address.empty()) continue;
    log.write(LogLevel::Info, clock.wall(), fmt::format("flagd's {} listens on {}", what, address),
              {}, {{"flagd", what}, {"address", address}});
  }
}

void log_start(Log& log, const Clock& clock, const ServeOptions& options, const std::string& url,
               const Host& host, bool with_console) {
  log.write(LogLevel::Info, clock.wall(), "listening on " + url, {},
            {{"version", std::string(kVersion)},
             {"data", fs::absolute(options.data).string()},
             {"epoch", host.engine().epoch()},
             {"seq", host.world()->seq}});
  if (with_console)
    log.write(LogLevel::Info, clock.wall(), "the console is at " + url_on_this_machine(url), {},
              {});
  const bool has_tls = !options.tls_certificate.empty();
  if (const auto warning = clear_text_warning(options.address, has_tls); !warning.empty())
    log.write(LogLevel::Warning, clock.wall(), warning, {}, {{"address", options.address}});
}

Status run(const ServeOptions& options, std::map<std::string, FleetDriver*> drivers) {
  TRY(auto tls, tls_from_words(options.tls_certificate, options.tls_key, options.tls_client_ca));
  TRY(const fs::path data, prepare_data_folder(options));
  TRY(const Stores stores, open_stores(data));
  GameServerAccess access(stores.driver.get());
  drivers.emplace("process", &access);
  SystemClock clock;
  WatchedParts parts(clock, stores.evidence.get(), &drivers);
  TRY(const auto issuer, open_issuer(options, clock));
  HttpAction actions;
  HttpAlert alerts(alert_options(data, clock));
  TRY(const auto queries, open_prometheus(options.prometheus));
  Log log(2, parse_log_level(options.log_level).value_or(LogLevel::Info), log_format(options));
  TRY(const JournalTail tail, stores.journal->tail());
  SpanMark mark(data / "spans-untold", tail.seq);
  TRY(const auto exporter, start_exporter(options, data, &mark, log, clock));
  OwnProber prober(exporter.get());
  HostOptions host_with = host_options(options, stores.secret);
  host_with.on_error = [&log, &clock](const Error& error) { log_error(log, clock, "", error); };
  host_with.on_probe = [&log, &clock](const std::string& probe, const std::string& region,
                                      const std::string& wrong) {
    log_probe(log, clock, probe, region, wrong);
  };
  TRY(const auto host,
      Host::open({stores.journal.get(), &clock, std::move(drivers), &actions, parts.evidence(),
                  stores.ledger.get(), nullptr, &alerts, &prober.journeys, queries.get()},
                 std::move(host_with)));
  TRY(ensure_admin_token(host.get(), stores.journal.get(), data / "admin.token"));
  TRY(const std::string game_server_token,
      ensure_game_server_token(host.get(), data / "game-servers.token"));

  MetricsRegistry metrics(kMetricTable);
  metrics.on_scrape([&](MetricsRegistry& registry) {
    refresh_host_metrics(&registry, *host);
    refresh_span_metrics(&registry, exporter ? exporter->stats() : OtlpStats{});
  });
  HostBackend backend(host.get(), stores.journal.get(),
                      {.version = std::string(kVersion),
                       .tzdata_version = read_tzdata_version(),
                       .rehearsals = stores.rehearsals.get(),
                       .parts = parts.parts()});
  FlagStreams flag_streams;
  JournalFeed feed(&backend, options.flagd_open);
  TRY(const ConsoleFiles console, ConsoleFiles::open(console_pack()));
  std::unique_ptr<ApiServer> server;
  std::optional<Announcer> announcer;
  ApiServerOptions api = api_options(options, std::move(tls));
  api.console = &console;
  api.flag_feed = &feed;
  api.selections = &feed.selections();
  api.flag_streams = &flag_streams;
  api.spans = exporter.get();
  api.identities = issuer.get();
  api.public_url = options.public_url;
  while (api.public_url.ends_with('/')) api.public_url.pop_back();
  api.before_serving = [&](WatchHub& hub) {
    const auto begun = host->world();
    tell_spans_again(exporter.get(), stores.journal.get(), mark.first_untold(), begun->seq, log,
                     clock);
    announcer.emplace(&log, &hub, *begun, exporter.get());
    host->engine().listen([&](const World& world, const RecordBatch& records) {
      announcer->tell(world, records);
      if (std::ranges::any_of(*records, concerns_flags, &Record::payload)) flag_streams.changed();
    });
  };
  TRY(server, ApiServer::start(std::move(api), &backend, &metrics, &log));
  TRY(auto flagd, start_flagd(options, &feed, &flag_streams));
  if (flagd) log_flagd(log, clock, *flagd);
  access.give(access_of(options, *server, game_server_token));
  const pid_t self = getpid();
  HostThreads threads(host.get(), options.pass_every, [&log, &clock, self](const Error& error) {
    log_error(log, clock, "the engine has stopped: ", error);
    kill(self, SIGTERM);
  });
  if (!options.port_file.empty()) TRY(write_private(options.port_file, server->url() + "\n"));
  log_start(log, clock, options, server->url(), *host, !console.empty());
  wait_for_end_signal();
  log.write(LogLevel::Info, clock.wall(), "stopping; game servers go on", {}, {});
  alerts.stop();
  if (issuer) issuer->stop();
  flag_streams.stop();
  flagd.reset();
  server->stop(seconds(2));
  threads.stop();
  // Their last outcomes go to the host, which is gone before they are.
  prober.journeys.stop();
  actions.stop();
  if (host->engine().stopped())
    return std::unexpected(host->engine().trouble().value_or(
        Error{ErrorCode::Conflict, "the journal could not be written any more; see the log"}));
  return {};
}

}  // namespace

int serve(const ServeOptions& options, const std::map<std::string, FleetDriver*>& more_drivers) {
  block_end_signals();
  if (sodium_init() < 0) return kExitInternal;
  if (const Status ran = run(options, more_drivers); !ran) {
    print_error(ran.error());
    return ran.error().code == ErrorCode::Invalid ? kExitUsage : kExitNotServing;
  }
  return kExitOk;
}

}  // namespace showcaller
