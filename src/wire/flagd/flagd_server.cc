// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/flagd_server.h"

#include <fstream>
#include <iterator>
#include <vector>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

namespace showcaller {
namespace {

constexpr auto kShutdownGrace = std::chrono::seconds(1);

Result<std::string> read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) {
    return fail(ErrorCode::Invalid,
                fmt::format("cannot read '{}'; give a file in PEM that the server may read", path));
  }
  return text;
}

Result<std::shared_ptr<grpc::ServerCredentials>> credentials_of(const FlagdServerOptions& options) {
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return fail(ErrorCode::Invalid,
                "a certificate and its key go together; give both files or neither");
  }
  if (options.certificate_file.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions tls;
  TRY(std::string key, read_pem(options.key_file));
  TRY(std::string certificate, read_pem(options.certificate_file));
  tls.pem_key_cert_pairs.push_back({std::move(key), std::move(certificate)});
  if (!options.client_ca_file.empty()) {
    TRY(tls.pem_root_certs, read_pem(options.client_ca_file));
    tls.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  return grpc::SslServerCredentials(tls);
}

// One server, and where it listens.
struct Listening {
  std::string address;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> server;
};

std::string host_text(const std::string& address) {
  return address.find(':') != address.npos ? fmt::format("[{}]", address) : address;
}

struct ListenWith {
  std::shared_ptr<grpc::ServerCredentials> credentials;
  std::size_t request_bytes_max = 0;
};

Status listen(const GrpcEndpoint& endpoint, const ListenWith& with, Listening* listening) {
  const bool is_local = !endpoint.unix_path.empty();
  const std::string wanted = is_local
                                 ? "unix:" + endpoint.unix_path
                                 : fmt::format("{}:{}", host_text(endpoint.address), endpoint.port);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.SetMaxReceiveMessageSize(int(with.request_bytes_max));
  // Two servers on one port would share its clients without a word.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Providers ping while they wait for changes, as often as they are told to.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  builder.AddListeningPort(wanted, with.credentials, &port);
  for (const auto& service : listening->services) builder.RegisterService(service.get());
  listening->server = builder.BuildAndStart();
  if (!listening->server || port == 0) {
    return fail(ErrorCode::Unavailable,
                fmt::format("cannot listen on {}; is another program there, and are key and "
                            "certificate in PEM?",
                            wanted));
  }
  listening->address = is_local ? wanted : fmt::format("{}:{}", host_text(endpoint.address), port);
  return {};
}

}  // namespace

struct FlagdServer::State {
  State(FlagdServerOptions with, FlagStreams* told) : options(std::move(with)), streams(told) {}
  ~State() {
    streams->stop();
    const auto latest = std::chrono::system_clock::now() + kShutdownGrace;
    for (Listening* each : {&evaluation, &sync}) {
      if (each->server) each->server->Shutdown(latest);
    }
  }

  const FlagdServerOptions options;
  EvaluationCounts counts{};
  FlagStreams* const streams;
  Listening evaluation, sync;
};

FlagdServer::FlagdServer() = default;
FlagdServer::~FlagdServer() = default;

Result<std::unique_ptr<FlagdServer>> FlagdServer::start(FlagdServerOptions options, FlagFeed* feed,
                                                        FlagStreams* streams) {
  grpc::EnableDefaultHealthCheckService(true);  // grpc.health.v1, as orchestrators ask.
  ListenWith with{.request_bytes_max = options.request_bytes_max};
  TRY(with.credentials, credentials_of(options));
  std::unique_ptr<FlagdServer> server(new FlagdServer());
  server->state_ = std::make_unique<State>(std::move(options), streams);
  State& state = *server->state_;
  const FlagdServicePorts ports{.feed = feed,
                                .streams = streams,
                                .counts = &state.counts,
                                .options = &state.options.services};
  if (state.options.evaluation) {
    state.evaluation.services.push_back(make_evaluation_service_schema_v1(ports));
    state.evaluation.services.push_back(make_evaluation_service_v1(ports));
    state.evaluation.services.push_back(make_evaluation_service_v2(ports));
    TRY(listen(*state.options.evaluation, with, &state.evaluation));
  }
  if (state.options.sync) {
    state.sync.services.push_back(make_sync_service(ports));
    TRY(listen(*state.options.sync, with, &state.sync));
  }
  return server;
}

const std::string& FlagdServer::evaluation_address() const {
  return state_->evaluation.address;
}
const std::string& FlagdServer::sync_address() const {
  return state_->sync.address;
}
const EvaluationCounts& FlagdServer::counts() const {
  return state_->counts;
}

}  // namespace showcaller
