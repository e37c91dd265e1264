// SPDX-License-Identifier: Apache-2.0
#include "wire/flagd/management_server.h"

#include "wire/metrics_response.h"

namespace showcaller {
namespace {

HttpResponse answer_management(const HttpRequest& request, const ManagementPorts& ports) {
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse response = text_response(405, "read this with GET\n");
    response.headers.add("Allow", "GET, HEAD");
    return response;
  }
  if (request.path == "/healthz") return text_response(200, "");
  if (request.path == "/readyz") return text_response(ports.is_ready() ? 200 : 412, "");
  if (request.path == "/metrics")
    return metrics_response(*ports.metrics, request.headers.get("Accept"));
  return text_response(404, "there are /healthz, /readyz and /metrics\n");
}

}  // namespace

Result<std::unique_ptr<HttpServer>> start_management_server(HttpServerOptions options,
                                                            ManagementPorts ports) {
  return HttpServer::start(std::move(options),
                           [ports = std::move(ports)](HttpRequest&& request, Responder responder) {
                             responder.send(answer_management(request, ports));
                           });
}

}  // namespace showcaller
