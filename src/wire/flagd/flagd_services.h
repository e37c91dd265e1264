// SPDX-License-Identifier: Apache-2.0
// flagd's gRPC services over a feed of flags: flagd.evaluation.v1 and v2, flagd.sync.v1, and
// schema.v1, as evaluation.v1 was called before.
//
// What an evaluation answers (docs/flags.md has the reasons):
//
//   a value, or a value left to the caller   OK; v2 without value and variant, v1 with zero and ""
//   no such flag                             NOT_FOUND         "Flag not found"
//   of another type                          INVALID_ARGUMENT  "Type mismatch error"
//   targeting does not compile               DATA_LOSS         "Error parsing input or
//   configuration" targeting names no variant, a budget     UNKNOWN           "General error"
//
// Threads: gRPC's; nothing blocks. Source: github.com/open-feature/flagd, flagd/pkg/service.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "wire/flagd/context_enrichment.h"
#include "wire/flagd/flag_feed.h"
#include "wire/flagd/flag_streams.h"

namespace grpc {
class Service;
}

namespace showcaller {

// Evaluations answered, by FlagReason.
using EvaluationCounts = std::array<std::atomic<std::uint64_t>, 5>;

struct FlagdServiceOptions {
  ContextEnrichment context;
  std::chrono::milliseconds stream_deadline{0};        // after which a stream ends; 0: never
  std::chrono::milliseconds keep_alive_every{20'000};  // of event streams that have nothing to tell
  bool metadata_endpoint = true;                       // GetMetadata, which flagd has deprecated
};

// Outlived by all of these.
struct FlagdServicePorts {
  FlagFeed* feed = nullptr;
  FlagStreams* streams = nullptr;
  EvaluationCounts* counts = nullptr;
  const FlagdServiceOptions* options = nullptr;
};

std::unique_ptr<grpc::Service> make_evaluation_service_v1(const FlagdServicePorts& ports);
std::unique_ptr<grpc::Service> make_evaluation_service_schema_v1(const FlagdServicePorts& ports);
std::unique_ptr<grpc::Service> make_evaluation_service_v2(const FlagdServicePorts& ports);
std::unique_ptr<grpc::Service> make_sync_service(const FlagdServicePorts& ports);

}  // namespace showcaller
