// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/relay/relay.h"

namespace showcaller {
namespace {

void add_above(CLI::App* app, RelayOptions& o) {
  app->add_option("--upstream", o.upstream, "URL of the server, or of the relay, above")
      ->required();
  app->add_option("--token-file", o.token_file, "File with a token of the role `relay`")
      ->required();
  app->add_option("--upstream-ca", o.ca_file, "PEM of the CA that signed its certificate");
  app->add_option("--region", o.region, "The region that it serves")->required();
  app->add_option("--name", o.name, "What it is called above; absent: relay-REGION");
  app->add_option("--data", o.data, "Folder of what it last knew")->capture_default_str();
}

void add_below(CLI::App* app, RelayOptions& o) {
  app->add_option("--bind", o.address, "Address to listen on")->capture_default_str();
  app->add_option("--port", o.port, "Port; 0: the system chooses")->capture_default_str();
  app->add_option("--port-file", o.port_file, "Write the URL there once it listens");
  app->add_option("--tls-cert", o.tls_certificate, "PEM certificate chain");
  app->add_option("--tls-key", o.tls_key, "PEM key");
  app->add_option("--tls-client-ca", o.tls_client_ca,
                  "PEM of a CA whose certificate clients must show");
  app->add_option("--flagd-port", o.flagd_port, "Also flagd's evaluation over gRPC; 0: any port");
  app->add_option("--flagd-sync-port", o.flagd_sync_port, "Also flagd's sync; 0: any port");
  app->add_flag("--flagd-open", o.flagd_open,
                "Who shows no token there may evaluate what clients may see");
  app->add_option("--http-threads", o.http_threads, "Threads that read requests")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app->add_option("--log-level", o.log_level, "debug, info, warning, error or off")
      ->check(CLI::IsMember({"debug", "info", "warning", "error", "off"}))
      ->capture_default_str();
}

}  // namespace

void add_relay_words(CLI::App* app, int* code) {
  const auto options = std::make_shared<RelayOptions>();
  CLI::App* verb = app->add_subcommand(
      "relay", "Serve flags and take reports for a region, also while the server is away");
  verb->footer(
      "Examples:\n  showcaller token create eu-relay --role relay\n"
      "  showcaller relay --upstream https://live.example.net --token-file ./relay.token --region "
      "eu --data ./relay");
  add_above(verb, *options);
  add_below(verb, *options);
  verb->callback([options, code] { *code = relay(*options); });
}

}  // namespace showcaller
