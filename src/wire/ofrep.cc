// SPDX-License-Identifier: Apache-2.0
#include "wire/ofrep.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"

namespace showcaller {
namespace {

constexpr std::string_view kJson = "application/json";

}  // namespace

HttpResponse handle_ofrep(const HttpRequest& request, const FlagSet& flags, Instant now,
                          const OfrepOptions& options, std::vector<std::uint32_t>* answers) {
  OfrepReply reply = answer_ofrep({.method = request.method,
                                   .path = request.path,
                                   .if_none_match = request.headers.get("If-None-Match"),
                                   .body = request.body},
                                  flags, now, options);
  if (answers != nullptr) *answers = std::move(reply.answers);
  HttpResponse response{.status = reply.status, .body = std::move(reply.body)};
  if (!response.body.empty()) response.headers.add("Content-Type", kJson);
  if (!reply.etag.empty()) {
    response.headers.add("ETag", reply.etag);
    // An answer depends on who asked: no cache in between may keep it.
    response.headers.add("Cache-Control", "private, no-cache");
  }
  if (!reply.allow.empty()) response.headers.add("Allow", reply.allow);
  return response;
}

std::string_view flag_selector_of(const HttpRequest& request) {
  const auto header = request.headers.find("Flagd-Selector");
  return header ? *header : request.query_value("selector").value_or("");
}

OfrepEventStream event_stream_for(const HttpRequest& request) {
  const std::string_view selector = flag_selector_of(request);
  return {.target = selector.empty()
                        ? std::string(kFlagEventsPath)
                        : fmt::format("{}?selector={}", kFlagEventsPath, percent_encode(selector))};
}

HttpResponse ofrep_refusal(const Error& error) {
  int status = 500;
  if (error.code == ErrorCode::Unauthenticated) status = 401;
  if (error.code == ErrorCode::Forbidden) status = 403;
  if (error.code == ErrorCode::Limit) status = 429;
  if (error.code == ErrorCode::Invalid) status = 400;
  json::object body{{"errorDetails", error.message}};
  if (status == 400) body["errorCode"] = "GENERAL";
  HttpResponse response = json_response(status, to_json_text(body));
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  if (status == 429)
    response.headers.add("Retry-After", std::to_string(std::max(error.retry_after_s, 1)));
  return response;
}

HttpResponse handle_flag_snapshot(const HttpRequest& request, const FlagSet& flags) {
  const std::string etag = fmt::format("\"{}\"", flags.fingerprint());
  HttpResponse response;
  response.headers.add("ETag", etag);
  response.headers.add("Cache-Control", "private, no-cache");
  if (request.headers.get("If-None-Match").find(etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  response.headers.add("Content-Type", kJson);
  response.body = to_json_text(flags.document());
  return response;
}

}  // namespace showcaller
