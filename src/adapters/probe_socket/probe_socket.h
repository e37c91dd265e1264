// SPDX-License-Identifier: Apache-2.0
// Steps of probes over TCP and UDP: a connection or a datagram, and what is answered to it.
//
// TCP without words: that it accepts. With words, and over UDP: what comes back first. Threads:
// any. Limits: 64 KiB of an answer. A name is looked up by the system, whose own time limits hold.
#pragma once

#include "flow/port/probe_step.h"

namespace showcaller {

class ProbeSocket final : public ProbeStepPort {
 public:
  ProbeAnswer exchange(const ProbeStep& step, const ProbeContext& context,
                       Duration timeout) override;
};

}  // namespace showcaller
