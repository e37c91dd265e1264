// SPDX-License-Identifier: Apache-2.0
// gRPC's own health service, asked.
#include "adapters/probe_grpc/probe_grpc.h"

#include <fmt/format.h>
#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace showcaller
