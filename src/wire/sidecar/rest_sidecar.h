// SPDX-License-Identifier: Apache-2.0
// Serves the Agones SDK over REST, as Agones's gateway does (codec/agones_rest.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "codec/agones_sdk.h"

namespace showcaller {

class RestSidecar {
 public:
  // The backend outlives this. Port 0: the kernel's choice.
  static Result<std::unique_ptr<RestSidecar>> start(agones::SidecarBackend& backend,
                                                    const std::string& address, std::uint16_t port);
  ~RestSidecar();

  std::uint16_t port() const;

 private:
  struct State;
  explicit RestSidecar(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace showcaller
