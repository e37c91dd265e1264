// SPDX-License-Identifier: Apache-2.0
// All that makes probes' journeys in this process.
#pragma once

#include "adapters/probe_grpc/probe_grpc.h"
#include "adapters/probe_http/probe_http.h"
#include "adapters/probe_script/probe_script.h"
#include "adapters/probe_socket/probe_socket.h"
#include "cli/probe/probe_journeys.h"

namespace showcaller {

struct OwnProber {
  ProbeHttp http;
  ProbeSocket socket;
  ProbeGrpc grpc;
  ProbeScript script;
  ProbeJourneys journeys{{&http, &socket, &socket, &grpc, &script}};
};

}  // namespace showcaller
