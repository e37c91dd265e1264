// SPDX-License-Identifier: Apache-2.0
#include "wire/ofrep.h"

#include <utility>

#include <fmt/format.h>

#include "base/json.h"

namespace showcaller {
namespace {

constexpr std::string_view kJson = "application/json";

}  // namespace

HttpResponse handle_ofrep(const HttpRequest& request, const FlagSet& flags, Instant now,
                          const OfrepOptions& options) {
  OfrepReply reply = answer_ofrep({.method = request.method,
                                   .path = request.path,
                                   .if_none_match = request.headers.get("If-None-Match"),
                                   .body = request.body},
                                  flags, now, options);
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
