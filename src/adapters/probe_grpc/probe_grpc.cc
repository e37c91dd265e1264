// SPDX-License-Identifier: Apache-2.0
#include "adapters/probe_grpc/probe_grpc.h"

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>

#include <fmt/format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "codec/protobuf_writer.h"

namespace showcaller {
namespace {

constexpr std::array<std::string_view, 4> kStates{"UNKNOWN", "SERVING", "NOT_SERVING",
                                                  "SERVICE_UNKNOWN"};
constexpr int kServing = 1;
constexpr int kNotServing = 1;  // as the status of a step

grpc::ByteBuffer request_of(const std::string& service) {
  std::string bytes;
  ProtobufWriter(&bytes).bytes(1, service);  // HealthCheckRequest.service
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// HealthCheckResponse.status, a varint below 128; -1: it says something else.
int state_in(const grpc::ByteBuffer& answer) {
  grpc::Slice slice;
  if (!answer.DumpToSingleSlice(&slice).ok()) return -1;
  if (slice.size() == 0) return 0;
  const bool shaped = slice.size() == 2 && slice.begin()[0] == (1 << 3);
  return shaped && slice.begin()[1] < kStates.size() ? slice.begin()[1] : -1;
}

// No roots: those that gRPC finds on this machine.
std::shared_ptr<grpc::ChannelCredentials> credentials_for(const GrpcProbeStep& step,
                                                          const std::string& roots) {
  if (!step.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = roots;
  return grpc::SslCredentials(options);
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

ProbeGrpc::ProbeGrpc(const std::string& ca_file)
    : roots_(ca_file.empty() ? std::string() : text_of(ca_file)) {}

ProbeAnswer ProbeGrpc::exchange(const ProbeStep& step, const ProbeContext& context,
                                Duration timeout) {
  const auto& asked = std::get<GrpcProbeStep>(step.what);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL,
                   1);  // A connection of its own, as of a new player.
  const auto channel =
      grpc::CreateCustomChannel(asked.address, credentials_for(asked, roots_), arguments);
  grpc::GenericStub stub(channel);
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout.count()));
  if (!context.traceparent.empty()) call.AddMetadata("traceparent", context.traceparent);
  grpc::CompletionQueue queue;
  const auto reader = stub.PrepareUnaryCall(&call, "/grpc.health.v1.Health/Check",
                                            request_of(asked.service), &queue);
  reader->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  reader->Finish(&answer, &status, &queue);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);  // The deadline ends it.
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  if (!status.ok()) {
    return {
        fmt::format("gRPC status {}: {}", int(status.error_code()), status.error_message()), 0, {}};
  }
  const int state = state_in(answer);
  if (state == kServing) return {{}, 0, "SERVING"};
  return {{}, kNotServing, state < 0 ? "no health" : std::string(kStates[std::size_t(state)])};
}

}  // namespace showcaller
