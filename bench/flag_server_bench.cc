// SPDX-License-Identifier: Apache-2.0
// What an evaluation costs a server: over gRPC against an empty call of the same server, and over
// OFREP against nginx with a file of 200 bytes, where there is nginx.
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "agones_sdk.grpc.pb.h"
#include "bench/http_load.h"
#include "flagd_evaluation_v2.grpc.pb.h"
#include "wire/flagd/flagd_services.h"
#include "wire/flagd/ofrep_server.h"
#include "wire/flagd/sources_feed.h"

namespace {

using namespace showcaller;
namespace v2 = ::flagd::evaluation::v2;
namespace sdk = ::agones::dev::sdk;

constexpr std::string_view kFlags = R"({"flags": {"door": {
  "state": "ENABLED", "variants": {"open": true, "shut": false}, "defaultVariant": "shut",
  "targeting": {"if": [{"in": [{"var": "group"}, ["staff", "qa"]]}, "open",
                       {"fractional": [["open", 10], ["shut", 90]]}]}}}})";
constexpr int kCalls = 20'000;
constexpr int kCallsAtOnce = 32;

SourcesFeed& feed_of_one_flag() {
  static SourcesFeed feed({"flags.json"}, "source", [] { return instant_ms(0); });
  if (!feed.take(0, *parse_json(kFlags))) std::abort();
  return feed;
}

[[noreturn]] void run_ofrep(int ready) {
  static FlagStreams streams;
  const auto server = OfrepServer::start({}, &feed_of_one_flag(), &streams);
  const std::string url = server ? (*server)->url() : "x:0";
  const auto port = std::uint16_t(std::stoi(url.substr(url.rfind(':') + 1)));
  (void)!::write(ready, &port, sizeof port);
  while (true) ::pause();
}

class EmptyCall final : public sdk::SDK::CallbackService {
  grpc::ServerUnaryReactor* Ready(grpc::CallbackServerContext* context, const sdk::Empty*,
                                  sdk::Empty*) override {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

[[noreturn]] void run_grpc(int ready) {
  static FlagStreams streams;
  static EvaluationCounts counts;
  static const FlagdServiceOptions options;
  static EmptyCall empty;
  static const auto service =
      make_evaluation_service_v2({&feed_of_one_flag(), &streams, &counts, &options});
  grpc::ServerBuilder builder;
  int chosen = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &chosen);
  builder.RegisterService(service.get());
  builder.RegisterService(&empty);
  const auto server = builder.BuildAndStart();
  const auto port = std::uint16_t(chosen);
  (void)!::write(ready, &port, sizeof port);
  server->Wait();
  std::abort();
}

// So many calls are under way at once; each begins the next when it is answered.
template <class Reply, class Begin>
std::uint64_t call_many(Begin begin) {
  struct Call {
    grpc::ClientContext context;
    Reply reply;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Reply>> reader;
  };
  grpc::CompletionQueue queue;
  int begun = 0;
  const auto start = [&] {
    auto* call = new Call;
    call->reader = begin(&call->context, &queue);
    call->reader->Finish(&call->reply, &call->status, call);
    ++begun;
  };
  for (int i = 0; i < kCallsAtOnce; ++i) start();
  for (int answered = 0; answered < kCalls; ++answered) {
    void* tag = nullptr;
    bool ok = false;
    if (!queue.Next(&tag, &ok)) std::abort();
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (!call->status.ok()) std::abort();
    if (begun < kCalls) start();
  }
  return kCalls;
}

bench::Figure measure_grpc(const bench::ServerProcess& server) {
  const auto channel = grpc::CreateChannel(fmt::format("127.0.0.1:{}", server.port),
                                           grpc::InsecureChannelCredentials());
  const auto evaluation = v2::Evaluation::NewStub(channel);
  const auto empty = sdk::SDK::NewStub(channel);
  v2::ResolveBooleanRequest request;
  request.set_flag_key("door");
  auto& context = *request.mutable_context()->mutable_fields();
  context["targetingKey"].set_string_value("player-17");
  context["group"].set_string_value("guests");
  context["level"].set_number_value(37);
  const sdk::Empty nothing;
  return bench::compare(
      "flagd_grpc_evaluation_rate", "op/s",
      [&] {
        return call_many<v2::ResolveBooleanResponse>([&](auto* with, auto* queue) {
          return evaluation->AsyncResolveBoolean(with, request, queue);
        });
      },
      [&] {
        return call_many<sdk::Empty>(
            [&](auto* with, auto* queue) { return empty->AsyncReady(with, nothing, queue); });
      },
      "an empty call", 7, bench::Clock::Wall);
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = bench::loopback(0);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

// One process, as ours is; the file is kept open.
[[noreturn]] void run_nginx(int ready, const std::string& folder) {
  const std::uint16_t port = free_port();
  std::ofstream(folder + "/flags") << std::string(200, 'x');
  std::ofstream(folder + "/nginx.conf") << fmt::format(
      "daemon off; master_process off; error_log {0}/error.log; pid {0}/pid;\n"
      "events {{ worker_connections 512; }}\n"
      "http {{ access_log off; keepalive_requests 1000000000; open_file_cache max=10; sendfile "
      "on;\n"
      "  client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c;\n"
      "  uwsgi_temp_path {0}/d; scgi_temp_path {0}/e;\n"
      "  server {{ listen 127.0.0.1:{1}; root {0}; }} }}\n",
      folder, port);
  if (::fork() == 0) {  // Tells when nginx answers, which can't say so itself.
    for (int fd = -1; (fd = bench::connect_to(port)) < 0;) ::usleep(10'000);
    (void)!::write(ready, &port, sizeof port);
    ::_exit(0);
  }
  ::close(ready);
  const std::string config = folder + "/nginx.conf";
  ::execlp("nginx", "nginx", "-c", config.c_str(), nullptr);
  ::_exit(1);
}

bench::Figure measure_ofrep(const bench::ServerProcess& ours, const bench::ServerProcess& nginx) {
  const std::string body =
      R"({"context":{"targetingKey":"player-17","group":"guests","level":37}})";
  const std::string ask = fmt::format(
      "POST /ofrep/v1/evaluate/flags/door HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
  const bench::HttpLoad load{.request = ask};
  const bench::HttpLoad file{.request =
                                 "GET /flags HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\n\r\n"};
  auto rounds = bench::compare_loads(ours, load, nginx, file);
  for (auto* each : {&rounds.our_cpu, &rounds.their_cpu})
    for (double& cpu_us : *each) cpu_us = 1e6 / cpu_us;
  return bench::figure_of_rounds("ofrep_requests_per_cpu_second", "op/s", rounds.our_cpu,
                                 rounds.their_cpu, "nginx, 200 static bytes");
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<bench::Figure> figures;
  // All processes before gRPC has threads of its own in this one.
  const bench::ServerProcess grpc_server(run_grpc);
  const bench::ServerProcess ofrep(run_ofrep);
  if (std::system("command -v nginx >/dev/null 2>&1") == 0) {
    const std::string folder =
        (std::filesystem::temp_directory_path() / fmt::format("showcaller-bench-{}", ::getpid()))
            .string();
    std::filesystem::create_directory(folder);
    {
      const bench::ServerProcess nginx([&](int ready) { run_nginx(ready, folder); });
      figures.push_back(measure_ofrep(ofrep, nginx));
    }
    std::filesystem::remove_all(folder);
  } else {
    std::fprintf(stderr, "there is no nginx to compare OFREP with; ./run install bench\n");
  }
  figures.push_back(measure_grpc(grpc_server));
  bench::print_figures(argc, argv, figures);
}
