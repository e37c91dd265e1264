// SPDX-License-Identifier: Apache-2.0
// Steps of probes that ask grpc.health.v1.Health/Check. Source: grpc/doc/health-checking.md.
//
// SERVING is status 0; anything else is said in the answer. Threads: any. Without TLS.
#pragma once

#include "flow/port/probe_step.h"

namespace showcaller {

class ProbeGrpc final : public ProbeStepPort {
 public:
  ProbeAnswer exchange(const ProbeStep& step, const ProbeContext& context,
                       Duration timeout) override;
};

}  // namespace showcaller
