// SPDX-License-Identifier: Apache-2.0
#include "wire/sidecar/rest_sidecar.h"

#include <set>

#include "codec/agones_rest.h"
#include "net/http_server.h"

namespace showcaller {

struct RestSidecar::State {
  explicit State(agones::SidecarBackend& backend) : backend(backend) {}

  void handle(const HttpRequest& request, Responder responder) {
    auto parsed = agones::parse_rest({request.method, request.target, request.body});
    if (!parsed) {
      responder.send(json_response(parsed.error().status, parsed.error().body));
    } else if (const auto* call = std::get_if<agones::SdkCall>(&*parsed)) {
      const agones::RestReply reply = agones::to_rest(backend.call(*call));
      responder.send(json_response(reply.status, reply.body));
    } else {
      watch(std::move(responder));
    }
  }

  void watch(Responder responder) {
    HttpResponse head;
    head.headers.set("Content-Type", "application/json");
    const std::shared_ptr<ResponseStream> stream = responder.stream(std::move(head));
    const std::uint64_t id = backend.watch([stream](const agones::GameServer& game_server) {
      stream->write(agones::watch_line(game_server));
    });
    // The stream may be over already, or end within a write: unwatch() stands both.
    stream->on_end([this, id] { backend.unwatch(id); });
  }

  agones::SidecarBackend& backend;
  std::unique_ptr<HttpServer> server;  // Last: its threads end before the rest goes.
};

RestSidecar::RestSidecar(std::unique_ptr<State> state) : state_(std::move(state)) {}

RestSidecar::~RestSidecar() {
  state_->server->stop(Duration(0));
}

std::uint16_t RestSidecar::port() const {
  return state_->server->port();
}

Result<std::unique_ptr<RestSidecar>> RestSidecar::start(agones::SidecarBackend& backend,
                                                        const std::string& address,
                                                        std::uint16_t port) {
  auto state = std::make_unique<State>(backend);
  HttpServerOptions options{.address = address, .port = port};
  options.limits.body_bytes = 256 << 10;
  options.limits.connections = 64;
  // Game servers ping Health every few seconds over a connection they keep.
  options.limits.idle_timeout = minutes(5);
  TRY(state->server,
      HttpServer::start(options, [state = state.get()](HttpRequest&& request, Responder responder) {
        state->handle(request, std::move(responder));
      }));
  return std::unique_ptr<RestSidecar>(new RestSidecar(std::move(state)));
}

}  // namespace showcaller
