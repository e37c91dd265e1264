// SPDX-License-Identifier: Apache-2.0
// The rows of the API. docs/api.md tells them from the outside.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "wire/api_backend.h"
#include "wire/edge_routes.h"
#include "wire/log.h"
#include "wire/metrics.h"
#include "wire/relay_routes.h"
#include "wire/router.h"
#include "wire/watch_hub.h"

namespace showcaller {

class IdentityProvider;
class SessionTable;
class SignInTickets;

// Signing in by an issuer of identities.
struct SignInPorts {
  IdentityProvider* identities = nullptr;  // null: nobody is named
  const SignInTickets* tickets = nullptr;
  std::string public_url;  // empty: as the request says
};

struct ApiPorts {
  ApiBackend* backend = nullptr;
  WatchHub* hub = nullptr;
  MetricsRegistry* metrics = nullptr;
  Log* log = nullptr;
  SessionTable* sessions = nullptr;
  SignInPorts sign_in;
  // Who asks, by the request's token or its session.
  std::function<Result<Actor>(const HttpRequest&)> authenticate;
  EdgePorts edge;
  // Called at /api/v1/openapi.json; the table is complete by then.
  std::function<std::string()> openapi;
};

inline constexpr std::size_t kBatchCommandsMax = 1'000;

inline const RouteParam kIdempotencyKey{
    "Idempotency-Key", "header",
    "Names the command: a repetition within 24 hours has no second effect."};
inline const RouteParam kDryRun{
    "dry_run", "query", "Only say what would follow: nothing is written, and the key stays free.",
    "boolean"};
inline const std::vector<RouteParam> kCommandParams{kIdempotencyKey, kDryRun};
inline const RouteParam kReasonInQuery{"reason", "query", "Why; kept in the journal."};

void add_command_routes(Router* router,
                        const ApiPorts& ports);  // manifests, events, line, quarantines, batch
void add_token_routes(Router* router, const ApiPorts& ports);
void add_session_cookie_routes(Router* router, const ApiPorts& ports);  // sign in and out, whoami
void add_sign_in_routes(Router* router, const ApiPorts& ports);  // by an issuer of identities
void add_read_routes(Router* router, const ApiPorts& ports);     // events, fleets, history, watch
void add_review_routes(Router* router,
                       const ApiPorts& ports);  // decisions, incidents, rehearsals, policy
void add_session_routes(Router* router,
                        const ApiPorts& ports);                  // allocations, privacy
void add_otlp_routes(Router* router, const ApiPorts& ports);     // OpenTelemetry in
void add_service_routes(Router* router, const ApiPorts& ports);  // health, metrics, the document
void add_alert_routes(Router* router, const ApiPorts& ports);
void add_picture_routes(Router* router, const ApiPorts& ports);  // calendar, evidence, fleet maps
RelayPorts relay_ports(const ApiPorts& ports);
inline void add_api_routes(Router* router, const ApiPorts& ports) {
  add_command_routes(router, ports);
  add_token_routes(router, ports);
  add_session_cookie_routes(router, ports);
  add_sign_in_routes(router, ports);
  add_read_routes(router, ports);
  add_alert_routes(router, ports);
  add_review_routes(router, ports);
  add_picture_routes(router, ports);
  add_session_routes(router, ports);
  add_edge_routes(router, ports.edge);
  add_relay_routes(router, relay_ports(ports));
  add_otlp_routes(router, ports);
  add_service_routes(router, ports);
}

// A GET that answers with what is read; whoever may "read".
using Reading = std::function<Result<json::value>(const ApiBackend&, const RequestContext&)>;
void add_reading(Router* router, const ApiPorts& ports, Route route, Reading reading);
// A POST that is a command, whose fields are the body's and the path's.
void add_command_route(Router* router, const ApiPorts& ports, Route route, std::string verb);

// The whole check of who may do what, over the backend: for Router::authorize. The actor must be
// allowed for the owner of each thing that path and query name.
Status authorize_route(const ApiBackend& backend, const RequestContext& context,
                       std::string_view access);

// For showcaller_commands and showcaller_command_seconds.
void count_command(const ApiPorts& ports, std::string_view verb, const Result<Receipt>& result,
                   std::chrono::steady_clock::time_point started, std::string_view trace_id);
// A command of this request: actor, trace and idempotency key are the request's.
Command make_command(const RequestContext& context, CommandBody body, std::string reason = {});
// Submits, counts, and answers with the receipt when it is durable; or, of a dry run, with what
// would follow.
void submit_command(const ApiPorts& ports, const RequestContext& context, Command command,
                    Answer answer);
// The same for who has more to tell in the answer than the receipt.
using ReceiptAnswer = std::move_only_function<void(Answer, const Receipt&)>;
void submit_command(const ApiPorts& ports, const RequestContext& context, Command command,
                    Answer answer, ReceiptAnswer good);
// The body as an object, which lives in `storage`; an empty body is an empty one.
Result<json::object> object_body(const HttpRequest& request, json::storage_ptr storage = {});

}  // namespace showcaller
