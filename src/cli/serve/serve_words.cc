// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/cli.h"
#include "cli/serve/oidc_words.h"
#include "cli/serve/prometheus_words.h"
#include "cli/serve/serve.h"
#include "cli/terminal.h"

namespace showcaller {
namespace {

// Read once all words are there.
struct DurationWords {
  std::string pass_every = "200ms", keep_ledgers = "180d", keep_evidence = "90d";
};

int serve_words(ServeOptions& o, const DurationWords& d) {
  for (const auto& [text, to] :
       {std::pair(&d.pass_every, &o.pass_every), std::pair(&d.keep_ledgers, &o.keep_ledgers),
        std::pair(&d.keep_evidence, &o.keep_evidence)}) {
    const auto duration = parse_duration(*text);
    if (!duration) {
      print_error(duration.error());
      return kExitUsage;
    }
    *to = *duration;
  }
  return serve(o);
}

void add_listening(CLI::App* verb, ServeOptions& o) {
  verb->add_option("--data", o.data, "Folder of the journal, evidence, ledger and secrets")
      ->envname("SHOWCALLER_DATA");
  verb->add_option("--bind", o.address, "Address to listen on")->capture_default_str();
  verb->add_option("--port", o.port, "Port; 0: the system chooses")->capture_default_str();
  verb->add_option("--port-file", o.port_file, "Write the URL there once it listens");
  verb->add_option("--tls-cert", o.tls_certificate, "PEM certificate chain");
  verb->add_option("--tls-key", o.tls_key, "PEM key");
  verb->add_option("--tls-client-ca", o.tls_client_ca,
                   "Refuse clients without a certificate of this CA");
  verb->add_option("--flagd-port", o.flagd_port,
                   "Serve flagd.evaluation.v1 and v2 (gRPC) there; 0: the system chooses");
  verb->add_option("--flagd-sync-port", o.flagd_sync_port, "Serve flagd.sync.v1 (gRPC) there");
  verb->add_flag("--flagd-open", o.flagd_open,
                 "Who shows flagd's ports no token is a client: flags with `visibility: "
                 "client`");
  verb->add_option("--public-url", o.public_url,
                   "What browsers reach the console by, through whatever stands before it; "
                   "absent: as they ask");
  verb->add_option("--game-server-url", o.game_server_url,
                   "What game servers are told to reach this server by; absent: its own "
                   "address on this machine");
  verb->add_option("--game-server-ca", o.game_server_ca,
                   "PEM by which they know its certificate; absent: the certificate itself");
}

void add_working(CLI::App* verb, ServeOptions& o, DurationWords& d) {
  verb->add_option("--log-level", o.log_level, "debug, info, warning, error or off")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}))
      ->capture_default_str();
  verb->add_option("--log-format", o.log_format, "auto (text on a terminal), json, text")
      ->check(CLI::IsMember({"auto", "json", "text"}))
      ->capture_default_str();
  verb->add_option("--otlp-endpoint", o.otlp_endpoint,
                   "Base URL of an OpenTelemetry collector for traces; absent: as "
                   "OTEL_EXPORTER_OTLP_ENDPOINT says");
  verb->add_option("--probe-region", o.probe_regions,
                   "Region whose probes this server makes itself; may be repeated");
  verb->add_option("--pass-every", d.pass_every, "Between two passes of the reconcilers")
      ->capture_default_str();
  verb->add_option("--snapshot-every", o.snapshot_every,
                   "Records between two snapshots; absent: 50,000, at least 5 s apart")
      ->check(CLI::PositiveNumber);
  verb->add_option("--keep-ledgers", d.keep_ledgers, "How long a ledger is kept once it is sealed")
      ->capture_default_str();
  verb->add_option("--keep-evidence", d.keep_evidence,
                   "How long the ticks of a stage are kept after the last one")
      ->capture_default_str();
  verb->add_option("--http-threads", o.http_threads, "Threads of the API")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  verb->add_flag("--access-log", o.access_log, "Log each request");
  add_prometheus_words(verb, &o.prometheus);
  add_oidc_words(verb, &o.oidc);
}

}  // namespace

void add_serve_words(CLI::App* app, int* code) {
  const auto options = std::make_shared<ServeOptions>();
  const auto durations = std::make_shared<DurationWords>();
  CLI::App* verb = app->add_subcommand("serve", "Run the server");
  verb->footer(
      "Examples:\n  showcaller serve --data ./state\n  showcaller serve --port 0 --port-file "
      "./url");
  add_listening(verb, *options);
  add_working(verb, *options, *durations);
  verb->callback([options, durations, code] { *code = serve_words(*options, *durations); });
}

}  // namespace showcaller
