// SPDX-License-Identifier: Apache-2.0
// `showcaller serve`: the composition root. Puts ports and adapters together and runs them until a
// signal.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "compute/port/fleet_driver.h"

namespace CLI {
class App;
}

namespace showcaller {

struct PrometheusWords {
  std::string url, token_file, ca_file;  // no url: nobody is asked
};

// By whom people sign in to the console; no issuer: with tokens alone.
struct OidcWords {
  std::string issuer, client_id, client_secret_file, name, ca_file;
  std::vector<std::string> scopes;
  std::string name_claim = "email", groups_claim = "groups", session_max = "8h";
};

struct ServeOptions {
  std::string data = "./showcaller-state";  // journal, evidence, ledger, instances, secrets
  std::string address = "127.0.0.1";
  std::uint16_t port = 8700;  // 0: the system chooses; see port_file
  std::string port_file;      // the URL is written there when the server listens
  std::string tls_certificate, tls_key, tls_client_ca;
  std::optional<std::uint16_t> flagd_port, flagd_sync_port;  // absent: not served
  bool flagd_open = false;                                   // who shows no token is a client
  std::string game_server_url;  // that game servers are told; empty: our own, on this machine
  std::string game_server_ca;   // by which they know us; empty: the certificate itself
  std::string log_level = "info";
  std::string log_format = "auto";         // json, text; auto: text where the log is a terminal
  std::string otlp_endpoint;               // a collector's base URL; empty: as the environment says
  std::vector<std::string> probe_regions;  // where the server is, for probes that name regions
  Duration pass_every = Duration(200);
  int http_threads = 2;
  std::uint64_t snapshot_every = 0;  // records; 0: as EngineHostOptions says
  Duration keep_ledgers = hours(24 * 180), keep_evidence = hours(24 * 90);
  bool access_log = false;
  PrometheusWords prometheus;
  OidcWords oidc;
  std::string public_url;  // what browsers reach the console by; empty: as they ask
};

// Returns the exit code. `more_drivers`: of fleets, by the name that a Fleet gives, beside the
// program's own; one called `process` takes its place. They outlive the call.
int serve(const ServeOptions& options,
          const std::map<std::string, FleetDriver*>& more_drivers = {});
// The verb and its options.
void add_serve_words(CLI::App* app, int* code);

}  // namespace showcaller
