// SPDX-License-Identifier: Apache-2.0
// gRPC's own health service, asked.
#include "adapters/probe_grpc/probe_grpc.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <gtest/gtest.h>

#include "tests/adapters/scratch_folder.h"

namespace showcaller {
namespace {

ProbeAnswer ask(const std::string& address, const std::string& service = "",
                Duration timeout = seconds(10)) {
  ProbeStep step;
  step.what = GrpcProbeStep{address, service};
  return ProbeGrpc().exchange(step, {"00-aa-bb-01", {}}, timeout);
}

TEST(ProbeGrpc, TellsWhetherItIsServing) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  grpc::CallbackGenericService game;  // A server serves something beside its health.
  builder.RegisterCallbackGenericService(&game);
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  const auto server = builder.BuildAndStart();
  ASSERT_TRUE(server);
  const std::string address = fmt::format("127.0.0.1:{}", port);
  auto* health = server->GetHealthCheckService();
  health->SetServingStatus(true);
  health->SetServingStatus("raid", true);
  EXPECT_EQ(ask(address).error, "");
  EXPECT_EQ(ask(address).status, 0);
  EXPECT_EQ(ask(address, "raid").body, "SERVING");
  health->SetServingStatus("raid", false);
  EXPECT_EQ(ask(address, "raid").status, 1);
  EXPECT_EQ(ask(address, "raid").body, "NOT_SERVING");
  EXPECT_NE(ask(address, "nobody").error.find("gRPC status 5"), std::string::npos);
  server->Shutdown();
  EXPECT_NE(ask(address, "", Duration(300)).error, "");
}

// A health service behind TLS, with a certificate that it signed itself.
class SecureGame {
 public:
  SecureGame() {
    const std::string command = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
        "/CN=game -addext subjectAltName=IP:127.0.0.1 -keyout {}/key.pem -out {} 2>/dev/null",
        folder_.path(), certificate());
    EXPECT_EQ(std::system(command.c_str()), 0);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({text_of("key.pem"), text_of("cert.pem")});
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&service_);
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port_);
    server_ = builder.BuildAndStart();
  }
  ~SecureGame() { server_->Shutdown(); }
  std::string certificate() const { return folder_.path() + "/cert.pem"; }

  ProbeAnswer ask(const std::string& trusted, bool tls) const {
    ProbeStep step;
    step.what = GrpcProbeStep{fmt::format("127.0.0.1:{}", port_), "", tls};
    return ProbeGrpc(trusted).exchange(step, {}, seconds(10));
  }

 private:
  std::string text_of(const std::string& name) const {
    std::ifstream file(folder_.path() + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  ScratchFolder folder_;
  grpc::CallbackGenericService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST(ProbeGrpc, AsksByTlsAndTrustsNobodyElse) {
  const SecureGame game;
  EXPECT_EQ(game.ask(game.certificate(), true).body, "SERVING");
  EXPECT_NE(game.ask("", true).error, "") << "the system does not know who signed it";
  EXPECT_NE(game.ask(game.certificate(), false).error, "") << "in clear text";
}

}  // namespace
}  // namespace showcaller
