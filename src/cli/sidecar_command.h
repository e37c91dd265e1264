// SPDX-License-Identifier: Apache-2.0
// `showcaller sidecar --local`: the Agones SDK for one game server at a developer's desk, without a
// server or a fleet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "codec/agones_sdk.h"
#include "wire/sidecar/grpc_sidecar.h"
#include "wire/sidecar/rest_sidecar.h"

namespace showcaller {

struct SidecarServers {
  std::unique_ptr<GrpcSidecar> grpc;
  std::unique_ptr<RestSidecar> rest;
};
Result<std::shared_ptr<SidecarServers>> serve_sidecar(agones::SidecarBackend& backend,
                                                      const std::string& address,
                                                      std::uint16_t grpc_port,
                                                      std::uint16_t http_port);

struct SidecarCommand {
  std::string address = "127.0.0.1";
  std::uint16_t grpc_port = 9357;  // Agones's own; 0: the kernel's choice
  std::uint16_t http_port = 9358;
  std::string file;  // a GameServer manifest (YAML or JSON), read again when it is written; empty:
                     // Agones's local default
  std::string state_file;  // the game server as JSON, written anew after each change; empty: none
};
// Prints each SDK call. Runs until SIGINT or SIGTERM. Returns the exit code.
int sidecar_command(const SidecarCommand& command);

}  // namespace showcaller
