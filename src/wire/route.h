// SPDX-License-Identifier: Apache-2.0
// What a route is: one row of the API's table, from which requests are dispatched and the OpenAPI
// document is printed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/command.h"
#include "net/responder.h"
#include "wire/trace_context.h"

namespace showcaller {

struct Route;

inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;
// Printable ASCII, because the key is kept in the journal and told in answers. Invalid else.
Status check_idempotency_key(std::string_view key);

// A request on its way through a handler. Immutable once the handler has it.
struct RequestContext {
  HttpRequest request;
  const Route* route = nullptr;
  std::vector<std::pair<std::string_view, std::string>> params;  // of the pattern, decoded
  Actor actor;
  TraceContext trace;
  std::chrono::steady_clock::time_point started;

  std::string_view param(std::string_view name) const;
  std::string query(std::string_view name, std::string_view fallback = {}) const;
  std::string_view idempotency_key() const { return request.headers.get("Idempotency-Key"); }
  // A command's request that only wants to know what would follow.
  bool is_dry_run() const;
};

// What a finished request tells the access log and the metrics.
struct AccessLine {
  std::string_view method, path, route;
  int status = 0;
  std::size_t bytes = 0;  // of the body; 0 for a stream
  double seconds = 0;
  std::string_view actor, peer;
  std::string_view certificate;  // the name in it, when the client showed one
  const TraceContext* trace = nullptr;
};
using AccessSink = std::function<void(const AccessLine&)>;
AccessLine access_line(const RequestContext& context, int status, std::size_t bytes);

// The answering side of a route: adds the trace, tells the access log. One answer; dropped
// unanswered it is 500.
class Answer {
 public:
  Answer(Responder responder, std::shared_ptr<const RequestContext> context, const AccessSink* sink)
      : responder_(std::move(responder)), context_(std::move(context)), sink_(sink) {}
  Answer(Answer&&) = default;
  Answer& operator=(Answer&&) = default;
  ~Answer();

  void send(HttpResponse response);
  void ok(const json::value& value, int status = 200);
  void fail(const Error& error);
  void fail(int status, const Error& error);
  // ok() or fail().
  void settle(const Result<json::value>& result);
  std::shared_ptr<ResponseStream> stream(HttpResponse head);

 private:
  void tell(int status, std::size_t bytes);

  Responder responder_;
  std::shared_ptr<const RequestContext> context_;
  const AccessSink* sink_;  // of the router, which outlives every request
};

using RouteHandler = std::function<void(const std::shared_ptr<const RequestContext>&, Answer)>;

struct RouteParam {
  std::string name;
  std::string in;  // "path", "query", "header"
  std::string help;
  std::string type = "string";
  bool required = false;
};

// An answer besides the good one that a caller has to know of.
struct RouteAnswer {
  int status;
  std::string what;
  std::string schema;  // of a body in JSON; empty: none, or a problem from 400 on
};

enum class BodyRule { None, Optional, Required };

inline constexpr std::size_t kSmallBodyBytesMax = 1 << 20;
inline constexpr std::size_t kLargeBodyBytesMax = 16 << 20;  // manifests, batches, telemetry

// Who may call. The verb of policy/access.h, checked against the owner of what the path names.
inline constexpr std::string_view kPublic = "";  // anybody
inline constexpr std::string_view kAnyToken =
    "any";  // whoever is known; commands are then judged by the engine

struct Route {
  std::string method;
  std::string pattern;  // "/api/v1/events/{name}/hold"; "{rest...}" takes all that follows
  std::string id;       // OpenAPI's operationId
  std::string tag;
  std::string summary;
  std::string_view access = kAnyToken;
  std::vector<RouteParam> params;  // those of the path are added from the pattern
  BodyRule body = BodyRule::None;
  std::size_t body_bytes_max = kSmallBodyBytesMax;
  std::vector<std::string> body_types;  // media types; empty: JSON, and YAML where it can be
  std::string body_schema;              // a name in the document's components; empty: any
  std::string answer_schema;            // the same, of a good answer
  int answer_status = 200;
  std::string answer_type = "application/json";
  std::vector<RouteAnswer> other_answers;
  std::string other_answer_type;  // that the handler can give when it is asked for; empty: none
  bool slow = false;              // runs on a worker, as every dry run does
  RouteHandler handler;
};

}  // namespace showcaller
