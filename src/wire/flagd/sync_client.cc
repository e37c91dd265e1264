// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/sync_client.h"

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "flagd_sync_v1.grpc.pb.h"

namespace showcaller {
namespace {

constexpr auto kTryAgainAfter = std::chrono::seconds(1);

std::shared_ptr<grpc::Channel> channel_to(const FlagSourceConfig& config) {
  grpc::ChannelArguments arguments;
  if (config.message_bytes_max > 0)
    arguments.SetMaxReceiveMessageSize(int(config.message_bytes_max));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  if (!config.tls)
    return grpc::CreateCustomChannel(config.name, grpc::InsecureChannelCredentials(), arguments);
  grpc::SslCredentialsOptions tls;
  if (!config.certificate_file.empty()) {
    std::ifstream file(config.certificate_file, std::ios::binary);
    tls.pem_root_certs.assign(std::istreambuf_iterator<char>(file), {});
  }
  return grpc::CreateCustomChannel(config.name, grpc::SslCredentials(tls), arguments);
}

}  // namespace

struct SyncClient::State {
  explicit State(FlagSourceConfig with)
      : config(std::move(with)),
        stub(::flagd::sync::v1::FlagSyncService::NewStub(channel_to(config))) {}
  ~State() {
    if (!thread.joinable()) return;
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      if (call != nullptr) call->TryCancel();
    }
    stopped.notify_all();
    thread.join();
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      grpc::ClientContext context;
      call = &context;
      lock.unlock();
      const grpc::Status status = follow(&context);
      lock.lock();
      call = nullptr;
      if (stopping) return;
      lock.unlock();
      tell(fail(ErrorCode::Unavailable, fmt::format("'{}' gives no flags: {}; it is asked again",
                                                    config.name, status.error_message())));
      lock.lock();
      stopped.wait_for(lock, kTryAgainAfter, [this] { return stopping; });
    }
  }

  grpc::Status follow(grpc::ClientContext* context) {
    ::flagd::sync::v1::SyncFlagsRequest request;
    request.set_provider_id(config.provider_id);
    request.set_selector(config.selector);
    if (!config.selector.empty()) context->AddMetadata("flagd-selector", config.selector);
    const auto stream = stub->SyncFlags(context, request);
    ::flagd::sync::v1::SyncFlagsResponse message;
    while (stream->Read(&message)) tell(message.flag_configuration());
    const grpc::Status status = stream->Finish();
    return status.ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stream ended") : status;
  }

  // An error that follows on an error tells nothing new, however it is worded.
  void tell(Result<std::string> text) {
    if (told && (*told == text || (!*told && !text))) return;
    told = text;
    sink(std::move(text));
  }

  const FlagSourceConfig config;
  const std::unique_ptr<::flagd::sync::v1::FlagSyncService::Stub> stub;
  DocumentSink sink;
  std::optional<Result<std::string>> told;
  std::mutex mutex;
  std::condition_variable stopped;
  grpc::ClientContext* call = nullptr;  // under way
  bool stopping = false;
  std::thread thread;
};

SyncClient::SyncClient(FlagSourceConfig config)
    : state_(std::make_unique<State>(std::move(config))) {}
SyncClient::~SyncClient() = default;

void SyncClient::start(DocumentSink sink) {
  state_->sink = std::move(sink);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

}  // namespace showcaller
