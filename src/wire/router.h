// SPDX-License-Identifier: Apache-2.0
// From a request to its route's handler: finds the row, checks who asks, reads the trace, hands
// slow work to a worker.
//
// Threads: any, once the table is complete. 404 for a path without a row, 405 with Allow for
// another method, 401 and 403 before the handler sees anything, 411, 413 and 415 for bodies: all of
// that by the header alone, before a body is read.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_server.h"
#include "wire/route.h"

namespace showcaller {

class WorkerPool;

struct RouterPorts {
  // Who asks. Unauthenticated when nobody is known by it.
  std::function<Result<Actor>(const HttpRequest&)> authenticate;
  // May he do this with what the path names?
  std::function<Status(const RequestContext&, std::string_view access)> authorize;
  AccessSink on_finished;
  WorkerPool* workers = nullptr;  // null: slow routes run where they are
};

class Router {
 public:
  explicit Router(RouterPorts ports) : ports_(std::move(ports)) {}

  // Two rows of one method and pattern are a programmer's error.
  void add(Route route);
  void handle(HttpRequest&& request, Responder responder) const;
  // For HttpServerOptions::admission and ::refusal.
  Admission admit(const HttpRequest& without_body) const;
  HttpResponse refuse(const HttpRequest& read, int status, const std::string& reason) const;
  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> fixed;
    std::unique_ptr<Node> any;  // one segment, whatever it is
    std::map<std::string, const Route*, std::less<>> by_method;
    std::map<std::string, const Route*, std::less<>> rest_by_method;  // all that follows
  };
  using Segments = std::vector<std::string_view>;

  const std::map<std::string, const Route*, std::less<>>* find(const Node& node,
                                                               const Segments& segments,
                                                               std::size_t at) const;
  // What the header alone is answered with; absent: the route may go on, and context is filled.
  std::optional<HttpResponse> judge(RequestContext* context) const;
  std::optional<HttpResponse> judge_path(RequestContext* context) const;
  std::optional<HttpResponse> judge_body(const RequestContext& context) const;
  void run(const Route& route, const std::shared_ptr<RequestContext>& context, Answer answer) const;

  RouterPorts ports_;
  std::vector<std::unique_ptr<Route>> routes_;
  Node root_;
};

// The token of "Authorization: Bearer TOKEN", or of "X-API-Key: TOKEN"; empty when there is none.
std::string_view token_of(const HttpHeaders& headers);
// Does an Accept header let this media type pass?
bool accepts(std::string_view accept, std::string_view media_type);

}  // namespace showcaller
