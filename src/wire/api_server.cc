// SPDX-License-Identifier: Apache-2.0
#include "wire/api_server.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "wire/api_routes.h"
#include "wire/console/console_routes.h"
#include "wire/flag_history.h"
#include "wire/flag_updates.h"
#include "wire/openapi.h"
#include "wire/router.h"
#include "wire/session_table.h"
#include "wire/sign_in_ticket.h"
#include "wire/worker_pool.h"

namespace showcaller {
namespace {

// A request in its caller's trace, who asked to have it recorded. Its path may hold names of
// players; the route's pattern does not. Source: OpenTelemetry's conventions for HTTP servers.
Span request_span(const AccessLine& line, Instant end) {
  Span span;
  span.trace = line.trace->trace_id;
  span.id = line.trace->span_id;
  span.parent = line.trace->parent_id;
  span.state = line.trace->state;
  span.name = fmt::format("{} {}", line.method, line.route);
  span.kind = SpanKind::Server;
  span.start = end - Duration(std::int64_t(line.seconds * 1e3));
  span.end = end;
  span.attributes = {{"http.request.method", std::string(line.method)},
                     {"http.route", std::string(line.route)},
                     {"http.response.status_code", std::int64_t(line.status)},
                     {"showcaller.actor", std::string(line.actor)}};
  if (line.status >= 500) span.status = SpanStatus::Error;
  return span;
}

}  // namespace

struct ApiServer::State {
  ApiServerOptions options;
  ApiBackend* backend = nullptr;
  MetricsRegistry* metrics = nullptr;
  Log* log = nullptr;
  WatchHub hub;
  SessionTable sessions;
  SignInTickets tickets;
  std::optional<FlagUpdates> flag_updates;
  std::optional<WorkerPool> workers;
  std::optional<Router> router;
  std::unique_ptr<HttpServer> http;
  std::string document;
  std::mutex mutex;
  std::condition_variable ending_changed;
  bool ending = false;
  int scrape = 0;
  std::thread housekeeping;

  void keep_house() {
    std::unique_lock lock(mutex);
    while (!ending_changed.wait_for(lock, options.heartbeat, [this] { return ending; })) {
      lock.unlock();
      hub.heartbeat();
      lock.lock();
    }
  }

  void finished(const AccessLine& line) {
    metrics
        ->counter("showcaller_http_requests",
                  {line.route, line.method, std::to_string(line.status)})
        .add();
    metrics->histogram("showcaller_http_request_seconds", {line.route})
        .observe(line.seconds, line.trace->trace_id);
    const auto level = line.status >= 500 ? LogLevel::Warning : LogLevel::Info;
    if (options.spans != nullptr && line.trace->sampled)
      options.spans->take({request_span(line, backend->now())});
    if (!options.access_log || !log->writes(level)) return;
    log->write(level, backend->now(), "request", {line.trace->trace_id, line.trace->span_id},
               {{"method", line.method},
                {"path", line.path},
                {"status", line.status},
                {"bytes", line.bytes},
                {"ms", line.seconds * 1e3},
                {"actor", line.actor},
                {"peer", line.peer},
                {"certificate", line.certificate}});
  }

  void refresh(MetricsRegistry& registry) const {
    const auto stats = http->stats();
    registry.gauge("showcaller_http_connections").set(double(stats.open));
    registry.counter("showcaller_http_connections_accepted").set_total(stats.accepted);
    registry.counter("showcaller_http_connections_refused").set_total(stats.refused);
    registry.counter("showcaller_http_timeouts").set_total(stats.timed_out);
    registry.counter("showcaller_http_slow_readers_dropped").set_total(stats.slow_readers_dropped);
    registry.gauge("showcaller_http_worker_queue").set(double(workers->waiting()));
    registry.gauge("showcaller_watchers").set(double(hub.watchers()));
    if (!flag_updates) return;
    registry.gauge("showcaller_flag_streams").set(double(options.flag_streams->size()));
    registry.counter("showcaller_flag_stream_events", {kFlagSnapshotEvent})
        .set_total(flag_updates->snapshots_told());
    registry.counter("showcaller_flag_stream_events", {kFlagDeltaEvent})
        .set_total(flag_updates->deltas_told());
  }

