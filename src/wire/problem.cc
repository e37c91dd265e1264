// SPDX-License-Identifier: Apache-2.0
#include "wire/problem.h"

#include <array>

#include <fmt/format.h>

namespace showcaller {
namespace {

struct CodeStatus {
  ErrorCode code;
  int status;
};

constexpr std::array<CodeStatus, 11> kStatuses{{{ErrorCode::Invalid, 400},
                                                {ErrorCode::NotFound, 404},
                                                {ErrorCode::Conflict, 409},
                                                {ErrorCode::Forbidden, 403},
                                                {ErrorCode::Unauthenticated, 401},
                                                {ErrorCode::KeyTaken, 422},
                                                {ErrorCode::Limit, 429},
                                                {ErrorCode::Unavailable, 503},
                                                {ErrorCode::Corrupt, 500},
                                                {ErrorCode::Unsupported, 501},
                                                {ErrorCode::Internal, 500}}};

ErrorCode code_of(int status) {
  if (status == 422 || status == 413 || status == 414 || status == 415) return ErrorCode::Invalid;
  for (const auto& row : kStatuses) {
    if (row.status == status && row.code != ErrorCode::Corrupt) return row.code;
  }
  return status >= 500 ? ErrorCode::Internal : ErrorCode::Invalid;
}

}  // namespace

int status_of(ErrorCode code) {
  for (const auto& row : kStatuses) {
    if (row.code == code) return row.status;
  }
  return 500;
}

json::object problem_json(const Error& error, std::string_view instance, std::string_view trace) {
  const int status = status_of(error.code);
  std::string_view detail = error.message;
  json::array remedies;
  if (const auto at = detail.find("; "); at != detail.npos) {
    remedies.emplace_back(detail.substr(at + 2));
    detail = detail.substr(0, at);
  }
  return {{"type", "about:blank"},
          {"title", reason_phrase(status)},
          {"status", status},
          {"code", to_string(error.code)},
          {"detail", detail},
          {"instance", instance},
          {"remedies", std::move(remedies)},
          {"trace", trace}};
}

HttpResponse problem_response(const Error& error, std::string_view instance,
                              std::string_view trace) {
  return problem_response(status_of(error.code), error, instance, trace);
}

HttpResponse problem_response(int status, const Error& error, std::string_view instance,
                              std::string_view trace) {
  auto body = problem_json(error, instance, trace);
  body["status"] = status;
  body["title"] = reason_phrase(status);
  HttpResponse response{
      status, {{"Content-Type", "application/problem+json"}}, to_json_text(body) + "\n"};
  if (status == 429 || status == 503)
    response.headers.add("Retry-After", fmt::format("{}", std::max(1, error.retry_after_s)));
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer realm=\"showcaller\"");
  return response;
}

Error error_from_problem(int status, std::string_view body) {
  const auto plain = Error{code_of(status),
                           fmt::format("the server answered {} {}", status, reason_phrase(status))};
  const auto value = parse_json(body);
  if (!value || !value->is_object()) return plain;
  const auto& object = value->as_object();
  Error error = plain;
  if (const auto detail = get_string(object, "detail"); !detail.empty()) error.message = detail;
  const auto code = get_string(object, "code");
  for (const auto& row : kStatuses) {
    if (to_string(row.code) == code) error.code = row.code;
  }
  if (const auto* remedies = get_if(object, "remedies");
      remedies != nullptr && remedies->is_array()) {
    for (const auto& remedy : remedies->as_array()) {
      if (remedy.is_string())
        error.message.append("; ").append(std::string_view(remedy.as_string()));
    }
  }
  return error;
}

}  // namespace showcaller
