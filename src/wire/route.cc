// SPDX-License-Identifier: Apache-2.0
#include "wire/route.h"

#include <algorithm>

#include <fmt/format.h>

#include "wire/problem.h"

namespace showcaller {

std::string_view RequestContext::param(std::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return {};
}

bool RequestContext::is_dry_run() const {
  const std::string asked = query("dry_run");
  return !asked.empty() && asked != "false" && asked != "0";
}

std::string RequestContext::query(std::string_view name, std::string_view fallback) const {
  return std::string(request.query_value(name).value_or(fallback));
}

Status check_idempotency_key(std::string_view key) {
  if (key.size() > kIdempotencyKeyBytesMax) {
    return fail(ErrorCode::Invalid, fmt::format("the idempotency key has {} bytes; use at most {}",
                                                key.size(), kIdempotencyKeyBytesMax));
  }
  const bool printable = std::ranges::all_of(key, [](char c) { return c >= ' ' && c <= '~'; });
  if (printable) return {};
  return fail(ErrorCode::Invalid,
              "the idempotency key is not printable ASCII; use letters, digits and signs");
}

Answer::~Answer() {
  if (context_ && !responder_.answered()) {
    fail({ErrorCode::Internal,
          "the request was dropped without an answer; tell whoever runs this server"});
  }
}

void Answer::send(HttpResponse response) {
  response.headers.add("traceparent", context_->trace.traceparent());
  tell(response.status, response.body.size());
  responder_.send(std::move(response));
}

void Answer::ok(const json::value& value, int status) {
  std::string body = to_json_text(value);
  body += '\n';
  send(json_response(status, std::move(body)));
}

void Answer::fail(const Error& error) {
  fail(status_of(error.code), error);
}

void Answer::fail(int status, const Error& error) {
  send(problem_response(status, error, context_->request.raw_path(), context_->trace.trace_id));
}

void Answer::settle(const Result<json::value>& result) {
  if (result) {
    ok(*result);
  } else {
    fail(result.error());
  }
}

std::shared_ptr<ResponseStream> Answer::stream(HttpResponse head) {
  head.headers.add("traceparent", context_->trace.traceparent());
  tell(head.status, 0);
  return responder_.stream(std::move(head));
}

void Answer::tell(int status, std::size_t bytes) {
  if (sink_ != nullptr && *sink_) (*sink_)(access_line(*context_, status, bytes));
}

AccessLine access_line(const RequestContext& context, int status, std::size_t bytes) {
  const auto& request = context.request;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - context.started;
  return {request.method.empty() ? std::string_view("none") : request.method,
          request.raw_path(),
          context.route != nullptr ? std::string_view(context.route->pattern) : "none",
          status,
          bytes,
          elapsed.count(),
          context.actor.name,
          request.peer.address,
          request.peer.tls_subject,
          &context.trace};
}

}  // namespace showcaller
