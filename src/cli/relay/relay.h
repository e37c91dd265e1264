// SPDX-License-Identifier: Apache-2.0
// `showcaller relay`: flags, kill switches and intake for a region, also while it is cut off from
// its server. docs/relay.md
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/time.h"

namespace CLI {
class App;
}

namespace showcaller {

struct RelayOptions {
  std::string upstream, ca_file, token_file;
  std::string region, name;  // name empty: relay-REGION
  std::string data = "relay";
  std::string address = "127.0.0.1";
  std::uint16_t port = 8701;
  std::string port_file;
  std::string tls_certificate, tls_key, tls_client_ca;
  std::optional<std::uint16_t> flagd_port, flagd_sync_port;
  bool flagd_open = false;
  int http_threads = 2;
  std::string log_level = "info";
};

int relay(const RelayOptions& options);
void add_relay_words(CLI::App* app, int* code);

}  // namespace showcaller
