// SPDX-License-Identifier: Apache-2.0
// Steps of probes over HTTP/1.1 and TLS: one request on a connection of its own, as a new player's.
//
// Threads: any. Limits: 64 KiB of an answer.
#pragma once

#include "flow/port/probe_step.h"
#include "net/http_client.h"

namespace showcaller {

class ProbeHttp final : public ProbeStepPort {
 public:
  explicit ProbeHttp(TlsClientOptions tls = {}) : tls_(std::move(tls)) {}
  ProbeAnswer exchange(const ProbeStep& step, const ProbeContext& context,
                       Duration timeout) override;

 private:
  const TlsClientOptions tls_;
};

}  // namespace showcaller
