// SPDX-License-Identifier: Apache-2.0
#include "wire/router.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "wire/problem.h"
#include "wire/worker_pool.h"

namespace showcaller {
namespace {

bool has_param(const Route& route, std::string_view name) {
  return std::ranges::any_of(route.params, [&](const RouteParam& p) { return p.name == name; });
}

// "/a/b": takes "/a" off, and gives "a".
std::string_view take_segment(std::string_view* path) {
  path->remove_prefix(std::min<std::size_t>(1, path->size()));
  const auto segment = path->substr(0, path->find('/'));
  path->remove_prefix(segment.size());
  return segment;
}

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  segments.reserve(8);
  do segments.push_back(take_segment(&path));
  while (!path.empty());
  return segments;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool is_param(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}
bool is_rest(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with("...}");
}

// What a handler may be given: JSON, YAML, plain text, or a client's default for "some bytes".
bool is_readable_type(std::string_view content_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  return type.empty() || type.find("json") != type.npos || type.find("yaml") != type.npos ||
         type.starts_with("text/") || type == "application/octet-stream" ||
         type == "application/x-www-form-urlencoded";
}

bool takes_type(const Route& route, std::string_view content_type) {
  if (route.body_types.empty()) return is_readable_type(content_type);
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  return std::ranges::any_of(
      route.body_types, [&](const std::string& taken) { return equal_ignoring_case(type, taken); });
}

// `values`: the segments of the path, which the route's pattern fits.
void fill_params(const Route& route, std::string_view path,
                 const std::vector<std::string_view>& values, RequestContext* context) {
  std::string_view pattern = route.pattern;
  for (const std::string_view value : values) {
    const auto name = take_segment(&pattern);
    if (is_rest(name)) {
      const auto at = static_cast<std::size_t>(value.data() - path.data());
      context->params.emplace_back(name.substr(1, name.size() - 5), std::string(path.substr(at)));
      return;
    }
    if (is_param(name))
      context->params.emplace_back(name.substr(1, name.size() - 2),
                                   percent_decode(value).value_or(""));
  }
}

RequestContext begin(HttpRequest request) {
  RequestContext context;
  context.started = std::chrono::steady_clock::now();
  context.trace = continue_trace(request.headers);
  context.request = std::move(request);
  return context;
}

// What Answer::send() does for a request that has no responder.
void finish(const RequestContext& context, HttpResponse* response, const AccessSink& sink) {
  response->headers.add("traceparent", context.trace.traceparent());
  if (sink) sink(access_line(context, response->status, response->body.size()));
}

HttpResponse problem(const RequestContext& context, int status, const Error& error) {
  return problem_response(status, error, context.request.raw_path(), context.trace.trace_id);
}
HttpResponse problem(const RequestContext& context, const Error& error) {
  return problem(context, status_of(error.code), error);
}

}  // namespace

std::string_view token_of(const HttpHeaders& headers) {
  const auto header = headers.get("Authorization");
  if (header.empty()) return trim(headers.get("X-API-Key"));
  if (header.size() < 7 || !equal_ignoring_case(header.substr(0, 7), "Bearer ")) return {};
  return trim(header.substr(7));
}

bool accepts(std::string_view accept, std::string_view media_type) {
  if (trim(accept).empty()) return true;
  const auto family = media_type.substr(0, media_type.find('/'));
  while (!accept.empty()) {
    const auto end = std::min(accept.find(','), accept.size());
    const auto item = accept.substr(0, end);
    accept.remove_prefix(std::min(end + 1, accept.size()));
    const auto range = trim(item.substr(0, item.find(';')));
    const auto quality = item.find("q=");
    const bool refused =
        quality != item.npos && trim(item.substr(quality + 2)).find_first_not_of("0.") == item.npos;
    const bool whole_family =
        range.ends_with("/*") && equal_ignoring_case(range.substr(0, range.size() - 2), family);
    if (!refused && (range == "*/*" || whole_family || equal_ignoring_case(range, media_type)))
      return true;
  }
  return false;
}

void Router::add(Route route) {
  auto owned = std::make_unique<Route>(std::move(route));
  Node* node = &root_;
  const Route* row = owned.get();
  auto* methods = &node->by_method;
  for (const auto segment : split_path(row->pattern)) {
    if (is_rest(segment)) {
      methods = &node->rest_by_method;
      break;
    }
    auto& next = is_param(segment) ? node->any : node->fixed[std::string(segment)];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
    methods = &node->by_method;
  }
  const bool is_new = methods->emplace(row->method, row).second;
  CHECK(is_new);
  routes_.push_back(std::move(owned));
}

const std::map<std::string, const Route*, std::less<>>* Router::find(const Node& node,
                                                                     const Segments& segments,
                                                                     std::size_t at) const {
  if (at == segments.size()) return node.by_method.empty() ? nullptr : &node.by_method;
  if (const auto next = node.fixed.find(segments[at]); next != node.fixed.end()) {
    if (const auto* found = find(*next->second, segments, at + 1)) return found;
  }
  if (node.any && !segments[at].empty()) {
    if (const auto* found = find(*node.any, segments, at + 1)) return found;
  }
  return node.rest_by_method.empty() ? nullptr : &node.rest_by_method;
}

std::optional<HttpResponse> Router::judge_path(RequestContext* context) const {
  const auto& request = context->request;
  const std::string_view method = request.method;
  const auto path = request.raw_path();
  if (path == "*")  // Of the server as a whole.
    return HttpResponse{204, {{"Allow", "OPTIONS, GET, HEAD, POST, DELETE"}}, ""};
  const auto segments = split_path(path);
  const auto* methods = find(root_, segments, 0);
  if (methods == nullptr) {
    return problem(*context, 404,
                   {ErrorCode::NotFound,
                    fmt::format("there is nothing at {}; /api/v1/openapi.json lists what there is",
                                request.path)});
  }
  auto found = methods->find(method);
  if (found == methods->end() && method == "HEAD") found = methods->find("GET");
  if (found == methods->end()) {
    std::string allow = "OPTIONS";
    for (const auto& [name, route] : *methods)
      allow += (name == "GET" ? ", GET, HEAD" : ", " + name);
    if (method == "OPTIONS") return HttpResponse{204, {{"Allow", allow}}, ""};
    auto response =
        problem(*context, 405,
                {ErrorCode::Invalid, fmt::format("{} cannot be done here; use {}", method, allow)});
    response.headers.add("Allow", allow);
    return response;
  }
  context->route = found->second;
  fill_params(*context->route, path, segments, context);
  return std::nullopt;
}

std::optional<HttpResponse> Router::judge(RequestContext* context) const {
  if (auto refusal = judge_path(context)) return refusal;
  const Route& route = *context->route;
  if (route.access != kPublic) {
    auto actor = ports_.authenticate(context->request);
    if (!actor) return problem(*context, actor.error());
    context->actor = *std::move(actor);
    if (route.access != kAnyToken) {
      if (const auto allowed = ports_.authorize(*context, route.access); !allowed)
        return problem(*context, allowed.error());
    }
  }
  if (const auto good = check_idempotency_key(context->idempotency_key()); !good)
    return problem(*context, good.error());
  return judge_body(*context);
}

std::optional<HttpResponse> Router::judge_body(const RequestContext& context) const {
  const Route& route = *context.route;
  const auto& request = context.request;
  if (route.body == BodyRule::Required && !request.body_declared) {
    return problem(
        context, 411,
        {ErrorCode::Invalid, "the request has no body; send one with its Content-Length"});
  }
  if (std::max<std::uint64_t>(request.body_length, request.body.size()) > route.body_bytes_max) {
    return problem(context, 413,
                   {ErrorCode::Limit, fmt::format("the body is larger than the {} bytes that this "
                                                  "route takes; send less at once",
                                                  route.body_bytes_max)});
  }
  if (route.body != BodyRule::None && !takes_type(route, request.headers.get("Content-Type"))) {
    const std::string types = route.body_types.empty()
                                  ? "JSON nor YAML"
                                  : fmt::format("{}", fmt::join(route.body_types, " nor "));
    return problem(context, 415,
                   {ErrorCode::Invalid,
                    fmt::format("the body is neither {}; say which in Content-Type", types)});
  }
  const auto accept = request.headers.get("Accept");
  if (!accepts(accept, route.answer_type) && !accepts(accept, "application/problem+json") &&
      (route.other_answer_type.empty() || !accepts(accept, route.other_answer_type))) {
    return problem(
        context, 406,
        {ErrorCode::Invalid, fmt::format("the answer is {}; accept that", route.answer_type)});
  }
  return std::nullopt;
}

Admission Router::admit(const HttpRequest& without_body) const {
  RequestContext context = begin(without_body);
  Admission admission{.refusal = judge(&context), .body_bytes_max = 0};
  if (admission.refusal) {
    finish(context, &*admission.refusal, ports_.on_finished);
  } else {
    admission.body_bytes_max = context.route->body_bytes_max;
  }
  return admission;
}

HttpResponse Router::refuse(const HttpRequest& read, int status, const std::string& reason) const {
  const RequestContext context = begin(read);
  auto response = problem(context, status, {protocol_code(status), reason});
  finish(context, &response, ports_.on_finished);
  return response;
}

void Router::handle(HttpRequest&& request, Responder responder) const {
  const auto context = std::make_shared<RequestContext>(begin(std::move(request)));
  Answer answer(std::move(responder), context, &ports_.on_finished);
  if (auto refusal = judge(context.get())) return answer.send(*std::move(refusal));
  run(*context->route, context, std::move(answer));
}

void Router::run(const Route& route, const std::shared_ptr<RequestContext>& context,
                 Answer answer) const {
  if (route.body == BodyRule::Required && context->request.body.empty()) {
    return answer.fail({ErrorCode::Invalid, "the body is empty; send what the route asks for"});
  }
  // Who only asks must never find that it was done.
  if (context->is_dry_run() && route.method != "GET" && !has_param(route, "dry_run"))
    return answer.fail({ErrorCode::Invalid, "this has no dry run; ask without `dry_run`"});
  const bool quick = !route.slow && !context->is_dry_run();
  if (quick || ports_.workers == nullptr) return route.handler(context, std::move(answer));
  // A task that is not taken is destroyed, and must not then answer for itself.
  auto shared = std::make_shared<Answer>(std::move(answer));
  const bool taken = ports_.workers->post(
      [&route, context, shared] { route.handler(context, std::move(*shared)); });
  if (!taken)
    shared->fail({ErrorCode::Unavailable, "too many slow requests wait; try again later"});
}

}  // namespace showcaller
