// SPDX-License-Identifier: Apache-2.0
// Serves the Agones SDK over gRPC: agones.dev.sdk.SDK, its beta and its alpha service.
//
// The port listens at once; gRPC itself is brought up by the first client, so that a game server
// that speaks REST costs no gRPC threads and no memory. Threads: one that accepts, then gRPC's own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "codec/agones_sdk.h"

namespace showcaller {

class GrpcSidecar {
 public:
  // The backend outlives this. Port 0: the kernel's choice.
  static Result<std::unique_ptr<GrpcSidecar>> start(agones::SidecarBackend& backend,
                                                    const std::string& address, std::uint16_t port);
  ~GrpcSidecar();

  std::uint16_t port() const;

 private:
  struct State;
  explicit GrpcSidecar(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
