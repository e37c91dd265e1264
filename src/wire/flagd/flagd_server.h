// SPDX-License-Identifier: Apache-2.0
// flagd's two gRPC servers: evaluation and sync, each on a TCP port or a unix socket, with TLS when
// it is asked for.
//
// Threads: gRPC's. Limits: FlagdServerOptions::request_bytes_max, FlagStreams::kStreamsMax.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "wire/flagd/flagd_services.h"

namespace showcaller {

struct GrpcEndpoint {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system chooses
  std::string unix_path;   // when set, instead of TCP
};

struct FlagdServerOptions {
  std::optional<GrpcEndpoint> evaluation, sync;
  std::string certificate_file, key_file;  // PEM; both or neither
  std::string client_ca_file;              // when set, clients need a certificate of this CA
  std::size_t request_bytes_max = 1 << 20;
  FlagdServiceOptions services;
};

class FlagdServer {
 public:
  // Feed and streams outlive this. Unavailable: the address cannot be had; Invalid: the TLS files.
  static Result<std::unique_ptr<FlagdServer>> start(FlagdServerOptions options, FlagFeed* feed,
                                                    FlagStreams* streams);
  // Stops the streams too: gRPC waits for those that are open.
  ~FlagdServer();

  // "127.0.0.1:8013", "unix:/path"; empty: not served.
  const std::string& evaluation_address() const;
  const std::string& sync_address() const;

  const EvaluationCounts& counts() const;

 private:
  FlagdServer();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
