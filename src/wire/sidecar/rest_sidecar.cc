// SPDX-License-Identifier: Apache-2.0
#include "wire/sidecar/rest_sidecar.h"

#include <set>

#include "codec/agones_rest.h"
#include "net/http_server.h"
#include "net/websocket.h"

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
      watch(request, std::move(responder));
    }
  }

  void watch(const HttpRequest& request, Responder responder) {
    if (wants_websocket(request)) return watch_by_websocket(request, std::move(responder));
    HttpResponse head;
    head.headers.set("Content-Type", "application/json");
    tell(responder.stream(std::move(head)),
         [](const agones::GameServer& known) { return agones::watch_line(known); });
  }

  // As Agones's proxy does it, which its Unreal SDK relies on: each line of the stream as a text
  // message, without its end of line.
  void watch_by_websocket(const HttpRequest& request, Responder responder) {
    HttpResponse head = websocket_answer(request);
    if (head.status != 101) return responder.send(std::move(head));
    auto listener = std::make_shared<WebSocketListener>();
    const auto hear = [listener](ResponseStream& stream, std::string_view bytes) {
      if (std::string answer = listener->feed(bytes); !answer.empty())
        stream.write(std::move(answer));
      if (listener->closed()) stream.close();
    };
    tell(responder.upgrade(std::move(head), hear), [](const agones::GameServer& known) {
      std::string line = agones::watch_line(known);
      line.pop_back();
      return websocket_frame(WebSocketOpcode::Text, line);
    });
  }

  template <class Format>
  void tell(const std::shared_ptr<ResponseStream>& stream, Format format) {
    const std::uint64_t id = backend.watch(
        [stream, format](const agones::GameServer& known) { stream->write(format(known)); });
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
