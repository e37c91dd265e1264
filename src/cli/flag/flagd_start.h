// SPDX-License-Identifier: Apache-2.0
// `showcaller flagd start`: flagd's server, with flagd's options, over files and URLs of flags. No
// journal, no events: the composition root for who wants flags alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace showcaller {

struct FlagdStart {
  std::vector<std::string> uris;
  std::string sources;  // JSON
  std::string address = "127.0.0.1";
  std::uint16_t port = 8013, management_port = 8014, sync_port = 8015, ofrep_port = 8016;
  std::string socket_path, sync_socket_path;
  std::string certificate_file, key_file;
  std::vector<std::string> context_values, context_from_headers;  // "KEY=VALUE"
  std::vector<std::string> cors_origins;
  std::string selector_fallback_key = "source";
  Duration stream_deadline{};
  bool disable_sync_metadata = false;
  bool ofrep_event_streams = true;
  int ofrep_inactivity_s = 120;
  std::string ofrep_public_url;
  std::size_t request_bytes_max = 1 << 20;
  bool log_json = false, debug = false;
};

// Returns the exit code.
int flagd_start(const FlagdStart& options);

}  // namespace showcaller
