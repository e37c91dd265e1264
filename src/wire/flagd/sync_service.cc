// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <grpcpp/grpcpp.h>

#include "flagd_sync_v1.grpc.pb.h"
#include "wire/flagd/flagd_services.h"
#include "wire/flagd/grpc_caller.h"
#include "wire/flagd/stream_reactor.h"
#include "wire/flagd/struct_convert.h"

namespace showcaller {
namespace {

namespace sync = ::flagd::sync::v1;

google::protobuf::Struct context_values(const FlagdServicePorts& ports) {
  google::protobuf::Struct out;
  for (const auto& [attribute, value] : ports.options->context.values)
    (*out.mutable_fields())[attribute].set_string_value(value);
  return out;
}

// Documents as texts, each made once for all who are sent it; asked by the thread of the streams
// alone.
class DocumentTexts {
 public:
  const std::string& of(const SharedFlags& flags) {
    if (texts_.size() >= kTextsMax) texts_.clear();
    const auto [at, is_new] = texts_.try_emplace(flags);
    if (is_new) at->second = to_json_text(flags->document());
    return at->second;
  }

 private:
  static constexpr std::size_t kTextsMax = 16;
  std::map<SharedFlags, std::string> texts_;
};

// The whole document at once and after each change.
class SyncSteps {
 public:
  SyncSteps(const FlagdServicePorts& ports, DocumentTexts* texts, GrpcCaller caller)
      : ports_(ports), texts_(texts), caller_(std::move(caller)) {
    if (const auto limit = ports.options->stream_deadline; limit.count() > 0)
      deadline_ = std::chrono::steady_clock::now() + limit;
  }

  StreamStep<sync::SyncFlagsResponse> operator()(SteadyTime now) {
    StreamStep<sync::SyncFlagsResponse> step;
    const auto flags = ports_.feed->rules(caller_.view());
    if (now >= deadline_) {
      step.end = grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED,
                              "stream closed due to server-side timeout");
    } else if (!flags) {
      step.end = to_grpc_status(flags.error());
    } else if (seen_ == nullptr || seen_->fingerprint() != (*flags)->fingerprint()) {
      step.message.emplace().set_flag_configuration(texts_->of(*flags));
      *step.message->mutable_sync_context() = context_values(ports_);
      seen_ = *flags;
    }
    step.look_again = deadline_;
    return step;
  }

 private:
  FlagdServicePorts ports_;
  DocumentTexts* texts_;
  GrpcCaller caller_;
  SharedFlags seen_;
  SteadyTime deadline_ = SteadyTime::max();
};

class SyncService final : public sync::FlagSyncService::CallbackService {
  using Context = grpc::CallbackServerContext;

 public:
  explicit SyncService(const FlagdServicePorts& ports) : ports_(ports) {}

  grpc::ServerWriteReactor<sync::SyncFlagsResponse>* SyncFlags(
      Context* context, const sync::SyncFlagsRequest* request) override {
    return StreamReactor<sync::SyncFlagsResponse>::open(
        ports_.streams, SyncSteps(ports_, &texts_, caller_of(*context, request->selector())));
  }

  grpc::ServerUnaryReactor* FetchAllFlags(Context* context,
                                          const sync::FetchAllFlagsRequest* request,
                                          sync::FetchAllFlagsResponse* reply) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const GrpcCaller caller = caller_of(*context, request->selector());
    const auto flags = ports_.feed->rules(caller.view());
    if (flags) reply->set_flag_configuration(to_json_text((*flags)->document()));
    reactor->Finish(flags ? grpc::Status::OK : to_grpc_status(flags.error()));
    return reactor;
  }

  grpc::ServerUnaryReactor* GetMetadata(Context* context, const sync::GetMetadataRequest*,
                                        sync::GetMetadataResponse* reply) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (!ports_.options->metadata_endpoint) {
      reactor->Finish({grpc::StatusCode::UNIMPLEMENTED, "metadata endpoint disabled"});
      return reactor;
    }
    const GrpcCaller caller = caller_of(*context);
    const auto flags = ports_.feed->rules(caller.view());
    if (flags) *reply->mutable_metadata() = context_values(ports_);
    reactor->Finish(flags ? grpc::Status::OK : to_grpc_status(flags.error()));
    return reactor;
  }

 private:
  FlagdServicePorts ports_;
  DocumentTexts texts_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_sync_service(const FlagdServicePorts& ports) {
  return std::make_unique<SyncService>(ports);
}

}  // namespace showcaller
