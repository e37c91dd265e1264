// SPDX-License-Identifier: Apache-2.0
// All that makes probes' journeys in this process. Certificates are known by the machine's
// authorities, or by those in the file that SSL_CERT_FILE names, as OpenSSL has it.
#pragma once

#include <cstdlib>
#include <string>

#include "adapters/clock/system_clock.h"
#include "adapters/probe_grpc/probe_grpc.h"
#include "adapters/probe_http/probe_http.h"
#include "adapters/probe_script/probe_script.h"
#include "adapters/probe_socket/probe_socket.h"
#include "cli/probe/probe_journeys.h"

namespace showcaller {

inline std::string trusted_authorities() {
  const char* named = std::getenv("SSL_CERT_FILE");
  return named != nullptr ? named : "";
}

struct OwnProber {
  // Where spans of journeys go; null: nobody collects them.
  explicit OwnProber(SpanSink* spans)
      : journeys({&http, &socket, &socket, &grpc, &script},
                 {.spans = spans, .wall = [] { return SystemClock().wall(); }}) {}

  ProbeHttp http;
  ProbeSocket socket;
  ProbeGrpc grpc{trusted_authorities()};
  ProbeScript script;
  ProbeJourneys journeys;
};

}  // namespace showcaller
