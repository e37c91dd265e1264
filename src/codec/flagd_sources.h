// SPDX-License-Identifier: Apache-2.0
// Where flags come from, as flagd's `--uri` and `--sources` say it.
//
//   uri     = "file:" PATH | "http://…" | "https://…" | "grpc://" HOST ":" PORT | "grpcs://" …
//   sources = a JSON array of {"uri", "provider", …}; provider = file fsnotify fileinfo http grpc
//
// A source's name, which selectors use, is its uri without "file:", "grpc://" or "grpcs://".
//
// Pure. Threads: none. Source: flagd.dev/reference/sync-configuration.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace showcaller {

enum class FlagSourceKind { File, Http, Grpc };

struct FlagSourceConfig {
  FlagSourceKind kind = FlagSourceKind::File;
  std::string name;  // the path, URL or HOST:PORT
  // Of HTTP.
  std::map<std::string, std::string> headers;
  Duration interval = seconds(5);  // between two looks
  Duration timeout = seconds(10);
  // Of gRPC.
  bool tls = false;
  std::string certificate_file;  // of the CA; empty: the system's
  std::string provider_id, selector;
  std::size_t message_bytes_max = 0;  // 0: gRPC's own

  friend bool operator==(const FlagSourceConfig&, const FlagSourceConfig&) = default;
};

// Invalid, and Unsupported for what flagd reads and this program does not.
Result<FlagSourceConfig> parse_flag_source_uri(std::string_view uri);
Result<std::vector<FlagSourceConfig>> parse_flag_sources(std::string_view text);

}  // namespace showcaller
