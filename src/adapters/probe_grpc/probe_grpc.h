// SPDX-License-Identifier: Apache-2.0
// Steps of probes that ask grpc.health.v1.Health/Check. Source: grpc/doc/health-checking.md.
//
// SERVING is status 0; anything else is said in the answer. Threads: any.
#pragma once

#include <string>

#include "flow/port/probe_step.h"

namespace showcaller {

class ProbeGrpc final : public ProbeStepPort {
 public:
  // By which certificates are known, for steps with TLS: a PEM file. Empty: the system's.
  explicit ProbeGrpc(const std::string& ca_file = {});
  ProbeAnswer exchange(const ProbeStep& step, const ProbeContext& context,
                       Duration timeout) override;

 private:
  const std::string roots_;
};

}  // namespace showcaller