  // A session stands for what opened it, but only for what this server's own pages send.
  Result<Actor> authenticate(const HttpRequest& request) const {
    const auto token = token_of(request.headers);
    const auto session = session_of(request.headers);
    if (!token.empty() || session.empty()) return backend->authenticate(token);
    const auto holder = sessions.holder(session, backend->now());
    if (!holder) return fail(ErrorCode::Unauthenticated, "the session is over; sign in again");
    const bool safe = request.method == "GET" || request.method == "HEAD";
    if (!safe) TRY(check_same_origin(request));
    const auto* person = std::get_if<Identity>(&*holder);
    return person ? backend->recognize(*person)
                  : backend->authenticate(std::get<std::string>(*holder));
  }

  void build_router() {
    const auto authenticate_request = [this](const HttpRequest& request) {
      return authenticate(request);
    };
    router.emplace(RouterPorts{
        .authenticate = authenticate_request,
        .authorize =
            [this](const RequestContext& context, std::string_view access) {
              return authorize_route(*backend, context, access);
            },
        .on_finished = [this](const AccessLine& line) { finished(line); },
        .workers = &*workers,
    });
    add_api_routes(&*router, {.backend = backend,
                              .hub = &hub,
                              .metrics = metrics,
                              .log = log,
                              .sessions = &sessions,
                              .sign_in = {.identities = options.identities,
                                          .tickets = &tickets,
                                          .public_url = options.public_url},
                              .authenticate = authenticate_request,
                              .edge = {.backend = backend,
                                       .metrics = metrics,
                                       .flag_feed = options.flag_feed,
                                       .selections = options.selections,
                                       .flag_streams = options.flag_streams,
                                       .flag_updates = flag_updates ? &*flag_updates : nullptr},
                              .openapi = [this] { return document; }});
    document = to_json_text(openapi_document(*router, options.version)) + "\n";
    if (options.console != nullptr) add_console_routes(&*router, options.console);
  }
};

ApiServer::ApiServer() : state_(std::make_unique<State>()) {}

Result<std::unique_ptr<ApiServer>> ApiServer::start(ApiServerOptions options, ApiBackend* backend,
                                                    MetricsRegistry* metrics, Log* log) {
  std::unique_ptr<ApiServer> server(new ApiServer());
  State& state = *server->state_;
  state.options = std::move(options);
  state.backend = backend;
  state.metrics = metrics;
  state.log = log;
  const auto settle = [backend] { backend->settle(); };
  if (state.options.flag_streams != nullptr)
    state.flag_updates.emplace(backend, state.options.flag_streams);
  state.workers.emplace(state.options.workers, state.options.slow_requests_max, settle);
  state.options.http.after_round = settle;
  state.build_router();
  state.hub.begin_after(backend->last_seq());
  state.options.before_serving(state.hub);
  const Router* router = &*state.router;
  state.options.http.admission = [router](const HttpRequest& request) {
    return router->admit(request);
  };
  state.options.http.refusal = [router](const HttpRequest& read, int status,
                                        const std::string& reason) {
    return router->refuse(read, status, reason);
  };
  TRY(state.http,
      HttpServer::start(state.options.http, [router](HttpRequest&& request, Responder responder) {
        router->handle(std::move(request), std::move(responder));
      }));
  state.scrape =
      metrics->on_scrape([state = &state](MetricsRegistry& registry) { state->refresh(registry); });
  state.housekeeping = std::thread([&state] { state.keep_house(); });
  return server;
}

ApiServer::~ApiServer() {
  stop(Duration(0));
}

std::uint16_t ApiServer::port() const {
  return state_->http->port();
}
std::string ApiServer::url() const {
  return state_->http->url();
}
WatchHub& ApiServer::hub() {
  return state_->hub;
}

void ApiServer::stop(Duration grace) {
  State& state = *state_;
  {
    std::lock_guard lock(state.mutex);
    if (std::exchange(state.ending, true)) return;
  }
  state.ending_changed.notify_all();
  if (state.housekeeping.joinable()) state.housekeeping.join();
  state.metrics->end_scrape(state.scrape);
  state.hub.close_all();
  if (state.http) state.http->stop(grace);
  // Slow requests that still ran have answered connections that are gone.
  state.workers.reset();
}

}  // namespace showcaller
