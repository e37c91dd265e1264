// SPDX-License-Identifier: Apache-2.0
// Steps of probes that are programs: their exit code is the status, what they print is the answer
// (JSON, where a later step shall keep something of it).
//
// The program runs in a session of its own, with no new privileges, in /, with an environment of
// PATH, LANG, TRACEPARENT and what the step says, and with limits: its memory, files and processor
// time, 64 KiB of what it prints. When its time is up, or when it has ended, all that it started
// and that stayed in its session is killed. Threads: any.
#pragma once

#include "flow/port/probe_step.h"

namespace showcaller {

class ProbeScript final : public ProbeStepPort {
 public:
  ProbeAnswer exchange(const ProbeStep& step, const ProbeContext& context,
                       Duration timeout) override;
};

}  // namespace showcaller
