// SPDX-License-Identifier: Apache-2.0
// What a Probe says, typed: a synthetic player's journey in steps, and how often it is made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace showcaller {

// Texts may hold ${name}: what an earlier step kept, or the probe's own `region`.

struct HttpProbeStep {
  std::string method = "GET";
  std::string url;  // whole, or a path below the URL of the probe's Service
  std::map<std::string, std::string> headers;
  std::string body;
};
struct TcpProbeStep {
  std::string address;  // "host:port"
  std::string send;     // empty: that it accepts a connection is enough
};
struct UdpProbeStep {
  std::string address;
  std::string send;
};
struct GrpcProbeStep {  // grpc.health.v1.Health/Check
  std::string address;
  std::string service;  // empty: the server as a whole
  bool tls = false;
};
struct ScriptProbeStep {
  std::vector<std::string> command;  // argv; no shell
  std::map<std::string, std::string> env;
};

struct ProbeExpectation {
  std::vector<int> status;  // HTTP status, or a script's exit code; empty: 200-299, or 0
  std::string contains;     // the answer holds it
  std::map<std::string, json::value> json;  // JSON pointer -> what stands there
  std::optional<Duration> within;           // the step takes no longer
};

struct ProbeStep {
  std::string name;  // unique in the probe; default: its kind and place, "http-1"
  std::variant<HttpProbeStep, TcpProbeStep, UdpProbeStep, GrpcProbeStep, ScriptProbeStep> what;
  ProbeExpectation expect;
  std::map<std::string, std::string> keep;  // name -> JSON pointer into the answer
};

struct ProbeSpec {
  std::string service;  // whose URL paths lie below; empty: none
  Duration every = seconds(30);
  std::int64_t jitter_ppm = 100'000;  // of `every`, by chance, so that probes do not march in step
  Duration timeout = seconds(10);     // of a whole journey
  int retries = 1;                    // of a journey that failed, at once; the last one counts
  int failures = 2;                   // so many in a row, and it is not ready any more
  std::vector<std::string> regions;   // that it is made from; empty: wherever the server is
  std::vector<ProbeStep> steps;       // at least one
};

}  // namespace showcaller
